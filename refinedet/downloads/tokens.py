"""Tokens of Planetary Computer: queries that give access to its files for an hour, requested when files are read."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from refinedet.downloads.small import Request, read_small
from refinedet.errors import FileError
from refinedet.files import parse_json
from refinedet.system.retrying import RetryPolicy
from refinedet.utc import parse_utc

SERVER_VARIABLE = "PC_SDK_SAS_URL"
"""Environment variable with another address of the token server, as in Planetary Computer's own package."""

_SERVER = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
_KEY_VARIABLE = "PC_SDK_SUBSCRIPTION_KEY"
_STORES = ("sentinel1euwest", ".blob.core.windows.net")
"""Beginning and end of the names of the hosts with Planetary Computer's Sentinel-1 files."""
_SPARE = timedelta(minutes=5)


def needs_token(address: str) -> bool:
    """True for an address that needs a token of Planetary Computer."""
    host = urlsplit(address).hostname or ""
    return host.startswith(_STORES[0]) and host.endswith(_STORES[1])


class Tokens:
    """Tokens by store, kept in memory while they are valid."""

    def __init__(self, retry: RetryPolicy | None = None) -> None:
        """Take the retry policy for the token server."""
        self._retry = retry
        self._known: dict[tuple[str, str], tuple[str, datetime]] = {}

    def signed(self, address: str) -> str:
        """Address with a token.

        Raises:
            FileError: the server sends no token.
        """
        parts = urlsplit(address)
        store = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
        known = self._known.get(store)
        if known is None or known[1] < datetime.now(UTC) + _SPARE:
            known = self._known[store] = self._new(*store)
        return f"{address}?{known[0]}"

    def _new(self, account: str, container: str) -> tuple[str, datetime]:
        server = os.environ.get(SERVER_VARIABLE, _SERVER).rstrip("/")
        url = f"{server}/{quote(account)}/{quote(container)}"
        key = os.environ.get(_KEY_VARIABLE)
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        refused = f"check {SERVER_VARIABLE} and {_KEY_VARIABLE}, if they are set"
        answer = parse_json(read_small(Request(url, None, headers, refused), self._retry), url)
        told = answer if isinstance(answer, dict) else {}
        token, until = told.get("token"), told.get("msft:expiry")
        plain = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
        if not plain or not token or not isinstance(until, str):
            raise FileError(f"expected a token from {url}, found another answer; try again later")
        return str(token).removeprefix("?"), parse_utc(until)
