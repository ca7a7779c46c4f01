"""Guard in front of the server: it checks requests, and adds headers that isolate the pages of the server.

A page of another site can make a browser call a server on this machine, by a form or by a host name that points to this
machine (DNS rebinding). So the header Host must be localhost, an IP address or a name that the operator allows, and the
header Origin, if present, must be the server itself. No header allows another site to read responses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAP_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Policy of the map; the page has a further policy, which names its only script by its hash."""
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"
_POLICY = b"content-security-policy"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_MISDIRECTED, _FORBIDDEN, _LONG_ADDRESS, _LONG_HEADERS = 421, 403, 414, 431
_MOST_BYTES = 16_384
"""Longest address with its query, and longest headers together."""
_SHOWN = 80


class Guard:
    """ASGI application in front of another one.

    Args:
        app: the application.
        names: host names that are allowed besides localhost and IP addresses.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self._app, self._names = app, frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and add headers to the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *_HEADERS]
                if not any(name == _POLICY for name, _ in headers):
                    headers.append((_POLICY, _CLOSED_POLICY.encode()))
                message = {**message, "headers": headers}
            await send(message)

        refused = self._refused(scope)
        if refused is None:
            await self._app(scope, receive, send_guarded)
        else:
            status, sentence = refused
            body = json.dumps({"error": sentence}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send_guarded({"type": "http.response.start", "status": status, "headers": headers})
            await send_guarded({"type": "http.response.body", "body": body})

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for a request that is refused; None for an allowed one."""
        for status, what, size in (
            (_LONG_ADDRESS, "an address", len(scope["raw_path"]) + len(scope["query_string"])),
            (_LONG_HEADERS, "headers", sum(len(name) + len(value) for name, value in scope["headers"])),
        ):
            if size > _MOST_BYTES:
                return status, f"expected {what} of at most {_MOST_BYTES} bytes, found {size}"
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or not self._allowed(hosts[0]):
            found = repr(hosts[0][:_SHOWN]) if hosts else "none"
            return _MISDIRECTED, (
                f"expected a header Host with localhost, an address in numbers or a name of `allow_host`, found {found}"
            )
        if any(_netloc(origin) != hosts[0].lower() for origin in origins):
            return (
                _FORBIDDEN,
                "expected a request from the server's own page or from a program, found one of another site",
            )
        return None

    def _allowed(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name == "localhost" or name in self._names:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
