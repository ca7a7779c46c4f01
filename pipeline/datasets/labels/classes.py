"""Classes of labels: spellings of one name are one class, and categories without boxes are dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.datasets.labels.label_set import LabelSet
from refinedet.wording import first_of

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def settle_classes(sets: Sequence[LabelSet]) -> tuple[list[LabelSet], list[str]]:
    """Give all label sets the same categories 1, 2, ..., and return sentences on joined and dropped categories.

    Names that differ in case, spaces, hyphens or a plural s are one class. A category without objects is dropped,
    unless no category has any.
    """
    owned: Counter[str] = Counter()
    for one in sets:
        names = {category["id"]: category["name"] for category in one.document["categories"]}
        owned.update(dict.fromkeys(names.values(), 0))
        owned.update(names[i] for row in one.document["annotations"] if (i := _category_of(row)) in names)
    spellings = _spellings(list(owned))
    used = {key: names for key, names in spellings.items() if any(owned[name] for name in names)} or spellings
    chosen = {key: _best(key, names, owned) for key, names in used.items()}
    numbers = {name: number for number, key in enumerate(used, start=1) for name in used[key]}
    notes = [
        f"{', '.join(repr(name) for name in names)} are taken as one class, {chosen[key]!r}"
        for key, names in used.items()
        if len([name for name in names if owned[name]]) > 1
    ]
    empty = [name for key, names in spellings.items() if key not in used for name in names]
    if empty:
        shown = first_of([repr(name) for name in empty], 5)
        notes.append(
            f"no object is of the category {shown}, so it is no class"
            if len(empty) == 1
            else f"no object is of the categories {shown}, so they are no classes"
        )
    categories = [{"id": number, "name": chosen[key]} for number, key in enumerate(used, start=1)]
    return [_with(one, categories, numbers) for one in sets], notes


def _category_of(row: Any) -> int | None:
    category = row.get("category_id") if isinstance(row, Mapping) else None
    return category if isinstance(category, int) else None


def _spellings(names: Sequence[str]) -> dict[str, list[str]]:
    """Key of a class -> its spellings, in order."""
    keys = {name: _BETWEEN_WORDS.sub(" ", name).strip().casefold() for name in names}
    known = set(keys.values())
    found: dict[str, list[str]] = {}
    for name, key in keys.items():
        singular = key.removesuffix("s")
        found.setdefault(singular if singular in known else key, []).append(name)
    return found


def _best(key: str, names: Sequence[str], owned: Mapping[str, int]) -> str:
    """Spelling to keep: lower-case without a plural s if it exists, else the most frequent."""
    used = [name for name in names if owned[name]] or list(names)
    return max(used, key=lambda name: (name == name.strip().casefold(), name == key, owned[name])).strip()


def _with(one: LabelSet, categories: list[dict[str, Any]], numbers: Mapping[str, int]) -> LabelSet:
    new_ids = {category["id"]: numbers.get(category["name"]) for category in one.document["categories"]}
    rows = [
        {**row, "category_id": new_ids.get(_category_of(row))} if isinstance(row, Mapping) else row
        for row in one.document["annotations"]
    ]
    return replace(one, document={**one.document, "categories": categories, "annotations": rows})
