"""OpenVINO exports in 8 bits, by NNCF: calibrated on chips, and compared with the float file by the caller's judge.

Only layers with weights compute in 8 bits. All operations after the last of them stay in float: anchors, decode, the
sampling of AlignConv and the scores. One or two layers may cause most of the error: a convolution that takes the
difference of near values magnifies their rounding. So the blocks of the network are put back to float, each for itself,
and those that cause most of the error stay in float. NNCF has an accuracy control of its own, which is not used. It
ranks layers by their effect on all boxes, nearly all of which are background, and with other runtime settings than
those of detection.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from refinedet.errors import InputError
from refinedet.extras import missing_extra
from refinedet.runtimes.back_to_float import Canvases, answers, blocks_of, distance, layers_of, put_back
from refinedet.runtimes.exported import KEY, LAYERS, Exported
from refinedet.runtimes.graphs import move_openvino, openvino
from refinedet.workarounds.openvino.nncf_constants import fold_constants
from refinedet.workarounds.openvino.nncf_messages import hush_import, silent
from refinedet.workarounds.openvino.telemetry import import_without_telemetry

_LOGGER = logging.getLogger(__name__)

_RANKED_ON = 16
"""Most canvases on which blocks are compared."""
_SHARE = 0.25
"""Share of the distance from the float form that one block must cause to be put back before anything is judged."""
_ROUNDS = 6
"""Most times that blocks are compared; each puts one back at least, after the first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Measures of an exported file on annotated chips."""

    ap: float
    """AP in points, 0 to 100."""
    recall: float
    """Share of the objects that are found, 0 to 1."""
    moved_px: float
    """Median distance of its boxes from those of the float file, in pixels of the chips; 0 for that file itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most that 8 bits may cost."""

    ap: float
    """Points of AP lost."""
    recall: float = 1.0
    """Recall lost."""
    moved_px: float = float("inf")
    """Median distance of boxes in pixels."""

    def hold(self, before: Judged, after: Judged) -> bool:
        """True if a file in 8 bits costs no more than this, against its float form."""
        lost = before.ap - after.ap <= self.ap and before.recall - after.recall <= self.recall
        return lost and after.moved_px <= self.moved_px


@dataclass(frozen=True, slots=True)
class Quantized:
    """Result of `quantize`."""

    before: Judged
    """Measures of the float file."""
    after: Judged
    """Measures of the file in 8 bits."""
    layers: int
    """Number of all layers with weights."""
    in_float: tuple[str, ...]
    """Names in the graph of the layers that stayed in float."""


def quantize(
    source: Path,
    path: Path,
    canvases: Canvases,
    judge: Callable[[Path], Judged],
    limits: Limits,
) -> Quantized:
    """Write an exported OpenVINO file in 8 bits; equal arguments give equal bytes on one machine.

    Args:
        source: file of `export`, in float.
        path: path of the .xml file; its weights lie beside it, as .bin. It is written whole or not at all.
        canvases: canvases for the calibration of ranges.
        judge: measures of an exported file.
        limits: most that 8 bits may cost.

    Raises:
        MissingExtra: nncf or openvino is not installed.
        InputError: `canvases` is empty, or every file costs too much.
    """
    if not canvases:
        raise InputError("expected at least one chip to calibrate on, found none")
    before, core, kept = judge(source), openvino().Core(), set[str]()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        calibrated, made = Path(folder) / "calibrated.xml", Path(folder) / path.name
        openvino().save_model(in_8_bits(source, canvases), calibrated, compress_to_fp16=False)
        ranking = _Ranking(source, calibrated, canvases)
        for number in range(_ROUNDS):
            kept |= ranking.costly(kept, least=0 if number == 0 else 1)
            openvino().save_model(ranking.model(kept), made, compress_to_fp16=False)
            after = judge(made)
            _LOGGER.info("int8 with %d layers in float: %s; in float %s", len(kept), after, before)
            if limits.hold(before, after):
                in_float = tuple(name for name in layers_of(core.read_model(made)) if name in kept)
                found = Quantized(before, after, len(layers_of(core.read_model(made))), in_float)
                move_openvino(made, path)
                return found
    raise InputError(
        f"expected 8 bits to cost at most {limits.ap:g} of AP, {limits.recall:g} of recall and a move of boxes by "
        f"{limits.moved_px:g} pixels, found AP {before.ap:.2f} and recall {before.recall:.4f} in float, {after.ap:.2f} "
        f"and {after.recall:.4f} and a move by {after.moved_px:.2f} with {len(kept)} layers in float; allow more by "
        "`max_drop`, or do without"
    )


class _Ranking:
    """Blocks of a calibrated file, by what they cost."""

    def __init__(self, source: Path, calibrated: Path, canvases: Canvases) -> None:
        self._core, self._calibrated = openvino().Core(), calibrated
        step = max(1, len(canvases) // _RANKED_ON)
        self._canvases = canvases[::step][:_RANKED_ON]
        self._wanted = answers(self._core.read_model(source), self._canvases)
        self._source = self._core.read_model(source)
        fold_constants(self._source)
        self._blocks = blocks_of(self._source)

    def model(self, kept: set[str]) -> Any:
        """Model with these layers in float."""
        model = self._core.read_model(self._calibrated)
        put_back(model, self._source, kept)
        return model

    def costly(self, kept: set[str], *, least: int) -> set[str]:
        """Layers to put back beside those of `kept`: of each block that causes much, and of `least` blocks anyway."""
        whole = self._distance(kept)
        left = {block: names for block, names in self._blocks.items() if not kept.issuperset(names)}
        gains = {block: whole - self._distance(kept | set(names)) for block, names in left.items()}
        order = sorted(gains, key=lambda block: -gains[block])
        chosen = [block for block in order if whole and gains[block] >= _SHARE * whole]
        chosen = chosen or order[:least]
        for block in chosen:
            _LOGGER.info("block %s causes %.0f %% of the distance %.4f", block, 100 * gains[block] / whole, whole)
        return {name for block in chosen for name in left[block]}

    def _distance(self, kept: set[str]) -> float:
        return distance(self._wanted, answers(self.model(kept), self._canvases))


def in_8_bits(source: Path, canvases: Canvases) -> Any:
    """Make a model with all layers of an exported file in 8 bits, by ranges of canvases.

    Ranges are the least and greatest values seen. A mean over canvases would cut off the rare bright ship. Weights use
    half of their range: processors without VNNI or AMX add two products in 16 bits, which others would overflow.

    Args:
        source: file of `export`, in float.
        canvases: canvases for the calibration of ranges.

    Raises:
        MissingExtra: nncf or openvino is not installed.
    """
    vino, nncf = openvino(), _nncf()
    model = vino.Core().read_model(source)
    fold_constants(model)
    exported = Exported.from_text(model.get_rt_info([KEY]).astype(str), str(source))
    seen = nncf.quantization.range_estimator.RangeEstimatorParametersSet.MINMAX
    with silent(nncf):
        found = nncf.quantize(
            model,
            nncf.Dataset(canvases, lambda make: make()),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(canvases),
            ignored_scope=nncf.IgnoredScope(names=sorted(_after_layers(model)), validate=False),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                overflow_fix=nncf.OverflowFix.ENABLE, activations_range_estimator_params=seen
            ),
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
