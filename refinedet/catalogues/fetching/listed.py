"""Items that a user names: files, https addresses, and the lines of a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from refinedet.catalogues.items import item_id, without_secrets
from refinedet.catalogues.known import check_web, plain_address
from refinedet.downloads.small import MOST_BYTES, Request, read_small
from refinedet.errors import FileError, InputError
from refinedet.files import parse_json
from refinedet.system.retrying import RetryPolicy

_COMMENT = "#"


def items_named(names: Iterable[str], retry: RetryPolicy | None = None) -> list[dict[str, Any]]:
    """Items from files or addresses, and from manifests; of items with equal ids, only the first.

    Raises:
        FileError: a file or an address cannot be read.
        InputError: one of them is neither an item nor a manifest, or a manifest names something else.
    """
    items: dict[str, dict[str, Any]] = {}
    for name in names:
        for item in _read(name, retry):
            items.setdefault(item_id(item), item)
    return list(items.values())


def _read(name: str, retry: RetryPolicy | None) -> list[dict[str, Any]]:
    if "://" in name:
        return [_fetched(name, retry)]
    path = Path(name).expanduser()
    content = _content(path)
    if content.lstrip().startswith(b"{"):
        return [_item(content, str(path), None)]
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise InputError(
            f"expected a STAC item or a manifest at {path}, found other bytes; name another file"
        ) from None
    listed = [line for line in lines if line and not line.startswith(_COMMENT)]
    if not listed:
        raise InputError(f"expected items in the manifest {path}, found none; list one to a line")
    return [_line(line, path, retry) for line in listed]


def _line(line: str, manifest: Path, retry: RetryPolicy | None) -> dict[str, Any]:
    if "://" in line:
        return _fetched(line, retry)
    path = manifest.parent / line
    content = _content(path)
    if not content.lstrip().startswith(b"{"):
        raise InputError(f"expected STAC items in the manifest {manifest}, found {line}; only items are fetched")
    return _item(content, str(path), None)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or error
        raise FileError(f"expected a STAC item or a manifest at {path}, but it cannot be read ({told})") from error
    if len(content) > MOST_BYTES:
        raise InputError(
            f"expected a STAC item or a manifest at {path}, found a file of more than {MOST_BYTES >> 20} MB"
        )
    return content


def _fetched(address: str, retry: RetryPolicy | None) -> dict[str, Any]:
    check_web(address)
    return _item(read_small(Request(address), retry), plain_address(address), address)


def _item(content: bytes, source: str, base: str | None) -> dict[str, Any]:
    item = parse_json(content, source)
    try:
        item_id(item)
    except InputError as error:
        raise InputError(f"{error}, in {source}") from None
    return without_secrets(item, base)
