"""Notes on a scene: sentences for the console and the record about guesses and missing information."""

from __future__ import annotations

from refinedet.config import PixelSizes
from refinedet.geo.position import LACKS_SYSTEM, NO_MAP, OFF_EARTH, why_nowhere
from refinedet.raster import RasterInfo
from refinedet.scene.windows.pixel_size import SAME, Factors, has_pixel_size, is_unknown, pixel_size_m

ALL_MISSING = (
    "no pixel of the scene holds data, so it was not searched; if that is wrong, set `nodata`, or set it to none if a "
    "mask or an alpha band hides the pixels"
)
"""Note on a scene without a measured pixel."""
_SMALL_PX = 2
"""Length in pixels of the scene below which a ship is a dot."""
_REMEDIES = {
    LACKS_SYSTEM: "state the reference system with `crs`",
    NO_MAP: "state the right one with `crs`, or give control points in `gcps`",
    OFF_EARTH: "state the right reference system with `crs`, or give control points in `gcps`",
}
"""Remedies by the reason why a scene has no position."""
_FAR = 1.5
"""Factor by which a stated pixel size is outside of the training, so that a note tells it."""
_IMPOSSIBLE_M = 0.02
"""Size of a pixel that no radar has."""
_IMPOSSIBLE = (
    "its pixels of {} are smaller than those of any radar: its coordinates are probably degrees or kilometres, and its "
    "reference system says otherwise, so places and lengths are wrong; state the right one with `crs`"
)
_MANY_INLAND, _INLAND_SHARE = 100, 0.1
"""Least number and share of windows on land that a note tells."""


def may_note_inland(windows: int) -> bool:
    """True if `inland_notes` may tell of the windows on land of a scene of so many windows."""
    return windows >= _MANY_INLAND


def inland_notes(inland: int, windows: int) -> tuple[str, ...]:
    """Note that many windows lie on land, and how to skip them; empty for few."""
    if inland < max(_MANY_INLAND, _INLAND_SHARE * windows):
        return ()
    note = f"{inland:,} of {windows:,} windows lie wholly on land, lakes included, and are searched"
    return (f'{note}; set `land_mask="drop"` to skip them, which is faster',)


def position_notes(info: RasterInfo) -> tuple[str, ...]:
    """Note that a scene has no position, and on all consequences; empty if it has one."""
    reason = why_nowhere(info)
    if reason is None:
        return ()
    unknown = "boxes are in pixels, places and lengths on the ground are unknown"
    remedy = _REMEDIES.get(reason, "control points in `gcps` would place it")
    left_out = "land, exclusions and platforms are not used"
    return (f"the scene has no position, since {reason}: {unknown}, and {left_out}; {remedy}",)


def pixel_notes(info: RasterInfo, factors: Factors, known: PixelSizes | None, *, asked: bool) -> tuple[str, ...]:
    """Note on a scene that is resampled, or whose pixel size is unknown or cannot be right.

    Args:
        info: the scene.
        factors: pixels of the network per pixel of the scene, along x and y.
        known: pixel sizes that the weights know.
        asked: whether the settings name a size or a factor.
    """
    if known is None or known.best_m is None:
        return ()
    if not has_pixel_size(info):
        note = f"the size of its pixels is unknown: they are taken for the {known.min_m:g} to {known.max_m:g} m of the"
        size = f"{note} weights' training; if it is another, set `scale` to the metres of a pixel / {known.best_m:g}"
        return () if asked else (size,)
    own = pixel_size_m(info)
    if max(own) < _IMPOSSIBLE_M:
        return (_IMPOSSIBLE.format(_sizes(own)),)
    if asked:
        return _on_asked_size((own[0] / factors[0], own[1] / factors[1]), factors, known)
    if not is_unknown(info, known):
        return ()
    note = f"its pixels of {_sizes(own)} are outside the {known.min_m:g} to {known.max_m:g} m of the weights' training"
    if factors == SAME:
        note += ", and it would be too large or too small after resampling: its pixels are used as they are"
    else:
        note += f', so it is resampled to {known.best_m:g} m; set `gsd_m="native"` to keep its pixels'
    coarse = max(own)
    if coarse > known.max_m:
        least, missed = f"{_SMALL_PX * coarse:.0f} m", "are" if factors == SAME else "may be"
        note += f". Ships below {least} are at most {_SMALL_PX} original pixels long, and {missed} missed"
    return (note,)


def _on_asked_size(seen_m: tuple[float, float], factors: Factors, known: PixelSizes) -> tuple[str, ...]:
    """Note on a size or a factor in the settings by which the network sees pixels far from those of its training."""
    near = known.min_m / _FAR <= min(seen_m) and max(seen_m) <= _FAR * known.max_m
    if factors == SAME or near:
        return ()
    seen = f"it is resampled to pixels of {_sizes(seen_m)}, as the settings say, outside the {known.min_m:g} to"
    leave = "leave `gsd_m` and `scale` out to search it in pixels that the weights know"
    return (f"{seen} {known.max_m:g} m of the weights' training, so ships are missed; {leave}",)


def _sizes(size_m: tuple[float, float]) -> str:
    wide, high = size_m
    return f"{wide:.3g} m" if round(wide, 1) == round(high, 1) else f"{wide:.3g} x {high:.3g} m"
