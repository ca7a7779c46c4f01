"""An archive on an engine: what is handed out, tried again, written down, and gone on from."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from refinedet.batch.archive import SceneArchive, SceneArchiveOptions, Summary
from refinedet.batch.engine import Job, LocalEngine, Report, is_transient
from refinedet.batch.status import NAME, open_status
from refinedet.errors import DiskError, FileError, InputError
from refinedet.system.resuming import differences
from refinedet.utc import parse_utc

SCENES = [Path(f"/archive/{name}.tif") for name in "abc"]
Answer = Callable[[Job], Report]


class Made:
    """Work that writes a file for each scene, or does what a test says."""

    def __init__(self, folder: Path, answer: Answer | None = None) -> None:
        self.folder, self.answer = folder, answer
        self.jobs: list[Job] = []

    def software(self) -> Mapping[str, Any]:
        """Nothing is told of it."""
        return {}

    def start(self) -> Mapping[str, Any]:
        """Load nothing."""
        return {"weights": "w"}

    def process(self, job: Job) -> Report:
        """Make the file, or do what was said."""
        self.jobs.append(job)
        if self.answer is not None:
            return self.answer(job)
        file = self.folder / f"{job.scene.stem}.parquet"
        file.touch()
        return Report("done", ships=2, seconds=0.5, files=(file,), worker="host 1")


def run(work: Made, asked: dict[str, Any] | None = None, scenes: Sequence[Path] = SCENES, **options: Any) -> Summary:
    with open_status(work.folder / NAME) as status:
        archive = SceneArchive(LocalEngine(work), status, asked or {"score_min": 0.5}, SceneArchiveOptions(**options))
        return archive.run(scenes, lambda _done, _all: None)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_each_scene_has_a_line_and_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    work, began = Made(tmp_path), datetime.now(UTC) - timedelta(milliseconds=1)
    first = run(work)
    assert (first.done, first.ships, first.failed) == (3, 6, {})
    head, *rest = lines(tmp_path)
    assert head["run"] == {"asked": {"score_min": 0.5}, "identity": {"weights": "w"}}
    assert began <= parse_utc(rest[0].pop("ended")) <= datetime.now(UTC) + timedelta(milliseconds=1)
    assert rest[0] == {
        "scene": "/archive/a.tif",
        "state": "done",
        "attempts": 1,
        "seconds": 0.5,
        "ships": 2,
        "files": ["a.parquet"],
        "error": None,
        "worker": "host 1",
    }
    again = run(work)
    assert (again.done, again.as_before, again.ships, len(work.jobs)) == (0, 3, 6, 3)


def test_a_scene_whose_file_is_gone_is_done_again_and_may_replace_the_others(tmp_path: Path) -> None:
    work = Made(tmp_path)
    run(work)
    (tmp_path / "b.parquet").unlink()
    assert run(work).as_before == 2
    assert work.jobs[3:] == [Job(SCENES[1], replaces=True)]


def test_a_torn_last_line_costs_that_scene_alone(tmp_path: Path) -> None:
    work = Made(tmp_path)
    run(work)
    content, before = (tmp_path / NAME).read_bytes(), lines(tmp_path)
    (tmp_path / NAME).write_bytes(content[:-9])
    assert run(work).as_before == 2
    assert [line | {"ended": ""} for line in lines(tmp_path)] == [line | {"ended": ""} for line in before]


@pytest.mark.parametrize(("transient", "attempts"), [(True, 3), (False, 1)])
def test_only_what_may_pass_is_tried_again_and_the_others_go_on(tmp_path: Path, transient: bool, attempts: int) -> None:
    def answer(job: Job) -> Report:
        bad = job.scene == SCENES[1]
        return Report("failed" if bad else "done", error="expected more" if bad else None, transient=transient)

    work = Made(tmp_path, answer)
    found = run(work, retries=2)
    assert (found.done, found.failed) == (2, {SCENES[1]: "expected more"})
    assert sum(job.scene == SCENES[1] for job in work.jobs) == attempts
    (line,) = (line for line in lines(tmp_path)[1:] if line["state"] == "failed")
    assert (line["scene"], line["attempts"]) == (str(SCENES[1]), attempts)
    work.answer = None
    assert (run(work).done, run(work).as_before) == (1, 3)  # a failed scene is tried again by the next run


def test_of_scenes_named_alike_the_first_or_finished_one_is_done_and_the_others_go_on(tmp_path: Path) -> None:
    work, twin = Made(tmp_path), Path("/copies/b.tif")
    for scenes in ([*SCENES, twin], [twin, *SCENES]):  # the second time `b` is finished
        found = run(work, scenes=scenes)
        assert (found.done + found.as_before, list(found.failed)) == (3, [twin])
        assert "/archive/b.tif and /copies/b.tif, whose results would both be named b" in found.failed[twin]
        last = lines(tmp_path)[-1]
        assert (last["scene"], last["state"], last["files"]) == (str(twin), "failed", [])
    assert [job.scene for job in work.jobs] == SCENES


def test_other_settings_are_refused_before_a_worker_starts_and_overwrite_begins_anew(tmp_path: Path) -> None:
    work = Made(tmp_path)
    run(work)
    with pytest.raises(InputError, match=r"\(score_min was 0\.5, is 0\.7.*`overwrite`"):
        run(work, {"score_min": 0.7})
    assert run(work, {"score_min": 0.7}, overwrite=True).done == 3
    assert all(job.replaces for job in work.jobs[3:])
    assert len(lines(tmp_path)) == 4


def test_the_status_of_another_version_is_named_and_left_alone_until_overwritten(tmp_path: Path) -> None:
    old = b'{"title": "refinedet archive 1", "settings": {}}\n{"scene": "/archive/a.tif", "of": "another form"}\n'
    (tmp_path / NAME).write_bytes(old)
    work = Made(tmp_path)
    with pytest.raises(InputError, match=r"of another version \(refinedet archive 1\).*another `out`.*`overwrite`"):
        run(work)
    assert (tmp_path / NAME).read_bytes() == old
    assert run(work, overwrite=True).done == len(SCENES)
    assert [line["title"] for line in lines(tmp_path) if "title" in line] == ["refinedet archive 2"]
    assert len(lines(tmp_path)) == 1 + len(SCENES)


def test_interrupted_it_says_how_far_it_is_and_goes_on(tmp_path: Path) -> None:
    def answer(job: Job) -> Report:
        if job.scene == SCENES[2]:
            raise KeyboardInterrupt
        return Report("done")

    work = Made(tmp_path, answer)
    with pytest.raises(KeyboardInterrupt, match=r"2 of 3 scenes .* the same again without `overwrite` to go on"):
        run(work, overwrite=True)
    work.answer = None
    assert (run(work).as_before, work.jobs[-1]) == (2, Job(SCENES[2], replaces=True))


def test_two_runs_at_once_and_other_files_are_refused_and_nothing_is_left_of_no_run(tmp_path: Path) -> None:
    with open_status(tmp_path / "new" / NAME), pytest.raises(FileError, match="another one at work"):  # noqa: SIM117
        with open_status(tmp_path / "new" / NAME):
            pass
    assert not (tmp_path / "new").exists()
    (tmp_path / NAME).write_text("my notes\n")
    with pytest.raises(FileError, match="something else in line 1"), open_status(tmp_path / NAME):
        pass
    assert (tmp_path / NAME).read_text() == "my notes\n"


def test_the_system_s_troubles_may_pass_and_a_wrong_scene_does_not() -> None:
    def raised(error: Exception, cause: Exception | None) -> Exception:
        try:
            raise error from cause
        except type(error) as caught:
            return caught

    assert is_transient(MemoryError())
    assert is_transient(DiskError("full"))
    assert is_transient(raised(FileError("gone"), OSError(errno.EIO, "Input/output error")))
    assert not is_transient(raised(FileError("missing"), FileNotFoundError(errno.ENOENT, "No such file")))
    assert not is_transient(InputError("of another type"))


def test_differences_name_both_values() -> None:
    assert differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 1, "d": None}}) == []
    assert differences({"a": {"b": 1}}, {"a": {"b": "x" * 20}}) == [f"a.b was 1, is {'x' * 16}..."]
