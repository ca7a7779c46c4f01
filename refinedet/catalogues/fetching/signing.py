"""Signatures of the files of a catalogue: addresses without secrets are signed when they are read."""

from __future__ import annotations

from refinedet.catalogues.known import check_web, plain_address
from refinedet.downloads.fetch import Sign
from refinedet.downloads.s3 import Bucket
from refinedet.downloads.tokens import Tokens, needs_token
from refinedet.errors import InputError
from refinedet.system.retrying import RetryPolicy


class Signing:
    """Signatures for the files of one call."""

    def __init__(self, retry: RetryPolicy | None = None) -> None:
        """Take the retry policy for the token server."""
        self._tokens = Tokens(retry)
        self._buckets: dict[str, Bucket] = {}

    def way_to(self, address: str) -> tuple[str, Sign | None]:
        """Address without secrets, and the function that signs it; None: it needs no signature.

        Raises:
            InputError: the address is neither https nor s3.
            FileError, MissingExtra: as `Bucket`.
        """
        if address.startswith("s3://"):
            name, _, key = address.removeprefix("s3://").partition("/")
            if not name or not key or not address.isprintable():
                raise InputError(f"expected an address such as s3://bucket/file, found {plain_address(address)!r}")
            bucket = self._buckets[name] = self._buckets.get(name) or Bucket(name)
            return address, lambda _: bucket.signed(key)
        check_web(address)
        shown = plain_address(address)
        if needs_token(address):
            return shown, lambda known: (self._tokens.signed(known), {})
        return shown, None if shown == address else lambda _: (address, {})
