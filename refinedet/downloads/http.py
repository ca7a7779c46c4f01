"""HTTP(S) requests: one GET, and the part of a file in its response.

Proxies come from the environment (http_proxy, https_proxy, no_proxy), certificates from the system or SSL_CERT_FILE.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPMessage, HTTPResponse
from typing import IO, cast

SCHEMES = ("http", "https")
PARTIAL, RANGE_REFUSED = 206, 416


@dataclass(frozen=True, slots=True)
class Extent:
    """Part of a file in a response."""

    start: int
    """First byte; -1 if a partial response does not state it."""
    total: int | None
    """Bytes of the whole file; None if the server does not state them."""
    validator: str | None
    """Strong validator for If-Range: equal ones mean equal bytes."""


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Redirect handler that follows web addresses only, and never from https to http."""

    def __init__(self, *, own_host: bool = False) -> None:
        """Take whether redirects must stay on the host of the request."""
        self._own_host = own_host

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        new = urllib.parse.urlsplit(newurl)
        if new.scheme not in SCHEMES or (req.type == "https" and new.scheme == "http"):
            where = f"a redirect to {newurl}, which is not followed from {req.type}"
            raise urllib.error.HTTPError(req.full_url, code, where, headers, fp)
        if self._own_host and new.netloc != req.host:
            where = f"a redirect to another host, {new.netloc}, which is not followed"
            raise urllib.error.HTTPError(req.full_url, code, where, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def ask(
    url: str, headers: dict[str, str], timeout_s: float, *, own_host: bool = False, body: bytes | None = None
) -> HTTPResponse:
    """Send one GET to an http(s) address, or a POST of `body`; returns the answer, and raises what urllib raises.

    With `own_host`, no redirect to another host is followed.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _CarefulRedirects(own_host=own_host),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, body, headers={"User-Agent": "refinedet", **headers})  # noqa: S310  # no file or ftp handler is there
    return cast("HTTPResponse", opener.open(request, timeout=timeout_s))


def extent(status: int, headers: Message) -> Extent:
    """Part of a file in a response, from its status and headers."""
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified")
    if status == PARTIAL:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        if match is None:
            return Extent(-1, None, validator)
        return Extent(int(match[1]), None if match[2] == "*" else int(match[2]), validator)
    length = headers.get("Content-Length", "").strip()
    return Extent(0, int(length) if re.fullmatch(r"[0-9]+", length) else None, validator)
