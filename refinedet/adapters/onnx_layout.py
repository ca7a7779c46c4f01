"""Meaning of the outputs of an ONNX detector, from their names and shapes or from the user. Reads no files.

B batch, N boxes or rows, K classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from refinedet.config.base import Count, Positive, Settings, Whole, validated
from refinedet.errors import InputError

Kind = Literal["auto", "boxes", "rows", "yolo", "yolo_objectness"]
BoxFormat = Literal["auto", "xyxy", "cxcywh"]
BoxUnit = Literal["pixel", "share"]
Triple = tuple[float, float, float]

_ROWS_MAX = 1000
"""Most rows of an output after suppression."""


@validated(frozen=True, slots=True)
class OnnxLayout(Settings):
    """Facts on input and outputs of an ONNX detector that its graph does not show.

    Raises:
        InputError: a value is out of range.
    """

    kind: Kind = "auto"
    """boxes: separate outputs for boxes (B, N, 4), scores (B, N) and labels (B, N), or scores (B, N, K) of each class;
    rows: (B, N, 6) of [box, score, label]; yolo: (B, 4 + K, N) or (B, N, 4 + K) of [box, score of each class];
    yolo_objectness: yolo with the score of an object after the box; auto: found from names and shapes."""
    boxes: str | None = None
    """Name of the output with the boxes, or with boxes, scores and labels; None: found from names and shapes."""
    scores: str | None = None
    labels: str | None = None
    box_format: BoxFormat = "auto"
    """Format of boxes; auto is centre and size for yolo, corners for the others."""
    box_unit: BoxUnit = "pixel"
    """Unit of boxes; pixel: pixels of the network's input; share: in [0, 1] of its width and height."""
    first_label: Whole = 0
    """Label of the first class; exported torchvision detectors start at 1."""
    input_px: Count | None = None
    """Long side of a chip on the canvas, if the graph does not fix it; None: that of the chip."""
    mean: Triple = (0.0, 0.0, 0.0)
    """Mean that is subtracted from red, green and blue in [0, 1]."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """Divisor after that: (1/255, 1/255, 1/255) for a network that takes 0 to 255."""


class Port(NamedTuple):
    """Input or output of a graph."""

    name: str
    shape: tuple[int | None, ...]
    """Sizes of the axes; None: a free axis."""
    dtype: str
    """Name of the type in numpy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Complete plan for reading the outputs of one graph."""

    source: str
    """Name of the detector, for errors."""
    kind: Kind
    boxes: str
    """Output with the boxes; for rows and yolo, the only output that is read."""
    scores: str | None = None
    labels: str | None = None
    channels_last: bool = True
    """True for yolo of (B, N, 4 + K), false for (B, 4 + K, N)."""
    centres: bool = False
    """True if boxes are centre and size, false if they are corners."""

    @property
    def names(self) -> list[str]:
        """Names of the outputs that are read."""
        return [name for name in (self.boxes, self.scores, self.labels) if name is not None]


def plan_outputs(outputs: Sequence[Port], layout: OnnxLayout, classes: int, source: str) -> Plan:
    """Plan how to read the outputs of a graph for `classes` classes, from the shapes of one run.

    Raises:
        InputError: the outputs fit no known layout, or not the one that `layout` names.
    """
    table = _table(outputs, layout, source)
    if table is None:
        return _plan_boxes(outputs, layout, source)
    if len(table.shape) != 3:
        raise _unknown(outputs, source, "expected an output of three axes")
    rows, columns = (size or 0 for size in table.shape[1:])
    kind = _kind(rows, columns, classes) if layout.kind == "auto" else layout.kind
    centres = layout.box_format == "cxcywh" or (layout.box_format == "auto" and kind != "rows")
    if kind == "rows":
        return Plan(source, "rows", table.name, centres=centres)
    wanted = classes + (4 if kind == "yolo" else 5)
    if kind not in ("yolo", "yolo_objectness") or wanted not in (rows, columns):
        raise _unknown(outputs, source, f"expected boxes and scores of {classes} class(es)")
    return Plan(source, kind, table.name, channels_last=columns == wanted, centres=centres)


def _table(outputs: Sequence[Port], layout: OnnxLayout, source: str) -> Port | None:
    """Output that holds boxes, scores and labels together; None if each has its own."""
    if layout.kind == "boxes" or layout.scores is not None:
        return None
    if layout.boxes is not None and layout.kind != "auto":
        return _by_name(outputs, layout.boxes, source)
    triples = [port for port in outputs if len(port.shape) == 3]
    if layout.kind != "auto" or len(outputs) == 1:
        return triples[0] if triples else outputs[0]
    # some graphs also output the maps from which the table is made; (B, N, 5) are boxes with scores
    return triples[0] if len(triples) == 1 and triples[0].shape[2] not in (4, 5) else None


def _kind(rows: int, columns: int, classes: int) -> Kind:
    if columns == 6 and rows <= _ROWS_MAX:
        return "rows"
    return "yolo_objectness" if classes + 5 in (rows, columns) and classes + 4 not in (rows, columns) else "yolo"


def _plan_boxes(outputs: Sequence[Port], layout: OnnxLayout, source: str) -> Plan:
    left = list(outputs)

    def take(given: str | None, words: str, fits: Callable[[Port], bool]) -> Port | None:
        if given is not None:
            found = [_by_name(outputs, given, source)]
        else:
            found = [port for port in left if re.search(words, port.name.lower())] or list(filter(fits, left))
        if found and found[0] in left:
            left.remove(found[0])
        return found[0] if found else None

    boxes = take(layout.boxes, "box|dets", lambda port: len(port.shape) > 1 and port.shape[-1] in (4, 5))
    labels = take(layout.labels, "label|class|cls", lambda port: "int" in port.dtype)
    scores = take(layout.scores, "score|conf|prob", lambda port: "float" in port.dtype)
    if boxes is None or (scores is None and boxes.shape[-1] != 5):
        raise _unknown(outputs, source, "expected outputs for boxes and scores")
    return Plan(
        source,
        "boxes",
        boxes.name,
        None if scores is None else scores.name,
        None if labels is None else labels.name,
        centres=layout.box_format == "cxcywh",
    )


def _by_name(outputs: Sequence[Port], name: str, source: str) -> Port:
    for port in outputs:
        if port.name == name:
            return port
    raise InputError(f"expected an output '{name}' in {source}, found {[port.name for port in outputs]}")


def _unknown(outputs: Sequence[Port], source: str, expected: str) -> InputError:
    shapes = ", ".join(f"{port.name} {tuple('?' if n is None else n for n in port.shape)}" for port in outputs)
    return InputError(
        f"{expected} in {source}, found {shapes}; name all of its classes, or say what it gives with OnnxLayout"
    )
