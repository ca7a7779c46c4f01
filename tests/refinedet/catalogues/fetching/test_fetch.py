"""Products fetched from a server: whole, verified and resumed, or one sentence and nothing half."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from refinedet.catalogues.fetching.checking import check_file
from refinedet.catalogues.fetching.fetch import Fetched, fetch_products
from refinedet.catalogues.fetching.products import product_of
from refinedet.catalogues.fetching.signing import Signing
from refinedet.config.options.detect import SceneSettings
from refinedet.downloads import tokens
from refinedet.downloads.disk import SPARE_BYTES
from refinedet.errors import DiskError, FileError, InputError
from refinedet.raster import RasterInfo, write_blocks
from refinedet.scene.source import open_source
from refinedet.system.retrying import RetryPolicy
from refinedet.tiling import Window
from tests.stac_api import Api, box, copernicus, flattened, item, planetary, product_id

NAME = product_id()
SIZE = 64
SOON = RetryPolicy(attempts=2, timeout_s=2, backoff_s=0)


@pytest.fixture
def product(api: Api, made_up_product: Callable[..., Path], tmp_path: Path) -> Path:
    """A small product with short names, on the server."""
    made = made_up_product(SIZE, SIZE)
    stem = next((made / "annotation").glob("*.xml")).stem
    pixels = np.arange(1, SIZE * SIZE + 1, dtype=np.uint16).reshape(SIZE, SIZE)
    (made / "measurement").mkdir()
    write_blocks(
        made / "measurement" / "iw-vv.tiff", RasterInfo(SIZE, SIZE, 1, "uint16"), [(Window(0, 0, SIZE, SIZE), pixels)]
    )
    for file in made.rglob("*.xml"):
        file.rename(file.with_name(file.name.replace(stem, "iw-vv")))
    api.files = tmp_path / "served"
    return Path(shutil.move(made, api.files / "product"))


@pytest.fixture
def listed(api: Api, product: Path, tmp_path: Path) -> Path:
    """Its item in a manifest, as a search leaves them."""
    return write(tmp_path, item(NAME[:62], box(1, 50, 4, 52), flattened(f"{api.url}/files/{product.name}")))


def write(folder: Path, *items: dict[str, Any]) -> Path:
    (folder / "found" / "items").mkdir(parents=True, exist_ok=True)
    for one in items:
        (folder / "found" / "items" / f"{one['id']}.json").write_text(json.dumps(one))
    manifest = folder / "found" / "manifest.txt"
    manifest.write_text("# found\n" + "".join(f"items/{one['id']}.json\n" for one in items))
    return manifest


def change(manifest: Path, key: str, **told: Any) -> None:
    (file,) = (manifest.parent / "items").iterdir()
    content = json.loads(file.read_text())
    content["assets"][key] |= told
    file.write_text(json.dumps(content))


def fetched(manifest: Path, pol: Any = "vv") -> Fetched:
    return fetch_products([str(manifest)], manifest.parent.parent / "out", pol, retry=SOON)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WHOLE = [
    "annotation/calibration/calibration-iw-vv.xml",
    "annotation/calibration/noise-iw-vv.xml",
    "annotation/iw-vv.xml",
    "manifest.safe",
    "measurement/iw-vv.tiff",
]


def test_a_product_is_fetched_and_read_as_the_original(product: Path, listed: Path) -> None:
    done = fetched(listed)
    folder = done.folder / f"{NAME[:62]}.SAFE"
    assert names(folder) == WHOLE
    assert all((folder / one).read_bytes() == (product / one).read_bytes() for one in WHOLE)
    assert (done.files, done.as_before, dict(done.verified)) == (5, 0, {"length": 5})
    assert (done.folder / "products.txt").read_text() == f"{folder.name}\n"
    with open_source(folder, SceneSettings()) as reader:
        assert (reader.info.width, reader.info.height) == (SIZE, SIZE)
    again = fetched(listed)
    assert (again.files, again.as_before) == (0, 5)


def test_a_break_leaves_no_half_file_and_the_next_call_goes_on(api: Api, product: Path, listed: Path) -> None:
    raster = product / "measurement" / "iw-vv.tiff"
    api.cuts = [10**6] * 4 + [500, 0, 0]
    done = fetched(listed)
    folder = done.folder / f"{NAME[:62]}.SAFE"
    assert "broke off" in done.failed[folder.name] or "answered" in done.failed[folder.name]
    assert done.products == []
    assert not (done.folder / "products.txt").exists()
    assert (folder / "measurement" / "iw-vv.tiff.part").stat().st_size == 500
    assert not (folder / "measurement" / "iw-vv.tiff").exists()
    done = fetched(listed)
    assert (done.files, done.as_before, done.failed) == (1, 4, {})
    assert (folder / "measurement" / "iw-vv.tiff").read_bytes() == raster.read_bytes()
    assert names(folder) == WHOLE


def multihash(content: bytes, kind: str, code: str) -> str:
    digest = hashlib.new(kind, content)
    return f"{code}{digest.digest_size:02x}{digest.hexdigest()}"


@pytest.mark.parametrize(("kind", "code"), [("md5", "d501"), ("sha256", "12"), ("sha1", "11")])
def test_a_checksum_of_the_item_is_held(product: Path, listed: Path, kind: str, code: str) -> None:
    raster = (product / "measurement" / "iw-vv.tiff").read_bytes()
    change(listed, "vv", **{"file:checksum": multihash(raster, kind, code), "file:size": len(raster)})
    assert fetched(listed).verified == {"checksum": 1, "length": 4}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"file:checksum": multihash(b"other", "md5", "d501")}, "to have MD5", id="another sum"),
        pytest.param({"file:size": 12345}, "expected 12345 bytes of measurement/iw-vv.tiff", id="another length"),
    ],
)
def test_a_file_that_is_not_the_one_of_the_item_is_not_kept(
    product: Path, listed: Path, told: dict[str, Any], expected: str
) -> None:
    change(listed, "vv", **told)
    done = fetched(listed)
    assert expected in done.failed[f"{NAME[:62]}.SAFE"]
    assert "measurement/iw-vv.tiff" not in names(done.folder / f"{NAME[:62]}.SAFE")
    assert product.exists()


def test_a_product_that_does_not_fit_is_not_begun(api: Api, listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(listed, "vv", **{"file:size": 10_000_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SPARE_BYTES + 9_000_000))
    with pytest.raises(DiskError, match=r"expected 77\.1 MB of free disk at .* for 1 products"):
        fetched(listed)
    assert api.paths == []


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


def test_names_of_the_products_of_three_catalogues() -> None:
    geometry = box(1, 50, 4, 52)
    esa = product_of(copernicus(NAME, geometry), "vv")
    assert esa.folder == f"{NAME}_COG.SAFE"
    stem = "s1a-iw-grd-vv-20240305t054321-20240305t054346-052841-066543-001-cog"
    assert [one.name for one in esa.files] == [
        "manifest.safe",
        f"annotation/{stem}.xml",
        f"annotation/calibration/calibration-{stem}.xml",
        f"annotation/calibration/noise-{stem}.xml",
        f"measurement/{stem}.tiff",
    ]
    short = product_of(planetary(NAME, geometry))
    assert sorted(one.name for one in short.files) == sorted({*WHOLE, *(one.replace("vv", "vh") for one in WHOLE)})
    (annotation,) = [one.address for one in short.files if one.name == "annotation/iw-vv.xml"]
    assert annotation.endswith(f"{NAME}/annotation/iw-vv.xml")
    assert "the asset schema-product-vv is a report on interference" in short.notes[0]


@pytest.mark.parametrize(
    ("href", "told"),
    [
        ("file:///etc/hostname", "expected an https address"),
        ("http://scenes.example/iw-vv.tiff", "expected https, since anybody"),
        ("https://me:secret@scenes.example/iw-vv.tiff", "without a user's name"),
        ("//", "expected an https address"),
        ("s3://bucket", "expected an address such as s3://bucket/file"),
        ("https://[/iw-vv.tiff", "expected an https address"),
    ],
)
def test_an_address_that_is_none_to_follow_is_refused(listed: Path, href: str, told: str) -> None:
    change(listed, "vv", href=href)
    (why,) = fetched(listed).failed.values()
    assert told in why
    assert "secret" not in why


def test_a_name_from_an_item_stays_in_its_folder(listed: Path) -> None:
    change(listed, "vv", href="https://scenes.example/..%2f..%2fevil.tiff?x=/../../evil")
    (file,) = (listed.parent / "items").iterdir()
    found = product_of(json.loads(file.read_text()), "vv")
    assert found.files[-1].name == "measurement/iw-vv.tiff"
    with pytest.raises(InputError, match="expected an item with a plain name as id"):
        product_of(json.loads(file.read_text()) | {"id": "../evil"})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"scene.tif\n", "cannot be read"),
        (b"# nothing\n", "expected items in the manifest"),
        (b"\xff\xfe\0", "found other bytes"),
        (b'{"type": "FeatureCollection"}', "expected a STAC item, found other JSON, in"),
        (b"{", "expected JSON in"),
    ],
)
def test_what_is_no_item_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "list").mkdir()
    manifest = tmp_path / "list" / "manifest.txt"
    manifest.write_bytes(content)
    with pytest.raises((FileError, InputError), match=told):
        fetched(manifest)


def test_an_item_without_that_polarisation_names_those_it_has(listed: Path) -> None:
    with pytest.raises(InputError, match=r"expected polarisation hh among the assets of .*, found vv, vh"):
        fetched(listed, "hh")


@pytest.mark.parametrize(
    ("headers", "is_s3", "expected"),
    [
        ({"ETag": '"900150983cd24fb0d6963f7d28e17f72"'}, True, "ETag"),
        ({"ETag": '"900150983cd24fb0d6963f7d28e17f72-4"'}, True, "length"),
        ({"ETag": '"00000000000000000000000000000000"'}, False, "length"),
        ({"ETag": '"00000000000000000000000000000000"', "x-amz-server-side-encryption": "aws:kms"}, True, "length"),
        ({"Content-MD5": "kAFQmDzST7DWlj99KOF/cg=="}, False, "ETag"),
        ({"Content-MD5": "AAAA", "Content-Range": "bytes 1-2/3"}, False, "length"),
        ({"ETag": '"00000000000000000000000000000000"'}, True, None),
    ],
)
def test_sums_of_the_server(tmp_path: Path, headers: dict[str, str], is_s3: bool, expected: str | None) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    message = Message()
    for name, value in headers.items():
        message[name] = value
    if expected is None:
        with pytest.raises(FileError, match="as its server says"):
            check_file(tmp_path / "file", "file", {}, message, is_s3=is_s3)
        return
    assert check_file(tmp_path / "file", "file", {}, message, is_s3=is_s3) == expected
