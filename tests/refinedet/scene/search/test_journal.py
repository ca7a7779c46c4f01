"""The journal keeps what it was given, to the bit, and nothing else is ever taken from it."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.scene.identity import RunIdentity
from refinedet.scene.search.journal import Journal, OpenJournal, _line, open_journal

IDENTITY = RunIdentity("5ce7e" * 8, {"weights": "cd"}, {"tile_px": 512, "band": None})


def some(seed: int, count: int = 3) -> Detections:
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 1e5, (count, 2))
    return Detections.of(
        np.hstack([start, start + rng.uniform(0, 99, (count, 2))]), rng.random(count), np.arange(count)
    )


def assert_same(found: dict[int, Detections | None], wanted: dict[int, Detections | None]) -> None:
    assert found.keys() == wanted.keys()
    for index, one in wanted.items():
        other = found[index]
        if one is None or other is None:
            assert one is other
            continue
        assert one.boxes_xyxy.tobytes() == other.boxes_xyxy.tobytes()
        assert one.scores.tobytes() == other.scores.tobytes()
        assert one.labels.tobytes() == other.labels.tobytes()


def fill(path: Path, batches: list[dict[int, Detections | None]]) -> None:
    with open_journal(Journal(path), lambda: IDENTITY) as log:
        for batch in batches:
            log.append(batch)


def left(path: Path) -> dict[int, Detections | None]:
    with open_journal(Journal(path), lambda: IDENTITY) as log:
        return log.finished


BATCHES: list[dict[int, Detections | None]] = [{0: some(1), 1: None}, {2: Detections.empty(), 3: some(2)}, {4: some(3)}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "scene.journal"


def test_windows_come_back_as_they_went_in(path: Path) -> None:
    fill(path, BATCHES)
    assert_same(left(path), {index: one for batch in BATCHES for index, one in batch.items()})


@given(
    st_numpy.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(2)), elements=st.floats(-1e6, 1e6, width=32)),
    st.floats(0, 1, width=32),
)
def test_every_float_survives(tmp_path_factory: pytest.TempPathFactory, corners: Any, score: float) -> None:
    path = tmp_path_factory.mktemp("any") / "scene.journal"
    found = Detections.of(np.hstack([corners, corners]), [score] * len(corners), [0] * len(corners))
    fill(path, [{7: found}])
    assert_same(left(path), {7: found})


def test_it_goes_on_growing_over_several_runs(path: Path) -> None:
    for count, batch in enumerate(BATCHES):
        assert len(left(path)) == 2 * count if path.exists() else count == 0
        fill(path, [batch])
    assert len(left(path)) == 5


def test_cut_anywhere_it_keeps_the_whole_lines_and_grows_from_there(path: Path) -> None:
    fill(path, BATCHES)
    content = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == ord("\n")]
    for end in range(ends[0], len(content) + 1):
        path.write_bytes(content[:end])
        kept = sum(mark <= end for mark in ends) - 1
        wanted = {index: one for batch in BATCHES[:kept] for index, one in batch.items()}
        if end % 7 and end not in ends:  # a growing journal at many of the places, a closer look at the others
            assert_same(left(path), wanted)
            assert not kept or path.read_bytes() == content[: ends[kept]]
        else:
            fill(path, BATCHES[kept:])
            assert path.read_bytes() == content


@pytest.mark.parametrize("spoil", [b"\0", b"x", b"\n"], ids=["zeroed", "another letter", "a break"])
def test_from_the_first_damaged_line_on_nothing_is_believed(path: Path, spoil: bytes) -> None:
    fill(path, BATCHES)
    lines = path.read_bytes().splitlines(keepends=True)
    place = len(lines[0]) + len(lines[1]) + len(lines[2]) // 2
    content = b"".join(lines)
    path.write_bytes(content[:place] + spoil + content[place + 1 :])
    assert_same(left(path), BATCHES[0])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param({"scene": "0" * 40}, "scene was 5ce7e5ce7e5ce7e5..., is 0000000000", id="scene"),
        pytest.param({"detector": {"weights": "ab"}}, "detector.weights was cd, is ab", id="weights"),
        pytest.param({"side_files": {"land": "ef"}}, "side_files.land was absent, is ef", id="side file"),
        pytest.param({"software": {"code": "01"}}, "software.code was absent, is 01", id="code"),
        pytest.param(
            {"settings": {"tile_px": 64, "band": 2}},
            "settings.band was absent, is 2; settings.tile_px was 512, is 64",
            id="settings",
        ),
    ],
)
def test_a_journal_of_something_else_is_refused_and_left_alone(
    path: Path, changed: dict[str, Any], sentence: str
) -> None:
    fill(path, BATCHES)
    before = path.read_bytes()
    with (
        pytest.raises(InputError, match=re.escape(sentence)) as refused,
        open_journal(Journal(path), lambda: replace(IDENTITY, **changed)),
    ):
        pytest.fail("opened")
    assert "`restart`" in str(refused.value)
    assert path.read_bytes() == before


def test_restart_throws_away_what_is_there(path: Path) -> None:
    fill(path, BATCHES)
    other = replace(IDENTITY, scene="0")
    with open_journal(Journal(path, restart=True), lambda: other) as log:
        assert log.finished == {}
        log.append(BATCHES[2])
    with open_journal(Journal(path), lambda: other) as log:
        assert_same(log.finished, BATCHES[2])


@pytest.mark.parametrize("content", [b"my notes\n", b"my notes", _line([]), b"{}\n"])
def test_a_file_that_is_no_journal_is_left_alone_until_told_to_restart(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with (
        pytest.raises(FileError, match=r"expected a journal.*`restart`"),
        open_journal(Journal(path), lambda: IDENTITY),
    ):
        pytest.fail("opened")
    assert path.read_bytes() == content
    with open_journal(Journal(path, restart=True), lambda: IDENTITY) as log:
        log.append(BATCHES[0])
    assert_same(left(path), BATCHES[0])


def test_an_empty_file_is_a_journal_that_was_just_begun(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    fill(path, BATCHES)
    assert len(left(path)) == 5


def test_a_second_run_at_the_same_time_is_refused(path: Path) -> None:
    with open_journal(Journal(path), lambda: IDENTITY) as log:
        log.append(BATCHES[0])
        for restart in (False, True):
            with (
                pytest.raises(FileError, match="another one at work"),
                open_journal(Journal(path, restart=restart), lambda: IDENTITY),
            ):
                pytest.fail("opened")
    assert_same(left(path), BATCHES[0])


def test_without_a_finished_window_nothing_is_left_behind(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_journal(Journal(path), lambda: IDENTITY):
        raise KeyboardInterrupt
    assert not path.parent.exists()
    path.parent.mkdir()
    with open_journal(Journal(path), lambda: IDENTITY):
        pass
    assert list(path.parent.iterdir()) == []


def test_who_makes_a_new_journal_is_asked_for_the_identity_with_its_first_windows(path: Path) -> None:
    asked: list[int] = []

    def identity() -> RunIdentity:
        asked.append(1)
        return IDENTITY

    with open_journal(Journal(path), identity) as log:
        assert not asked
        for batch in BATCHES:
            log.append(batch)
        assert len(asked) == 1
    with open_journal(Journal(path), identity) as log:
        assert len(asked) == 2, "windows of another run are told from ours before they are used"
        log.append({9: None})
    assert len(asked) == 2
    assert_same(left(path), {**BATCHES[0], **BATCHES[1], **BATCHES[2], 9: None})


def test_a_scene_that_cannot_be_hashed_is_told_with_the_first_windows_and_leaves_nothing(path: Path) -> None:
    def identity() -> RunIdentity:
        raise FileError("expected to read the scene")

    with pytest.raises(FileError, match="expected to read the scene"), open_journal(Journal(path), identity) as log:
        log.append(BATCHES[0])
    assert not path.exists()


def test_discarding_twice_is_fine(path: Path) -> None:
    fill(path, BATCHES)
    Journal(path).discard()
    Journal(path).discard()
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(FileError, match=r"expected to write finished windows to .*a file is in the way"):
        fill(tmp_path / "out" / "scene.journal", BATCHES)


@pytest.mark.parametrize("written", [0, 10])
def test_on_a_full_disk_the_whole_lines_stay(path: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        """Takes a little, and then nothing more."""
        if len(content) <= written or not written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content[:written]) and len(content) - written

    def keep(log: OpenJournal) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            log.append(BATCHES[1])

    with (
        pytest.raises(FileError, match=r"No space left on device.*goes on from"),
        open_journal(Journal(path), lambda: IDENTITY) as log,
    ):
        log.append(BATCHES[0])
        keep(log)
    assert path.read_bytes().count(b"\n") == 2
    assert path.read_bytes().endswith(b"\n")
    fill(path, BATCHES[1:])
    assert len(left(path)) == 5
