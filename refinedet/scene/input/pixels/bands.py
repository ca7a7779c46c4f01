"""Bands of a raster: the role of each by its name, and the choice of the band in which ships are searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.detect import Polarisation
from refinedet.errors import InputError
from refinedet.raster import RasterFile
from refinedet.scene.polarisations import partner
from refinedet.wording import first_of

Role = Literal["vv", "vh", "hh", "hv", "i", "q", "angle", "mask", "height", "ratio", "derived"]
Blocks = Sequence[NDArray[Any]]
"""Full-resolution blocks (h, w) of one band."""

PREFERRED = ("vv", "hh", "vh", "hv")
"""Polarisations by preference: co-polarised first, in which ships are brightest."""
NO_IMAGE = ("angle", "mask", "height", "ratio", "derived")
"""Roles of bands that are no radar image."""

_POLARISATION = re.compile(r"(?<![a-z])(vv|vh|hh|hv)(?![a-z])")
_WORDS: tuple[tuple[Role, str], ...] = (
    ("angle", r"angle|incidence|(?<![a-z])(lia|inc|theta)(?![a-z])"),
    ("mask", r"mask|quality|layover|shadow|valid|alpha"),
    ("height", r"elevation|height|slope|(?<![a-z])dem(?![a-z])"),
    ("ratio", r"ratio|(vv|vh|hh|hv) ?(div|over|by|minus) ?(vv|vh|hh|hv)"),
    ("i", r"(?<![a-z])(i|real|in-?phase)(?![a-z])"),
    ("q", r"(?<![a-z])(q|imag|imaginary|quadrature)(?![a-z])"),
)
_DERIVED = re.compile(
    r"(?<![a-z])(coh|coherence|phase|ifg|count|std|stdev|variance|nesz|flags?|glcm|texture|entropy|anisotropy)(?![a-z])"
)
"""Words of bands that are derived from backscatter and show no sea, such as the coherence of a polarisation."""
_MATRIX = re.compile(r"[ct]([1-4])([1-4])(?![a-z0-9]).*")
"""Element of a covariance or coherency matrix, as of SNAP and PolSARpro: C11 is a power, C12_real is none."""
_MEASURED = re.compile(r"sigma|gamma|beta|intensity|amplitude")
_TAGS = ("long_name", "name", "description", "polarisation", "polarization", "band_name", "standard_name")
"""Tags of a band that may name it, in lower case."""
_SMOOTH = 0.03
"""Largest ratio of the steps between neighbours to the spread of a smooth band, such as angles; speckle has about 1."""
_LEAST_STEPS = 0.1
"""Least share of neighbours that differ; whole angles have less."""
FEW_VALUES = 8
"""Largest number of different values of a mask."""
_SAME_ORDER = 0.9995
"""Least rank correlation, without sign, of a band that follows from the ratio of two others, as indices such as RVI and
NDPI do, too. A polarisation has 0.998 with its sum with one 12 dB weaker, which is the ratio of that one to the RVI."""
_SAME_SCALED = 0.02
"""Largest median deviation from the ratio of two bands in another scale, as whole numbers that overflow have; speckle
has 0.1."""
_RANKED_PX = 20_000
"""Most pixels whose ranks are compared."""
_SURELY_DB = -1.0
"""Highest median of a band that is surely in decibels."""
_LISTED = 4
"""Most bands that a note names."""
_CLEARLY_DB = 1.0
"""Least difference in mean level at which the brighter of two nameless bands is chosen, in decibels of power."""


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
    looks = {k: blocks(k) for k in numbers}
    images = [k for k in numbers if is_image(looks[k])]
    images = [k for k in images if not _is_ratio(looks[k], [looks[j] for j in images if j != k])]
    if not images:
        raise InputError(
            f"expected a band with an image of the sea in {path}, found {len(names)} bands that are smooth like angles "
            "or hold few values like masks; name the band by `band`"
        )
    pairs = list(zip(images[::2], images[1::2], strict=False))
    if len(images) % 2 == 0 and all(is_complex_pair(looks[a], looks[b]) for a, b in pairs):
        return _brightest_pair(pairs, looks)
    in_decibels = [k for k in images if _middle(looks[k]) < _SURELY_DB]
    images = in_decibels or images  # beside decibels, all that is above zero is another quantity
    levels = [_level_db(looks[k]) for k in images]
    best = int(np.argmax(levels))
    number = images[best if levels[best] > levels[0] + _CLEARLY_DB else 0]
    reason = "the first image" if number == images[0] else "the brightest image"
    note = f"none of its {len(names)} bands names a polarisation: band {number} is used, {reason}"
    return BandChoice((number,), f"band {number}", f"{note}; set `band` to use another")


def _brightest_pair(pairs: Sequence[tuple[int, int]], looks: Mapping[int, Blocks]) -> BandChoice:
    """Choose the brightest of some complex images, each in two bands."""
    levels = [float(np.nanmedian(np.hypot(_flat(looks[a]), _flat(looks[b])))) for a, b in pairs]
    best = pairs[int(np.argmax(levels))]
    if len(pairs) == 1:
        return BandChoice(best, None)
    note = f"its bands hold {len(pairs)} complex images: bands {best[0]} and {best[1]} are used, the brightest"
    return BandChoice(best, f"band {best[0]}", f"{note}; set `band` and `values` to use another")


def _is_ratio(blocks: Blocks, others: Sequence[Blocks]) -> bool:
    """True if a band follows from the ratio of two others, or from the difference of their decibels."""
    values, *rest = (_flat(one) for one in (blocks, *others))
    step = -(-values.size // _RANKED_PX)
    for above, below in permutations(rest, 2):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = above - below if min(np.nanmedian(above), np.nanmedian(below)) < 0 else above / below
            factor = values / ratio
            scaled = np.nanmedian(np.abs(factor / np.nanmedian(factor) - 1)) <= _SAME_SCALED
        known = np.isfinite(values) & np.isfinite(ratio)
        if scaled or abs(_rank_correlation(values[known][::step], ratio[known][::step])) >= _SAME_ORDER:
            return True
    return False


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Rank correlation of values (N,) in [-1, 1]; 0 if one of them is constant."""
    if first.size == 0 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    from scipy.stats import rankdata  # only here: it takes 0.4 s to import, and few scenes have three nameless bands

    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def _flat(blocks: Blocks) -> NDArray[np.float64]:
    return np.concatenate([block.ravel() for block in blocks]).astype(np.float64)


def is_image(blocks: Blocks) -> bool:
    """True if the pixels of a band are speckled, as no angle, mask or height is."""
    values = [block[np.isfinite(block)] for block in blocks]
    pooled = np.concatenate(values) if values else np.zeros(0)
    if len(np.unique(pooled)) <= FEW_VALUES:
        return False
    usual = float(np.median(np.abs(pooled[pooled != 0])))
    steps, spread = [], []
    for one in blocks:
        block = np.arcsinh(one.astype(np.float64) / usual)  # else the sea beside a city in power seems smooth
        step = np.diff(block, axis=1)
        steps.append(step[np.isfinite(step) & (block[:, 1:] != 0)])
        spread.append(block[np.isfinite(block) & (block != 0)])
    step, value = np.concatenate(steps), np.concatenate(spread)
    if step.size == 0 or value.size == 0 or np.mean(step != 0) < _LEAST_STEPS:
        return False
    step = step[step != 0]
    return bool(np.median(np.abs(step)) > _SMOOTH * (np.percentile(value, 84) - np.percentile(value, 16)))


def is_complex_pair(first: Blocks, second: Blocks) -> bool:
    """True if two bands look like real and imaginary part: centred on zero, of equal spread, and different."""
    a, b = (np.concatenate([block.ravel() for block in blocks]).astype(np.float64) for blocks in (first, second))
    valid = np.isfinite(a) & np.isfinite(b) & ((a != 0) | (b != 0))
    a, b = a[valid], b[valid]
    if a.size < FEW_VALUES**2:
        return False
    wide, other = (np.median(np.abs(part)) for part in (a, b))
    if not 0.5 < wide / max(other, 1e-30) < 2:
        return False
    balanced = all(0.4 < np.mean(part > 0) / max(np.mean(part != 0), 1e-30) < 0.6 for part in (a, b))
    return balanced and abs(float(np.corrcoef(a, b)[0, 1])) < 0.2


def _level_db(blocks: Blocks) -> float:
    """Rough mean level of a band in decibels: mean of values that are decibels, else level of their magnitude."""
    middle = _middle(blocks)
    return middle if middle < _SURELY_DB else 20 * np.log10(max(abs(middle), 1e-30))


def _middle(blocks: Blocks) -> float:
    return float(np.nanmedian(np.where(np.isfinite(values := _flat(blocks)), values, np.nan)))


def _listed(names: Iterable[str]) -> str:
    return first_of(list(dict.fromkeys(filter(None, names))), _LISTED) or "others without names"
