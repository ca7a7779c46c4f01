"""Search of one or two polarisations of a scene, with one journal, one progress and one list of ships."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from refinedet.config.options.detect import BOTH
from refinedet.predictors.predictor import Predictor
from refinedet.raster import Reader
from refinedet.scene.scene_ships import SeenPolarisation
from refinedet.scene.search.journal import OpenJournal
from refinedet.scene.search.stream import Stream
from refinedet.scene.search.window_search import Progress, WindowSearch
from refinedet.scene.ships.describe import Ships
from refinedet.scene.windows.merge import Merged, merge_windows
from refinedet.scene.windows.polarisations import fuse_polarisations


def detect_all(
    searches: Sequence[WindowSearch],
    predictors: Sequence[Predictor],
    batch_size: int,
    journal: OpenJournal | None,
    progress: Progress,
    stream: Stream | None,
) -> None:
    """Detect in all windows of all searches, one search after the other; they share journal and progress."""
    total = sum(len(search.grid) for search in searches)
    first = 0
    for search in searches:
        if journal is not None:
            search.resume(journal.part(first, len(search.grid)))
        first += len(search.grid)
    done = [search.kept for search in searches]

    def step(index: int, windows: int, _: int) -> None:
        done[index] = windows
        progress(sum(done), total)

    for index, search in enumerate(searches):
        search.detect(predictors, batch_size, partial(step, index), stream)


def merge_searches(searches: Sequence[WindowSearch], score_min: float) -> Merged:
    """Merge the ships of one or two searches, and keep scores from `score_min` up."""
    found = [merge_windows(search.parts, search.grid) for search in searches]
    merged = found[0] if len(found) == 1 else fuse_polarisations(*found)
    return merged.only(merged.detections.scores >= score_min)


def label_of(readers: Sequence[Reader]) -> str | None:
    """Name of the searched part of the scene for the user, such as vv+vh; None if it is the whole scene."""
    return BOTH.join(reader.label or "" for reader in readers) or None


def notes_of(searches: Sequence[WindowSearch]) -> tuple[str, ...]:
    """Notes of all searches; a note that applies to one polarisation only names it."""
    common = [note for note in searches[0].notes if all(note in search.notes for search in searches)]
    own = [f"{search.reader.label}: {note}" for search in searches for note in search.notes if note not in common]
    return (*common, *own)


def read_as(readers: Sequence[Reader]) -> dict[str, Any]:
    """Decisions on how the scene was read; where polarisations differ, a mapping by their names."""
    decisions: dict[str, Any] = {}
    for name in dict.fromkeys(name for reader in readers for name in reader.read_as):
        told = {str(reader.label): reader.read_as[name] for reader in readers if name in reader.read_as}
        first, *others = told.values()
        decisions[name] = first if all(other == first for other in others) else told
    return decisions


def seen_polarisations(searches: Sequence[WindowSearch], ships: Ships) -> tuple[SeenPolarisation, ...]:
    """Both polarisations with the scores of the ships; empty if only one was searched."""
    if ships.by_polarisation is None:
        return ()
    return tuple(
        SeenPolarisation(str(search.reader.label), scores, search.reader.info, search.stretch_limits)
        for search, scores in zip(searches, ships.by_polarisation.T, strict=True)
    )
