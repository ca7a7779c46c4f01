"""Signatures of addresses, made as they are read and kept nowhere: tokens of Planetary Computer, credentials of S3.

Credentials of S3 are those that boto3 finds in the environment or a profile. AWS_ENDPOINT_URL, AWS_REGION,
AWS_NO_SIGN_REQUEST=YES and AWS_REQUEST_PAYER=requester mean here what they mean elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from refinedet.catalogues.known import check_web, plain_address
from refinedet.downloads.retrying import RetryPolicy
from refinedet.downloads.small import Request, read_small
from refinedet.errors import FileError, InputError
from refinedet.extras import load_extra
from refinedet.files import parse_json
from refinedet.utc import parse_utc

Sign = Callable[[str], str]
"""Function that gives the address to ask, from the one that is known."""

TOKENS_VARIABLE = "PC_SDK_SAS_URL"
"""Environment variable with the address of Planetary Computer's tokens, if it is another one; as in its own package."""

_TOKENS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
_KEY_VARIABLE = "PC_SDK_SUBSCRIPTION_KEY"
_STORES = ("sentinel1euwest", ".blob.core.windows.net")
"""Beginning and end of the hosts on which Planetary Computer keeps Sentinel-1."""
_SPARE = timedelta(minutes=5)
_LASTS_S = 3600
_ENDPOINTS = {"eodata": ("https://eodata.dataspace.copernicus.eu", "default")}
"""Endpoint and region of buckets that are not Amazon's."""
_REGIONS = {"sentinel-s1-l1c": "eu-central-1"}
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def signs_itself(address: str) -> bool:
    """True for an address that is signed with a token of Planetary Computer as it is read."""
    host = urlsplit(address).hostname or ""
    return host.startswith(_STORES[0]) and host.endswith(_STORES[1])


class Signing:
    """Signatures for the files of one call; tokens and clients are kept while they are good."""

    def __init__(self, retry: RetryPolicy | None = None) -> None:
        """Take how patient to be with the server of tokens."""
        self._retry = retry
        self._tokens: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._clients: dict[str, Any] = {}

    def way_to(self, address: str) -> tuple[str, Sign | None]:
        """Address without secrets, and the function that signs it at each attempt; None: it needs none.

        Raises:
            InputError: it is no https or s3 address.
            MissingExtra: it is an s3 address, and boto3 is not installed.
        """
        if address.startswith("s3://"):
            bucket, _, key = address.removeprefix("s3://").partition("/")
            if not bucket or not key or not address.isprintable():
                raise InputError(f"expected an address such as s3://bucket/file, found {plain_address(address)!r}")
            if bucket not in self._clients:
                self._clients[bucket] = _client(bucket)
            return address, lambda _: _presigned(self._clients[bucket], bucket, key)
        check_web(address)
        shown = plain_address(address)
        if signs_itself(address):
            return shown, self._with_token
        return shown, None if shown == address else lambda _: address

    def _with_token(self, address: str) -> str:
        parts = urlsplit(address)
        account, container = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
        token, until = self._tokens.get((account, container), ("", datetime.min.replace(tzinfo=UTC)))
        if until - _SPARE < datetime.now(UTC):
            token, until = self._new_token(account, container)
            self._tokens[account, container] = token, until
        return f"{address}?{token}"

    def _new_token(self, account: str, container: str) -> tuple[str, datetime]:
        server = os.environ.get(TOKENS_VARIABLE, _TOKENS).rstrip("/")
        check_web(server)
        url = f"{server}/{quote(account)}/{quote(container)}"
        key = os.environ.get(_KEY_VARIABLE)
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        refused = f"check {TOKENS_VARIABLE} and {_KEY_VARIABLE}, if they are set"
        answer = parse_json(read_small(Request(url, None, headers, refused), self._retry), url)
        told = answer if isinstance(answer, dict) else {}
        token, until = told.get("token"), told.get("msft:expiry")
        plain = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
        if not plain or not token or not isinstance(until, str):
            raise FileError(f"expected a token from {url}, found another answer; try again later")
        return token.removeprefix("?"), parse_utc(until)


def _client(bucket: str) -> Any:
    boto3 = load_extra("boto3", f"s3://{bucket}")
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    set_by_user = any(os.environ.get(name) for name in _ENDPOINT_VARIABLES)
    endpoint, region = (None, None) if set_by_user else _ENDPOINTS.get(bucket, (None, _REGIONS.get(bucket)))
    public = os.environ.get("AWS_NO_SIGN_REQUEST", "").upper() in ("YES", "TRUE", "1")
    style = {"addressing_style": "path" if endpoint or set_by_user else "auto"}
    config = Config(signature_version=UNSIGNED if public else "s3v4", s3=style)
    try:
        session = boto3.session.Session()
        region = region or session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=endpoint, region_name=region, config=config)
    except (BotoCoreError, ValueError) as error:
        raise FileError(
            f"expected to reach s3://{bucket}, but {error}; check AWS_PROFILE and AWS_ENDPOINT_URL"
        ) from error


def _presigned(client: Any, bucket: str, key: str) -> str:
    from botocore.exceptions import BotoCoreError

    payer = os.environ.get("AWS_REQUEST_PAYER")
    parameters = {"Bucket": bucket, "Key": key} | ({"RequestPayer": payer} if payer else {})
    try:
        return str(client.generate_presigned_url("get_object", parameters, ExpiresIn=_LASTS_S))
    except (BotoCoreError, ValueError) as error:
        raise FileError(
            f"expected credentials for s3://{bucket}, found none that can be used ({error}); set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from error
