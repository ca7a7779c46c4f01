"""STAC item: the addresses of its assets. Only assets in use are checked; a public item cannot name private hosts.

Projection fields of the item are not read, because public archives of Sentinel-1 fill them with invented values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refinedet.cloud.address import Address, is_address, is_private
from refinedet.errors import InputError
from refinedet.files import is_safe_path, parse_json

MAX_ITEM_BYTES = 4 << 20
"""Most bytes of an item: a real one has 30,000."""
_STORE = re.compile(r"[^?#]*?\.zarr(?=[/?#]|$)")
"""Part of an address up to the Zarr store that it leads into."""


@dataclass(frozen=True, slots=True)
class Item:
    """STAC item and its origin."""

    id: str
    assets: Mapping[str, Any]
    where: str
    """Place of the item, for messages."""
    base: Address | None
    """Address of the item; None for a local file."""

    def address(self, key: str) -> Address | None:
        """Address of an asset; None if there is no such asset.

        Raises:
            InputError: the asset has no accepted address, or an item from outside names a host in a private network.
        """
        asset = self.assets.get(key)
        if asset is None:
            return None
        return self._resolved(key, asset.get("href") if isinstance(asset, dict) else None)

    def store(self) -> Address | None:
        """Address of the Zarr store in which assets lie, as in ESA's EOPF catalogues; None if there is none.

        Raises:
            InputError: as `address`.
        """
        for key, asset in self.assets.items():
            inside = _STORE.match(str(asset.get("href"))) if isinstance(asset, dict) else None
            if inside is not None:
                return self._resolved(key, inside[0])
        return None

    def _resolved(self, key: str, href: object) -> Address:
        if not isinstance(href, str) or (self.base is None and not is_address(href)):
            raise InputError(
                f"expected an address for the asset {key} of {self.where}, found {str(href)[:80]!r}; "
                "name the folder of the product, or an item with addresses"
            )
        try:
            found = Address(href) if self.base is None else self.base.joined(href)
        except InputError as error:
            raise InputError(f"the asset {key} of {self.where} cannot be read: {error}") from error
        self._check_host(key, found)
        return found

    def _check_host(self, key: str, found: Address) -> None:
        if self.base is None or found.is_s3 or found.host == self.base.host:
            return
        if is_private(found.host) and (self.base.is_s3 or not is_private(self.base.host)):
            raise InputError(
                f"expected assets on public servers in {self.where}, found {key} on {found.host}, which is private; "
                "name that address itself if you trust it"
            )


def parse_item(content: bytes, where: str, base: Address | None) -> Item:
    """Read a STAC item.

    Raises:
        InputError: it is no item, or too large.
    """
    if len(content) > MAX_ITEM_BYTES:
        raise InputError(f"expected a STAC item of at most {MAX_ITEM_BYTES >> 20} MB at {where}, found more")
    found = parse_json(content, where)
    whole = isinstance(found, dict) and found.get("type") == "Feature" and isinstance(found.get("assets"), dict)
    name = found.get("id") if whole else None
    if not isinstance(name, str) or not is_safe_path(name) or "/" in name or name in ("", "."):
        kind = found.get("type") if isinstance(found, dict) else None
        raise InputError(
            f"expected a STAC item (a Feature with id and assets) at {where}, found {str(kind)[:40] or 'other JSON'}; "
            "name the address of one item"
        )
    return Item(name, found["assets"], where, base)
