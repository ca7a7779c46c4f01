"""S3 clients of boto3, with settings from the environment and the known settings of some buckets.

Settings: credentials of the environment, a profile or the machine; AWS_NO_SIGN_REQUEST=YES for none. AWS_ENDPOINT_URL
(or GDAL's AWS_S3_ENDPOINT, with AWS_HTTPS and AWS_VIRTUAL_HOSTING) names another service. With
AWS_REQUEST_PAYER=requester, the reader pays. Credentials are neither shown nor stored.
"""

from __future__ import annotations

import os
from typing import Any

from refinedet.errors import FileError
from refinedet.extras import load_extra

_LASTS_S = 3600
_ENDPOINTS = {"eodata": ("https://eodata.dataspace.copernicus.eu", "default")}
"""Endpoint and region of buckets outside Amazon: Copernicus Data Space."""
_REGIONS = {"sentinel-s1-l1c": "eu-central-1"}
"""Region of Amazon buckets: the bucket to which Earth Search links."""
_YES, _NO = ("YES", "TRUE", "1", "ON"), ("NO", "FALSE", "0", "OFF")


def s3_client(bucket: str, *, timeout_s: float | None = None) -> Any:
    """Client for requests to a bucket; it sends no request yet. Without credentials, requests are unsigned.

    Args:
        bucket: its name.
        timeout_s: longest silence, with no retries by the client; None: boto3's defaults.

    Raises:
        FileError: the settings cannot be used, or the bucket needs credentials and there are none.
        MissingExtra: boto3 is not installed.
    """
    purpose = f"s3://{bucket}"
    boto3, config_of = load_extra("boto3", purpose), load_extra("botocore.config", purpose).Config
    errors = load_extra("botocore.exceptions", purpose)
    own = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))  # boto3 reads these
    named = None if own else _endpoint()
    known, region = (None, None) if named or own else _ENDPOINTS.get(bucket, (None, _REGIONS.get(bucket)))
    by_path = named or own or known or "." in bucket or _says("AWS_VIRTUAL_HOSTING", _NO)
    settings: dict[str, Any] = {"s3": {"addressing_style": "path" if by_path else "virtual"}}
    if timeout_s is not None:
        settings |= {"connect_timeout": timeout_s, "read_timeout": timeout_s, "retries": {"total_max_attempts": 1}}
    try:
        session = boto3.Session()
        settings["signature_version"] = "s3v4" if _signs(session, bucket) else load_extra("botocore", purpose).UNSIGNED
        return session.client(
            "s3",
            endpoint_url=named or known,
            region_name=region or session.region_name or "us-east-1",
            config=config_of(user_agent_extra="refinedet", **settings),
        )
    except (errors.BotoCoreError, ValueError) as error:
        raise FileError(
            f"expected settings for s3://{bucket} in the environment, found unusable ones ({error}); check AWS_PROFILE "
            "and AWS_ENDPOINT_URL"
        ) from error


def payer() -> dict[str, str]:
    """Parameter of a request that says who pays; empty unless the environment sets it."""
    told = os.environ.get("AWS_REQUEST_PAYER")
    return {"RequestPayer": told} if told else {}


class Bucket:
    """Bucket of S3 or of a compatible service, whose files are fetched at signed web addresses."""

    def __init__(self, name: str) -> None:
        """Take the settings of the environment.

        Raises:
        FileError, MissingExtra: as `s3_client`.
        """
        self._name, self._client = name, s3_client(name)

    def signed(self, key: str) -> tuple[str, dict[str, str]]:
        """Web address of a file that is valid for an hour, and the headers of the request.

        Raises:
        FileError: the credentials cannot be used.
        """
        from botocore.exceptions import BotoCoreError

        paid = payer()
        parameters = {"Bucket": self._name, "Key": key} | paid
        try:
            url = str(self._client.generate_presigned_url("get_object", parameters, ExpiresIn=_LASTS_S))
        except (BotoCoreError, ValueError) as error:
            raise _no_credentials(self._name, f"unusable ones ({error})") from error
        return url, {"x-amz-request-payer": paid["RequestPayer"]} if paid else {}


def _signs(session: Any, bucket: str) -> bool:
    """True if requests must be signed; without credentials, a bucket that needs them is refused."""
    if _says("AWS_NO_SIGN_REQUEST", _YES):
        return False
    found = session.get_credentials() is not None
    if not found and bucket in (*_ENDPOINTS, *_REGIONS):
        raise _no_credentials(bucket, "none")
    return found


def _no_credentials(bucket: str, found: str) -> FileError:
    return FileError(
        f"expected credentials for s3://{bucket}, found {found}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE"
    )


def _says(variable: str, words: tuple[str, ...]) -> bool:
    return os.environ.get(variable, "").upper() in words


def _endpoint() -> str | None:
    """Address of the service from GDAL's variables; None without them."""
    host = os.environ.get("AWS_S3_ENDPOINT")
    if not host:
        return None
    return host if "://" in host else f"http{'' if _says('AWS_HTTPS', _NO) else 's'}://{host}"
