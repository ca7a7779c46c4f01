"""Decoding of the pixels that GDAL reads, to amplitudes with one value for pixels that were not measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags

from refinedet.config import ValueKind
from refinedet.radiometry import valid_mask
from refinedet.raster.decoding.areas import holds
from refinedet.raster.decoding.stated import AS_STATED, Missing, StoredAs
from refinedet.raster.decoding.values import DB_STEPS, LEAST_AMPLITUDE, darkest, to_amplitude
from refinedet.raster.gdal import COMPLEX_TYPES

Flags = NDArray[np.bool_]

_NO_SCALE = (1.0, 0.0)
_COLOURS = 256
_WHITE = np.uint8(255)
_TOP_GREY = 255.0
_BELOW_TOP = -1e-3
"""Decibels of a bright pixel of 0 where 0 also means missing."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decoder of the bands of one file. `decoder_of` makes it."""

    dtype: str
    """Type of the decoded pixels."""
    nodata: float | None
    """Value of decoded pixels that were not measured; None: nothing is declared."""
    masked: bool = False
    """True if the file has a mask that hides pixels."""
    alpha: int | None = None
    """Number of the alpha band that hides pixels; None: there is none."""
    stored_nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    palette: NDArray[np.uint8] | None = None
    values: ValueKind = "amplitude"
    """Kind of the stored values; decoded values are amplitudes."""
    slope: float = 1.0
    """Units of `values` per unit that the file states, such as decibels that were squeezed between 0 and 1."""
    searched: Missing | None = None
    """Stored values of missing pixels, for the masks that `decode` takes; None: only `stored_nodata` is missing."""
    aside: bool = False
    """True if measured integers that equal `nodata` are changed by one, so that only hidden pixels hold it."""
    steps: NDArray[np.float32] | None = None
    """Amplitudes (256,) of the grey steps of an 8-bit picture, NaN for `nodata`; None: the steps are amplitudes."""

    inverted: bool = False
    """True if the lowest value of 8 bits is white."""

    def with_steps(self, amplitudes: NDArray[np.float32]) -> Decoder:
        """Decoder that gives the amplitude (h, w) of each grey step (of green in RGB); NaN where not measured."""
        steps = amplitudes.astype(np.float32)
        if self.nodata is not None:
            steps[int(self.nodata)] = np.nan
        return replace(self, steps=steps)

    def decode(self, pixels: NDArray[Any], masks: list[NDArray[Any]]) -> NDArray[Any]:
        """Decode pixels (n, h, w) of n bands to (h, w) or (h, w, 3); each mask is (h, w), 0 where a pixel is hidden."""
        if self.palette is not None:
            plain = self.palette[pixels[0]]
        elif len(pixels) == 3:
            plain = np.stack(list(pixels), axis=-1)  # several times as fast as a copy of moved axes
        elif self.is_computed or np.iscomplexobj(pixels):
            plain = self._measured(pixels)
        else:
            plain = _WHITE - pixels[0] if self.inverted else pixels[0]
        if self.aside and self.nodata is not None:
            same = plain == self.nodata
            same = same.all(axis=2) if plain.ndim == 3 else same
            plain[same] = self.nodata + (1 if self.nodata < np.iinfo(plain.dtype).max else -1)
        if self.nodata is not None:
            for mask in masks:
                plain[mask == 0] = self.nodata
        if self.steps is not None:
            return np.asarray(self.steps[plain if plain.ndim == 2 else plain[..., 1]])
        return np.asarray(plain)

    def darken(self, bands: NDArray[Any], missing: Missing, known: Flags) -> None:
        """Make floats (n, h, w) dark, in place, if they are missing only in areas and `known` (h, w) to be measured.

        Zeros of amplitude and power are dark already, and so are zeros of decibels between 0 and another end. Zeros at
        the top of decibels stay bright.
        """
        if bands.dtype.kind != "f":
            return
        for value in missing.areas:
            if value != 0 or (self.values in DB_STEPS and self.slope == 1):
                new = _BELOW_TOP if value == 0 and missing.zero_is_top else self._darkest
                bands[:, known & holds(bands, value)] = (new - self.offset) / self.scale

    @property
    def _darkest(self) -> float:
        """Value of the darkest sea, with scale and offset of the file applied."""
        return darkest(self.values) / self.slope if self.values in DB_STEPS else LEAST_AMPLITUDE

    def amplitude(self, value: float) -> float:
        """Amplitude of one true value, with scale and offset applied; not defined for `iq`, which has two parts."""
        if self.steps is not None:
            return float(np.interp(value, np.arange(len(self.steps)), self.steps))
        return value if self.values == "iq" else float(to_amplitude(np.array(value), self.values, self.slope))

    @property
    def is_computed(self) -> bool:
        """True if decoded values are computed from stored real ones."""
        return self.values != "amplitude" or (self.scale, self.offset) != _NO_SCALE

    def _measured(self, bands: NDArray[Any]) -> NDArray[np.float32]:
        """Amplitude (h, w) of stored bands (n, h, w): float32, NaN where nothing was measured."""
        stored = bands[0]
        valid = self._valid(bands) if self.values == "iq" else self._valid(stored)
        with np.errstate(over="ignore", invalid="ignore"):  # infinity means not measured
            values = np.abs(stored) if np.iscomplexobj(stored) else stored
            if self.values == "iq":
                values = bands
            if (self.scale, self.offset) != _NO_SCALE:
                values = values * self.scale + self.offset
            if self.values != "amplitude":
                values = to_amplitude(np.where(valid, values, 1), self.values, self.slope)
            return np.where(valid, values, np.nan).astype(np.float32)

    def _valid(self, stored: NDArray[Any]) -> NDArray[np.bool_]:
        """(h, w) true where stored values (h, w), or the two parts (2, h, w) of complex ones, were measured."""
        if stored.ndim == 3:
            hidden = (stored == self.stored_nodata) if self.stored_nodata is not None else (stored == 0)
            return np.asarray(np.isfinite(stored).all(axis=0) & ~hidden.all(axis=0))
        if np.iscomplexobj(stored):
            return np.ones(stored.shape, np.bool_) if self.stored_nodata is None else stored != self.stored_nodata
        if self.values in DB_STEPS and self.stored_nodata is None:
            return np.asarray(np.isfinite(stored))  # zero is a valid value of decibels
        return valid_mask(stored, self.stored_nodata)


def decoder_of(
    dataset: Any,
    bands: list[int],
    values: ValueKind = "amplitude",
    missing: Missing | None = None,
    slope: float = 1.0,
    stored_as: StoredAs = AS_STATED,
) -> Decoder:
    """Decoder for `bands` of an open file, whose values are of the kind `values`, by what `stored_as` says of them.

    `missing` overrules the declaration of the file; `slope` is `Decoder.slope`.
    """
    band = bands[0]
    stored = stored_as.dtype or dataset.dtypes[band - 1]
    flags = dataset.mask_flag_enums[band - 1]
    nodata = _representable(dataset.nodatavals[band - 1], stored) if missing is None else missing.main
    scale, offset = _scale(dataset, band) if len(bands) == 1 else _NO_SCALE
    offset += stored_as.shift
    inverted = len(bands) == 1 and _is_inverted(dataset, stored, stored_as)
    if inverted and (stored != "uint8" or values != "amplitude" or (scale, offset) != _NO_SCALE):
        top = scale * _TOP_GREY + offset if stored == "uint8" else stored_as.top or 0.0
        scale, offset, inverted = -scale, top - offset, False
    masked = MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags
    plain = Decoder(stored, nodata, masked, _alpha(dataset, bands), nodata, scale, offset, values=values, slope=slope)
    searched = None if missing is None or missing.is_plain else missing
    if searched is not None and nodata is None:
        plain = replace(plain, masked=False, alpha=None)
    hides = plain.masked or plain.alpha is not None
    if dataset.colorinterp[band - 1] == ColorInterp.palette and stored == "uint8":
        every = searched is not None and nodata is None
        palette, transparent = _palette(dataset, band, nodata, hides=hides, every=every)
        return replace(plain, nodata=0.0 if transparent or hides else None, palette=palette)
    if searched is not None:
        plain = replace(plain, stored_nodata=np.nan, searched=None if nodata is None else searched)
    if plain.is_computed:  # padding zeros are not decoded to zero
        return replace(plain, dtype="float32", nodata=np.nan)
    if stored in COMPLEX_TYPES:
        known = hides or nodata is not None or missing is not None
        return replace(plain, dtype="float32", nodata=np.nan if known else None)
    if hides and nodata is None:
        return replace(plain, nodata=_hidden_value(stored), aside=np.dtype(stored).kind != "f")
    plain = plain if searched is None else _searching(plain)
    return _inverted(plain) if inverted else plain


def _is_inverted(dataset: Any, stored: str, stored_as: StoredAs) -> bool:
    """True if low values are bright: as stated, or in 8 bits by the TIFF ("min is white")."""
    if stored_as.inverted is not None:
        return stored_as.inverted
    return stored == "uint8" and str(dataset.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE", "")) == "YES"


def _inverted(plain: Decoder) -> Decoder:
    return replace(plain, inverted=True, nodata=None if plain.nodata is None else 255 - plain.nodata)


def _searching(plain: Decoder) -> Decoder:
    """Decoder of plain values with searched missing values, or none; all other values are measured."""
    if np.dtype(plain.dtype).kind == "f":
        return replace(plain, nodata=np.nan)
    return replace(plain, nodata=_no_value(plain.dtype)) if plain.nodata is None else replace(plain, aside=True)


def _alpha(dataset: Any, bands: list[int]) -> int | None:
    """Number of the alpha band, or None. GDAL turns it into a mask only for some types, or without nodata."""
    others = (band for band in dataset.indexes if band not in bands)
    return next((band for band in others if dataset.colorinterp[band - 1] == ColorInterp.alpha), None)


def can_hold(value: float, dtype: str) -> bool:
    """True if pixels of a type can hold a value; for example, unsigned integers cannot hold NaN and -9999."""
    if dtype in COMPLEX_TYPES or np.dtype(dtype).kind == "f":
        return True
    limits = np.iinfo(dtype)
    return limits.min <= value <= limits.max and float(value).is_integer()


def _representable(nodata: float | None, dtype: str) -> float | None:
    """Nodata value, or None if pixels of that type cannot hold it, so that it marks nothing."""
    return nodata if nodata is not None and can_hold(nodata, dtype) else None


def _no_value(dtype: str) -> float | None:
    """Nodata value of integers that were all measured: NaN, which equals no integer, or None for types without padding.

    `radiometry.valid_mask` has the rule for None.
    """
    return np.nan if np.dtype(dtype).kind == "u" and dtype != "uint8" else None


def _hidden_value(dtype: str) -> float:
    """Value for hidden pixels: 0 is black in pictures and padding in amplitudes; measured pixels never keep it."""
    kind = np.dtype(dtype).kind
    return np.nan if kind == "f" else 0.0 if kind == "u" else float(np.iinfo(dtype).min)


def _scale(dataset: Any, band: int) -> tuple[float, float]:
    scale, offset = float(dataset.scales[band - 1]), float(dataset.offsets[band - 1])
    return (scale, offset) if np.isfinite(scale) and np.isfinite(offset) and scale != 0 else _NO_SCALE


def _palette(
    dataset: Any, band: int, nodata: float | None, *, hides: bool, every: bool
) -> tuple[NDArray[np.uint8], bool]:
    """Colours (256, 3) by index, black if transparent or nodata, and true if any colour is hidden in this way.

    Visible black becomes 1 if pixels can be hidden, by a colour or (`hides`) by a mask. With `every`, no colour is
    hidden.
    """
    entries = {index: colour for index, colour in dataset.colormap(band).items() if index < _COLOURS}
    hidden = {index for index, colour in entries.items() if not every and (colour[3] == 0 or index == nodata)}
    least = 1 if hidden or hides else 0
    colours = np.zeros((_COLOURS, 3), np.uint8)
    for index, (*colour, _) in entries.items():
        if index not in hidden:
            colours[index] = colour if any(colour) else [least] * 3
    return colours, bool(hidden)
