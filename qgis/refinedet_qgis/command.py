"""Command lines of `refinedet`, and the reading of what it prints. Knows nothing of QGIS."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "refinedet"
"""Name of the command."""
INSTALL = "pip install 'refinedet[gpkg]'"
SETTING = "Settings > Options > Processing > Providers > refinedet"

_OF_QGIS = ("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA")
"""Variables that QGIS sets for its own Python and GDAL; with them another Python finds the wrong files."""
_PROGRESS = re.compile(r"(\d+)/(\d+|\?) (?:windows|scenes)\b")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = f"{NAME}: "


class CommandError(Exception):
    """Error that a user can act on, in one sentence."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a detection or a match."""

    layers: tuple[str, ...]
    """Paths of the GeoPackages, the ships first."""
    ships: int
    notes: tuple[str, ...]


def find_command(setting: str) -> str:
    """Path of the command: as the setting names it, else as PATH has it.

    Raises:
        CommandError: there is none.
    """
    found = shutil.which(setting or NAME)
    if found is None and setting:
        raise CommandError(f"expected the command {NAME} at {setting}, found none; correct it under {SETTING}")
    if found is None:
        raise CommandError(
            f"expected the command {NAME} in PATH, found none; install it ({INSTALL}), or name its path under {SETTING}"
        )
    return found


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Environment of the command: that of QGIS without its own Python and GDAL, with progress in plain text."""
    kept = {name: value for name, value in given.items() if name not in _OF_QGIS}
    return {**kept, "FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "160", "PYTHONIOENCODING": "utf-8"}


def detect_command(  # noqa: PLR0913 - keyword arguments of one call
    command: str,
    scene: str,
    out: str,
    *,
    weights: str = "",
    score_min: float = 0.5,
    pol: str = "",
    overwrite: bool = False,
    extra: str = "",
) -> list[str]:
    """Command line that finds the ships of a scene and writes a GeoPackage to the folder `out`.

    Args:
        command: path of the command.
        scene: path of a raster or a Sentinel-1 product.
        out: folder for the results.
        weights: path of a checkpoint; empty: those that come with the package.
        score_min: lowest score of a ship.
        pol: polarisation, such as vv or vv+vh; empty: as the command chooses.
        overwrite: replace existing results.
        extra: further options, as on a command line.

    Raises:
        CommandError: `extra` has an open quote.
    """
    line = [command, "detect", scene, "--out", out, "--format", "gpkg", "--no-quicklook", "--no-map", "--json"]
    line += ["--score-min", f"{score_min:g}"]
    line += ["--weights", weights] if weights else []
    line += ["--pol", pol] if pol else []
    return [*line, *(["--overwrite"] if overwrite else []), *_split(extra)]


def match_command(
    command: str, ships: str, ais: Sequence[str], out: str, *, overwrite: bool = False, extra: str = ""
) -> list[str]:
    """Command line that matches result files with AIS files and writes GeoPackages to the folder `out`.

    Raises:
        CommandError: `extra` has an open quote.
    """
    line = [command, "match", ships, "--out", out, "--format", "gpkg", "--no-map", "--json"]
    line += [part for path in ais for part in ("--ais", path)]
    return [*line, *(["--overwrite"] if overwrite else []), *_split(extra)]


def _split(extra: str) -> list[str]:
    try:
        return shlex.split(extra)
    except ValueError as error:
        raise CommandError(f"expected further options as on a command line, found {extra!r} ({error})") from error


def plain(line: str) -> str:
    """Text of a line, without the codes that colour it and move the cursor."""
    return _CONTROL.sub("", line).strip()


def percent_of(line: str) -> float | None:
    """Progress in percent that a plain line tells, such as `scene.tif 5/20 windows`; None for another line."""
    found = _PROGRESS.search(line)
    if found is None:
        return None
    done, total = found.groups()
    return 100 * int(done) / int(total) if total.isdigit() and int(total) else 0.0


def sentence_of(line: str) -> str:
    """Sentence of a plain line, without the name of the command before it."""
    return line.removeprefix(_PREFIX)


def detected(output: str) -> Outcome:
    """Outcome of a detection, from what the command printed as JSON.

    Raises:
        CommandError: the scene failed, or something else was printed.
    """
    one = _only(_parsed(output), "scenes")
    if one.get("error"):
        raise CommandError(str(one["error"]))
    return _outcome(one, int(one.get("ships", 0)))


def matched(output: str) -> Outcome:
    """Outcome of a match, from what the command printed as JSON.

    Raises:
        CommandError: something else was printed.
    """
    one = _only(_parsed(output), "matches")
    return _outcome(one, sum(one.get("detections", {}).values()))


def _outcome(one: dict[str, Any], ships: int) -> Outcome:
    layers = sorted((str(path) for path in one.get("files", ()) if str(path).endswith(".gpkg")), key=_ships_first)
    if not layers:
        raise CommandError("expected a GeoPackage among the results, found none; was another format asked for?")
    return Outcome(tuple(layers), ships, tuple(map(str, one.get("notes", ()))))


def _ships_first(path: str) -> tuple[bool, str]:
    return path.endswith(".ais.gpkg"), path


def _parsed(output: str) -> dict[str, Any]:
    try:
        content = json.loads(output)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CommandError(f"expected a summary of the results, found {output.strip()[:80]!r}; see the log above")
    return content


def _only(content: dict[str, Any], key: str) -> dict[str, Any]:
    found = content.get(key)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise CommandError(f"expected one result under {key!r} in the summary, found another; is refinedet up to date?")
    return found[0]
