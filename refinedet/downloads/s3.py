"""Web addresses of files in S3, signed with the credentials that boto3 finds in the environment or a profile.

AWS_ENDPOINT_URL, AWS_REGION, AWS_NO_SIGN_REQUEST=YES and AWS_REQUEST_PAYER=requester have their usual meaning.
"""

from __future__ import annotations

import os
from typing import Any

from refinedet.errors import FileError
from refinedet.extras import load_extra

_LASTS_S = 3600
_ENDPOINTS = {"eodata": ("https://eodata.dataspace.copernicus.eu", "default")}
"""Endpoint and region of buckets that are not Amazon's: Copernicus Data Space."""
_REGIONS = {"sentinel-s1-l1c": "eu-central-1"}
"""Region of buckets of Amazon's: the one to which Earth Search leads."""
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Bucket:
    """Bucket of S3, or of a service that speaks as it does."""

    def __init__(self, name: str) -> None:
        """Take the settings of the environment; nothing is asked.

        Raises:
            FileError: they cannot be used.
            MissingExtra: boto3 is not installed.
        """
        boto3 = load_extra("boto3", f"s3://{name}")
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        self._name = name
        own = any(os.environ.get(variable) for variable in _ENDPOINT_VARIABLES)
        endpoint, region = (None, None) if own else _ENDPOINTS.get(name, (None, _REGIONS.get(name)))
        public = os.environ.get("AWS_NO_SIGN_REQUEST", "").upper() in {"YES", "TRUE", "1"}
        style = {"addressing_style": "path" if endpoint or own or "." in name else "virtual"}
        try:
            session = boto3.session.Session()
            config = Config(signature_version=UNSIGNED if public else "s3v4", s3=style)
            region = region or session.region_name or "us-east-1"
            self._client: Any = session.client("s3", endpoint_url=endpoint, region_name=region, config=config)
        except (BotoCoreError, ValueError) as error:
            raise FileError(
                f"expected to reach s3://{name}, but {error}; check AWS_PROFILE and AWS_ENDPOINT_URL"
            ) from error

    def signed(self, key: str) -> tuple[str, dict[str, str]]:
        """Web address of a file that is good for an hour, and the headers that go with it.

        Raises:
            FileError: there are no credentials.
        """
        from botocore.exceptions import BotoCoreError

        payer = os.environ.get("AWS_REQUEST_PAYER")
        parameters = {"Bucket": self._name, "Key": key} | ({"RequestPayer": payer} if payer else {})
        try:
            url = str(self._client.generate_presigned_url("get_object", parameters, ExpiresIn=_LASTS_S))
        except (BotoCoreError, ValueError) as error:
            raise FileError(
                f"expected credentials for s3://{self._name}, found none that can be used ({error}); set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from error
        return url, {"x-amz-request-payer": payer} if payer else {}
