"""find_ships_in(): files are written while the next scene is searched; no byte, error or interruption depends on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.config.options.settings import DetectSettings
from refinedet.detection import finder
from refinedet.detection.find_ships import find_ships, find_ships_in
from refinedet.detection.outcome import DetectionRun
from refinedet.errors import DiskError, FileError
from refinedet.scene.output import files

NAMES = ("a", "b", "c")


@pytest.fixture
def scenes(tmp_path: Path) -> list[Path]:
    """Three small pictures of sea with a bright ship, of two sizes."""
    rng = np.random.default_rng(3)
    paths = [tmp_path / f"{name}.jpg" for name in NAMES]
    for path, side in zip(paths, (60, 60, 50), strict=True):
        pixels = rng.gamma(4, 10, (side, 60)).clip(0, 255).astype(np.uint8)
        pixels[20:25, 20:38] = 250
        Image.fromarray(pixels).save(path, quality=95)
    return paths


@pytest.fixture
def settings(tiny_network: Path, tmp_path: Path) -> Callable[..., DetectSettings]:
    """Settings of a run into the folder `out`."""

    def made(**more: Any) -> DetectSettings:
        asked = {"weights": tiny_network, "runtime": "torch", "device": "cpu", "score_min": 0.0202}
        return DetectSettings.of(**({"out": tmp_path / "out", **asked} | more))

    return made


def ran(scenes: list[Path], settings: DetectSettings, progress: Any = None) -> list[Any]:
    """Outcome of each scene."""
    return list(find_ships_in(scenes, settings, progress or (lambda _: lambda _done, _all: None)))


def content(folder: Path) -> dict[str, bytes]:
    """Bytes of the files; of the record all but the times."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in [name for name in found if name.endswith(".run.json")]:
        record = json.loads(found[name])
        found[name] = json.dumps({key: value for key, value in record.items() if key != "time"}).encode()
    return found


def failing_for(scene: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writing of a scene's files fail."""
    write = files.write_files

    def failing(path: Path, *words: Any) -> None:
        if path == scene:
            raise error
        write(path, *words)

    monkeypatch.setattr(finder, "write_files", failing)


def test_scenes_together_leave_the_bytes_of_each_alone_in_their_order(
    scenes: list[Path], settings: Callable[..., DetectSettings], tmp_path: Path, tiny_network: Path
) -> None:
    together = ran(scenes, settings())
    assert [one.scene for one in together] == scenes
    for scene in scenes:
        alone = find_ships(
            scene, tmp_path / "alone", weights=tiny_network, runtime="torch", device="cpu", score_min=0.0202
        )
        assert alone.ships > 0
    assert content(tmp_path / "out") == content(tmp_path / "alone")


def test_a_result_that_cannot_be_written_fails_its_scene_alone(
    scenes: list[Path],
    settings: Callable[..., DetectSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_for(scenes[1], DiskError("no room"), monkeypatch)
    first, (failed, error), third = ran(scenes, settings())
    assert (failed, str(error)) == (scenes[1], "no room")
    assert isinstance(first, DetectionRun)
    assert isinstance(third, DetectionRun)
    left = {path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("b")}
    assert left == {"b.journal"}
    monkeypatch.undo()
    again = ran(scenes, settings(skip_existing=True))
    assert [(one.skipped, one.windows_kept) for one in again] == [(True, 0), (False, 1), (True, 0)]


def test_a_bug_in_the_writing_is_raised(
    scenes: list[Path], settings: Callable[..., DetectSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for(scenes[0], ValueError("a bug"), monkeypatch)
    with pytest.raises(ValueError, match="a bug"):
        ran(scenes, settings())


def test_an_interrupted_run_has_written_what_was_found_and_goes_on(
    scenes: list[Path], settings: Callable[..., DetectSettings], tmp_path: Path
) -> None:
    def interrupting(scene: Path) -> Any:
        def progress(done: int, _: int) -> None:
            if scene == scenes[1] and done:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(KeyboardInterrupt, match=r"1 of 1 windows of .*b\.jpg are kept"):
        ran(scenes, settings(), interrupting)
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"a.csv", "a.geojson", "a.html", "a.png", "a.run.json", "b.journal"}
    again = ran(scenes, settings(skip_existing=True))
    assert [(one.skipped, one.windows_kept) for one in again] == [(True, 0), (False, 1), (False, 0)]
    whole = settings(out=tmp_path / "whole")
    ran(scenes, whole)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_results_that_another_run_wrote_meanwhile_are_kept(
    scenes: list[Path], settings: Callable[..., DetectSettings], tmp_path: Path
) -> None:
    theirs = tmp_path / "out" / "b.geojson"

    def progress(scene: Path) -> Callable[[int, int], None]:
        if scene == scenes[1]:
            theirs.write_text("theirs")
        return lambda _done, _all: None

    first, second, third = ran(scenes, settings(), progress)
    assert isinstance(first, DetectionRun)
    assert isinstance(third, DetectionRun)
    assert isinstance(second[1], FileError)
    assert "expected no results at" in str(second[1])
    assert theirs.read_text() == "theirs"


def test_a_link_to_itself_fails_alone(
    scenes: list[Path], settings: Callable[..., DetectSettings], tmp_path: Path
) -> None:
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    first, failed = ran([scenes[0], tmp_path / "loop.jpg"], settings())
    assert isinstance(first, DetectionRun)
    assert "loop.jpg, but it cannot be read" in str(failed[1])
