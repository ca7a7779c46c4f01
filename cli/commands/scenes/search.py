"""`refinedet search`: scenes of a STAC catalogue, by place and time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.catalogues.settings import SearchSettings

if TYPE_CHECKING:
    from refinedet.catalogues.search import Found

_HEAD = ("time", "orbit", "direction", "pol", "area", "id")


def search(  # noqa: PLR0913 - the command line itself
    *,
    catalogue: Annotated[
        str,
        typer.Argument(
            metavar="CATALOGUE",
            help="copernicus, earth-search, planetary, or the https address of a STAC API.",
            show_default=False,
        ),
    ],
    bbox: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(
            metavar="W S E N",
            help="Area in degrees: west, south, east, north. If west is larger than east, it crosses the antimeridian.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Start: a day or a time, in UTC.", show_default=False)
    ],
    until: Annotated[
        str,
        typer.Option("--to", metavar="DATE", help="End: a day (inclusive) or a time, in UTC.", show_default=False),
    ],
    settings: SearchSettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find Sentinel-1 scenes in a STAC catalogue, by place and time.

    If an acquisition was processed several times, only the newest product is listed. The manifest is input for
    `detect --manifest` and `fetch`.
    """
    if (bbox is None) == (settings.area is None):
        raise typer.BadParameter("expected either --bbox or --area")
    with one_sentence_errors(debug=debug):
        from refinedet.catalogues.area import Area
        from refinedet.catalogues.asked import Question, period
        from refinedet.catalogues.known import catalogue_address
        from refinedet.catalogues.search import search_catalogue
        from refinedet.catalogues.writing import refuse_other_results, write_found

        address, (start, end) = catalogue_address(catalogue), period(since, until)
        if settings.out is not None:
            refuse_other_results(settings.out, overwrite=settings.overwrite)
        place = Area.of_file(settings.area) if settings.area is not None else Area.of_box(bbox or ())
        question = Question.of(place, start, end, settings)
        found = search_catalogue(address, question)
        files = [] if settings.out is None else write_found(settings.out, found)
        _print(found, files, json=json)


def _print(found: Found, files: list[Path], *, json: bool) -> None:
    from refinedet.catalogues.footprint_map import scene_row

    rows = [scene_row(scene, share) for scene, share in zip(found.scenes, found.shares, strict=True)]
    named = [str(file) for file in files]
    if json:
        print_json({"catalogue": found.catalogue, "scenes": rows, "files": named, "notes": list(found.notes)})
        return
    for row in [_HEAD, *map(_cells, rows)] if rows else []:
        out.print(f"{row[0]:<20} {row[1]:>5} {row[2]:<10} {row[3]:<6} {row[4]:>5}  {row[5]}")
    for file in named:
        out.print(file)
    for note in found.notes:
        say(note)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Cells of a scene in the table: the time to the second, and in `area` the share that the scene covers."""
    pol = " ".join(row["polarisations"]) or "-"
    return row["time"][:19], str(row["orbit"] or "-"), row["direction"] or "-", pol, f"{row['share']:.0%}", row["id"]
