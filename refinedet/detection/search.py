"""Search of scenes: windows, overlap, prescreen and limits of score, settled from settings and the weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from refinedet.config import MultiscaleConfig, PostprocessConfig, TileConfig
from refinedet.config.detection import FRAGMENT_SHARE, DetectorSettings, WindowSettings
from refinedet.detection.loading import Loaded

if TYPE_CHECKING:
    from refinedet.model.checkpoint import Header
    from refinedet.predictors.multiscale import ScalablePredictor
    from refinedet.predictors.predictor import Predictor

_SHIP = ("ship",)


@dataclass(frozen=True, slots=True)
class Search:
    """Search of scenes by a detector: its predictors, and the arguments of `detect_scene` that go with them."""

    predictors: Sequence[Predictor]
    """Equal but for their devices; the same one as often as it takes calls side by side."""
    tile: TileConfig
    score_min: float
    prescreen: float | None
    """As in `detect_scene`; None: every window is looked at."""
    ship_m: float | None
    """As in `detect_scene`; None: windows overlap as `tile` says."""
    batch_size: int | None


def settle(loaded: Loaded, settings: DetectorSettings, windows: WindowSettings) -> Search:
    """Settle how scenes are searched: as the weights were trained where the settings say nothing.

    Raises:
        InputError: the windows do not fit together.
    """
    header = loaded.header
    prescreen, ship_m = prescreen_of(windows, header), _longest_ship_m(windows, header)
    tile = _tile(windows, TileConfig() if header is None else header.trained_on.windows)
    predictors: list[Predictor]
    if header is None:
        predictors = [loaded.foreign(windows.score_min)]
    else:
        own = [_for_score(one, header.postprocess, windows.score_min) for one in loaded.predictors]
        large = prescreen is None and windows.tile_px is None
        predictors, tile = _looks(own, settings.multiscale, tile, large=large)
    return Search(predictors, tile, windows.score_min, prescreen, ship_m, settings.batch_size)


def _looks(
    own: Sequence[ScalablePredictor], multiscale: str | None, tile: TileConfig, *, large: bool
) -> tuple[list[Predictor], TileConfig]:
    """Predictors and windows: those of training, or larger ones where that is less work."""
    from refinedet.predictors.large_windows import LargeWindows, large_windows
    from refinedet.predictors.multiscale import MultiscalePredictor

    if multiscale:
        passes = MultiscaleConfig.preset(multiscale)
        return [MultiscalePredictor(one, passes) for one in own], tile
    if not large:
        return list(own), tile
    return [LargeWindows(one, tile) for one in own], large_windows(tile)


def _for_score(predictor: ScalablePredictor, trained: PostprocessConfig, score_min: float) -> ScalablePredictor:
    """The predictor with limits for ships from `score_min` up: weaker fragments enter the merge, too."""
    changed = copy.copy(predictor)  # the network is shared
    changed.postprocess = replace(
        predictor.postprocess,
        score_min=min(trained.score_min, score_min),
        keep_min=FRAGMENT_SHARE * score_min,
    )
    return changed


def prescreen_of(windows: WindowSettings, header: Header | None) -> float | None:
    """The contrast that a window must have to be looked at, if any."""
    from refinedet.scene.windows.prescreen import K

    if windows.prescreen is not None:
        return K if windows.prescreen == "on" else None
    return K if header is not None and header.classes == _SHIP else None


def _longest_ship_m(windows: WindowSettings, header: Header | None) -> float | None:
    """The length that an overlap must hold; None where others than ships are found, or the overlap is asked for."""
    from refinedet.scene.windows.overlap import LONGEST_SHIP_M

    ships = header is not None and header.classes == _SHIP
    return LONGEST_SHIP_M if ships and windows.overlap_px is None else None


def _tile(windows: WindowSettings, trained: TileConfig) -> TileConfig:
    asked: Mapping[str, int | None] = {"tile_px": windows.tile_px, "overlap_px": windows.overlap_px}
    return replace(trained, **{name: value for name, value in asked.items() if value is not None})
