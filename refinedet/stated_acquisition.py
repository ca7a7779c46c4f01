"""Acquisition that a raster states in a tag of this project: time of its lines, and view of the radar.

Simulated scenes have this tag. Copies of the file that keep its tags keep the acquisition too. The view is stated by
place, so it also holds for a part of the scene. The times of lines only hold for a copy of the same size.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from refinedet.errors import InputError
from refinedet.utc import parse_utc, utc_text

TAG = "REFINEDET_ACQUISITION"
"""Name of the tag."""

_NODE = 6


@dataclass(frozen=True, slots=True)
class StatedAcquisition:
    """Time and view of a scene whose lines are rows."""

    start: datetime
    """Time of second 0, UTC."""
    line_seconds: tuple[float, float]
    """Seconds of the first and the last line after `start`."""
    size_px: tuple[int, int]
    """Width and height of the scene for which `line_seconds` holds."""
    look: Literal["left", "right"]
    nodes: tuple[tuple[float, ...], ...]
    """Places with [longitude, latitude, seconds after `start`, slant range over speed of the satellite in seconds,
    incidence, direction of flight], in degrees, as in the entry `view` of a run record."""

    def view(self) -> dict[str, Any]:
        """Entry `view` of a run record."""
        return {"start": utc_text(self.start), "look": self.look, "nodes": [list(node) for node in self.nodes]}

    def tags(self) -> dict[str, str]:
        """Mapping from the name of the tag to its text."""
        content = asdict(self) | {"start": utc_text(self.start)}
        return {TAG: json.dumps(content, separators=(",", ":"), sort_keys=True)}

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self | None:
        """Acquisition that the tags of a file state; None if there is none, or if it is invalid."""
        try:
            content = json.loads(tags[TAG])
            nodes = tuple(tuple(map(float, node)) for node in content["nodes"])
            first, last = map(float, content["line_seconds"])
            width, height = map(int, content["size_px"])
            found = cls(parse_utc(content["start"]), (first, last), (width, height), content["look"], nodes)
        except (KeyError, TypeError, ValueError, RecursionError, InputError):
            return None
        numbers = [first, last, *(value for node in nodes for value in node)]
        sound = all(map(math.isfinite, numbers)) and found.look in {"left", "right"}
        return found if sound and nodes and all(len(node) == _NODE for node in nodes) else None
