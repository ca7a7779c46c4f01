"""Notes of several scenes, for a console: each sentence once, with the names of its scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_NAMED = 3
"""Most scenes that a sentence names."""


def with_scenes(notes: Mapping[str, Sequence[str]], scenes: int) -> list[str]:
    """Sentences with the scenes that they are about in front; a call of one scene needs no names.

    Args:
        notes: names of the scenes of each sentence.
        scenes: number of scenes of the call.

    >>> with_scenes({"it is dark": ["a.tif"], "it is old": ["a.tif", "b.tif"]}, 2)
    ['a.tif: it is dark', 'all 2 scenes: it is old']
    """
    if scenes < 2:
        return list(notes)
    return [f"{_named(names, scenes)}: {note}" for note, names in notes.items()]


def _named(names: Sequence[str], scenes: int) -> str:
    if len(names) == scenes:
        return f"all {scenes} scenes"
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
