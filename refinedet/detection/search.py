"""Search of scenes: windows, overlap, prescreen and score limits, from the settings and the weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from refinedet.config import MultiscaleConfig, PixelSizes, PostprocessConfig, TileConfig
from refinedet.config.options.detect import FRAGMENT_SHARE, DetectorSettings, WindowSettings
from refinedet.detection.loading import Loaded

if TYPE_CHECKING:
    from refinedet.model.checkpoint import Header
    from refinedet.predictors.multiscale import ScalablePredictor
    from refinedet.predictors.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Search:
    """Predictors of a detector, and the arguments of `detect_scene` that go with them."""

    predictors: Sequence[Predictor]
    """Predictors that differ only in their device; a predictor is repeated for each parallel call."""
    tile: TileConfig
    score_min: float
    prescreen: float | None
    """Least contrast of a window, as in `detect_scene`; None: search every window."""
    ship_m: float | None
    """Longest ship in metres, as in `detect_scene`; None: the overlap of `tile`."""
    batch_size: int | None
    known_gsd: PixelSizes | None = None
    """Pixel sizes that the weights know, as in `detect_scene`."""


def settle(loaded: Loaded, settings: DetectorSettings, windows: WindowSettings) -> Search:
    """Choose windows, overlap and limits of the search, from the settings or else from the training of the weights.

    Raises:
        InputError: the sizes of windows and overlap do not fit together.
    """
    header = loaded.header
    prescreen, ship_m = _prescreen(windows, header), _longest_ship_m(windows, header)
    tile = _tile(windows, TileConfig() if header is None else header.trained_on.windows)
    predictors: list[Predictor]
    if header is None:
        predictors = [loaded.foreign(windows.score_min)]
    else:
        own = [_for_score(one, header.postprocess, windows.score_min) for one in loaded.predictors]
        large = prescreen is None and windows.tile_px is None
        predictors, tile = _predictors_and_windows(own, settings.multiscale, tile, large=large)
    known_gsd = None if header is None else header.trained_on.gsd_m
    together = settings.batch_size or loaded.together
    return Search(predictors, tile, windows.score_min, prescreen, ship_m, together, known_gsd)


def prescreens(windows: WindowSettings, header: Header | None) -> bool:
    """True if windows without contrast are skipped: by the settings, or else for weights that find ships."""
    if windows.prescreen is not None:
        return windows.prescreen == "on"
    return header is not None and header.finds_ships


def _predictors_and_windows(
    own: Sequence[ScalablePredictor], multiscale: str | None, tile: TileConfig, *, large: bool
) -> tuple[list[Predictor], TileConfig]:
    """Predictors and windows: windows as in training, or larger windows if these need less work."""
    from refinedet.predictors.large_windows import LargeWindows, large_windows
    from refinedet.predictors.multiscale import MultiscalePredictor

    if multiscale:
        passes = MultiscaleConfig.preset(multiscale)
        return [MultiscalePredictor(one, passes) for one in own], tile
    if not large:
        return list(own), tile
    return [LargeWindows(one, tile) for one in own], large_windows(tile)


def _for_score(predictor: ScalablePredictor, trained: PostprocessConfig, score_min: float) -> ScalablePredictor:
    """Copy of a predictor with limits for ships from `score_min` up, and for weaker fragments, which are merged."""
    changed = copy.copy(predictor)  # the network is shared
    changed.postprocess = replace(
        predictor.postprocess,
        score_min=min(trained.score_min, score_min),
        keep_min=FRAGMENT_SHARE * score_min,
    )
    return changed


def _prescreen(windows: WindowSettings, header: Header | None) -> float | None:
    """Least contrast of a window to be searched; None: search every window."""
    from refinedet.scene.windows.prescreen import K

    return K if prescreens(windows, header) else None


def _longest_ship_m(windows: WindowSettings, header: Header | None) -> float | None:
    """Length in metres that must fit into the overlap; None for other classes than ships, or if the overlap is set."""
    from refinedet.scene.windows.overlap import LONGEST_SHIP_M

    ships = header is not None and header.finds_ships
    return LONGEST_SHIP_M if ships and windows.overlap_px is None else None


def _tile(windows: WindowSettings, trained: TileConfig) -> TileConfig:
    asked: Mapping[str, int | None] = {"tile_px": windows.tile_px, "overlap_px": windows.overlap_px}
    return replace(trained, **{name: value for name, value in asked.items() if value is not None})
