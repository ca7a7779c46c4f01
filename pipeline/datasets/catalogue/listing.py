"""Catalogue as plain values, for a table or for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.datasets.catalogue import CATALOGUE, RECORDED, SIMULATED, ArchiveFile, Source
from refinedet.errors import InputError


def list_datasets(recorded: Mapping[str, str]) -> list[dict[str, Any]]:
    """List the data sets in the order of the catalogue; `recorded`: archive -> checksum at its first download."""
    return [_plain(name, source, recorded) for name, source in _all().items()]


def describe_dataset(name: str, recorded: Mapping[str, str]) -> dict[str, Any]:
    """Describe one data set, as in the list.

    Raises:
        InputError: the catalogue has no such data set.
    """
    source = _all().get(name.lower())
    if source is None:
        raise InputError(f"expected the name of a data set, one of {', '.join(_all())}, found {name!r}")
    return _plain(name.lower(), source, recorded)


def _all() -> dict[str, Source]:
    return {**CATALOGUE, "simulated": SIMULATED}


def _plain(name: str, source: Source, recorded: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "title": source.title,
        "from": _origin(source),
        "images": source.images,
        "size_bytes": source.size_bytes,
        "classes": list(source.classes),
        "split_rule": source.split_rule,
        "subsets": sorted(source.subsets),
        "licence": source.licence,
        "citation": source.citation,
        "page": source.page,
        "archives": [_archive(archive, recorded.get(archive.name)) for archive in source.files],
    }
    if source.manual is not None:
        found["by_hand"] = {"where": source.manual.where, "what": source.manual.what}
    return found


def _origin(source: Source) -> str:
    if source.manual is not None:
        return "by hand"
    if source.prepared is not None:
        return "your folder"
    if not source.files:
        return "made here"
    return "web" if all(archive.url for archive in source.files) else "mirror"


def _archive(archive: ArchiveFile, recorded: str | None) -> dict[str, Any]:
    known = f"SHA-256 of the content {recorded}, {RECORDED}" if archive.sum == RECORDED and recorded else archive.sum
    return {
        "name": archive.name,
        "url": archive.url,
        "size_bytes": archive.size_bytes,
        "sum": known,
        "verified": archive.sha256 is not None,
    }
