"""Notes of many scenes for the console: each kind of note once, with the scenes that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from refinedet.wording import counted

_NUMBER = re.compile(r"\d+(\.\d+)?")
_NAMED = 3
"""Largest number of scenes that a sentence names."""


@dataclass(slots=True)
class _Kind:
    """Notes that differ in their numbers only."""

    first: str
    same: bool = True
    """True if all scenes have the first note, to the number."""
    scenes: int = 0
    names: list[str] = field(default_factory=list)

    def sentence(self, scenes: int) -> str:
        """First note, with names of its scenes unless all `scenes` have it, or it is about "its" scene."""
        if self.scenes == 1 and self.first.startswith("its "):
            return f"{self.names[0]}: {self.first}"
        if self.same and self.scenes == scenes:
            return self.first
        more = self.scenes - len(self.names)
        if self.same:
            return f"{self.first} ({', '.join(self.names)}{f' and {more} more' if more else ''})"
        others = len(self.names) - 1 + more
        return f"{self.first} ({self.names[0]}; likewise in {counted(others, 'more scene')})"


@dataclass(slots=True)
class SceneNotes:
    """Notes of the scenes so far. The size depends on the kinds of notes, and not on the number of scenes."""

    _kinds: dict[str, _Kind] = field(default_factory=dict)
    _scenes: int = 0

    def add(self, scene: str, notes: Iterable[str]) -> None:
        """Add the notes of a scene of this name."""
        self._scenes += 1
        for note in dict.fromkeys(notes):
            kind = self._kinds.setdefault(_NUMBER.sub("0", note), _Kind(note))
            kind.same &= note == kind.first
            kind.scenes += 1
            if len(kind.names) < _NAMED:
                kind.names.append(scene)

    def sentences(self) -> list[str]:
        """One sentence for each kind of note, in the order in which they came."""
        return [kind.sentence(self._scenes) for kind in self._kinds.values()]
