"""Stretch limits of a scene, measured on its water, which the coastline tells from land if it is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import Radiometry, StretchChoice
from refinedet.radiometry import StretchLimits, in_domain, valid_mask
from refinedet.raster import RasterInfo, Reader
from refinedet.scene.land.survey import Surroundings
from refinedet.stretch.sea_level import CELL_PX, measure_sea
from refinedet.stretch.stretch_limits import scene_limits

_SHORE_PX = CELL_PX // 2
"""Side of the squares of a sample that count as land or water by their centre."""
_CHIP_PX = 1024
"""Longest side of a picture without a position that counts as a chip, which is never stretched, as in training."""
_NEARLY_ALL = 0.95
"""Share of the pixels at one end of a fixed stretch from which a note reports it."""
_DARK_SEA = 20.0
"""Mean grey of a sea below which weak ships are missed: half of the one in training. On real ships scaled to 8 bits,
stretched pictures show as many ships or more at any level."""
_STRETCHED = (
    "its 8 bits are dark, with a sea of grey {:.1f}, as after scaling to the brightest pixel, so they are stretched; "
    'set `stretch="none"` to leave them unchanged'
)
_TOO_DARK, _MAY_BE_POWER = (
    4.0,
    "; nothing tells in so few greys whether they are amplitude or power: if they are power, set `values` to power",
)
"""Mean grey of a sea whose speckle is lost in rounding, and what the note on it says besides."""
_LEFT_DARK = (
    "its 8 bits are dark, and half of its pixels have a grey of at most {:.0f}, but it is as small as a chip of the "
    "training, so they are left as they are: if ships are missed, set `stretch` to {}"
)


def sea_limits(
    sample: NDArray[Any],
    reader: Reader,
    seen: RasterInfo,
    known: Surroundings,
    radiometry: Radiometry,
    choice: StretchChoice,
) -> StretchLimits | None:
    """Stretch limits of a scene with a thinned sample (h, w) or (h, w, 3) of all of it, as `scene_limits` gives them.

    Args:
        sample: every n-th pixel of the scene.
        reader: the scene in its own pixels, in which the land is known.
        seen: the scene in the pixel size of the sample.
        known: land around the scene.
        radiometry: stretch that the weights were trained with.
        choice: stretch that the user chose, in the values of the scene.

    Raises:
        InputError: the choice does not fit the values of the scene.
    """
    land = _land(sample.shape[0], sample.shape[1], reader.info, known)
    if choice.kind == "auto" and radiometry.stretch != "none" and _may_be_scaled(sample, seen):
        grey = _grey_of_sea(sample, seen.nodata, land)
        if grey < _DARK_SEA:
            note = _STRETCHED.format(grey) + (_MAY_BE_POWER if grey < _TOO_DARK else "")
            limits = scene_limits(sample, seen.dtype, seen.nodata, radiometry, StretchChoice(radiometry.stretch), land)
            return None if limits is None else replace(limits, note=note)
    limits = scene_limits(sample, seen.dtype, seen.nodata, radiometry, choice.mapped(reader.amplitude), land)
    if limits is None or choice.kind != "fixed":
        return limits
    return replace(limits, note=_beyond(sample[valid_mask(sample, seen.nodata)], limits))


def note_on_dark_chip(
    sample: NDArray[Any], seen: RasterInfo, radiometry: Radiometry, choice: StretchChoice
) -> str | None:
    """Sentence on a dark grey picture in 8 bits that is not stretched, since it may be a chip; None for others.

    Args:
        sample: every n-th pixel (h, w) of the scene; colours (h, w, 3) are not judged.
        seen: the scene in the pixel size of the sample.
        radiometry: stretch that the weights were trained with.
        choice: stretch that the user chose.
    """
    is_grey = sample.dtype == np.uint8 and sample.ndim == 2
    unstretched = choice.kind == "auto" and radiometry.stretch != "none" and not _may_be_scaled(sample, seen)
    if not is_grey or not unstretched:
        return None
    measured = sample[valid_mask(sample, seen.nodata)]
    middle = float(np.median(measured)) if measured.size else np.inf
    return _LEFT_DARK.format(middle, radiometry.stretch) if middle < _DARK_SEA else None


def _beyond(values: NDArray[Any], limits: StretchLimits) -> str | None:
    """Note on a fixed stretch outside of which nearly all values lie; None for others."""
    amplitudes = in_domain(values, limits.domain)
    for grey, share in (("black", amplitudes <= limits.low), ("white", amplitudes >= limits.high)):
        if values.size and share.mean() > _NEARLY_ALL:
            made = f"the fixed `stretch` makes {share.mean():.0%} of the scene {grey}"
            return f"{made}; give both ends in the file's values"
    return None


def _may_be_scaled(sample: NDArray[Any], seen: RasterInfo) -> bool:
    """True for a scene in 8 bits, which may have been scaled to its brightest pixel; false for chips and colours."""
    has_position = seen.transform is not None or bool(seen.gcps)
    return sample.dtype == np.uint8 and sample.ndim == 2 and (has_position or max(seen.width, seen.height) > _CHIP_PX)


def _grey_of_sea(sample: NDArray[Any], nodata: float | None, land: NDArray[np.bool_] | None) -> float:
    """Mean grey of the sea, of all measured pixels where none is found; infinite if no pixel was measured."""
    valid = valid_mask(sample, nodata)
    sea = measure_sea(sample, valid, land)
    seen = sample[valid] if sea is None else sea.amplitudes
    return float(seen.mean()) if seen.size else np.inf


def _land(height: int, width: int, scene: RasterInfo, known: Surroundings) -> NDArray[np.bool_] | None:
    """(height, width) true where a sample of the scene lies on land; None if no coastline is known."""
    rows, columns = (-(-side // _SHORE_PX) for side in (height, width))
    y, x = np.mgrid[:rows, :columns] + 0.5
    shares = np.minimum(np.stack([x.ravel() / width, y.ravel() / height], axis=1) * _SHORE_PX, 1)
    on_land = known.on_land(shares * (scene.width, scene.height))
    if on_land is None:
        return None
    squares = np.ones((_SHORE_PX, _SHORE_PX), np.bool_)
    return np.asarray(np.kron(on_land.reshape(rows, columns), squares)[:height, :width])
