"""find_ships() on a scene by address goes on where it stopped, and leaves the files of a local copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import refinedet
from refinedet.cloud.scene import scene_of
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.finder import ShipFinder
from refinedet.errors import InputError
from refinedet.raster import write_scene


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Sea with ships."""
    rng = np.random.default_rng(3)
    pixels = rng.gamma(4, 25, (300, 400)).astype(np.uint16)
    for x, y in zip(rng.integers(10, 370, 9), rng.integers(10, 280, 9), strict=True):
        pixels[y : y + 5, x : x + 18] = 3000
    path = tmp_path / "near" / "scene.tif"
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return path


def test_a_stopped_run_goes_on_and_leaves_the_files_of_a_local_copy(
    scene_server: Any, scene: Path, tiny_network: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the small network is torch's")
    address = scene_server.put("/scene.tif", scene.read_bytes()) + "?sig=secret"
    options: dict[str, Any] = {"score_min": 0.0202, "land_mask": "off", "quicklook": False, "map": False}

    def stop(done: int, total: int) -> None:
        if 0 < done < total:
            raise KeyboardInterrupt

    with refinedet.Detector.load(tiny_network, runtime="torch", device="cpu") as detector:

        def find(place: Any, out: str, **more: Any) -> refinedet.DetectionRun:
            return refinedet.find_ships(place, tmp_path / out, detector=detector, **options, **more)

        with pytest.raises(KeyboardInterrupt, match="windows of http://127"):
            find(address, "stopped", progress=stop)
        scene_server.sent.clear()
        run = find(address, "stopped")
        assert run.windows_kept > 0
        assert sum(scene_server.sent.values()) <= 1 << 14  # of its head, which is not read
        assert run.record["scene"]["moved"]["bytes"] == 0
        assert run.record["scene"]["moved"]["requests"] == 1  # for the version
        assert "secret" not in run.files["record"].read_text()
        assert not list((tmp_path / "cache" / "scenes").iterdir())
        local = find(scene, "local")
        for kind in ("geojson", "csv"):
            assert run.files[kind].read_bytes() == local.files[kind].read_bytes()
        write = ShipFinder(detector, DetectSettings.of(out=tmp_path / "later", **options)).search(scene_of(address))
        assert list((tmp_path / "cache" / "scenes").iterdir()), "it is closed before its files are written"
        write()
        assert not list((tmp_path / "cache" / "scenes").iterdir())
        with pytest.raises(KeyboardInterrupt):
            find(address, "changed", progress=stop)
        scene_server.files["/scene.tif"] = replace(scene_server.files["/scene.tif"], etag='"other"')
        with pytest.raises(InputError, match="`restart`"):
            find(address, "changed")
