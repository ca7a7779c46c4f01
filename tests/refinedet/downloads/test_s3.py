"""Tests of the clients of S3: service, region and signature by bucket and environment. Nothing is asked of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from refinedet.cloud.s3 import S3Transport
from refinedet.downloads.s3 import Bucket, s3_client
from refinedet.errors import FileError

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'refinedet[cloud]'")


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "AWS_NO_SIGN_REQUEST", "AWS_REQUEST_PAYER"),
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")


def client_of_detect(bucket: str) -> Any:
    return S3Transport(20.0)._client(bucket)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("made", [s3_client, client_of_detect])
def test_the_service_of_copernicus_is_known_to_fetch_and_to_detect(made: Any) -> None:
    assert made("eodata").meta.endpoint_url == "https://eodata.dataspace.copernicus.eu"
    assert made("eodata").meta.config.s3["addressing_style"] == "path"
    assert made("sentinel-s1-l1c").meta.region_name == "eu-central-1"
    assert made("other").meta.config.s3["addressing_style"] == "virtual"


@pytest.mark.usefixtures("keys")
def test_a_service_of_the_environment_goes_before_the_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_S3_ENDPOINT", "127.0.0.1:9")
    monkeypatch.setenv("AWS_HTTPS", "NO")
    assert s3_client("eodata").meta.endpoint_url == "http://127.0.0.1:9"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example")
    assert s3_client("eodata").meta.endpoint_url == "https://store.example"


def test_without_credentials_a_public_bucket_is_asked_unsigned() -> None:
    url, headers = Bucket("public-bucket").signed("iw-vv.tiff")
    assert "Signature" not in url
    assert headers == {}


@pytest.mark.parametrize("made", [s3_client, client_of_detect])
def test_without_credentials_a_bucket_that_needs_them_is_refused(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match=r"expected credentials for s3://eodata, found none; set AWS_ACCESS_KEY_ID"):
        made("eodata")
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "YES")
    made("eodata")


def test_an_unknown_profile_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(FileError, match="expected settings for s3://scenes in the environment, found unusable ones"):
        s3_client("scenes")
