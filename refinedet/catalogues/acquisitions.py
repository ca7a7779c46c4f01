"""Acquisitions: keeps the newest processing of each data take and slice. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from refinedet.catalogues.items import CatalogueScene

_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


def newest(scenes: Iterable[CatalogueScene]) -> tuple[list[CatalogueScene], list[tuple[str, str]]]:
    """Newest processing of each acquisition, in the order of the first one, and pairs (left out, taken instead).

    Two products are from one acquisition if satellite, kind and data take are equal and the other covers most of the
    time of the shorter one: slices of a data take do not overlap. Of equally new products, the cloud-optimised one is
    taken.
    """
    groups: list[list[CatalogueScene]] = []
    by_take: dict[tuple[str, str, str], list[list[CatalogueScene]]] = {}
    for scene in scenes:
        name = scene.name
        near = [] if name is None else by_take.setdefault((name.mission, name.kind, name.take), [])
        group = next((group for group in near if any(_same_time(scene, other) for other in group)), None)
        if group is None:
            group = []
            groups.append(group)
            near.append(group)
        group.append(scene)
    kept = [max(group, key=_rank) for group in groups]
    left = [(one.id, best.id) for group, best in zip(groups, kept, strict=True) for one in group if one is not best]
    return kept, left


def _same_time(one: CatalogueScene, other: CatalogueScene) -> bool:
    common = min(one.end, other.end) - max(one.start, other.start)
    return common > timedelta(0) and 2 * common > min(one.end - one.start, other.end - other.start)


def _rank(scene: CatalogueScene) -> tuple[datetime, bool, str]:
    processed = (scene.processed or _LONG_AGO).replace(microsecond=0)
    return processed, scene.name is not None and scene.name.cog, scene.id
