"""Bands of a raster: the role of each by its name, and the choice of the band in which ships are searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from refinedet.config.options.detect import Polarisation
from refinedet.errors import InputError
from refinedet.raster import RasterFile
from refinedet.scene.input.pixels.band_pixels import (
    SURELY_DB,
    Blocks,
    flat,
    is_complex_pair,
    is_image,
    is_phase,
    is_ratio,
    level_db,
    middle_of,
    without_contrast,
)
from refinedet.scene.polarisations import partner
from refinedet.wording import first_of

Role = Literal["vv", "vh", "hh", "hv", "i", "q", "angle", "mask", "height", "ratio", "derived"]
PREFERRED = ("vv", "hh", "vh", "hv")
"""Polarisations by preference: co-polarised first, in which ships are brightest."""
NO_IMAGE = ("angle", "mask", "height", "ratio", "derived")
"""Roles of bands that are no radar image."""

_POLARISATION = re.compile(r"(?<![a-z])(vv|vh|hh|hv)(?:\1)?(?![a-z])")
"""A polarisation, or twice the same as in the covariances of NISAR (HHHH)."""
_WORDS: tuple[tuple[Role, str], ...] = (
    ("angle", r"angle|incidence|(?<![a-z])(lia|inc|theta)(?![a-z])"),
    ("mask", r"mask|quality|layover|shadow|valid|alpha"),
    ("height", r"elevation|height|slope|(?<![a-z])dem(?![a-z])"),
    ("ratio", r"ratio|(vv|vh|hh|hv) ?(div|over|by|minus) ?(vv|vh|hh|hv)"),
    ("i", r"(?<![a-z])(i|real|in-?phase)(?![a-z])"),
    ("q", r"(?<![a-z])(q|imag|imaginary|quadrature)(?![a-z])"),
)
_DERIVED = re.compile(
    r"(?<![a-z])(coh|coherence|phase|ifg|count|std|stdev|variance|nesz|flags?|glcm[a-z]*|texture|entropy|anisotropy"
    r"|contrast|dissimilarity|homogeneity|asm|energy|diff|difference|change)(?![a-z])"
)
"""Words of bands that are derived from backscatter and show no sea, such as the coherence of a polarisation, and the
textures of SNAP's GLCM."""
_MATRIX = re.compile(r"[ct]([1-4])([1-4])(?![a-z0-9]).*")
"""Element of a covariance or coherency matrix, as of SNAP and PolSARpro: C11 is a power, C12_real is none."""
_MEASURED = re.compile(r"sigma|gamma|beta|intensity|amplitude")
_TAGS = ("long_name", "name", "description", "polarisation", "polarization", "band_name", "standard_name")
"""Tags of a band that may name it, in lower case."""
_CLEARLY_DB = 1.0
"""Least difference in mean level at which the brighter of two nameless bands is chosen, in decibels of power."""
_LISTED = 4
"""Most bands that a note names."""


@dataclass(frozen=True, slots=True)
class BandChoice:
    """Bands to read, and the reason."""

    numbers: tuple[int, ...]
    """Numbers from 1: one band, or the real and the imaginary part."""
    label: str | None
    """Name of the part of the file that is read; None if the file holds nothing else."""
    note: str | None = None
    """Sentence for the user if this was a guess; None if the file or the user named the band."""
    unsearched: str | None = None
    """Polarisation of another band that could be searched besides; None: there is none, or the user chose one."""


def role_of(name: str) -> Role | None:
    """Role of a band by its name; None if the name tells none."""
    text = _words(name)
    if _DERIVED.search(text):
        return "derived"
    if (element := _MATRIX.fullmatch(text)) is not None:
        return None if element[1] == element[2] else "derived"
    found = set(_POLARISATION.findall(text))
    if len(found) > 1:
        return "ratio"
    if found and _MEASURED.search(text):  # SNAP: Sigma0_VV_use_local_incidence_angle_from_dem
        return cast("Role", found.pop())
    named = next((role for role, pattern in _WORDS if re.search(pattern, text)), None)
    return named or (cast("Role", found.pop()) if found else None)


def has_polarisation(name: str) -> bool:
    """True if the name of a band contains a polarisation."""
    return _POLARISATION.search(_words(name)) is not None


def _words(name: str) -> str:
    """Name in lower case, with blanks between its words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower().replace("_", " ")


def name_of(description: str, tags: Mapping[str, str]) -> str:
    """Name of a band: its description, else the tag that names it; empty if neither does."""
    named = {key.lower(): value for key, value in tags.items()}
    return description or next((named[key] for key in _TAGS if named.get(key)), "")


def polarisation_of(path: RasterFile) -> Polarisation | None:
    """Polarisation by the name of a file, such as scene_VV.tif; None if it names none, or several."""
    found = set(_POLARISATION.findall(path.stem.lower().replace("_", " ")))
    return cast("Polarisation", found.pop()) if len(found) == 1 else None


def choose_band(
    path: RasterFile, names: Sequence[str], polarisation: Polarisation | None, blocks: Callable[[int], Blocks]
) -> BandChoice:
    """Choose the band of a raster in which ships are searched.

    Args:
        path: the file; its name may tell the polarisation of a single band.
        names: name of each band, empty where unknown.
        polarisation: polarisation asked for.
        blocks: function that reads blocks of a band, by its number.

    Raises:
        InputError: no band has the polarisation, or no band is an image.
    """
    roles = [role_of(name) for name in names]
    if (parts := _complex_parts(names, roles)) and not any(role in PREFERRED for role in roles):
        return _complex_band(path, parts, polarisation)
    if len(names) == 1 and roles[0] not in PREFERRED:
        roles = [polarisation_of(path)]
    if polarisation is not None:
        return _asked(path, roles, polarisation)
    if len(names) == 1:
        return BandChoice((1,), None)
    known = next((wanted for wanted in PREFERRED if wanted in roles), None)
    if known is not None:
        number = roles.index(known) + 1
        other = partner(known, roles)
        unused = [name for k, name in enumerate(names) if k != number - 1 and (other is None or roles[k] != other)]
        note = f"band {number} ({names[number - 1]}) is used, not {_listed(unused)}" if unused else None
        if (same := roles.count(known) - 1) > 0:
            more = f"{same} more of {known} not searched: if of other dates, name each by `band`"
            note = more if note is None else f"{note}; {more}"
        return BandChoice((number,), known, note, other)
    return _by_pixels(path, names, roles, blocks)


def _complex_parts(names: Sequence[str], roles: Sequence[Role | None]) -> dict[str, tuple[int, int]]:
    """Numbers of the bands of real and imaginary part, by polarisation; by empty text if the names tell none."""
    bands: dict[str, dict[str, int]] = {}
    for number, (name, role) in enumerate(zip(names, roles, strict=True), 1):
        if role in ("i", "q"):
            own = "".join(sorted(set(_POLARISATION.findall(_words(name)))))
            bands.setdefault(own, {}).setdefault(role, number)
    return {own: (both["i"], both["q"]) for own, both in bands.items() if len(both) == 2}


def _complex_band(
    path: RasterFile, parts: Mapping[str, tuple[int, int]], polarisation: Polarisation | None
) -> BandChoice:
    """Choose the complex image of a polarisation, or the preferred one."""
    if polarisation is not None and polarisation not in parts:
        return _asked(path, cast("Sequence[Role | None]", [*filter(None, parts)]), polarisation)
    wanted: str = polarisation or next(iter([*(one for one in PREFERRED if one in parts), *parts]))
    other = None if polarisation is not None else partner(wanted, parts)
    return BandChoice(parts[wanted], wanted or None, None, other)


def _asked(path: RasterFile, roles: Sequence[Role | None], polarisation: Polarisation) -> BandChoice:
    if polarisation in roles:
        return BandChoice((roles.index(polarisation) + 1,), polarisation)
    known = ", ".join(dict.fromkeys(role for role in roles if role in PREFERRED))
    found = f"{known} alone" if known else "no name or tag that tells a polarisation"
    raise InputError(
        f"expected a band of polarisation {polarisation} in {path}, found {found}; "
        + ("name one of these" if known else "name the band by `band`, or leave `pol` out")
    )


def _by_pixels(
    path: RasterFile, names: Sequence[str], roles: Sequence[Role | None], blocks: Callable[[int], Blocks]
) -> BandChoice:
    """Choose among bands whose names tell no polarisation."""
    numbers = [k for k, role in enumerate(roles, 1) if role not in NO_IMAGE]
    if len(numbers) == 1:
        return BandChoice((numbers[0],), None)
    if not numbers:
        raise InputError(
            f"expected a band with an image of the sea in {path}, found {len(names)} bands that are no radar images by "
            f"their names ({_listed(names)}); name a file with backscatter, or the band by `band`"
        )
    looks = {k: blocks(k) for k in numbers}
    images = [k for k in numbers if is_image(looks[k])]
    phases = [k for k in images if is_phase(looks[k])]
    phases = phases if len(phases) < len(images) else []
    images = [k for k in images if k not in phases]
    images = [k for k in images if not is_ratio(looks[k], [looks[j] for j in images if j != k])]
    if not images:
        raise InputError(
            f"expected a band with an image of the sea in {path}, found {len(names)} bands that are smooth like angles "
            "or hold few values like masks; name the band by `band`"
        )
    pairs = list(zip(images[::2], images[1::2], strict=False))
    if len(images) % 2 == 0 and all(is_complex_pair(looks[a], looks[b]) for a, b in pairs):
        return _brightest_pair(pairs, looks)
    flat_ones = without_contrast({k: looks[k] for k in images})
    images = [k for k in images if k not in flat_ones]
    in_decibels = [k for k in images if middle_of(looks[k]) < SURELY_DB]
    images = in_decibels or images  # beside decibels, all that is above zero is another quantity
    levels = [level_db(looks[k]) for k in images]
    best = int(np.argmax(levels))
    number = images[best if levels[best] > levels[0] + _CLEARLY_DB else 0]
    reason = "the first image" if number == images[0] else "the brightest image"
    note = f"none of its {len(names)} bands names a polarisation: band {number} is used, {reason}"
    for phase in phases:
        note += f"; band {phase} is left out, as its values lie evenly on a full circle like a phase"
    return BandChoice((number,), f"band {number}", f"{note}; set `band` to use another")


def _brightest_pair(pairs: Sequence[tuple[int, int]], looks: Mapping[int, Blocks]) -> BandChoice:
    """Choose the brightest of some complex images, each in two bands."""
    levels = [float(np.nanmedian(np.hypot(flat(looks[a]), flat(looks[b])))) for a, b in pairs]
    best = pairs[int(np.argmax(levels))]
    if len(pairs) == 1:
        return BandChoice(best, None)
    note = f"its bands hold {len(pairs)} complex images: bands {best[0]} and {best[1]} are used, the brightest"
    return BandChoice(best, f"band {best[0]}", f"{note}; set `band` and `values` to use another")


def _listed(names: Iterable[str]) -> str:
    return first_of(list(dict.fromkeys(filter(None, names))), _LISTED) or "others without names"
