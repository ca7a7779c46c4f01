"""Evaluations named by the user: a folder, or a DVC experiment or git revision of this project."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.report.numbers import Numbers
from pipeline.stage import OUTPUTS
from pipeline.stages.report import read_results
from refinedet.data.coco import Record, read_record
from refinedet.detections import Detections
from refinedet.errors import FileError
from refinedet.files import atomic_path, read_json, sha256_file

Locate = Callable[[str], Path | None]
"""Function from a name in the outputs folder to the path of that file, or to None without such a file."""

_STAGES = ("evaluate", "report", "tile")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """One evaluation, read on demand. Every property may raise FileError or InputError."""

    label: str
    where: str
    """Folder or revision, for errors."""
    locate: Locate
    of_revision: bool = False
    """True for a revision, of which DVC keeps the outputs of one run together."""

    @cached_property
    def numbers(self) -> Numbers:
        """Results from the report, which includes the settings, or else from the evaluation alone."""
        reported = self._json("report/numbers.json")
        if reported is not None:
            numbers = Numbers.checked(reported, self.where)
            self._warn_of_another_checkpoint(numbers)
            return numbers
        return Numbers.of_evaluation(lambda name: self._json(f"evaluate/{name}"), self.where)

    @cached_property
    def truth(self) -> Record | None:
        """Truth of the test split; None if it is not available."""
        path = self.locate("tile/test.json")
        return None if path is None else read_record(path)

    @cached_property
    def found(self) -> Mapping[int, Detections] | None:
        """Detections of the test split; None if they are not available."""
        path = self.locate("evaluate/detections.coco.json")
        return None if path is None else read_results(path)

    def _warn_of_another_checkpoint(self, numbers: Numbers) -> None:
        """Warn if the folder was trained again and not evaluated again: its numbers are then of the old checkpoint."""
        measured = numbers.facts.get("SHA-256", {}).get("checkpoint")
        checkpoint = None if self.of_revision else self.locate("train/model.safetensors")
        if checkpoint is not None and measured is not None and sha256_file(checkpoint) != measured:
            _LOG.warning(
                "the report in %s is of another checkpoint than %s; run `dvc repro` to measure that one",
                self.where,
                checkpoint,
            )

    def _json(self, name: str) -> Any:
        path = self.locate(name)
        return None if path is None else read_json(path)


def open_experiment(word: str, room: Path) -> Experiment:
    """Open the evaluation that `word` names, with or without a label: LABEL=WORD.

    A word is an outputs folder, a folder that contains one, or a single folder outputs/evaluate or outputs/report. Any
    other word is the name of a DVC experiment or a git revision.

    Args:
        word: folder or revision.
        room: folder for files of a revision; they exist as long as this folder.

    Raises:
        FileError: it is neither a folder nor a revision that can be read.
    """
    label, _, place = word.rpartition("=")
    label, folder = label or place, Path(place)
    if folder.is_dir():
        return Experiment(label, place, lambda name: _in_folder(folder, PurePosixPath(name)))
    return Experiment(label, f"revision {place}", _in_revision(place, room), of_revision=True)


def _in_folder(folder: Path, name: PurePosixPath) -> Path | None:
    places = [folder / name, folder / OUTPUTS / name, folder / name.name]
    if folder.resolve().name in _STAGES:  # one stage of an outputs folder: the other stages lie beside it
        places.append(folder.resolve().parent / name)
    return next((place for place in places if place.is_file()), None)


def _in_revision(revision: str, room: Path) -> Locate:
    """Files of a commit or experiment of the DVC project in the current folder, from its cache or its remote."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    try:
        with Repo() as project:  # DVCFileSystem treats an unknown name as an empty revision
            commit = resolve_rev(project.scm, revision)
        files = DVCFileSystem(".", rev=commit)
    except Exception as error:  # errors of DVC and its git libraries have no common class
        raise FileError(
            f"expected {revision!r} to be a folder, a DVC experiment or a git revision of the project in this folder, "
            f"found none of that name ({error}); `dvc exp show` lists the experiments"
        ) from error

    def locate(name: str) -> Path | None:
        path, copy = (OUTPUTS / name).as_posix(), room / name
        try:
            if not files.exists(path):
                return None
            with atomic_path(copy) as temporary:
                temporary.write_bytes(files.read_bytes(path))
        except (OSError, DvcException) as error:
            raise FileError(
                f"expected {path} of {revision} in DVC's cache or its remote, but it cannot be read ({error}); "
                f"try `dvc pull`, or `dvc exp pull` for an experiment of others"
            ) from error
        return copy

    return locate
