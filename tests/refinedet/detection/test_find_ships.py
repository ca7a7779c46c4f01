"""find_ships() leaves the bytes that the command leaves, and a detector is loaded once for many scenes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

import refinedet
from refinedet.config.options.option import options
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.find_ships import find_ships_in
from refinedet.detection.finder import ShipFinder
from refinedet.detection.loading import weights_sha256
from refinedet.errors import FileError, InputError
from refinedet.raster import write_scene

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of dim sea with bright ships and a place on the earth."""
    rng = np.random.default_rng(3)
    pixels = rng.gamma(4, 25, (400, 500)).astype(np.uint16)
    for x, y in zip(rng.integers(10, 470, 9), rng.integers(10, 380, 9), strict=True):
        pixels[y : y + 5, x : x + 18] = 3000
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return path


@pytest.fixture
def weights(tiny_network: Path) -> Path:
    """A checkpoint of a small, untrained network of ships."""
    return tiny_network


def content(folder: Path) -> dict[str, bytes]:
    """Bytes of the files; of the record all but the times."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in [name for name in found if name.endswith(".run.json")]:
        record = json.loads(found[name])
        found[name] = json.dumps({key: value for key, value in record.items() if key != "time"}).encode()
    return found


@pytest.mark.parametrize(
    "runtime", ["openvino", *(pytest.param(other, marks=pytest.mark.slow) for other in ("torch", "onnx"))]
)
def test_three_lines_of_python_leave_the_bytes_of_the_command(
    scene: Path, weights: Path, tmp_path: Path, runtime: str
) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime), reason=f"{runtime} is not installed")
    words = ["--weights", str(weights), "--runtime", runtime, "--device", "cpu", "--score-min", "0.0202"]
    words += ["--land-mask", "off"]  # tests see no coastline, the command would
    done = subprocess.run(
        [sys.executable, "-m", "cli.app", "detect", str(scene), "--out", str(tmp_path / "command"), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with refinedet.Detector.load(weights, runtime=runtime, device="cpu") as detector:  # type: ignore[arg-type]
        for folder in ("first", "second"):  # as in a notebook, twice in a row
            run = refinedet.find_ships(scene, tmp_path / folder, detector=detector, score_min=0.0202, land_mask="off")
            assert content(tmp_path / folder) == content(tmp_path / "command")
    assert run.result is not None
    assert run.ships == len(run.result.detections) > 0
    assert sorted(run.files) == ["csv", "geojson", "map", "quicklook", "record"]


def test_a_call_without_a_detector_loads_and_closes_its_own(scene: Path, weights: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run = refinedet.find_ships(
        scene,
        tmp_path / "out",
        weights=weights,
        device="cpu",
        format="csv",
        quicklook=False,
        map=False,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scene.csv", "scene.run.json"]
    assert seen[-1][0] == seen[-1][1] > 1
    again = refinedet.find_ships(
        scene, tmp_path / "out", weights=weights, device="cpu", format="csv", quicklook=False, map=False,
        skip_existing=True,
    )  # fmt: skip
    assert again.skipped
    assert again.record == run.record
    with pytest.raises(FileError, match="`overwrite`"):
        refinedet.find_ships(scene, tmp_path / "out", weights=weights)


def test_a_detector_is_freed_while_the_last_files_are_written(
    scene: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, close, write = Event(), Detector.close, ShipFinder._write_files

    def closing(detector: Detector) -> None:
        close(detector)
        closed.set()

    def writing(*asked: Any) -> Any:
        assert closed.wait(10)
        return write(*asked)

    monkeypatch.setattr(Detector, "close", closing)
    monkeypatch.setattr(ShipFinder, "_write_files", writing)
    settings = DetectSettings.of(out=tmp_path, weights=weights, device="cpu", quicklook=False, map=False)
    (run,) = find_ships_in([scene], settings, lambda _: lambda *_: None)
    assert isinstance(run, refinedet.DetectionRun)
    assert run.record["settings"]["precision"] == "fp32"


def test_options_of_the_detector_belong_where_it_is_loaded(scene: Path, weights: Path) -> None:
    with refinedet.Detector.load(weights, runtime="torch", device="cpu") as detector:
        with pytest.raises(InputError, match=r"`runtime` in `Detector\.load`"):
            refinedet.find_ships(scene, detector=detector, runtime="onnx")
        assert (detector.runtime, detector.precision, detector.devices) == ("torch", "fp32", ("cpu",))
        assert detector.classes == ("ship",)
    with pytest.raises(InputError, match="found a closed one"):
        refinedet.find_ships(scene, detector=detector)
    detector.close()  # once more does nothing


def test_one_detector_searches_with_any_score(scene: Path, weights: Path, tmp_path: Path) -> None:
    with refinedet.Detector.load(weights, runtime="torch", device="cpu") as detector:
        found = [
            refinedet.find_ships(scene, tmp_path, detector=detector, score_min=score, overwrite=True).ships
            for score in (0.0202, 0.9, 0.0202)
        ]
    assert found[0] == found[2] > found[1]


def test_a_changed_side_file_is_another_run_and_a_moved_one_is_not(scene: Path, weights: Path, tmp_path: Path) -> None:
    first, moved = tmp_path / "a.geojson", tmp_path / "b.geojson"
    first.write_text('{"type":"Point","coordinates":[15.01,47.84]}')
    moved.write_bytes(first.read_bytes())
    with refinedet.Detector.load(weights, runtime="torch", device="cpu") as detector:

        def find(exclude: Path) -> refinedet.DetectionRun:
            return refinedet.find_ships(
                scene, tmp_path / "out", detector=detector, exclude=exclude, land_mask="off", skip_existing=True
            )

        assert not find(first).skipped
        assert find(moved).skipped
        first.write_text('{"type":"Point","coordinates":[15.02,47.84]}')
        with pytest.raises(FileError, match=r"side_files\.exclude was"):
            find(first)


def test_the_weights_of_an_openvino_export_are_both_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text("graph")
    alone = weights_sha256(tmp_path / "m.xml")
    (tmp_path / "m.bin").write_bytes(b"first")
    first = weights_sha256(tmp_path / "m.xml")
    (tmp_path / "m.bin").write_bytes(b"other")
    assert len({alone, first, weights_sha256(tmp_path / "m.xml")}) == 3


def test_results_with_another_outline_are_not_taken_for_those_asked_for(
    scene: Path, weights: Path, tmp_path: Path
) -> None:
    with refinedet.Detector.load(weights, runtime="torch", device="cpu") as detector:

        def find(**asked: str) -> refinedet.DetectionRun:
            out = tmp_path / "out"
            return refinedet.find_ships(
                scene, out, detector=detector, land_mask="off", skip_existing=True, map=False, **asked
            )

        run = find(outline="oriented")
        assert run.record["settings"]["outline"] == "oriented"
        assert run.result is not None
        assert run.result.outline == "oriented"
        assert find(outline="oriented").skipped
        with pytest.raises(FileError, match="outline was oriented, and is box"):
            find()


def test_the_docstring_names_options_that_exist() -> None:
    text = refinedet.find_ships.__doc__ or ""
    told = text[text.index("Often used") : text.index("Returns:")]
    named = set(re.findall(r"`(\w+)`", told))
    known = {one.name for group in fields(DetectSettings) for one, _ in options(group.default_factory)}
    assert len(named) > 15
    assert named <= known
