"""Start of a stage, and the folders of the project and of outputs, for all stages.

A stage is a module with `main()`, started by `python -m pipeline.stages.<stage>`. It reads params.yaml and the folders
of the stages before it, and writes the one folder `outputs/<stage>`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.downloads.disk import need_room_to_keep
from refinedet.errors import RefineDetError
from refinedet.extras import extra_missing_for
from refinedet.files import full_disk, is_disk_full

OUTPUTS = Path("outputs")
"""Folder of all stage outputs, relative to the folder DVC runs the stage in."""

SPLITS = ("train", "val", "test")
"""Names of the splits, of their records and of their folders."""

REAL = "real"
"""Folder of outputs/download with scenes made of real samples, by split."""

TRAINED_ON = "trained_on.json"
"""File beside the chips with their windows and pixel sizes; the checkpoint takes its content over."""

_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"

_OUR_LOGGERS = ("__main__", "pipeline", "refinedet")
"""Loggers that report progress; others only warn. A stage started by `python -m` logs as __main__."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells."""


def run_stage(main: Callable[[], None]) -> None:
    """Run a stage as a program: log to stderr, end with one sentence and status 1 on an error of this project."""
    logging.basicConfig(level=logging.WARNING, format=_LOG_FORMAT, datefmt="%H:%M:%S", stream=sys.stderr)
    for name in _OUR_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    try:
        main()
        out = OUTPUTS / Path(sys.modules[main.__module__].__file__ or "").stem
        if out.is_dir():
            need_room_to_keep(out)
    except RefineDetError as error:
        status, sentence = 1, str(error)
    except Exception as error:
        missing = extra_missing_for(error, "this stage")
        if missing is None and not is_disk_full(error, Path.cwd()):
            raise
        status, sentence = 1, str(missing or f"{full_disk('what the stage writes')} ({error})")
    except KeyboardInterrupt:
        status, sentence = INTERRUPTED, "interrupted; run `dvc repro` again to go on"
    else:
        return
    logging.getLogger(main.__module__).error("%s", sentence)
    sys.exit(status)


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts by name as text for the log, without those of 0, such as `33 boxes, 19 images`; `nothing` if all are 0."""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "nothing"


def project_root(start: Path | None = None) -> Path:
    """Real project folder, even if DVC runs the stage in a temporary copy (`dvc exp run --temp` or `--queue`).

    It holds local state that must outlive a run: downloads, resume state, the MLflow database.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if folder.name == "exps" and folder.parent.name == "tmp" and folder.parent.parent.name == ".dvc":
            return folder.parent.parent.parent
    return start


def local_state(name: str) -> Path:
    """Folder `.refinedet/<name>` of the real project; it is not versioned, is no output, and stays between runs."""
    return project_root() / ".refinedet" / name
