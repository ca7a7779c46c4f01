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
from refinedet.raster.decoding.values import to_amplitude
from refinedet.scene.input.pixels.colours import are_coloured
from refinedet.scene.input.pixels.eight_bit import LEAST_SCENE_PX
from refinedet.scene.input.pixels.speckle import calm_cells

_CUT_SHARE = 0.009
"""Share of the highest value from which values were cut off. Of two real screens and cities in 8 bits it is 1 to 2 %,
of eight other real pictures below 0.1 %."""
_NEARLY_WHITE, _WHITE_SHARE = 243, 0.03
"""Grey from which 5 % of a picture lie whose histogram was equalised, and the share from which a note tells it. In real
pictures without a cut bright end it is 2.4 % at most."""
_SMOOTHED_DB = 0.8
"""Standard deviation of calm sea in decibels below which its speckle was smoothed: real scenes of up to 75 m have 1.1
and more, filters of 3 x 3 and 5 x 5 pixels leave 0.5, power taken for amplitude or the reverse leaves half."""
_DB_PER_NEPER = 20 / np.log(10)
_MISSED = "use the raster that it was made from"
_EQUALISED = (
    "{:.2g} % of its pixels are nearly white, as after an equalisation of its greys, which makes the sea as bright as "
    f"ships, so that many are missed: {_MISSED}"
)
_IN_COLOURS = (
    "it is a picture in colours, which are read as grey; if they stand for brightness, or for several images, ships "
    f"are missed: {_MISSED}, or name one channel by `band`"
)
_COLOURED_PALETTE = (
    "its palette holds colours, which are read as grey: the colours of a map are no measurement, and ships are missed; "
    f"{_MISSED}, or write its numbers without the palette: gdal_translate -colorinterp_1 gray"
)
_COMPLEX = (
    "its pixels are complex and their size is unknown: those of single-look data are often longer than wide (2.3 x 14 "
    "m in Sentinel-1), and ships in them are missed; average them to squares of about 10 m and project them (in SNAP: "
    "Multilook, then Terrain Correction), or give control points in `gcps`, from which their size follows"
)


def tell_doubts(reader: SceneReader, settings: SceneSettings, *, is_complex: bool) -> None:
    """Report what may hide ships in a raster that is read as it was decided."""
    sample = reader.sample()
    if sample.ndim == 3 and are_coloured(sample):
        reader.tell(_IN_COLOURS if len(reader.bands) > 1 else _COLOURED_PALETTE)
    elif (note := _on_bright_end(reader, sample if sample.ndim == 2 else sample[..., 1])) is not None:
        reader.tell(note)
    asked = settings.gsd_m is not None or settings.scale is not None
    if is_complex and not asked and reader.info.spacing_m is None and locate(reader.info) is None:
        reader.tell(_COMPLEX)


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


def _on_bright_end(reader: SceneReader, sample: NDArray[Any]) -> str | None:
    """Sentence on values that were cut off at a highest one; None if they were not."""
    if min(reader.info.width, reader.info.height) < LEAST_SCENE_PX:
        return None
    measured = sample[np.isfinite(sample)]
    if reader.info.nodata is not None:
        measured = measured[measured != reader.info.nodata]
    if not measured.size or measured.min() == (top := measured.max()):
        return None
    share = float((measured == top).mean())
    if share < _CUT_SHARE:
        bright = float((measured >= _NEARLY_WHITE).mean()) if measured.dtype == np.uint8 else 0.0
        return _EQUALISED.format(100 * bright) if bright >= _WHITE_SHARE else None
    return (
        f"{100 * share:.2g} % of its pixels have its highest value, at which brighter ones were cut off: ships look "
        "larger there and may be missed; use a raster with a wider range of values"
    )
