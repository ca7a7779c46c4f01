"""Requests for bytes at web addresses: one GET each, without redirects to other servers.

Proxies and certificates come from the environment (https_proxy, no_proxy, REQUESTS_CA_BUNDLE).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from refinedet.cloud.address import Address, is_address
from refinedet.cloud.answers import PARTIAL, Answer, PassingError, answer_of, broken, refuse
from refinedet.downloads.tokens import Tokens, needs_token
from refinedet.errors import FileError, RefineDetError
from refinedet.extras import load_extra

if TYPE_CHECKING:
    import requests

_OK = 200
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_PURPOSE = "scenes by address"

Range = tuple[int, int]
"""First byte, and the byte after the last one."""


class Transport(Protocol):
    """Client that requests bytes at an address."""

    def get(self, address: Address, wanted: Range | None, version: str | None) -> Answer:
        """Request a range of the object at an address, or the whole object, in the known version.

        Raises:
            PassingError: the request failed with an error that may be temporary.
            FileError: the server refuses, or redirects to another server.
            ChangedError: the server has another version.
        """
        ...


class WebTransport:
    """Requests by HTTP."""

    def __init__(self, timeout_s: float) -> None:
        self._requests = load_extra("requests", _PURPOSE)
        self._session: requests.Session = self._requests.Session()
        self._timeout_s = timeout_s
        self._tokens = Tokens()

    def get(self, address: Address, wanted: Range | None, version: str | None) -> Answer:
        """Request bytes, as `Transport.get`."""
        headers = range_headers(wanted, version)
        at = address
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._ask(at, headers)
            if response.status_code not in _REDIRECTS:
                return self._answer(address, response)
            at = self._led_to(address, at, response)
        raise FileError(f"expected a file at {address}, found more than {_MOST_REDIRECTS} redirects; check the address")

    def _ask(self, address: Address, headers: Mapping[str, str]) -> requests.Response:
        errors = self._requests.exceptions
        url = self._tokens.signed(str(address)) if needs_token(address.url) else address.url
        try:
            return self._session.get(url, headers=headers, timeout=self._timeout_s, stream=True, allow_redirects=False)
        except errors.SSLError as error:
            raise FileError(
                f"expected to trust {address.origin[1]}, but its certificate cannot be checked; name the certificates "
                "of your network in REQUESTS_CA_BUNDLE, or check the clock"
            ) from error
        except errors.ConnectionError as error:
            raise PassingError(f"{address.origin[1]} cannot be reached, or broke off") from error
        except errors.Timeout as error:
            raise PassingError(f"{address.origin[1]} is silent for {self._timeout_s:g} s") from error
        except errors.RequestException as error:
            raise broken(error) from error

    def _answer(self, address: Address, response: requests.Response) -> Answer:
        if response.status_code not in (_OK, PARTIAL):
            response.close()
            raise refuse(address, response.status_code, response.headers)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise FileError(
                f"expected the bytes of {address} as they are, found them packed once more by the server; fetch the "
                "file, and name it instead"
            )
        return answer_of(response.status_code, response.headers, _reading(response), response.close, _problems())

    def _led_to(self, address: Address, at: Address, response: requests.Response) -> Address:
        """Address of a redirect within the same server."""
        response.close()
        location = response.headers.get("Location", "")
        try:
            target = at.joined(location)
        except RefineDetError:
            target = None
        if target is None or target.origin != at.origin:
            where = target.origin[1] if target is not None else location[:80] if is_address(location) else "nowhere"
            raise FileError(
                f"expected the bytes of {address} from its own server, found a redirect to {where}; name that address "
                "itself if you trust it"
            )
        return target


def range_headers(wanted: Range | None, version: str | None) -> dict[str, str]:
    """Headers that request a range of the known version only."""
    headers = {"User-Agent": "refinedet", "Accept-Encoding": "identity"}
    if wanted is not None:
        headers["Range"] = f"bytes={wanted[0]}-{wanted[1] - 1}"
    if version is not None and version.startswith('"'):  # a weak ETag matches nothing, a date is no ETag
        headers["If-Match"] = version
    return headers


def _reading(response: requests.Response) -> Any:
    return lambda count: response.raw.read(count, decode_content=False)


def _problems() -> tuple[type[Exception], ...]:
    from urllib3.exceptions import HTTPError

    return (HTTPError, OSError)
