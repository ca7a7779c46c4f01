"""Scenes at addresses give the bytes of local copies, and each byte moves once, however badly the server behaves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.cloud import traffic
from refinedet.cloud.scene import CloudScene, check_download_limit, scene_of
from refinedet.config import TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.naming import scene_name
from refinedet.scene.output.files import write_files
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.source import open_source
from refinedet.tiling import Window

TILE = TileConfig(256, 64)


def written(scene: Any, folder: Path, predictor: Any) -> dict[str, bytes]:
    """Result files of a scene by name."""
    result = detect_scene(scene, predictor, tile=TILE)
    assert len(result.detections) == 6
    paths = result_paths(scene, folder, ["geojson", "csv"], quicklook=True, web_map=True)
    write_files(scene, result, paths, SceneSettings())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def all_pixels(scene: Any) -> Any:
    with open_source(scene) as reader:
        return reader.read_whole()


@pytest.fixture
def address(scene_server: Any, scene: Path) -> str:
    return str(scene_server.put(f"/data/{scene.name}", scene.read_bytes())) + "?key=secret"


def test_results_are_the_bytes_of_a_local_copy_and_each_byte_moves_once(
    scene_server: Any, scene: Path, address: str, tmp_path: Path, bright_blobs: Any
) -> None:
    remote = scene_of(address)
    found = written(remote, tmp_path / "remote", bright_blobs)
    assert found == written(scene, tmp_path / "near", bright_blobs)
    assert len(found) == 4
    assert not any(b"secret" in content for content in found.values())
    size, sent = scene.stat().st_size, scene_server.sent[f"/data/{scene.name}"]
    assert isinstance(remote, CloudScene)
    assert sent == remote.moved()["bytes"]
    if scene.read_bytes().count(b"LAYOUT=IFDS_BEFORE_DATA"):
        assert 0.5 * size < sent < 0.95 * size  # the overviews stay where they are
    else:
        assert sent == size
    remote.close(keep=False)
    assert list((tmp_path / "cache" / "scenes").iterdir()) == []


def test_the_record_names_the_address_without_its_secret(address: str, bright_blobs: Any) -> None:
    result = detect_scene(address, bright_blobs, tile=TILE)
    source = result.read_as["source"]
    assert source["address"] == address.partition("?")[0]
    assert source["version"].startswith('"')
    assert "secret" not in json.dumps(dict(result.read_as)) + repr(scene_of(address)) + str(scene_of(address))
    assert result.scene == "sea_vv.tif"


def dies(request: Any) -> None:
    request.give(cut=20_000)


def once(bad: Callable[[Any], None]) -> Callable[[Any], None]:
    def way(request: Any) -> None:
        (bad if request.server.asked == 3 else type(request).give)(request)

    return way


GOOD = {
    "dies every 20 kB": dies,
    "is silent once": once(lambda _: time.sleep(0.5)),
    "trickles once": once(lambda request: request.give(pause=lambda: time.sleep(0.1))),
    "is busy once": once(lambda request: request.say(503, {"Retry-After": "0"})),
    "gives no ranges": lambda request: request.give(ranges=False),
    "redirects to itself": lambda request: (
        request.give() if "again" in request.name else request.say(307, {"Location": "/data/again.tif?key=secret"})
    ),
}


@pytest.mark.parametrize("way", GOOD.values(), ids=GOOD.keys())
def test_a_server_with_faults_that_pass_gives_all_pixels(
    scene_server: Any,
    scene: Path,
    address: str,
    pixels: Any,
    way: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene_server.put("/data/again.tif", scene.read_bytes())
    scene_server.way = way
    if way is GOOD["is silent once"]:
        monkeypatch.setattr(traffic, "PATIENCE", replace(traffic.PATIENCE, timeout_s=0.3, attempts=6))
    assert np.array_equal(all_pixels(address), pixels)


def changes(request: Any) -> None:
    if request.server.asked == 4:
        for name, file in request.server.files.items():
            request.server.files[name] = replace(file, content=bytes(len(file.content)), etag='"new"')
        request.file = request.server.files[request.name]
    request.give()


def changes_without_a_word(request: Any) -> None:
    request.give(total=len(request.file.content) + (request.server.asked > 3))


BAD = {
    "redirects elsewhere": (
        lambda request: request.say(302, {"Location": f"http://localhost:{request.server.server_port}/data/x.tif"}),
        "found a redirect to localhost",
    ),
    "redirects to a file": (lambda r: r.say(302, {"Location": "file:///etc/passwd"}), "found a redirect to file:///"),
    "redirects in a circle": (lambda r: r.say(302, {"Location": r.path}), "more than 3 redirects"),
    "says too much": (lambda r: r.give(total=len(r.file.content) + 10**6), "at its end|beyond|broke off|its end"),
    "says 10^15 bytes": (lambda r: r.give(total=10**15), "expected at most"),
    "says too little": (lambda r: r.give(total=len(r.file.content) // 2), "damaged or cut off"),
    "changes": (changes, "to stay as it was"),
    "changes its length": (changes_without_a_word, "to stay as it was"),
    "is silent": (lambda _: time.sleep(0.5), r"is silent for 0\.3 s \(3 times in a row\)"),
    "trickles": (lambda r: r.give(pause=lambda: time.sleep(0.1)), "bytes a second"),
    "closes": (lambda r: setattr(r, "close_connection", True), "broke off"),
    "is not there": (lambda r: r.say(404), "404 Not Found"),
    "wants a signature": (lambda r: r.say(403), "may have to be signed"),
    "is busy for long": (lambda r: r.say(503, {"Retry-After": "86400"}), "left alone for 86400 s"),
    "shows a page": (lambda r: r.say(200, {"Content-Length": "0"}), "ranges or its length"),
}


@pytest.mark.parametrize(("way", "says"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_a_server_with_faults_that_stay_ends_in_one_sentence(
    scene_server: Any,
    address: str,
    way: Callable[[Any], None],
    says: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene_server.way = way
    if way is BAD["is silent"][0]:
        monkeypatch.setattr(traffic, "PATIENCE", replace(traffic.PATIENCE, timeout_s=0.3))
    with pytest.raises((FileError, InputError), match=says) as caught:
        all_pixels(address)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_run_fetches_only_what_it_lacks(
    scene_server: Any, scene: Path, address: str, pixels: Any
) -> None:
    def gone(request: Any) -> None:
        if scene_server.sent[request.name] > 300_000:
            request.close_connection = True
        else:
            request.give()

    scene_server.way = gone
    first = scene_of(address)
    with pytest.raises(FileError, match="goes on from what is here"):
        all_pixels(first)
    assert isinstance(first, CloudScene)
    first.close(keep=True)
    scene_server.way = lambda request: request.give()
    assert np.array_equal(all_pixels(address), pixels)
    assert scene_server.sent[f"/data/{scene.name}"] <= scene.stat().st_size + (1 << 14)


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_a_block_that_the_disk_lost_is_fetched_again(
    scene_server: Any, address: str, pixels: Any, tmp_path: Path
) -> None:
    first = scene_of(address)
    all_pixels(first)
    assert isinstance(first, CloudScene)
    first.close(keep=True)
    (kept,) = (tmp_path / "cache" / "scenes").glob("*.bytes")
    with kept.open("r+b") as stream:
        stream.seek(200_000)
        stream.write(bytes(100))
    scene_server.sent.clear()
    assert np.array_equal(all_pixels(address), pixels)
    assert 1 << 14 <= sum(scene_server.sent.values()) <= 2 << 14  # the block, and some of the head


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_a_limit_on_bytes_holds(address: str) -> None:
    with (
        pytest.raises(InputError, match="`max_download_mb`"),
        open_source(address, SceneSettings(max_download_mb=0.3)) as reader,
    ):
        reader.read(Window(0, 0, 700, 900))


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_a_limit_on_bytes_holds_for_a_server_without_ranges(scene_server: Any, address: str) -> None:
    scene_server.way = GOOD["gives no ranges"]
    with (
        pytest.raises(InputError, match="`max_download_mb`"),
        open_source(address, SceneSettings(max_download_mb=0.3)),
    ):
        pass


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_blocks_are_kept_though_the_first_answer_breaks_off(
    scene_server: Any, address: str, pixels: Any, tmp_path: Path
) -> None:
    scene_server.way = lambda request: request.give(ranges=False, cut=200_000 if request.server.asked == 1 else None)
    remote = scene_of(address)
    assert np.array_equal(all_pixels(remote), pixels)
    assert isinstance(remote, CloudScene)
    remote.close(keep=True)
    (checksums,) = (tmp_path / "cache" / "scenes").glob("*.sums")
    assert np.frombuffer(checksums.read_bytes(), "<u4").all()


def test_a_limit_without_an_address_is_an_error(address: str, tmp_path: Path) -> None:
    check_download_limit([tmp_path], None)
    check_download_limit([tmp_path, scene_of(address)], 5.0)
    with pytest.raises(InputError, match="expected a scene at an address for `max_download_mb`, found 5"):
        check_download_limit([tmp_path], 5.0)


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_the_identity_is_that_of_the_version_and_not_of_the_signature(scene_server: Any, address: str) -> None:
    before = scene_sha256(address)
    assert scene_sha256(address.replace("secret", "other")) == before
    name = next(iter(scene_server.files))
    scene_server.files[name] = replace(scene_server.files[name], etag='"other"')
    assert scene_sha256(address) != before


@pytest.mark.parametrize("scene", ["striped"], indirect=True)
def test_a_server_that_tells_no_version_is_told(scene_server: Any, scene: Path) -> None:
    address = scene_server.put("/plain.tif", scene.read_bytes(), etag=False)
    with open_source(address) as reader:
        assert any("tells no version" in note for note in reader.notes)


def test_a_raster_with_a_short_name_has_that_of_its_product() -> None:
    product = "S1A_IW_GRDH_1SDV_20221002T205126_20221002T205156_045268_056950_0664"
    assert scene_name(f"https://archive.org/GRD/{product}/measurement/iw-vv.tiff") == f"{product}_vv.tiff"
    assert scene_name("s3://bucket/some/iw-vv.tiff") == "iw-vv.tiff"
