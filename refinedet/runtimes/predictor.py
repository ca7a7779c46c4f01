"""Predictor of an exported detector: the boxes of TorchPredictor, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.suppression.arrays import strongest, suppress
from refinedet.predictors.predictor import CanvasPredictor
from refinedet.runtimes.graphs import Graph, GraphPrecision, open_graph


class ExportedPredictor(CanvasPredictor):
    """Predictor of an ONNX or OpenVINO file of `refinedet export`: letterbox, graph, suppression, chip pixels.

    The objectness limit, the operating score and its slope are part of the graph, with the values of the checkpoint.
    """

    def __init__(self, graph: Graph, *, batch_size: int = 8, postprocess: PostprocessConfig | None = None) -> None:
        header = graph.exported.header
        super().__init__(
            header.model,
            classes=header.classes,
            radiometry=header.radiometry,
            batch_size=batch_size,
            postprocess=postprocess or header.postprocess,
        )
        self.graph = graph

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        precision: GraphPrecision = "fp32",
        batch_size: int = 8,
        postprocess: PostprocessConfig | None = None,
    ) -> Self:
        """Open an exported file, .onnx or .xml.

        Raises:
            MissingExtra, FileError, InputError: as `open_graph`.
        """
        graph = open_graph(Path(path), device=device, precision=precision)
        return cls(graph, batch_size=batch_size, postprocess=postprocess)

    def _detect(
        self, canvases: NDArray[np.uint8], sizes_wh: NDArray[np.int64], config: PostprocessConfig
    ) -> list[Detections]:
        boxes, scores = self.graph.run(canvases)
        return suppress(strongest(boxes, scores, sizes_wh, config), len(scores), config)
