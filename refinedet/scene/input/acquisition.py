"""Time at which each line of a scene was taken, and the choice of its source. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.scene.input.name_time import time_in_name
from refinedet.utc import in_utc, parse_utc, utc_text

TimeSource = Literal["annotation", "file", "name", "option", "unknown"]
"""Source of a time: the annotation of a product, the file's own metadata, its name, the setting `time`, or none."""


@dataclass(frozen=True, slots=True)
class LineTimes:
    """Times of some lines of a scene; times between and beyond them are interpolated linearly."""

    start: datetime
    """Time of second 0."""
    lines: tuple[float, ...]
    """At least two lines, ascending; line i has its centre at y = i + 0.5."""
    seconds: tuple[float, ...]
    """Seconds of each of these lines after `start`."""

    def at(self, y: NDArray[np.float64]) -> list[datetime]:
        """Times at heights y in the scene, in pixels from its upper edge."""
        line, seconds = np.array(self.lines), np.array(self.seconds)
        inside = np.clip(np.asarray(y, np.float64) - 0.5, line[0], line[-1])
        pace = (seconds[-1] - seconds[0]) / (line[-1] - line[0])
        after = np.interp(inside, line, seconds) + (y - 0.5 - inside) * pace
        return [self.start + timedelta(seconds=float(one)) for one in after]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Time at which a scene was taken: of each line, or one for all of it."""

    source: TimeSource = "unknown"
    lines: LineTimes | None = None
    once: datetime | None = None
    """Time of the whole scene, if `lines` is None."""

    def times(self, y: NDArray[np.float64]) -> list[str | None]:
        """Times at heights y (N,) in the scene, as text in UTC; None if unknown."""
        if self.lines is not None:
            return [utc_text(one) for one in self.lines.at(np.asarray(y, np.float64))]
        return [None if self.once is None else utc_text(self.once)] * len(y)

    def to_dict(self, height: int) -> dict[str, Any]:
        """Values for JSON: source, time of the first of `height` lines, and time of the last, if lines have times."""
        ends: Sequence[str | None] = self.times(np.array([0.5, height - 0.5]))
        return {"from": self.source, "start": ends[0], "end": ends[1] if self.lines is not None else None}


def choose_acquisition(
    name: str,
    *,
    annotated: LineTimes | None = None,
    stated: LineTimes | datetime | None = None,
    asked: str | None = None,
) -> tuple[Acquisition, tuple[str, ...]]:
    """Time of a scene from the best source, and notes for the user unless the source is an annotation.

    Args:
        name: name of the scene, without suffix.
        annotated: times of lines by the annotation of a product.
        stated: times that the file itself states.
        asked: time by the setting `time`; it overrules the file and the name.

    Raises:
        InputError: `asked` is given although an annotation has the time of every line.
    """
    if annotated is not None:
        if asked is not None:
            raise InputError(
                f"expected no `time` for {name}, whose annotation has the time of every line, found {asked}; "
                "leave it out"
            )
        return Acquisition("annotation", annotated), ()
    named = time_in_name(name)
    known = stated.start if isinstance(stated, LineTimes) else stated if stated is not None else named
    where = "name" if stated is None else "metadata"
    if asked is not None:
        time = parse_utc(asked)
        if known is None or utc_text(known) == utc_text(time):
            return Acquisition("option", once=time), ()
        note = f"the scene was taken at {utc_text(time)}, as `time` says; its {where} says {utc_text(known)}"
        return Acquisition("option", once=time), (note,)
    if isinstance(stated, LineTimes):
        return Acquisition("file", stated), ()
    if known is None:
        return Acquisition(), ("the time of the scene and its ships is unknown; set it with `time`",)
    note = f"all ships have one time, {utc_text(known)}, from the {where} of the scene; set `time` to change this"
    return Acquisition("name" if stated is None else "file", once=in_utc(known)), (note,)
