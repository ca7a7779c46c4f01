"""Requests for bytes in S3, by the clients of downloads/s3.py."""

from __future__ import annotations

from typing import Any

from refinedet.cloud.address import Address
from refinedet.cloud.answers import Answer, PassingError, answer_of, broken, refuse
from refinedet.cloud.transport import Range, range_headers
from refinedet.downloads.s3 import payer, s3_client
from refinedet.errors import FileError
from refinedet.extras import load_extra


class S3Transport:
    """Requests to S3 or to a compatible service."""

    def __init__(self, timeout_s: float) -> None:
        self._errors = load_extra("botocore.exceptions", "scenes in S3")
        self._timeout_s = timeout_s
        self._clients: dict[str, Any] = {}

    def get(self, address: Address, wanted: Range | None, version: str | None) -> Answer:
        """Request bytes, as `Transport.get`."""
        headers = range_headers(wanted, version)
        asked = {"Bucket": address.host, "Key": address.key} | payer()
        names = {"Range": "Range", "If-Match": "IfMatch"}
        asked |= {names[header]: value for header, value in headers.items() if header in names}
        try:
            found = self._client(address.host).get_object(**asked)
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

    def _client(self, bucket: str) -> Any:
        if bucket not in self._clients:  # clients differ by service, region and signature
            self._clients[bucket] = s3_client(bucket, timeout_s=self._timeout_s)
        return self._clients[bucket]

    def _problems(self) -> tuple[type[Exception], ...]:
        from urllib3.exceptions import HTTPError

        return (self._errors.BotoCoreError, HTTPError, OSError)
