"""Requests to stores are signed, and credentials come from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.catalogues.fetching.signing import Signing
from refinedet.downloads import tokens
from tests.refinedet.catalogues.fetching.fetching import NAME, WHOLE, change, fetched, names, write
from tests.stac_api import Api, box, copernicus, flattened, item


def test_without_credentials_the_sentence_names_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'refinedet[cloud]'")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (why,) = fetched(write(tmp_path, copernicus(NAME, box(1, 50, 4, 52)))).failed.values()
    assert "expected credentials for s3://eodata, found none" in why
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE" in why


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("s3://eodata/Sentinel-1/a b.tiff", "https://eodata.dataspace.copernicus.eu/eodata/Sentinel-1/a%20b.tiff?"),
        (
            "s3://sentinel-s1-l1c/GRD/iw-vv.tiff",
            "https://sentinel-s1-l1c.s3.eu-central-1.amazonaws.com/GRD/iw-vv.tiff?",
        ),
    ],
)
def test_buckets_of_the_catalogues_are_known(address: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'refinedet[cloud]'")
    for name, value in {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "SECRET"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_REQUEST_PAYER"):
        monkeypatch.delenv(name, raising=False)
    shown, sign = Signing().way_to(address)
    assert shown == address
    assert sign is not None
    signed, headers = sign(address)
    assert signed.startswith(host)
    assert "X-Amz-Signature=" in signed
    assert headers == {}
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    signed, headers = sign(address)
    assert "X-Amz-SignedHeaders=host%3Bx-amz-request-payer" in signed
    assert headers == {"x-amz-request-payer": "requester"}


def test_addresses_of_planetary_computer_are_signed_as_they_are_read(
    api: Api, listed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tokens, "_STORES", ("127.0.0.1", ""))
    monkeypatch.setenv(tokens.SERVER_VARIABLE, f"{api.url}/sas")
    api.query = "sig=SECRET"
    change(listed, "vv", href=f"{api.url}/files/product/measurement/iw-vv.tiff?sig=OLD")
    api.cuts = [10**6] * 4 + [500, 0, 0]
    with caplog.at_level("DEBUG"):
        told = str(fetched(listed).failed)
        done = fetched(listed)
    assert done.failed == {}
    assert [path for path in api.paths if "sas" in path] == ["/sas/127/files"] * 2, "one token for each call"
    kept = "".join(path.read_text(errors="replace") for path in done.folder.rglob("*") if path.is_file())
    assert "SECRET" not in caplog.text + told + kept


@pytest.mark.slow  # moto's server takes seconds to start
def test_files_of_s3_are_signed_by_the_environment(
    product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'refinedet[cloud]'")
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'refinedet[dev]'")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": "SECRET",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REQUEST_PAYER": "requester",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.get_host_and_port()[1]}")
        client = boto3.client("s3")
        client.create_bucket(Bucket="scenes")
        for name in WHOLE:
            client.upload_file(str(product / name), "scenes", f"2024/{name}")
        manifest = write(tmp_path, item(NAME[:62], box(1, 50, 4, 52), flattened("s3://scenes/2024")))
        done = fetched(manifest)
    finally:
        running.stop()
    assert (done.failed, dict(done.verified)) == ({}, {"ETag": 5})
    assert names(done.folder / f"{NAME[:62]}.SAFE") == WHOLE
