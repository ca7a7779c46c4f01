"""Requests of pystac-client with limits: one server only, no endless paging, and answers of bounded size."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from pystac_client.stac_api_io import StacApiIO

from refinedet.catalogues.known import plain_address, server_of
from refinedet.downloads.small import Request, read_small
from refinedet.errors import FileError
from refinedet.system.retrying import RetryPolicy

_REQUESTS_MOST = 2000


class CarefulIO(StacApiIO):
    """Requests to the server of one catalogue."""

    def __init__(self, catalogue: str, retry: RetryPolicy | None = None) -> None:
        """Take the address of the catalogue; requests go only to its server."""
        super().__init__()
        self._catalogue, self._retry = catalogue, retry
        self._asked: set[tuple[str, str]] = set()

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """Make a request, and return the text of its answer.

        Raises:
            FileError: the server cannot be reached or refuses, the address is on another server, or the request was
                made before.
        """
        if server_of(href) != server_of(self._catalogue):
            raise FileError(
                f"expected the pages of {self._catalogue} on its own server, found a link to "
                f"{'://'.join(server_of(href))}, which is not followed; name that catalogue's address if you trust it"
            )
        body = None
        if (method or "GET").upper() == "POST":
            body = json.dumps(parameters or {}, sort_keys=True).encode()
        elif parameters:
            href += ("&" if "?" in href else "?") + urllib.parse.urlencode(parameters)
        asked = (href, "" if body is None else body.decode())
        if asked in self._asked or len(self._asked) >= _REQUESTS_MOST:
            raise FileError(
                f"expected the paging of {plain_address(href)} to end, found a page that leads back to one before; try "
                "a shorter time or a smaller area"
            )
        self._asked.add(asked)
        own = {str(name): str(value) for name, value in (headers or {}).items()}
        answer = read_small(
            Request(href, body, {"Accept": "application/geo+json, application/json", **own}), self._retry
        )
        return answer.decode("utf-8", errors="replace")
