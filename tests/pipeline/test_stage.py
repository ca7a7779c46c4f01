"""How a stage ends, and where local state lies."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.stage import counts_text, local_state, project_root, run_stage
from refinedet.errors import InputError


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """run_stage sets up logging of a program; undo it."""
    loggers = [logging.getLogger(name) for name in (None, "__main__", "pipeline", "refinedet")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def refused() -> None:
    raise InputError("expected a ship, found a lighthouse")


def interrupted() -> None:
    raise KeyboardInterrupt


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "outputs/train")


@pytest.mark.parametrize(
    ("main", "status", "sentence"),
    [
        pytest.param(refused, 1, "expected a ship, found a lighthouse", id="our error: its sentence alone"),
        pytest.param(interrupted, 130, "interrupted; run `dvc repro` again to go on", id="Ctrl-C"),
        pytest.param(
            full,
            1,
            "expected room on the disk for what the stage writes, found it full; free some, then run the same again "
            "([Errno 28] No space left on device: 'outputs/train')",
            id="a full disk that nothing else has told of",
        ),
    ],
)
def test_a_stage_ends_with_one_sentence(
    main: Callable[[], None], status: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_stage(main)
    assert ended.value.code == status
    assert [record.getMessage() for record in caplog.records] == [sentence]


def test_an_output_that_dvc_cannot_keep_is_told_of_before_dvc_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)

    def main() -> None:
        (tmp_path / "outputs" / Path(__file__).stem).mkdir(parents=True)

    run_stage(main)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    shutil.rmtree(tmp_path / "outputs")
    with pytest.raises(SystemExit):
        run_stage(main)
    assert "of free disk for DVC to keep outputs/test_stage" in caplog.text


def test_our_progress_is_told_and_the_chatter_of_others_is_not() -> None:
    run_stage(lambda: None)
    assert logging.getLogger("pipeline.stages.tile").isEnabledFor(logging.INFO)
    assert not logging.getLogger("rasterio").isEnabledFor(logging.INFO)
    assert logging.getLogger("rasterio").isEnabledFor(logging.WARNING)


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_stage(broken)


@pytest.mark.parametrize(
    ("folder", "root"),
    [
        pytest.param("project", "project", id="an ordinary run"),
        pytest.param("project/.dvc/tmp/exps/abc", "project", id="a temporary copy of dvc exp run --temp"),
        pytest.param("project/.dvc/tmp/exps/standalone/abc", "project", id="one level deeper"),
        pytest.param("project/tmp/exps/abc", "project/tmp/exps/abc", id="only a look-alike"),
    ],
)
def test_local_state_is_kept_in_the_real_project(
    folder: str, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    assert project_root() == project_root(tmp_path / folder) == tmp_path / root
    assert local_state("downloads") == tmp_path / root / ".refinedet" / "downloads"


def test_counts_are_words_without_those_of_zero() -> None:
    assert counts_text({"boxes": 1033, "empty_kept": 2, "ignored": 0}) == "1,033 boxes, 2 empty kept"
    assert counts_text({"boxes": 0}) == "nothing"
