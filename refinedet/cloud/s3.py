"""Requests for bytes in S3, by boto3, with the credentials of the usual environment and profiles, or with none.

AWS_ENDPOINT_URL (or GDAL's AWS_S3_ENDPOINT) names another service, AWS_REQUEST_PAYER=requester says that the reader
pays. Credentials are neither shown nor kept.
"""

from __future__ import annotations

import os
from typing import Any

from refinedet.cloud.address import Address
from refinedet.cloud.answers import Answer, PassingError, answer_of, broken, refuse
from refinedet.cloud.transport import Range, range_headers
from refinedet.errors import FileError
from refinedet.extras import load_extra

_PURPOSE = "scenes in S3"


class S3Transport:
    """Requests to S3 or to a service that speaks as it does."""

    def __init__(self, timeout_s: float) -> None:
        boto3, botocore = load_extra("boto3", _PURPOSE), load_extra("botocore", _PURPOSE)
        config_of = load_extra("botocore.config", _PURPOSE).Config
        self._errors = load_extra("botocore.exceptions", _PURPOSE)
        endpoint = _endpoint()
        own = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        by_path = own or os.environ.get("AWS_VIRTUAL_HOSTING", "").upper() == "FALSE"
        try:
            session = boto3.Session()
            settings: dict[str, Any] = {
                "connect_timeout": timeout_s,
                "read_timeout": timeout_s,
                "retries": {"total_max_attempts": 1},  # they are made here, with progress kept
                "user_agent_extra": "refinedet",
            }
            if session.get_credentials() is None:
                settings["signature_version"] = botocore.UNSIGNED
            if by_path:
                settings["s3"] = {"addressing_style": "path"}
            self._client = session.client("s3", endpoint_url=endpoint, config=config_of(**settings))
        except (self._errors.BotoCoreError, ValueError) as error:
            raise FileError(f"expected settings for S3 in the environment, found unusable ones ({error})") from error

    def get(self, address: Address, wanted: Range | None, version: str | None) -> Answer:
        """Ask for bytes, as `Transport.get` says."""
        headers = range_headers(wanted, version)
        asked = {"Bucket": address.host, "Key": address.key}
        names = {"Range": "Range", "If-Match": "IfMatch"}
        asked |= {names[header]: value for header, value in headers.items() if header in names}
        if (payer := os.environ.get("AWS_REQUEST_PAYER")) is not None:
            asked["RequestPayer"] = payer
        try:
            found = self._client.get_object(**asked)
        except self._errors.ClientError as error:
            told = error.response.get("ResponseMetadata", {})
            said = {name.title(): value for name, value in told.get("HTTPHeaders", {}).items()}
            raise refuse(address, int(told.get("HTTPStatusCode", 0)), said) from None
        except (self._errors.NoCredentialsError, self._errors.PartialCredentialsError) as error:
            raise FileError(f"expected credentials for {address}, found unusable ones ({error})") from error
        except self._errors.ParamValidationError as error:
            raise FileError(f"expected a bucket and a key that S3 can have, found {address}") from error
        except self._errors.BotoCoreError as error:
            raise broken(error) from error
        told = found["ResponseMetadata"]
        headers = {"ETag": found.get("ETag", ""), "Content-Length": str(found.get("ContentLength", ""))}
        headers |= {"Content-Range": found.get("ContentRange", "")}
        body = found["Body"]
        if body is None:
            raise PassingError("the server sent no bytes")
        return answer_of(int(told["HTTPStatusCode"]), headers, body.read, body.close, self._problems())

    def _problems(self) -> tuple[type[Exception], ...]:
        from urllib3.exceptions import HTTPError

        return (self._errors.BotoCoreError, HTTPError, OSError)


def _endpoint() -> str | None:
    """Address of the service by GDAL's variables; None where boto3's own ones hold."""
    host = os.environ.get("AWS_S3_ENDPOINT")
    if not host or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        return None
    if "://" in host:
        return host
    return f"http{'' if os.environ.get('AWS_HTTPS', 'YES').upper() in ('NO', 'FALSE') else 's'}://{host}"
