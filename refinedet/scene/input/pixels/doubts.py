"""Notes on pictures that hide ships: colours, a bright end that was cut off, smoothed speckle, and unknown pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ValueKind
from refinedet.config.options.detect import SceneSettings
from refinedet.geo.position import locate
from refinedet.raster import SceneReader
from refinedet.raster.decoding.areas import share
from refinedet.raster.decoding.values import to_amplitude
from refinedet.scene.input.pixels.colours import are_coloured, marked_share
from refinedet.scene.input.pixels.drawn import has_drawn_lines
from refinedet.scene.input.pixels.eight_bit import INVERTED, LEAST_SCENE_PX, WEAK_GROWTH
from refinedet.scene.input.pixels.speckle import calm_cells, neighbour_correlation, symmetric_exponent
from refinedet.scene.input.pixels.squeezed import AboveZero

_CUT_SHARE = 0.009
"""Share of the highest value from which values were cut off. Of two real screens and cities in 8 bits it is 1 to 2 %,
of eight other real pictures below 0.1 %."""
_NEARLY_WHITE, _WHITE_SHARE = 243, 0.03
"""Grey from which 5 % of a picture lie whose histogram was equalised, and the share from which a note tells it. In real
pictures without a cut bright end it is 2.4 % at most."""
_SMOOTHED_DB = 0.95
"""Standard deviation of calm sea in decibels below which its speckle was smoothed: real scenes of up to 75 m have 1.1
and more. Means and medians over 5 x 5 pixels leave 0.8 to 0.9, Lee filters 0.5, values of another kind half."""
_INVERTED_SKEWNESS = 0.2
"""Least skewness of constant speckle that may be that of inverted decibels; filters leave them more even."""
_ROOT_SPAN, _ROOT_GROWTH, _ROOT_EXPONENT = 0.3, 0.5, 0.7
"""Least growth of the level on which a root of amplitude is judged, the largest share of the growth of the speckle in
it, and the least exponent that makes it symmetric. Real amplitude has one of 0.65 at most, or a larger share."""
_DB_PER_NEPER = 20 / np.log(10)
_HIGH, _LOW, _RING, _TOP = 192, 64, 0.3, 8
"""Greys between which, in a row, a pixel lies that overflowed; below which it lies; least number of such pixels per
bright one there, at most 0.11 in ten real pictures; and the greys at the top, which saturation fills unevenly."""
_EVERY, _LEAST_RINGED, _UNEVEN = 2, 12, 1.5
"""Distance of the rows that are looked at, least number of such pixels in them, and least ratio of the most
frequent grey to a usual one; equalised greys have less."""
OVERFLOWN = (
    "dark pixels lie amid its brightest ones, as where 8 bits hold only the remainder of larger numbers (those above "
    "255 began again at 0), so that ships are torn and missed: use the raster that it was made from"
)
_MOST_ZERO = 0.9
"""Share of zeros between other pixels from which the sea is missing; noise removal leaves 0.75 at most."""
_CUT_BELOW = (
    "at least {:.0f} % of its pixels are zero, in all parts of the scene: values below were cut off, as where negative "
    "decibels are stored without a sign, so no sea is left to compare ships with; use the raster that it was made from"
)
_MISSED = "use the raster that it was made from"
_EQUALISED = (
    "{:.2g} % of its pixels are nearly white, as after an equalisation of its greys, which makes the sea as bright as "
    f"ships, so that many are missed: {_MISSED}"
)
_IN_COLOURS = (
    "it is a picture in colours, which are read as grey; if they stand for brightness, or for several images, ships "
    f"are missed: {_MISSED}, or name one channel by `band`"
)
_LEAST_MARKED = 2e-4
"""Least share of coloured pixels in a grey picture that a note tells: a frame around each of some ships."""
_MARKED = (
    "coloured lines, letters or frames are drawn on it, on {:.2g} % of its pixels: ships at them are missed or look "
    "larger, and letters may be taken for ships; use the picture without them"
)
_DRAWN = (
    "straight lines are drawn on it, such as frames, axes or a graticule: ships at them are missed, and what lies "
    "outside of the image may be taken for sea; use the picture without them"
)
_COLOURED_PALETTE = (
    "its palette holds colours, which are read as grey: the colours of a map are no measurement, and ships are missed; "
    f"{_MISSED}, or write its numbers without the palette: gdal_translate -colorinterp_1 gray"
)
_SQUARE = (
    "average them to squares of about 10 m and project them (in SNAP: Multilook, then Terrain Correction), or give "
    "control points in `gcps`, from which their size follows"
)
_COMPLEX = (
    "its pixels are complex and their size is unknown, so they are taken for square ones that the weights know: those "
    "of single-look data are often longer than wide (2.3 x 14 m in Sentinel-1), and ships in them are missed; "
    f"{_SQUARE}"
)
_OBLONG = (
    "the size of its pixels is unknown, and its speckle reaches farther along the {} than along the {}, as where "
    f"pixels are not square (slant range): if so, ships in them are missed; {_SQUARE}"
)
_ALIKE, _UNLIKE, _LEAST_OBLONG_PX = 0.5, 0.25, 384
"""Least correlation of neighbours along one side of a scene, and largest along the other, whose pixels may not be
square, and its least side. They differ by 0.15 at most in real scenes of 512 pixels and more."""


def tell_doubts(reader: SceneReader, settings: SceneSettings, *, is_complex: bool) -> None:
    """Report what may hide ships in a raster that is read as it was decided."""
    sample = reader.sample()
    if sample.ndim == 3 and are_coloured(sample):
        reader.tell(_IN_COLOURS if len(reader.bands) > 1 else _COLOURED_PALETTE)
    elif sample.ndim == 3 and (note := note_on_marks(sample)) is not None:
        reader.tell(note)
    elif _shows_lines(reader):
        reader.tell(_DRAWN)
    elif sample.ndim == 2 and (zero := _zeros_between(reader.stored_sample())) >= _MOST_ZERO:
        reader.tell(_CUT_BELOW.format(np.floor(min(99, 100 * zero))))
    elif (note := _on_bright_end(reader, sample if sample.ndim == 2 else sample[..., 1])) is not None:
        reader.tell(note)
    asked = settings.gsd_m is not None or settings.scale is not None
    if asked or reader.info.spacing_m is not None or locate(reader.info) is not None:
        return
    note = _COMPLEX if is_complex else _on_oblong_pixels(reader)
    if note is not None:
        reader.tell(note)
        reader.has_told_size = True


def _shows_lines(reader: SceneReader) -> bool:
    """True for a picture in 8 bits, small enough to be seen pixel by pixel, on which straight lines are drawn."""
    if reader.stored_dtype != "uint8":
        return False
    stored = reader.stored_sample()
    if stored.shape[:2] != (reader.info.height, reader.info.width):
        return False
    return has_drawn_lines(stored if stored.ndim == 2 else stored[..., 1])


def note_on_marks(sample: NDArray[Any]) -> str | None:
    """Sentence on coloured lines and letters on a sample (h, w, 3) of a grey picture; None without any."""
    marked = marked_share(sample)
    return _MARKED.format(100 * marked) if marked >= _LEAST_MARKED else None


def _on_oblong_pixels(reader: SceneReader) -> str | None:
    """Sentence on a scene whose neighbours are alike along one of its sides alone; None for another one."""
    if min(reader.info.width, reader.info.height) < _LEAST_OBLONG_PX:
        return None
    blocks = reader.blocks()
    calm = calm_cells(blocks) if all(block.ndim == 2 for block in blocks) else None
    if calm is None:
        return None
    rows, columns = neighbour_correlation(calm)
    if max(rows, columns) < _ALIKE or min(rows, columns) > _UNLIKE:
        return None
    return _OBLONG.format(*(("rows", "columns") if rows > columns else ("columns", "rows")))


def overflew(reader: SceneReader) -> bool:
    """True for 8 bits that hold the remainder of larger numbers: dark pixels amid bright ones, and no pile at 255.

    Raises:
        FileError: the pixels cannot be read.
    """
    is_small = min(reader.info.width, reader.info.height) < LEAST_SCENE_PX
    if reader.stored_dtype != "uint8" or len(reader.bands) > 1 or is_small:
        return False
    sample = reader.stored_sample()[::_EVERY]  # some rows suffice, and are quicker
    high = sample >= _HIGH
    between = sample[:, 1:-1][high[:, :-2] & high[:, 2:]]
    dark, bright = np.count_nonzero(between < _LOW), np.count_nonzero(between >= _HIGH)
    if dark < _LEAST_RINGED or dark < _RING * bright:
        return False
    counts = np.bincount(sample.ravel(), minlength=256)
    return bool(counts[-1] <= 2 * counts[-_TOP:-1].mean() and counts[1:].max() > _UNEVEN * np.median(counts[1:]))


def note_on_speckle(blocks: Sequence[NDArray[Any]], kind: ValueKind) -> str | None:
    """Sentence on speckle that is too weak for a radar; None if it is not.

    Args:
        blocks: full-resolution blocks (h, w) of values, NaN where not measured.
        kind: kind of the values.
    """
    if kind == "iq":
        return None
    calm = calm_cells([to_amplitude(block, kind) for block in blocks])
    if calm is None:
        return None
    deviation = float(np.median(calm.std(axis=1))) * _DB_PER_NEPER
    if deviation >= _SMOOTHED_DB:
        return None
    return (
        f"its calm sea varies by only {deviation:.1f} dB, less than the speckle of a radar: a filter or an average "
        "smoothed it, which hides short ships, or its values are of another kind; use the raster before the filter, or "
        "set `values`"
    )


def note_on_growth(found: AboveZero | None, blocks: Sequence[NDArray[Any]], *, is_inverted: bool) -> str | None:
    """Sentence on values above zero that look inverted, or like a root of amplitude; None if they do not.

    Args:
        found: guess for the values in 8 bits.
        blocks: full-resolution blocks (h, w) of values, NaN where not measured.
        is_inverted: True if low values are taken for bright.
    """
    if found is None:
        return None
    look, other = found[0], "off" if is_inverted else "on"
    if look.is_inverted:
        return INVERTED.format(other)
    is_bright = look.has_constant_speckle and look.skewness > _INVERTED_SKEWNESS
    may_be_root = look.span >= _ROOT_SPAN and look.growth <= _ROOT_GROWTH * look.span
    calm = calm_cells(blocks) if may_be_root and not is_bright else None
    is_root = calm is not None and symmetric_exponent(calm) >= _ROOT_EXPONENT
    return WEAK_GROWTH.format(other) if is_bright or is_root else None


def _zeros_between(sample: NDArray[Any]) -> float:
    """Share of zeros among a sample (h, w) without its outer rows and columns of zeros; 0 if all of it is zero.

    If less than `_MOST_ZERO` of all are zero, the outer ones are not looked for, and count too.
    """
    zeros = share(sample == 0)
    if zeros < _MOST_ZERO:
        return zeros
    other = (sample if sample.ndim == 2 else sample[..., 0]) != 0
    rows, columns = (np.flatnonzero(other.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return 0.0
    return 1 - share(other[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _on_bright_end(reader: SceneReader, sample: NDArray[Any]) -> str | None:
    """Sentence on values that were cut off at a highest one; None if they were not."""
    if min(reader.info.width, reader.info.height) < LEAST_SCENE_PX:
        return None
    measured = sample[np.isfinite(sample)]
    if reader.info.nodata is not None:
        measured = measured[measured != reader.info.nodata]
    if not measured.size or measured.min() == (top := measured.max()):
        return None
    cut = share(measured == top)
    if cut < _CUT_SHARE:
        bright = share(measured >= _NEARLY_WHITE) if measured.dtype == np.uint8 else 0.0
        return _EQUALISED.format(100 * bright) if bright >= _WHITE_SHARE else None
    return (
        f"{100 * cut:.2g} % of its pixels have its highest value, at which brighter ones were cut off: ships look "
        "larger there and may be missed; use a raster with a wider range of values"
    )
