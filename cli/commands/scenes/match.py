"""`refinedet match`: detected ships with AIS and without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from cli.option_names import in_flags
from refinedet.ais.results.settings import MatchOptions, ViewSettings

if TYPE_CHECKING:
    from refinedet.ais.results.match_files import Matched


def match(  # noqa: PLR0913 - groups of options
    *,
    ships: Annotated[
        list[Path],
        typer.Argument(
            metavar="SHIPS",
            help="Results of detect (GeoJSON, GeoPackage or CSV), one file per scene, or a quoted pattern.",
            show_default=False,
        ),
    ],
    ais: Annotated[
        list[Path],
        typer.Option(metavar="FILE", help="AIS file or quoted pattern; repeat for several.", show_default=False),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Name of a column in the AIS files, such as mmsi=SHIP; repeat for several.",
            show_default=False,
        ),
    ] = None,
    view: ViewSettings,
    limits: MatchOptions,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Match detected ships with AIS: identified, dark and unseen ships.

    Writes <stem>.matched.geojson and .csv, a map <stem>.matched.html, the AIS ships <stem>.ais.geojson and .csv, and
    the counts <stem>.match.json.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.ais.results.match_files import match_files
        from refinedet.batch.manifest import files_named

        named = _pairs(columns or [])
        found = match_files(files_named(ships), files_named(ais), view, limits, named, in_flags)
        if json:
            print_json({"matches": [one.summary | {"files": [str(f) for f in one.files.values()]} for one in found]})
            return
        _print(found)


def _pairs(columns: list[str]) -> dict[str, str]:
    """Columns by field, from texts FIELD=COLUMN."""
    for one in columns:
        if not all(one.partition("=")):
            raise typer.BadParameter(f"expected FIELD=COLUMN, such as mmsi=SHIP, found {one!r}")
    return dict(one.split("=", 1) for one in columns)


def _print(found: list[Matched]) -> None:
    """A table on stdout, and the notes on stderr."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("ships", overflow="fold")
    for name in ("matched", "dark", "unknown", "AIS seen", "AIS unseen", "recall"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(*_row(one.summary, one))
    out.print(table)
    for one in found:
        out.print(_files(one))
    for note in dict.fromkeys(note for one in found for note in one.notes):
        say(note)


def _row(told: dict[str, Any], one: Matched) -> tuple[str, ...]:
    recall = "-" if told["recall"] is None else f"{told['recall']:.2f}"
    counts = (*told["detections"].values(), *told["ais_ships"].values())
    return (one.ships.name, *map(str, counts), recall)


def _files(one: Matched) -> str:
    """Files of a match, on a line of their own: in the table, their names would be broken."""
    folder = one.files["record"].parent
    suffixes = " ".join(path.name.removeprefix(one.ships.stem) for path in one.files.values())
    return f"results of {one.ships.name}: {folder}/  {suffixes}"
