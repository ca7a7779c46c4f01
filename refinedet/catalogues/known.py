"""Catalogues with a short name, and checks of the addresses that may be read."""

from __future__ import annotations

from urllib.parse import urlsplit

from refinedet.cloud.address import is_loopback
from refinedet.errors import InputError

KNOWN = {
    "copernicus": "https://stac.dataspace.copernicus.eu/v1",
    "earth-search": "https://earth-search.aws.element84.com/v1",
    "planetary": "https://planetarycomputer.microsoft.com/api/stac/v1",
}
"""Address of a STAC API by its name: Copernicus Data Space, Element 84 Earth Search, Planetary Computer."""
COLLECTION = "sentinel-1-grd"
"""Collection of Sentinel-1's ground range products, in each of these catalogues."""

_LETTERS_MOST = 8192


def catalogue_address(name: str) -> str:
    """Address of the catalogue `name`, or `name` itself if it is an address; without a slash at the end.

    Raises:
        InputError: `name` is neither.
    """
    if name in KNOWN:
        return KNOWN[name]
    if "://" not in name:
        raise InputError(
            f"expected {', '.join(sorted(KNOWN))} or the https address of a STAC API as `catalogue`, found {name!r}"
        )
    check_web(name)
    return name.rstrip("/")


def check_web(address: str) -> None:
    """Refuse any address but https; plain http is allowed for this machine only.

    Raises:
        InputError: it is no such address, or it contains a user name.
    """
    shown = plain_address(address)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"expected an https address, found {shown!r} ({error}); check it") from None
    odd = any(letter <= " " or letter == "\x7f" for letter in address) or len(address) > _LETTERS_MOST
    if odd or not host or parts.scheme not in ("https", "http"):
        raise InputError(f"expected an https address, found {shown!r}; check it")
    if "@" in parts.netloc:
        raise InputError(f"expected an address without a user's name, found one at {host}; take the name out")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"expected https, since anybody on the way can change what plain http carries, found {shown!r}"
        )


def plain_address(address: str) -> str:
    """Address without its query, which may carry a signature: for messages and files."""
    return address.partition("?")[0].partition("#")[0]


def server_of(address: str) -> tuple[str, str]:
    """Scheme and host with port; they are equal for addresses of one server."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()
