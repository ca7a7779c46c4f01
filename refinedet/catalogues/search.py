"""search_catalogue(): finds the scenes of a STAC catalogue that meet a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from refinedet.catalogues.acquisitions import newest
from refinedet.catalogues.asked import Question
from refinedet.catalogues.items import CatalogueScene, read_scene
from refinedet.catalogues.known import check_web
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.extras import load_extra
from refinedet.system.retrying import RetryPolicy
from refinedet.utc import utc_text
from refinedet.wording import counted, first_of
from refinedet.workarounds.pystac_client_warnings import warnings_ignored

_PAGE = 100
_LOOKED_AT_MOST = 20_000
_GRD = "GRD"


@dataclass(frozen=True, slots=True)
class Found:
    """Outcome of a search."""

    catalogue: str
    """Address of the catalogue."""
    question: Question
    scenes: tuple[CatalogueScene, ...]
    """Scenes in the order of their times."""
    shares: tuple[float, ...]
    """Share of the search area that each scene covers."""
    notes: tuple[str, ...]


def search_catalogue(catalogue: str, question: Question, retry: RetryPolicy | None = None) -> Found:
    """Ask the STAC API at the address `catalogue`.

    Raises:
        InputError: the address is not allowed, or the catalogue has no such collection.
        FileError: the server cannot be reached, refuses, or answers with something else.
        MissingExtra: pystac-client is not installed.
    """
    check_web(catalogue)
    load_extra("pystac_client", "a search in a catalogue")
    sorting = _Sorting(question)
    with warnings_ignored():
        try:
            client = _open(catalogue, retry)
            for page in _pages(client, question):
                if not sorting.take(page):
                    break
            if not sorting.seen:
                _check_collection(client, catalogue, question.collection)
        except RefineDetError:
            raise
        except Exception as error:
            if not _of_the_answer(error):
                raise
            raise FileError(
                f"expected the answers of a STAC API from {catalogue}, found something else ({_short(error)}); check "
                "the address"
            ) from error
    scenes = tuple(sorted(sorting.kept, key=lambda one: (one.start, one.id)))
    notes = (*question.area.notes, *sorting.notes(), *([] if scenes else [_nothing(catalogue, sorting)]))
    return Found(catalogue, question, scenes, tuple(question.area.share(one.footprint) for one in scenes), notes)


def _open(catalogue: str, retry: RetryPolicy | None) -> Any:
    from pystac_client import Client

    from refinedet.catalogues.stac_io import CarefulIO

    client = Client.open(catalogue, stac_io=CarefulIO(catalogue, retry))
    if not client.conforms_to("ITEM_SEARCH"):
        raise FileError(
            f"expected a STAC API that can be searched at {catalogue}, found one that does not say so; name the "
            "address of the API, which often ends in /v1 or /stac"
        )
    return client


def _pages(client: Any, question: Question) -> Iterator[list[Any]]:
    link = client.get_search_link()
    method = "POST" if any(one.extra_fields.get("method") == "POST" for one in client.get_links("search")) else "GET"
    if link is None:
        method = "POST"
    search = client.search(
        method=method,
        collections=[question.collection],
        datetime=f"{utc_text(question.start)}/{utc_text(question.end)}",
        limit=_PAGE,
        **question.area.query(),
    )
    for page in search.pages_as_dicts():
        features = page["features"]
        if not isinstance(features, list):
            raise TypeError("features that are no list")
        yield features


@dataclass(slots=True)
class _Sorting:
    """Wanted items of all pages so far, and counts of the other items."""

    question: Question
    wanted: list[CatalogueScene] = field(default_factory=list)
    kept: list[CatalogueScene] = field(default_factory=list)
    older: list[tuple[str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)
    near: list[CatalogueScene] = field(default_factory=list)
    """Scenes in the area and time that do not meet another setting."""
    cut: str | None = None

    def take(self, page: list[Any]) -> bool:
        """Take the items of a page; False once there are enough.

        Raises:
            FileError: the page has no new item.
        """
        before = len(self.seen) + len(self.damaged)
        for item in page:
            self._take(item)
        if len(self.seen) + len(self.damaged) == before:
            raise FileError(
                "expected the paging of the catalogue to end, found a page without any item that earlier ones lack; "
                "try a shorter time or a smaller area"
            )
        self.kept, self.older = newest(self.wanted)
        limit = self.question.limit
        if len(self.kept) > limit:
            self.kept = self.kept[:limit]
            self.cut = f"more than {limit} scenes match: the first {limit} are taken, in the order of the catalogue; "
            self.cut += "raise `limit`, or narrow the question"
        elif len(self.seen) >= _LOOKED_AT_MOST:
            self.cut = f"the first {_LOOKED_AT_MOST} items were looked at, and there are more; narrow the question"
        return self.cut is None

    def _take(self, item: Any) -> None:
        try:
            scene = read_scene(item)
        except InputError as error:
            self.damaged.append(str(error))
            return
        if scene.id in self.seen:
            return
        self.seen.add(scene.id)
        question = self.question
        if scene.product is not None and _GRD not in scene.product.upper():
            self.missed["kind"] += 1
        elif scene.end < question.start or scene.start > question.end:
            self.missed["time"] += 1
        elif question.area.share(scene.footprint) == 0:
            self.missed["area"] += 1
        elif (setting := question.misses(scene)) is not None:
            self.missed[setting] += 1
            self.near.append(scene)
        else:
            self.wanted.append(scene)

    def notes(self) -> list[str]:
        """Facts that the user should know."""
        notes = [self.cut] if self.cut else []
        if self.older:
            named = first_of([f"{old} ({new} is newer)" for old, new in self.older])
            notes.append(f"{counted(len(self.older), 'older processing')} of these acquisitions left out: {named}")
        words = {"kind": "not GRD", "time": "outside of the time", "area": "not in the area"}
        counts = [(self.missed[key], told) for key, told in words.items() if self.missed[key]]
        notes += [f"{counted(number, 'item')} {told} left out" for number, told in counts]
        if self.damaged:
            notes.append(f"{counted(len(self.damaged), 'item')} of no use left out; of the first: {self.damaged[0]}")
        return notes


def _nothing(catalogue: str, sorting: _Sorting) -> str:
    """Sentence for a search that found nothing: the question, and the settings to widen."""
    question, near = sorting.question, sorting.near
    asked = f"no scene of {question.collection} in {catalogue} for {question.told()}"
    if not near:
        return f"{asked}; widen `from` and `to` (many places are seen every 6 to 12 days), or `bbox` or `area`"
    orbits = ", ".join(map(str, sorted({one.orbit for one in near if one.orbit is not None}))) or "unknown"
    ways = ", ".join(sorted({one.direction for one in near if one.direction})) or "unknown"
    pols = ", ".join(sorted({pol for one in near for pol in one.polarisations})) or "unknown"
    settings = ", ".join(f"`{name}`" for name in ("orbit", "direction", "pol") if getattr(question, name) is not None)
    there = f"there and then {counted(len(near), 'scene')} found, of relative orbits {orbits}, {ways}, with {pols}"
    return f"{asked}; {there}: change or leave out {settings}"


def _check_collection(client: Any, catalogue: str, name: str) -> None:
    """Refuse a collection that the catalogue does not have.

    Raises:
        InputError: it has none of this name.
    """
    names = [str(one.id) for one in client.get_collections()]
    if names and name not in names:
        like = [one for one in names if "sentinel-1" in one.lower()] or names[:10]
        raise InputError(f"expected one of {', '.join(sorted(like))} as `collection` of {catalogue}, found {name!r}")


def _of_the_answer(error: Exception) -> bool:
    """True for errors that pystac and Python raise if the answer is not from a STAC API."""
    from pystac import STACError
    from pystac_client.exceptions import APIError

    kinds = (STACError, APIError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
    return isinstance(error, kinds) or type(error).__module__.startswith(("pystac", "orjson"))


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}"
