"""Missing pixels of a raster: as the user states, as the file declares, or as found in a sample."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.detect import NoData
from refinedet.errors import InputError
from refinedet.raster import Missing, SceneReader, can_hold
from refinedet.raster.decoding.holes import Holes
from refinedet.scene.input.pixels.fill import (
    Fill,
    Zeros,
    count_zeros,
    find_fills,
    gaps,
    is_top,
    scattered_top,
    share_of,
    zero_fill,
)
from refinedet.scene.input.pixels.holes import are_lost, lost_share, scattered_amid, without_lost
from refinedet.scene.input.pixels.lines import find_lines

Source = Literal["stated", "declared", "mask", "found", "zero padding", "none"]
_NOTABLE = 0.001
"""Share of scattered zeros from which a note reports them."""
_OVERRULE = "set `nodata` to change this"
_TOP = "single zeros are taken for bright pixels that were cut off, and areas of zeros for no data"


def settle_missing(reader: SceneReader, stated: NoData | None) -> Missing | None:
    """Decide which pixels of the chosen bands are missing, and report guesses.

    The result is for `SceneReader.use`; None: as the file declares.

    Args:
        reader: the raster, read as the file declares.
        stated: value that the user states; None: the declared value, or a fill that is found.

    Raises:
        InputError: the raster's pixels cannot hold the stated value.
        FileError: the pixels cannot be read.
    """
    if stated is not None:
        return _stated(reader, stated)
    if reader.hides and reader.declared is None:
        _record(reader, None, "mask")
        return None
    if not reader.hides and (of_lines := _without_lines(reader)) is not None:
        return of_lines
    if not reader.hides and (of_holes := _without_holes(reader)) is not None:
        return of_holes
    missing = _undeclared(reader) if reader.declared is None else _declared(reader, reader.declared)
    return missing if reader.hides else _with_gaps(reader, missing)


def _without_lines(reader: SceneReader) -> Missing | None:
    """Missing pixels of a scene with whole missing lines, which are interpolated from now on; None without any."""
    sample, side = reader.stored_sample(), reader.area_side()
    for value in _may_be_lost(reader):
        if (found := find_lines(sample, value, side)) is None:
            continue
        reader.lost, share = found
        others = [fill.value for fill in find_fills(sample, side) if fill.value != value]
        declared = [] if reader.declared in (None, value) else [reader.declared]
        reader.tell(
            f"whole {'rows' if found[0].are_rows else 'columns'} of pixels are missing, {_percent(share)} of the "
            "scene, and are interpolated from those beside them if at most two lie side by side: short ships may be "
            f"missed; {_OVERRULE}"
        )
        _record(reader, None if np.isnan(value) else value, "found", share_of(sample, value), others=others)
        return _but_nan(value, *declared, *others)
    return None


def _without_holes(reader: SceneReader) -> Missing | None:
    """Missing pixels of a scene with single lost pixels, which are interpolated from now on; None without any."""
    sample, side = reader.stored_sample(), reader.area_side()
    if sample.ndim != 2 or np.iscomplexobj(sample) or (sample.dtype == np.uint8 and reader.declared is None):
        return None
    single = {value: lost_share(sample, value, side) for value in _may_be_lost(reader)}
    single = {value: share for value, share in single.items() if share > 0}
    blocks = reader.stored_blocks() if single else []
    lost = {value: share for value, share in single.items() if are_lost(blocks, value)}
    if not lost:
        return None
    reader.lost = Holes()
    whole = without_lost(sample, [*lost])
    fills = [*find_fills(whole, side), *filter(None, [zero_fill(whole, side)])]
    others = [fill.value for fill in fills if fill.value not in lost]
    main, share = next(iter(lost)), sum(share_of(sample, value) for value in lost)
    _record(reader, None if np.isnan(main) else main, "found", share, others=others)
    held = " or ".join(map(_held, lost))
    reader.tell(
        f"{_percent(sum(lost.values()))} of the pixels {held} and lie scattered in bright and dark places alike, as "
        f"lost pixels do: they are interpolated from those around them; {_OVERRULE}"
    )
    return _but_nan(*lost, *others)


def _may_be_lost(reader: SceneReader) -> tuple[float, ...]:
    """Values that lost pixels may hold; NaN stands for all that is not finite."""
    return tuple(dict.fromkeys((0.0, np.nan, *(() if reader.declared is None else (reader.declared,)))))


def _but_nan(*values: float) -> Missing:
    """Missing values, each once, without NaN, which is missing anyway."""
    return Missing(tuple(value for value in dict.fromkeys(values) if not np.isnan(value)))


def _held(value: float) -> str:
    """Predicate of a sentence on pixels that hold a value."""
    return "are not finite" if np.isnan(value) else f"hold {value:.7g}"


def _with_gaps(reader: SceneReader, missing: Missing | None) -> Missing | None:
    """Missing pixels of floats, where single missing pixels in the sea count as dark: removed noise has no decibels."""
    declared = () if reader.declared in (None, 0.0) else (reader.declared,)
    values, areas = (declared, ()) if missing is None else (missing.values, missing.areas)
    shares = gaps(reader.stored_sample(), (np.nan, *(v for v in values if v and np.isfinite(v))), reader.area_side())
    if not shares:
        return missing
    for value, share in shares.items():
        reader.tell(
            f"{_percent(share)} of the pixels {_held(value)} and lie scattered amid other values, as decibels of "
            f"removed noise do: they are treated as dark sea; where they fill areas, they are no data; {_OVERRULE}"
        )
    told = reader.read_as["nodata"]
    reader.tell(nodata={**told, "scattered": round(sum(shares.values()), 4)})
    return Missing(tuple(value for value in values if value not in shares and not np.isnan(value)), (*areas, *shares))


def _stated(reader: SceneReader, stated: NoData) -> Missing:
    if stated == "none":
        _record(reader, None, "stated", 0.0)
        return Missing()
    value = float(stated)
    if not can_hold(value, reader.stored_dtype):
        raise InputError(
            f"expected a `nodata` that pixels of {reader.stored_dtype} can hold in {reader.path}, found {value:g}; "
            "give a value that the file stores, or none"
        )
    share = share_of(reader.stored_sample(), value)
    if share == 0 and not np.isnan(value):
        reader.tell(f"no pixel that was sampled holds the stated `nodata` of {value:.7g}")
    _record(reader, value, "stated", share)
    return Missing((value,))


def _declared(reader: SceneReader, declared: float) -> Missing | None:
    sample = reader.stored_sample()
    share = share_of(sample, declared)
    fills = find_fills(sample, reader.area_side()) if share == 0 and not reader.hides else []
    if fills:
        return _found(reader, fills, f", though the file declares {declared:.7g}")
    if declared == 0:
        return _zeros(reader, "declared")
    padding = None if reader.hides else _padding(reader, sample)
    if not reader.hides and (amid := scattered_amid(sample, declared, reader.area_side())) > 0:
        return _areas_alone(reader, declared, share, amid, "as often as the values beside it", padding)
    if not reader.hides and (bright := scattered_top(sample, declared, reader.area_side())) > 0:
        return _areas_alone(
            reader, declared, share, bright, "as bright ships do, since it is the highest value", padding
        )
    if padding is not None:
        return _padded(reader, declared, share, padding)
    _record(reader, declared, "declared", share)
    return None


def _areas_alone(
    reader: SceneReader, declared: float, share: float, amid: float, why: str, padding: Fill | None
) -> Missing:
    """Missing areas of a declared value, and those of padding, where its single pixels are measured; reports this."""
    others = [] if padding is None else [padding]
    missing = share - amid + sum(fill.share for fill in others)
    _record(reader, declared, "declared", missing, **({"others": [fill.value for fill in others]} if others else {}))
    reader.tell(
        f"the file declares {declared:.7g} as no data, but {_percent(amid)} of the pixels hold it amid measured "
        f"values, {why}: only areas of it are no data; {_OVERRULE}"
    )
    for fill in others:
        _tell_fill(reader, fill, f", beside areas of the {declared:.7g} that the file declares")
    return Missing(areas=(declared, *(fill.value for fill in others)))


def _padding(reader: SceneReader, sample: NDArray[Any]) -> Fill | None:
    """Areas of zeros that pad a scene with another declared value; None for pictures, or without such areas."""
    if sample.dtype == np.uint8:
        return None
    return zero_fill(sample, reader.area_side(), alone=sample.dtype.kind == "i")


def _padded(reader: SceneReader, declared: float, share: float, padding: Fill) -> Missing:
    """Missing pixels by the declared value and by areas of zeros; reports this."""
    _record(reader, declared, "declared", share + padding.share, others=[padding.value])
    _tell_fill(reader, padding, f", beside the {declared:.7g} that the file declares")
    return Missing(() if np.isnan(declared) else (declared,), (padding.value,))


def _undeclared(reader: SceneReader) -> Missing | None:
    sample, side = reader.stored_sample(), reader.area_side()
    picture, signed = sample.dtype == np.uint8, sample.dtype.kind == "i"
    fills = find_fills(sample, side)
    if (signed or (fills and not picture)) and (zero := zero_fill(sample, side)) is not None:
        fills.append(zero)
    if fills:
        return _found(reader, sorted(fills, key=lambda fill: -fill.share))
    if signed or picture:
        _record(reader, None, "none", 0.0)
        return Missing() if signed else None
    return _zeros(reader, "zero padding")


def _found(reader: SceneReader, fills: list[Fill], beside: str = "") -> Missing:
    main, *others = fills
    more = {"others": [fill.value for fill in others]} if others else {}
    _record(reader, main.value, "found", sum(fill.share for fill in fills), **more)
    for fill in fills:
        _tell_fill(reader, fill, beside)
    exact, areas = (tuple(fill.value for fill in fills if fill.areas is kind) for kind in (False, True))
    return Missing(exact, areas)


def _tell_fill(reader: SceneReader, fill: Fill, beside: str) -> None:
    pieces = "one piece" if fill.pieces == 1 else f"{fill.pieces} pieces" if fill.pieces else "single pixels"
    reader.tell(
        f"the value {fill.value:.7g} fills {_percent(fill.share)} of the scene in {pieces}, "
        f"and is treated as no data{beside}; {_OVERRULE}"
    )


def _zeros(reader: SceneReader, source: Source) -> Missing:
    """Missing zeros: all zeros, or only areas of zeros if the sample holds scattered zeros or none at all."""
    zeros = count_zeros(reader.stored_sample(), reader.area_side())
    _record(reader, 0.0, source, zeros.areas)
    if zeros.scattered > 0 and is_top(reader.stored_sample(), zeros.scattered):
        reader.tell(f"no value is above 0, and the brightest pixels are exactly 0: {_TOP}; {_OVERRULE}")
        return Missing(areas=(0.0,), zero_is_top=True)
    if zeros.scattered >= _NOTABLE:
        reader.tell(_on_scattered(zeros))
    return Missing(areas=(0.0,)) if zeros.scattered > 0 or zeros.areas == 0 else Missing((0.0,))


def _on_scattered(zeros: Zeros) -> str:
    padded = f"; where zeros fill areas, {_percent(zeros.areas)} of the scene, they are no data" if zeros.areas else ""
    return (
        f"{_percent(zeros.scattered)} of the pixels are zeros scattered amid other values, as noise removal leaves "
        f"them: they are treated as dark sea{padded}; {_OVERRULE}"
    )


def _record(reader: SceneReader, value: float | None, source: Source, share: float | None = None, **more: Any) -> None:
    rounded = None if share is None else round(share, 4)
    reader.tell(nodata={"value": value, "from": source, "share": rounded, **more})


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"
