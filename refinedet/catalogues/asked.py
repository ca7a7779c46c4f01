"""Question to a catalogue: a place, a time, and conditions on the scenes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from refinedet.catalogues.area import Area
from refinedet.catalogues.items import CatalogueScene
from refinedet.catalogues.known import COLLECTION
from refinedet.catalogues.settings import SearchSettings
from refinedet.errors import InputError
from refinedet.utc import in_utc, utc_text

Direction = Literal["ascending", "descending"]
Polarisation = Literal["vv", "vh", "hh", "hv"]

_DAY_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Question:
    """Conditions that the wanted scenes meet."""

    area: Area
    start: datetime
    end: datetime
    orbit: int | None = None
    """Relative orbit; None: any."""
    direction: Direction | None = None
    pol: Polarisation | None = None
    limit: int = 100
    """Largest number of acquisitions."""
    collection: str = COLLECTION

    @classmethod
    def of(cls, area: Area, start: datetime, end: datetime, settings: SearchSettings) -> Self:
        """Question for an area and a time, with the other conditions from settings."""
        asked = {name: getattr(settings, name) for name in ("orbit", "direction", "pol", "limit", "collection")}
        return cls(area, start, end, **asked)

    def told(self) -> str:
        """Question in words."""
        parts = [self.area.told, f"{_short(self.start)} to {_short(self.end)}"]
        if self.orbit is not None:
            parts.append(f"relative orbit {self.orbit}")
        return ", ".join([*parts, *filter(None, (self.direction, self.pol))])

    def misses(self, scene: CatalogueScene) -> str | None:
        """Name of a setting that a scene in the area and the time does not meet; None: it meets all."""
        if self.orbit is not None and scene.orbit != self.orbit:
            return "orbit"
        if self.direction is not None and scene.direction != self.direction:
            return "direction"
        return "pol" if self.pol is not None and self.pol not in scene.polarisations else None


def period(since: str, until: str) -> tuple[datetime, datetime]:
    """First and last moment of a period, from days or times in UTC; the last day is included.

    Raises:
        InputError: a text is no date, or the end lies before the start.
    """
    start, end = _moment(since, "from"), _moment(until, "to")
    if len(until.strip()) <= _DAY_LETTERS:
        end += timedelta(days=1) - timedelta(milliseconds=1)
    if end <= start:
        raise InputError(f"expected `from` before `to`, found {since} and {until}")
    return start, end


def _moment(text: str, name: str) -> datetime:
    try:
        return in_utc(datetime.fromisoformat(text.strip().upper()))
    except (ValueError, OverflowError):
        raise InputError(
            f"expected a date such as 2024-03-05 or 2024-03-05T06:00Z as `{name}`, found {text!r}"
        ) from None


def _short(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    if moment.time() == datetime.min.time():
        return moment.date().isoformat()
    return moment.date().isoformat() if moment.hour == 23 and moment.microsecond else utc_text(moment)
