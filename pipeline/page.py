"""The report as one HTML page that needs nothing else: pictures are inside, and nothing is fetched."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from pipeline.contact_sheet import LEGEND, Picture
from pipeline.published import Published

TEMPLATE = Path(__file__).with_name("page.html")

COLUMNS = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_100", "precision", "recall", "F1")
VOC_COLUMNS = ("mAP07", "mAP10")
"""Measures of the table, in order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page shows."""

    title: str
    subtitle: str
    metrics: Mapping[str, Mapping[str, float]]
    """Part of the test split -> measure -> value, as evaluate writes them; and `val`."""
    published: Sequence[Published]
    curves: Path
    """PNG of precision over recall."""
    training: Path
    """PNG of the course of the training."""
    sections: Mapping[str, Sequence[Picture]]
    """Heading -> close-ups of hits, misses or false alarms."""
    samples: Sequence[Picture]
    facts: Mapping[str, Mapping[str, object]]
    """Heading -> name -> value: where the result comes from."""


def _columns(page: Page) -> tuple[str, ...]:
    """COCO's measures, and VOC's where there are any."""
    return COLUMNS + tuple(name for name in VOC_COLUMNS if any(name in row for row in page.metrics.values()))


def render(page: Page) -> str:
    """The page as HTML. Every text is escaped; equal content gives equal text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "data_uri": _data_uri, "part": _part}
    return environment.get_template(TEMPLATE.name).render(page=page, columns=_columns(page), legend=LEGEND)


def _percent(value: float | None, digits: int = 1) -> str:
    return "\u2013" if value is None else f"{value:.{digits}f}"


def _part(name: str) -> str:
    """`test_without_leaked` -> `Test without leaked images`, as a person would say it."""
    words = {"val": "Validation, last epoch", "test": "Test", "test_without_leaked": "Test without leaked images"}
    return words.get(name) or name.replace("test_", "Test, ").replace("_", " ")


def _data_uri(picture: Path | Image.Image) -> str:
    if isinstance(picture, Path):
        content = picture.read_bytes()
    else:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        content = stream.getvalue()
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
