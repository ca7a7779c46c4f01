"""Addresses of scenes: accepted schemes and hosts, and text without secrets."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from refinedet.errors import InputError

_WEB, _PLAIN, _S3 = "https", "http", "s3"
_SCHEMES = (_WEB, _PLAIN, _S3)
_MOST_LETTERS = 8192


@dataclass(frozen=True, slots=True)
class Address:
    """Address of one file: https://, s3://bucket/key, or http:// of this machine."""

    url: str = field(repr=False)
    """Address for requests, with its query, which may contain a secret; never shown."""

    def __post_init__(self) -> None:
        """Check the address.

        Raises:
            InputError: its scheme is not accepted, or it contains a user or a fragment.
        """
        parts = _split(self.url)
        if parts.scheme not in _SCHEMES or not parts.hostname or self.name in ("", "/"):
            _refuse(self, "an address such as https://host/scene.tif or s3://bucket/scene.tif")
        if parts.username is not None or parts.password is not None:
            _refuse(self, "an address without a user's name; give credentials by the environment, not in it")
        if parts.scheme == _PLAIN and not is_loopback(parts.hostname):
            _refuse(self, "https, since anybody on the way can change what plain http carries")
        if parts.fragment or (parts.scheme == _S3 and parts.query):
            _refuse(self, "an address without a fragment, and of s3 without a query")

    def __str__(self) -> str:
        """Address without its query: for people, records and files."""
        parts = _split(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def is_s3(self) -> bool:
        """True if the address names a bucket and a key instead of a host."""
        return _split(self.url).scheme == _S3

    @property
    def host(self) -> str:
        """Host of a web address, or bucket of an s3 address."""
        return _split(self.url).hostname or ""

    @property
    def key(self) -> str:
        """Key of an s3 address in its bucket."""
        return _split(self.url).path.lstrip("/")

    @property
    def path(self) -> PurePosixPath:
        """Path on the host or in the bucket, decoded."""
        parts = _split(self.url)
        return PurePosixPath(parts.path if parts.scheme == _S3 else unquote(parts.path))

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme and network location; equal ones lead to one server."""
        parts = _split(self.url)
        return parts.scheme, parts.netloc.lower()

    def joined(self, reference: str) -> Address:
        """Address of a reference (also a relative one) in the file at this address.

        Raises:
            InputError: the address is not accepted.
        """
        if self.is_s3 and "://" not in reference:  # urljoin does not support s3
            web = urljoin(f"https://{self.host}{_split(self.url).path}", reference)
            return Address(f"s3://{web.removeprefix('https://')}")
        return Address(urljoin(self.url, reference))

    def inside(self, name: str) -> Address:
        """Address of a file in the folder at this address, with the same query."""
        parts = _split(self.url)
        below = name if parts.scheme == _S3 else quote(name)
        return Address(urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{below}")))

    def beside(self, reference: str) -> Address:
        """Address of another file near this one, with the same query: a signature often holds for all files."""
        query = _split(self.url).query
        return Address(self.joined(reference).url + (f"?{query}" if query else ""))


def is_address(text: str) -> bool:
    """True if a text is an address of any kind instead of a path."""
    scheme, mark, _ = text.partition("://")
    return bool(mark) and scheme.isalnum() and scheme.lower() == scheme


def is_loopback(host: str) -> bool:
    """True for a name or IP address of this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """True if a host is on no public network, by its IP address or the addresses of its name."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:  # unknown here, for example behind a proxy; if the host does not exist, the request fails
        return host == "localhost"
    return any(not ipaddress.ip_address(one.partition("%")[0]).is_global for one in found)


def _split(url: str) -> SplitResult:
    odd = any(letter <= " " or letter == "\x7f" for letter in url) or "\\" in url
    if odd or len(url) > _MOST_LETTERS:
        raise InputError("expected an address of ordinary letters, found spaces or control characters in one; check it")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"expected an address such as https://host/scene.tif, found none ({error}); check it"
        ) from None
    return parts


def _refuse(address: Address, expected: str) -> NoReturn:
    raise InputError(f"expected {expected}, found {address}")
