"""Products fetched from a server: whole, verified and resumed, or one sentence and nothing half."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.downloads.disk import SPARE_BYTES
from refinedet.errors import DiskError, FileError, InputError
from refinedet.scene.source import open_source
from tests.refinedet.catalogues.fetching.fetching import NAME, SIZE, WHOLE, change, fetched, names
from tests.stac_api import Api


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
