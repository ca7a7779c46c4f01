"""Default choice of a polarisation, and the advice to search two."""

from __future__ import annotations

from collections.abc import Collection

_FIRST = ("vv", "hh")
"""Default polarisations: co-polarised, in which ships are brightest."""
_PARTNERS = {"vv": "vh", "hh": "hv"}
"""Cross-polarised partner of each co-polarised channel."""


def preferred(polarisations: set[str]) -> str:
    """Default polarisation among `polarisations`: vv, else hh, else the first by name."""
    return next((one for one in _FIRST if one in polarisations), min(polarisations))


def partner(polarisation: str, polarisations: Collection[str | None]) -> str | None:
    """Polarisation that can be searched together with `polarisation`; None if it is not among `polarisations`."""
    other = _PARTNERS.get(polarisation)
    return other if other in polarisations else None


def pair_of(polarisation: str) -> tuple[str, str]:
    """Both polarisations of the pair that `polarisation` belongs to, the co-polarised one first."""
    return next(pair for pair in _PARTNERS.items() if polarisation in pair)


def to_search_both(polarisation: str, other: str) -> str:
    """Advice for a note: the setting that searches two polarisations."""
    return f'set `pol="{polarisation}+{other}"` to search both, which finds more ships in about twice the time'
