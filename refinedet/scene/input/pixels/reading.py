"""Reading of an ordinary raster: choice of the band and the kind of values, stated or guessed, applied and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ValueKind
from refinedet.config.options.detect import Polarisation, SceneSettings
from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster import RasterFile, SceneReader
from refinedet.raster.decoding.values import DB_STEPS
from refinedet.scene.input.pixels.band_pixels import FEW_VALUES, is_image
from refinedet.scene.input.pixels.bands import PREFERRED, BandChoice, choose_band, name_of, role_of
from refinedet.scene.input.pixels.colours import are_coloured, composite_channel
from refinedet.scene.input.pixels.doubts import (
    OVERFLOWN,
    note_on_growth,
    note_on_marks,
    note_on_speckle,
    overflew,
    tell_doubts,
)
from refinedet.scene.input.pixels.eight_bit import LEAST_SCENE_PX, apply_eight_bit
from refinedet.scene.input.pixels.fill import without_markers
from refinedet.scene.input.pixels.missing import settle_missing
from refinedet.scene.input.pixels.other_maps import refuse_other_map
from refinedet.scene.input.pixels.squeezed import (
    AboveZero,
    decimal_slope,
    guess_above_zero,
    logarithm_slope,
    slope_above_zero,
)
from refinedet.scene.input.pixels.storage import settle_inversion, tell_storage
from refinedet.scene.input.pixels.values import (
    NAMES,
    ValueGuess,
    are_no_decibels,
    guess_values,
    has_doubt,
    is_one_part,
    lowest_of_scaled,
)

_COLOURS = 3
_Look = Callable[[], list[NDArray[Any]]]
"""Function that returns blocks of measured values of a raster; it reads them at the first call."""
_GUESSED = ("type", "speckle", "usual", "none")
"""Evidence of kinds of values that are checked once more, as they may be decibels above zero or inverted."""
_OVERRULE = "set `values` to change this"
_SCALED = "its values were scaled to a mean of 0 and a deviation of 1, or to -1 to 1, as for a network"
_COMPOSITE = (
    "its colours are different images, such as two polarisations: the first, {}, is searched; set `band` to use another"
)
_NO_IMAGE = (
    "it does not look like a radar image: it is smooth like an angle or a height, or holds few values like a mask; "
    "check the file, or name another band by `band`"
)


def apply_reading(reader: SceneReader, path: RasterFile, settings: SceneSettings) -> None:
    """Choose the band and the kind of values of a raster, make `reader` yield amplitudes, and report both choices.

    Raises:
        InputError: there is no such band, the values cannot be of the kind that the settings state, or the name of the
            only band or of the file says that it is no radar image.
    """
    kind = _apply_choice(reader, path, settings)
    tell_doubts(reader, settings, is_complex=kind == "iq" or reader.stored_dtype.startswith("complex"))


def _apply_choice(reader: SceneReader, path: RasterFile, settings: SceneSettings) -> ValueKind:
    """Choose and report as `apply_reading`; returns the kind of the values."""
    names = [name_of(text, reader.tags(k)) for k, text in enumerate(reader.band_names, 1)]
    tell_storage(reader, settings)
    choice = _bands(reader, path, names, settings)
    reader.label, reader.unsearched = choice.label, choice.unsearched
    read = {"bands": list(choice.numbers), "band_names": [names[k - 1] for k in choice.numbers]}
    reader.tell(*filter(None, [choice.note]), **read)
    reader.use(choice.numbers)
    missing = settle_missing(reader, settings.nodata)
    reader.use(choice.numbers, missing=missing)
    settle_inversion(reader, path, settings)
    reader.use(choice.numbers, missing=missing)
    in_colours = len(choice.numbers) == _COLOURS
    if in_colours and settings.values != "db":
        _check_colours(path, settings)
    is_torn = settings.values != "db" and overflew(reader)
    if is_torn:
        reader.tell(OVERFLOWN)
    if (not is_torn and _is_picture_in_decibels(reader, settings)) or in_colours:
        return "amplitude"
    reader.use(choice.numbers[:1], missing=missing and missing.everywhere)
    blocks = cache(lambda: _measured(reader))
    if len(choice.numbers) == 1 and settings.values != "iq" and _apply_shift(reader, blocks):
        reader.use(choice.numbers[:1], missing=missing and missing.everywhere)
        blocks = cache(lambda: _measured(reader))
    guess = _values(reader, path, names, choice, settings, blocks)
    looks_like_image = settings.band is not None or _may_be_image(reader, blocks)
    if settings.band is None and len(names) == 1:
        refuse_other_map(path, names[0], looks_like_image=looks_like_image)
    if not looks_like_image:
        reader.tell(_NO_IMAGE)
    pair = choice.numbers if guess.kind == "iq" and len(choice.numbers) > 1 else choice.numbers[:1]
    above = cache(lambda: guess_above_zero(blocks()))
    slope = None if reader.stored_dtype.startswith("complex") else _slope(reader, guess, settings, blocks, above)
    if slope is not None:
        reader.use(pair, "db", missing, slope)
        _tell_slope(reader, guess, slope)
        return "db"
    is_complex = reader.stored_dtype.startswith("complex")
    doubt = None if is_complex or reader.stored_dtype == "uint8" else note_on_speckle(blocks(), guess.kind)
    reader.use(pair, "amplitude" if is_complex else guess.kind, missing)
    if not is_complex and guess.evidence in _GUESSED and reader.stored_dtype != "uint8":
        doubt = note_on_growth(above(), blocks(), is_inverted=reader.is_inverted) or doubt
    reader.tell(*filter(None, [guess.note(), doubt]), values={"kind": guess.kind, "from": guess.evidence})
    return guess.kind


def _tell_slope(reader: SceneReader, guess: ValueGuess, slope: float) -> None:
    """Report that values are read as decibels of a slope of their own."""
    logarithms = "logarithms" if guess.kind == "db" else "decibels" if guess.evidence == "range" else None
    found = "decibels above zero" if logarithms is None or guess.evidence == "setting" else logarithms
    by_name = ", as their name or unit says" if guess.says_db and slope == 1 else ""
    note = f"its values look like {found}, {slope:.3g} dB to each unit{by_name}, and are read so; {_OVERRULE}"
    evidence = "setting" if guess.evidence == "setting" else "name" if by_name else "speckle"
    reader.tell(note, values={"kind": "db", "from": evidence, "db_per_unit": slope})


def _slope(
    reader: SceneReader,
    guess: ValueGuess,
    settings: SceneSettings,
    blocks: _Look,
    above: Callable[[], AboveZero | None],
) -> float | None:
    """Decibels per unit of values above zero that look like scaled decibels, or are too large for stated decibels."""
    if reader.stored_dtype == "uint8" or settings.stretch.kind == "none":
        return None
    if settings.values == "db":
        return slope_above_zero(above(), sure=True) if are_no_decibels(blocks()) else None
    if guess.kind == "db":
        return logarithm_slope(blocks())
    if guess.kind == "amplitude" and guess.evidence == "range":  # whole numbers below zero, in no usual unit
        return decimal_slope(blocks())
    guessed = guess.kind in ("amplitude", "power") and guess.evidence in _GUESSED
    return slope_above_zero(above(), named=guess.says_db) if guessed else None


def _apply_shift(reader: SceneReader, blocks: _Look) -> bool:
    """Make the lowest value zero if the values were scaled for a network, and report this."""
    if np.dtype(reader.info.dtype).kind != "f" or reader.stored_dtype.startswith("complex"):
        return False
    lowest = lowest_of_scaled(reader.sample())
    if lowest is None or is_one_part(blocks()):
        return False
    reader.store_as(replace(reader.stored_as, shift=-lowest))
    reader.tell(f"{_SCALED}: its lowest value, {lowest:.4g}, is taken for zero; {_OVERRULE}", shift=-lowest)
    return True


def _is_picture_in_decibels(reader: SceneReader, settings: SceneSettings) -> bool:
    """True if an 8-bit picture is read as decibels; with the stretch "none", only if the user states decibels."""
    guessed = settings.values == "auto" and settings.stretch.kind != "none"
    if reader.info.dtype != "uint8" or not (guessed or settings.values == "db"):
        return False
    return apply_eight_bit(reader, "db" if settings.values == "db" else None, inverted=settings.inverted == "on")


def _bands(reader: SceneReader, path: RasterFile, names: Sequence[str], settings: SceneSettings) -> BandChoice:
    if settings.band is not None:
        if settings.pol is not None:
            raise InputError(f"expected either `pol` or `band` for {path}, found both; leave one of them out")
        pair = _pair_of(reader.bands[0], names) if settings.values == "iq" else tuple(reader.bands)
        return BandChoice(pair, f"band {settings.band}")
    if len(reader.bands) == _COLOURS and not any(role_of(name) in PREFERRED for name in names):
        if settings.pol is not None:
            raise InputError(f"expected a band of polarisation {settings.pol} in {path}, found a picture in colours")
        return _of_colours(reader, settings)
    if settings.values == "iq" and len(names) == 2:
        return BandChoice((1, 2), None)

    def blocks(number: int) -> list[NDArray[Any]]:
        reader.use([number])
        return [without_markers(block) for block in _measured(reader)]

    return choose_band(path, names, cast("Polarisation | None", settings.pol), blocks)


def _of_colours(reader: SceneReader, settings: SceneSettings) -> BandChoice:
    """Bands of a picture in red, green and blue: one of a composite or of a large grey picture, else all three."""
    if _is_large(reader, settings):
        blocks = reader.blocks()
        if (channel := composite_channel(blocks)) is not None:
            number = reader.bands[channel]
            return BandChoice((number,), f"band {number}", _COMPOSITE.format(("red", "green", "blue")[channel]))
        pixels = np.concatenate([block.reshape(1, -1, _COLOURS) for block in blocks], axis=1)
        if not are_coloured(pixels):
            return BandChoice((reader.bands[1],), None, note_on_marks(pixels))
    return BandChoice(tuple(reader.bands), None)


def _pair_of(number: int, names: Sequence[str]) -> tuple[int, int]:
    """Numbers of a band and the next one, as real and imaginary part."""
    if number >= len(names):
        raise InputError(
            f"expected the imaginary part in the band after band {number}, found none; name the band of the real part"
        )
    return number, number + 1


def _may_be_image(reader: SceneReader, blocks: _Look) -> bool:
    """False for a raster that shows no sea; 8 bits are only counted, and wider unsigned integers are not looked at.

    A raster whose sample holds no value is not judged.
    """
    if reader.info.dtype == "uint8":
        return len(np.unique(reader.stored_sample())) > FEW_VALUES
    return not has_doubt(reader.info.dtype) or is_image(blocks()) or not any(np.isfinite(one).any() for one in blocks())


def _check_colours(path: RasterFile, settings: SceneSettings) -> None:
    if settings.values not in {"auto", "amplitude"}:
        raise InputError(
            f"expected one band for `values` of {settings.values} in {path}, found a picture in colours; "
            "name one of its bands by `band`"
        )


def _values(
    reader: SceneReader,
    path: RasterFile,
    names: Sequence[str],
    choice: BandChoice,
    settings: SceneSettings,
    blocks: _Look,
) -> ValueGuess:
    if settings.values != "auto":
        _check_stated(settings.values, reader, path, choice)
        return ValueGuess(settings.values, "setting")
    if len(choice.numbers) > 1:
        return ValueGuess("iq", "pair")
    if reader.stored_dtype.startswith("complex"):
        return ValueGuess("amplitude", "type")
    dtype = reader.info.dtype  # float32 under a scale in the file
    tags = reader.tags(choice.numbers[0])
    words = [names[choice.numbers[0] - 1], *(text for key, text in tags.items() if key.lower() in ("units", "unit"))]
    words += [*reader.units(), path.stem]
    if not has_doubt(dtype):
        is_known = dtype == "uint8" and (reader.sample().ndim == 3 or not _is_large(reader, settings))
        return guess_values(dtype, [] if is_known else blocks(), words)
    if is_one_part(blocks()):
        raise InputError(
            f"expected an image of the sea in {path}, found values as often below zero as above, like one part of "
            "complex numbers; name a file with both parts, or state the kind of its `values`"
        )
    has_level = reader.stored_as.shift == 0 and np.nanmax(reader.sample(), initial=0) != 1
    return guess_values(dtype, blocks(), words, has_level=has_level)


def _is_large(reader: SceneReader, settings: SceneSettings) -> bool:
    """True for a scene whose 8 bits may be power; smaller pictures, as for training, stay as they are."""
    return min(reader.info.width, reader.info.height) >= LEAST_SCENE_PX and settings.stretch.kind != "none"


def _check_stated(values: ValueKind, reader: SceneReader, path: RasterFile, choice: BandChoice) -> None:
    dtype = reader.stored_dtype
    if dtype.startswith("complex"):
        if values not in ("amplitude", "iq"):
            raise InputError(f"expected {NAMES[values]} in {path}, found complex pixels, whose amplitude is taken")
    elif values == "iq" and len(choice.numbers) == 1:
        raise InputError(
            f"expected two bands, {NAMES['iq']}, in {path}, found {len(reader.band_names)}; "
            "name the band of the real part by `band`, or another kind of `values`"
        )
    elif values in DB_STEPS and values != "db" and np.dtype(dtype).itemsize == 1:
        raise InputError(f"expected {NAMES[values]} in {path}, found 8 bits, which cannot hold them")


def _measured(reader: SceneReader) -> list[NDArray[Any]]:
    """Blocks of stored values, NaN where not measured."""
    info = reader.info
    blocks = reader.blocks()
    if np.dtype(info.dtype).kind in "iu":
        found = [np.where(valid_mask(block, info.nodata), block, np.nan) for block in blocks]
        of_black = info.dtype == "uint8" and reader.hides  # black beside hidden pixels is read as 1
        return [np.where(block == 1, 0, block) for block in found] if of_black else found
    return [np.where(valid_mask(block, info.nodata), block, np.float32(np.nan)) for block in blocks]
