"""Code of the model in MLflow, which turns 8-bit chips into detections. MLflow stores and runs this file, not a pickle.

It only imports the library, whose sources lie beside it in the model.
"""

from __future__ import annotations

import io
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from refinedet.predictors.predictor import Predictor, TorchPredictor

IMAGE, DETECTIONS, SCORE_MIN = "image", "detections", "score_min"
"""Column of the input, column of the output, parameter."""


class ServedDetector(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]  # MLflow exports it by hand
    """Detector behind MLflow's model interface, with one row for each chip.

    Column `image` holds the bytes of an 8-bit PNG, JPEG or TIFF file of any size. The response has a list
    `detections` for each row: pixel box x1, y1, x2, y2 (half-open), score and label.
    """

    predictor: Predictor

    def load_context(self, context: Any) -> None:
        """Read the checkpoint, once."""
        self.predictor = TorchPredictor.load(context.artifacts["checkpoint"])

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's way to call it
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Detections of each chip whose score is at least `params["score_min"]`, by default 0.5.

        Raises:
            ValueError: an image cannot be read; MLflow answers with status 400.
        """
        score_min = float((params or {}).get(SCORE_MIN, 0.5))
        chips = [_decoded(number, content) for number, content in enumerate(model_input[IMAGE])]
        classes = self.predictor.classes
        rows = [
            [
                {**dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)), "score": score, "label": classes[label]}
                for box, score, label in zip(
                    found.boxes_xyxy.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
                )
                if score >= score_min
            ]
            for found in self.predictor.predict(chips)
        ]
        return pd.DataFrame({DETECTIONS: rows})


def _decoded(number: int, content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise ValueError(f"expected an image of 8 bits in row {number}, found mode {image.mode}")
            return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except (UnidentifiedImageError, OSError, TypeError) as error:
        raise ValueError(f"expected an image file (PNG, JPEG, TIFF) in row {number}, found none ({error})") from error


mlflow.models.set_model(ServedDetector())
