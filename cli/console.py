"""Consoles, one-sentence errors and exit codes of all commands.

Exit codes: 0 success, 1 an error that the user can act on, 2 wrong usage, 70 a bug in this project, 130 interrupted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from cli.option_names import in_flags
from refinedet.errors import RefineDetError
from refinedet.extras import extra_missing_for
from refinedet.files import full_disk, is_bad_path, is_disk_full

EXIT_ERROR, EXIT_BUG, EXIT_INTERRUPTED = 1, 70, 130

out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
"""Console for results. Text is printed unchanged, because names may hold [brackets] and :colons:."""
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""Console for progress, warnings and errors; text is printed unchanged."""


@contextmanager
def one_sentence_errors(*, debug: bool, progress: bool = False) -> Iterator[None]:
    """Turn errors of the block into one sentence on stderr and an exit code; with `debug`, into a traceback."""
    show_log(debug=debug, progress=progress)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        say(str(interrupt) or "interrupted; results already written are whole, and nothing is half-written")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except RefineDetError as error:
        if debug:
            raise
        say(str(error))
        raise typer.Exit(EXIT_ERROR) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:  # the only place that must turn every bug into a sentence
        if debug:
            raise
        missing = extra_missing_for(error, "this command")
        if missing is not None:
            say(str(missing))
            raise typer.Exit(EXIT_ERROR) from None
        if is_disk_full(error, Path.cwd()):
            say(f"{full_disk('what is written')} ({error})")
            raise typer.Exit(EXIT_ERROR) from None
        if is_bad_path(error):
            say(f"expected paths that the system can use, found one that is too long or a link to itself ({error})")
            raise typer.Exit(EXIT_ERROR) from None
        say(f"a bug in refinedet: {type(error).__name__}: {error}; run again with --debug and report the traceback")
        raise typer.Exit(EXIT_BUG) from None


def say(sentence: str) -> None:
    """Print one line on stderr, under the name of the program; settings of the library become flags."""
    err.print(f"refinedet: {in_flags(' '.join(sentence.split()))}")


def print_json(value: Any) -> None:
    """Print JSON on stdout, without any other output there."""
    typer.echo(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False))


def show_log(*, debug: bool, progress: bool = False) -> None:
    """Show warnings of this project on stderr; with `progress` also its progress, with `debug` everything."""
    handler = _Lines()
    timed = "%(asctime)s %(levelname)s %(message)s"
    handler.setFormatter(_InFlags(timed if progress or debug else "refinedet: %(message)s", datefmt="%H:%M:%S"))
    for name in ("refinedet", "pipeline"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.DEBUG if debug else logging.INFO if progress else logging.WARNING)


class _Lines(logging.Handler):
    """Log handler that prints each record above the progress bars, as one line: a log file can then be searched."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(self.format(record))


class _InFlags(logging.Formatter):
    """Log filter that replaces settings in messages by the flags of the running command."""

    def format(self, record: logging.LogRecord) -> str:
        return in_flags(super().format(record))
