"""OpenVINO exports in 8 bits, by NNCF: calibrated on chips, and compared with the float file by the caller's measure.

Only layers with weights compute in 8 bits. All operations after the last of them stay in float: anchors, decode, the
sampling of AlignConv and the scores. If the measure drops too much, groups of layers go back to float one after the
other, in a fixed order, until the drop is small enough. NNCF has an accuracy control of its own, which is not used. It
ranks single layers by their effect on all boxes, nearly all of which are background, and with other runtime settings
than those of detection.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.extras import missing_extra
from refinedet.runtimes.exported import KEY, LAYERS, Exported
from refinedet.runtimes.graphs import move_openvino, openvino
from refinedet.workarounds.nncf_constants import fold_constants
from refinedet.workarounds.nncf_messages import hush_import, silent
from refinedet.workarounds.openvino_telemetry import import_without_telemetry

_LOGGER = logging.getLogger(__name__)

_FIRST = 3
"""Number of layers at the input that go back to float first; their few channels carry the full resolution."""
_NEXT = (
    r"odm\.\d+/Conv.*|arm\.\d+(/arm\.\d+\.\d+)?/Conv.*",
    r"tcb\..*",
    r".*GroupConvolution_\d+",
)
"""Names of the groups that follow, in order: heads, connection blocks, depthwise convolutions."""

Canvases = Sequence[Callable[[], NDArray[np.uint8]]]
"""Functions that each make one canvas (1, 3, H, W); they may be called several times, so that none has to be kept."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """Result of `quantize`."""

    judged_float: float
    judged_int8: float
    layers: int
    """Number of all layers with weights."""
    in_float: tuple[str, ...]
    """Names in the graph of the layers that stayed in float."""


def quantize(
    source: Path, path: Path, canvases: Canvases, judge: Callable[[Path], float], max_drop: float
) -> Quantized:
    """Write an exported OpenVINO file in 8 bits; equal arguments give equal bytes on one machine.

    Args:
        source: file of `export`, in float.
        path: path of the .xml file; its weights lie beside it, as .bin. It is written whole or not at all.
        canvases: canvases for the calibration of ranges.
        judge: measure of an exported file; more is better.
        max_drop: largest accepted drop of the measure, against that of `source`.

    Raises:
        MissingExtra: nncf or openvino is not installed.
        InputError: `canvases` is empty, or the measure of every file drops too much.
    """
    if not canvases:
        raise InputError("expected at least one chip to calibrate on, found none")
    wanted, best = judge(source), -np.inf
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        for count in range(len(_NEXT) + 2):
            model = _quantized(source, canvases, count)
            openvino().save_model(model, made, compress_to_fp16=False)
            found = judge(made)
            best = max(best, found)
            _LOGGER.info("int8 with %d groups of layers in float: %.2f, in float %.2f", count, found, wanted)
            if wanted - found <= max_drop:
                move_openvino(made, path)
                layers = [node for node in model.get_ordered_ops() if node.get_type_name() in LAYERS]
                in_float = tuple(node.get_friendly_name() for node in layers if not _in_8_bits(node))
                return Quantized(wanted, found, len(layers), in_float)
    raise InputError(
        f"expected to lose at most {max_drop:g} points of {wanted:.2f} by 8 bits, found {wanted - best:.2f} lost with "
        "first layers, heads, connection blocks and depthwise ones in float; allow more by `max_drop`, or do without"
    )


def _quantized(source: Path, canvases: Canvases, groups: int) -> Any:
    """Model of a file with its layers in 8 bits, except for those of the first `groups` groups."""
    vino, nncf = openvino(), _nncf()
    model = vino.Core().read_model(source)
    fold_constants(model)
    exported = Exported.from_text(model.get_rt_info([KEY]).astype(str), str(source))
    names = [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in LAYERS]
    kept = names[:_FIRST] if groups else []
    kept += [name for name in names if any(re.fullmatch(group, name) for group in _NEXT[: max(0, groups - 1)])]
    with silent(nncf):
        found = nncf.quantize(
            model,
            nncf.Dataset(canvases, lambda make: make()),
            preset=nncf.QuantizationPreset.PERFORMANCE,
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(canvases),
            ignored_scope=nncf.IgnoredScope(names=sorted({*kept, *_after_layers(model)}), validate=False),
            # weights of 7 bits: processors without VNNI add pairs of products in 16 bits, which 8 would overflow
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        )
    for number, node in enumerate(found.get_ordered_ops()):  # NNCF's own names count every node of the process
        if node.get_type_name() not in LAYERS:
            node.set_friendly_name(f"{node.get_type_name()}_{number}")
    found.set_rt_info(replace(exported, precision="int8").to_text(), [KEY])
    return found


def _after_layers(model: Any) -> list[str]:
    """Names of all operations with no layer after them: those on the last layers' outputs, and the anchors."""
    before: set[str] = set()
    after = []
    for node in reversed(model.get_ordered_ops()):
        users = [user.get_node() for output in node.outputs() for user in output.get_target_inputs()]
        if any(user.get_type_name() in LAYERS or user.get_friendly_name() in before for user in users):
            before.add(node.get_friendly_name())
        elif node.get_type_name() not in (*LAYERS, "Constant", "Result"):
            after.append(node.get_friendly_name())
    return after


def _in_8_bits(layer: Any) -> bool:
    """True if the weights of a layer are stored in 8 bits, before the operations that convert them to float."""
    node = layer.input_value(1).get_node()
    while node.get_type_name() != "Constant":
        if node.get_type_name() == "FakeQuantize":
            return True
        node = node.input_value(0).get_node()
    return bool(node.get_element_type().size == 1)


def _nncf() -> Any:
    """Import the module nncf, without usage data.

    Raises:
        MissingExtra: it is not installed.
    """
    hush_import()
    try:
        return import_without_telemetry("nncf")
    except ImportError as error:
        raise missing_extra("nncf", "`int8`") from error
