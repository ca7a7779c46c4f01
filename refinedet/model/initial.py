"""Initial weights of a training: another training's checkpoint, or the one in the package."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from refinedet.config import ModelConfig
from refinedet.errors import FileError, InputError
from refinedet.model.checkpoint import read_header, read_weights
from refinedet.model.network import RefineDet
from refinedet.weights import shipped_weights

SHIPPED = "shipped"
"""Name of the checkpoint in the package."""

_BOX_ROWS = 4
_ANCHORS = ("strides", "anchor_scale", "anchor_ratios", "refined_anchors")
"""Settings that the numbers of a head depend on; with other values, every box would start at a wrong place."""
_LEAST_SHARE = 0.5


def initial_checkpoint(name: str) -> Path:
    """Path of a checkpoint named by the setting `init`: a path, or `shipped`.

    Raises:
        FileError: there is no such file.
    """
    if name == SHIPPED:
        return shipped_weights()
    path = Path(name)
    if not path.is_file():
        raise FileError(f"expected 'shipped' or a checkpoint to start from, found no file {path}")
    return path


def load_initial(model: RefineDet, path: str | Path) -> list[str]:
    """Load the tensors of a checkpoint whose names and shapes agree into `model`; the others stay as they are.

    Heads for another number of classes take the rows of the box offsets and keep their own rows for classes; heads
    for other anchors stay as they are.

    Returns:
        Names of the tensors that stay as they are, wholly or in part, in the model's order.

    Raises:
        FileError: missing or damaged file.
        InputError: no refinedet checkpoint, or one of another architecture: fewer than half of the tensors fit.
    """
    header = read_header(path)
    source, target = read_weights(path), model.state_dict()
    apart = _apart(model, header.model)
    fitting = [
        name
        for name, own in target.items()
        if name in source and source[name].shape == own.shape and not name.startswith(apart)
    ]
    if len(fitting) < _LEAST_SHARE * len(target):
        found = f"{header.model.backbone} with {header.model.tcb_channels} TCB channels"
        raise InputError(
            f"expected initial weights of a network like this one ({model.config.backbone} with "
            f"{model.config.tcb_channels}), found {found} in {path}, where {len(fitting)} of {len(target)} tensors "
            "fit; choose the model settings of that checkpoint"
        )
    for name in fitting:
        target[name].copy_(source[name])
    for level in range(0 if apart else len(model.odm)):
        _keep_box_rows(target, source, f"odm.{level}")
    return [name for name in target if name not in fitting]


def other_classes(path: str | Path, classes: tuple[str, ...]) -> str | None:
    """Sentence on initial weights for as many classes of other names, of which heads start by their order; else None.

    A single class may have any name.

    Raises:
        FileError, InputError: as `load_initial`.
    """
    known = read_header(path).classes
    if known == classes or len(known) != len(classes) or len(classes) == 1:
        return None
    pairs = ", ".join(f"{own} from {given}" for own, given in zip(classes, known, strict=True) if own != given)
    return f"the initial weights in {path} know other classes: each class starts from the one in its place ({pairs})"


def _apart(model: RefineDet, given: ModelConfig) -> tuple[str, ...]:
    """Prefixes of the names of tensors whose meaning differs in a network of the settings `given`."""
    differ = {name for name in _ANCHORS if getattr(model.config, name) != getattr(given, name)}
    levels = ("tcb.",) if "strides" in differ else ()
    return ("arm.", "odm.", *levels) if differ else ()


def _keep_box_rows(target: dict[str, Tensor], source: dict[str, Tensor], head: str) -> None:
    """Copy the box offsets of an ODM head, bias (A, 4 + K) and weight (A * (4 + K), C, 3, 3), whose K differs."""
    own, given = (_rows(tensors, head) for tensors in (target, source))
    for mine, theirs in zip(own, given, strict=False):
        boxes = mine[:, :_BOX_ROWS]
        if boxes.shape == theirs[:, :_BOX_ROWS].shape:
            boxes.copy_(theirs[:, :_BOX_ROWS])


def _rows(tensors: dict[str, Tensor], head: str) -> list[Tensor]:
    """Views of bias (A, 4 + K) and weight (A, 4 + K, C, 3, 3); empty if there is no such head."""
    bias, weight = (tensors.get(f"{head}.{name}") for name in ("bias", "weight"))
    if bias is None or weight is None:
        return []
    return [bias, weight.view(*bias.shape, *weight.shape[-3:])]
