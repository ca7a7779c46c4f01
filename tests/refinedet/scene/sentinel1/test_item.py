"""A STAC item gives the results of the product that it describes, and leads nowhere it may not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.cloud.scene import CloudScene, scene_of
from refinedet.config import TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.raster import RasterInfo, write_blocks
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.naming import scene_name
from refinedet.scene.products import measurement_of
from refinedet.scene.source import open_source
from refinedet.tiling import Window

NAME = "S1A_IW_GRDH_1SDV_20200101T000000_20200101T000030_000001_000001_0001"
LINES, SAMPLES = 300, 400
DENOISED = SceneSettings(calibrate="sigma0-denoised")


@pytest.fixture
def product(made_up_product: Callable[..., Path], tmp_path: Path) -> Path:
    """A product with flattened names as Earth Search and Planetary Computer have them, in vv, without GCPs."""
    made = made_up_product(LINES, SAMPLES)
    folder = tmp_path / NAME
    for source, target in (
        ("annotation/s1a*.xml", "annotation/iw-vv.xml"),
        *(
            (f"annotation/calibration/{kind}-*.xml", f"annotation/calibration/{kind}-iw-vv.xml")
            for kind in ("calibration", "noise")
        ),
    ):
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(next(made.glob(source)), folder / target)
    shutil.copyfile(made / "manifest.safe", folder / "manifest.safe")
    rng = np.random.default_rng(2)
    pixels = rng.gamma(4, 25, (LINES, SAMPLES)).astype(np.uint16)
    pixels[100:110, 200:230] = 5000
    (folder / "measurement").mkdir()
    info = RasterInfo(SAMPLES, LINES, 1, "uint16")
    whole = [(Window(0, 0, LINES, SAMPLES), pixels)]
    write_blocks(folder / "measurement" / "iw-vv.tiff", info, whole, as_measurement=True)
    return folder


def assets_of(product: Path, base: str) -> dict[str, Any]:
    """Assets of the product, whose files lie at `base`."""
    files = {
        "vv": "measurement/iw-vv.tiff",
        "schema-product-vv": "annotation/iw-vv.xml",
        "schema-calibration-vv": "annotation/calibration/calibration-iw-vv.xml",
        "schema-noise-vv": "annotation/calibration/noise-iw-vv.xml",
        "safe-manifest": "manifest.safe",
    }
    assert all((product / file).is_file() for file in files.values())
    thumbnail = {"href": "file:///etc/passwd"}
    return {key: {"href": f"{base}{file}"} for key, file in files.items()} | {"thumbnail": thumbnail}


def item_text(assets: dict[str, Any]) -> bytes:
    return json.dumps(
        {"type": "Feature", "id": NAME, "assets": assets, "properties": {"proj:shape": [1, 1], "proj:epsg": 4326}}
    ).encode()


@pytest.fixture
def served(scene_server: Any, product: Path) -> Any:
    """A server of the product and of its item."""
    for path in product.rglob("*"):
        if path.is_file():
            scene_server.put(f"/GRD/{NAME}/{path.relative_to(product).as_posix()}", path.read_bytes())
    scene_server.put(f"/items/{NAME}", item_text(assets_of(product, f"../GRD/{NAME}/")))
    return scene_server


def same(found: Any, wanted: Any) -> None:
    assert np.array_equal(found.detections.boxes_xyxy, wanted.detections.boxes_xyxy)
    assert np.array_equal(found.places.centres_lonlat, wanted.places.centres_lonlat)
    assert np.array_equal(found.preview, wanted.preview)
    assert len(found.detections) > 0
    assert (found.acquired, found.label, found.flags) == (wanted.acquired, wanted.label, wanted.flags)
    own = {"source", "stac_item"}  # told of what lies at an address
    assert {name: told for name, told in found.read_as.items() if name not in own} == wanted.read_as


@pytest.mark.parametrize("settings", [SceneSettings(), DENOISED], ids=["counts", "denoised"])
def test_an_item_gives_what_its_product_gives(
    served: Any, product: Path, bright_blobs: Any, settings: SceneSettings
) -> None:
    address = f"{served.url}/items/{NAME}"
    scene = scene_of(address)
    found = detect_scene(scene, bright_blobs, scene=settings, tile=TileConfig(128, 32))
    same(found, detect_scene(product, bright_blobs, scene=settings, tile=TileConfig(128, 32)))
    assert found.scene == scene_name(product) == NAME
    assert found.acquired.times(np.array([0.5]))[0] is not None
    assert isinstance(scene, CloudScene)
    assert found.read_as["stac_item"] == address
    assert served.sent[f"/GRD/{NAME}/measurement/iw-vv.tiff"] == (product / "measurement/iw-vv.tiff").stat().st_size
    assert all(count <= len(served.files[name].content) for name, count in served.sent.items())  # each byte once


def test_a_local_item_with_addresses_does_too(served: Any, product: Path, bright_blobs: Any, tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_bytes(item_text(assets_of(product, f"{served.url}/GRD/{NAME}/")))
    same(detect_scene(path, bright_blobs), detect_scene(product, bright_blobs))
    assert scene_name(path) == NAME


def test_an_annotation_that_is_of_interference_is_replaced_by_the_one_beside_the_raster(
    served: Any, product: Path, bright_blobs: Any
) -> None:
    assets = assets_of(product, f"../GRD/{NAME}/")
    assets["schema-product-vv"]["href"] = served.put(f"/GRD/{NAME}/annotation/rfi/rfi-iw-vv.xml", b"<rfi/>")
    address = served.put("/items/other.json", item_text(assets))
    found = detect_scene(address, bright_blobs)
    same(found, detect_scene(product, bright_blobs))
    assert any("names no annotation" in note for note in found.notes)
    del served.files[f"/GRD/{NAME}/annotation/iw-vv.xml"]
    found = detect_scene(address, bright_blobs)
    assert any("has no annotation" in note for note in found.notes)


def test_a_root_of_another_kind_is_no_annotation(served: Any) -> None:
    served.put(f"/GRD/{NAME}/annotation/iw-vv.xml", b"<rfi/>")
    found = measurement_of(f"{served.url}/items/{NAME}", None)
    assert found is not None
    assert found.describe("annotation") is None
    assert found.describe("noise") is not None


def test_the_identity_follows_every_file_that_counts(served: Any) -> None:
    address = f"{served.url}/items/{NAME}"
    before = scene_sha256(address)
    assert scene_sha256(address) == before
    for file in ("measurement/iw-vv.tiff", "annotation/iw-vv.xml", "annotation/calibration/calibration-iw-vv.xml"):
        name = f"/GRD/{NAME}/{file}"
        kept = served.files[name]
        served.put(name, kept.content + b" ")
        assert scene_sha256(address) != before, file
        served.files[name] = kept


@pytest.mark.parametrize(
    ("href", "says"),
    [
        ("file:///etc/passwd", "an address such as"),
        ("http://169.254.169.254/latest/iw-vv.tiff", "https"),
        ("https://10.0.0.1/iw-vv.tiff", "which is private"),
        ("https://localhost/iw-vv.tiff", "which is private"),
        ("https://[::1]/iw-vv.tiff", "which is private"),
        ("ftp://a.org/iw-vv.tiff", "an address such as"),
        (7, "expected an address for the asset vv"),
    ],
)
def test_an_item_of_a_public_server_leads_to_no_private_place(
    monkeypatch: pytest.MonkeyPatch, href: Any, says: str
) -> None:
    scene = scene_of("https://93.184.215.14/items/one.json")
    assert isinstance(scene, CloudScene)
    monkeypatch.setattr(scene, "_content", lambda: item_text({"vv": {"href": href}}))
    with pytest.raises(InputError, match=says) as caught, open_source(scene):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[1, 2]", "a STAC item"),
        (b"no json", "expected JSON"),
        (b'{"type": "FeatureCollection", "features": []}', "found FeatureCollection"),
        (item_text({"B04": {"href": "https://a.org/B04.tif"}}), "found B04"),
        (item_text({"vv": {"href": "measurement/iw-vv.tiff"}}), "name the folder of the product"),
        (item_text({"vv": {"href": "/etc/passwd"}}), "name the folder of the product"),
        (item_text({}).replace(NAME.encode(), b"../../x"), "a STAC item"),
    ],
)
def test_a_file_that_is_no_such_item_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "item.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says), open_source(path):
        pass


def test_an_archive_at_an_address_is_refused() -> None:
    with pytest.raises(InputError, match="found an archive"), open_source(f"https://a.org/{NAME}.zip"):
        pass


@pytest.fixture
def bucket(scene_server: Any, product: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 service with the product and its item in a bucket."""
    boto3 = pytest.importorskip("boto3")
    moto_server = pytest.importorskip("moto.server")
    del scene_server  # for its cache and patience
    service = moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "made-up"),
        ("AWS_SECRET_ACCESS_KEY", "made-up-secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="scenes")
    for path in product.rglob("*"):
        if path.is_file():
            key = f"GRD/{NAME}/{path.relative_to(product).as_posix()}"
            client.put_object(Bucket="scenes", Key=key, Body=path.read_bytes())
    item = item_text(assets_of(product, f"s3://scenes/GRD/{NAME}/"))
    client.put_object(Bucket="scenes", Key=f"items/{NAME}.json", Body=item)
    yield f"s3://scenes/items/{NAME}.json"
    service.stop()


def test_an_item_in_s3_gives_what_its_product_gives(bucket: str, product: Path, bright_blobs: Any) -> None:
    scene = scene_of(bucket)
    found = detect_scene(scene, bright_blobs)
    same(found, detect_scene(product, bright_blobs))
    assert isinstance(scene, CloudScene)
    whole = sum(path.stat().st_size for path in product.rglob("*") if path.is_file())
    assert scene.moved()["bytes"] < whole + 4096  # and the item
    assert "made-up" not in json.dumps(dict(found.read_as))
    with pytest.raises(FileError, match="404 Not Found"), open_source("s3://scenes/nothing.tif"):
        pass


def test_s3_is_told_who_pays_and_gets_no_signature_without_credentials(
    scene_server: Any, product: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("boto3")
    raster = product / "measurement" / "iw-vv.tiff"
    scene_server.put("/scenes/iw-vv.tiff", raster.read_bytes())
    seen: list[dict[str, str]] = []

    def watched(request: Any) -> None:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        request.give()

    scene_server.way = watched
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_S3_ENDPOINT", f"127.0.0.1:{scene_server.server_port}")
    monkeypatch.setenv("AWS_HTTPS", "NO")
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    with open_source("s3://scenes/iw-vv.tiff") as reader:
        assert (reader.info.width, reader.info.height) == (SAMPLES, LINES)
    assert all(one["x-amz-request-payer"] == "requester" for one in seen)
    assert not any("authorization" in one for one in seen)
    scene_server.way = lambda request: request.say(403)
    with pytest.raises(FileError, match="AWS_REQUEST_PAYER=requester"), open_source("s3://scenes/iw-vv.tiff"):
        pass
