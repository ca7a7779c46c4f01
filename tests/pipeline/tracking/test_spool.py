"""spool.py: entries stay until they are delivered, whoever dies, in the order in which they came."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.tracking.spool import Busy, Spool, exclusive

ROOT = Path(__file__).resolve().parents[3]
WRITER = """
import sys
from pathlib import Path
from pipeline.tracking.spool import Spool
spool = Spool(Path(sys.argv[1]))
for number in range(10**9):
    spool.add("store", sys.argv[2], "metrics", {"number": number})
    print(number, flush=True)
"""


def numbers(spool: Spool, run: str) -> list[int]:
    found: list[int] = []
    after = 0
    while entries := spool.entries("store", run, after=after):
        found += [entry.content["number"] for entry in entries]
        after = entries[-1].number
    return found


def test_a_killed_writer_has_lost_nothing_that_it_had_written(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "spool")]
    writers = [subprocess.Popen([*command, run], env=environment, stdout=subprocess.PIPE, text=True) for run in "ab"]
    for writer in writers:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 30:
            pass
        writer.send_signal(signal.SIGKILL)
    said = [writer.communicate()[0].split() for writer in writers]
    spool = Spool(tmp_path / "spool")
    for run, rest in zip("ab", said, strict=True):
        kept = numbers(spool, run)
        assert kept == list(range(len(kept)))
        assert len(kept) > int(rest[-1] if rest else 30)


def test_runs_and_stores_are_kept_apart_and_long_queues_come_in_parts(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(700):
        spool.add("store", "b", "metrics", {"number": number})
    spool.add("store", "a", "metrics", {"number": 1})
    spool.add("other", "a", "tags", {})
    assert numbers(spool, "b") == list(range(700))
    assert (spool.stores(), spool.runs("store")) == (["other", "store"], ["b", "a"])
    assert (spool.waiting("store"), spool.waiting("store", "a"), spool.waiting("none")) == (701, 1, 0)
    spool.remove(spool.entries("store", "b"))
    assert numbers(Spool(tmp_path), "b") == list(range(500, 700))


def test_a_copy_is_of_the_moment_and_leaves_no_file_behind(tmp_path: Path) -> None:
    spool, file, folder = Spool(tmp_path / "spool"), tmp_path / "weights", tmp_path / "model"
    file.write_text("then")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("deep")
    spool.add_copy("store", "a", "file", file, {"folder": None})
    spool.add_copy("store", "a", "model", folder, {})
    file.write_text("now")
    first, second = spool.entries("store", "a")
    assert (spool.files / first.content["copy"]).read_text() == "then"
    assert (spool.files / first.content["copy"]).name == "weights"
    assert (spool.files / second.content["copy"] / "deep" / "file").read_text() == "deep"
    spool.remove([first, second])
    with pytest.raises(FileNotFoundError):
        spool.add_copy("store", "a", "file", tmp_path / "absent", {})
    assert list(spool.files.iterdir()) == []


COPIER = """
import os, shutil, signal, sys
from pathlib import Path
from pipeline.tracking import spool
def killed(*_):
    (queue.files / "there").mkdir()
    print("copying", flush=True)
    signal.pause()
queue = spool.Spool(Path(sys.argv[1]))
shutil.copy2 = killed
queue.add_copy("store", "a", "file", Path(sys.executable), {})
"""


def test_copies_of_a_killed_process_are_removed_at_the_next_start_and_those_of_a_living_one_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "weights"
    kept.write_text("kept")
    Spool(tmp_path / "spool").add_copy("store", "b", "file", kept, {})
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", COPIER, str(tmp_path / "spool")], env=environment, stdout=subprocess.PIPE, text=True
    ) as copier:
        assert copier.stdout is not None
        assert copier.stdout.readline() == "copying\n"
        assert len(list(Spool(tmp_path / "spool").files.iterdir())) == 3, "a process copies"
        copier.send_signal(signal.SIGKILL)
    with caplog.at_level("INFO", "pipeline"):
        spool = Spool(tmp_path / "spool")
    (entry,) = spool.entries("store", "b")
    assert [place.name for place in spool.files.iterdir()] == [entry.content["copy"].split("/")[0]]
    assert (spool.files / entry.content["copy"]).read_text() == "kept"
    assert caplog.messages == [f"{spool.files}: removed what a killed process left, copies: 2"]


def test_one_at_a_time_has_its_turn_also_among_threads(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.turn("store") as mine, spool.turn("store") as second, spool.turn("other") as other:
        assert (mine, second, other) == (True, False, True)
        answers: list[bool] = []

        def ask() -> None:
            with spool.turn("store") as answer:
                answers.append(answer)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert answers == [False]
    with spool.turn("store") as again:
        assert again
    with (
        exclusive(tmp_path / "lock", wait_seconds=0),
        pytest.raises(Busy),
        exclusive(tmp_path / "lock", wait_seconds=0),
    ):
        pass


def test_only_runs_that_no_server_has_seen_move_to_another_address(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add("wrong", "born", "metrics", {"number": 1})
    spool.add("wrong", "unborn", "run", {})
    spool.add("wrong", "unborn", "metrics", {"number": 2})
    spool.move_unborn("wrong", "run", "right")
    assert (spool.runs("wrong"), spool.runs("right"), spool.waiting("right")) == (["born"], ["unborn"], 2)
    spool.name("unborn", "id of the server")
    assert [spool.run_id(run) for run in ("born", "unborn")] == ["born", "id of the server"]
