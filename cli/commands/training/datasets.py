"""`refinedet datasets`: the catalogue of data sets, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json
from refinedet.wording import first_of

_STEPS = ("B", "kB", "MB", "GB", "TB")
_CLASSES_SHOWN = 8
_LINE = 120
"""Width of a line of figures at most. A narrower terminal wraps the line, and nothing is cut."""
_UNKNOWN = "unknown"


def datasets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show the details of this data set.", show_default="all of them"),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List the data sets that a recipe of params.yaml can name."""
    with one_sentence_errors(debug=debug):
        from pipeline.datasets.catalogue.listing import describe_dataset, list_datasets
        from pipeline.downloads.checksums import remembered_checksums
        from pipeline.stage import local_state

        downloads = local_state("downloads")
        recorded = remembered_checksums(downloads)
        if name is None:
            found = list_datasets(recorded)
            if json:
                print_json({"datasets": found})
            else:
                _print_all(found)
            return
        one = describe_dataset(name, recorded)
        if json:
            print_json(one)
        else:
            _print_one(one, downloads)


def size_text(count: int | None) -> str:
    """Size as text for people, in decimal units."""
    if count is None:
        return _UNKNOWN
    value, step = float(count), 0
    while value >= 1000 and step < len(_STEPS) - 1:
        value, step = value / 1000, step + 1
    return f"{value:.3g} {_STEPS[step]}"


def _print_all(found: list[dict[str, Any]]) -> None:
    """Print a line of figures for each data set, never cut, and below it what it is, folded to the terminal."""
    from rich.padding import Padding
    from rich.segment import Segment, Segments
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("data set", no_wrap=True, style="bold")
    table.add_column("from", no_wrap=True)
    for title in ("images", "size", "classes"):
        table.add_column(title, no_wrap=True, justify="right")
    table.add_column("checksum", no_wrap=True)
    for one in found:
        own = one["from"] in {"your folder", "made here"}
        images = "" if own else f"{one['images']:,}" if one["images"] else _UNKNOWN
        size = "" if own else size_text(one["size_bytes"])
        classes = str(len(one["classes"]) or "yours")
        table.add_row(one["name"], one["from"], images, size, classes, _trust(one))
    head, *lines = out.render_lines(table, out.options.update_width(max(out.width, _LINE)), pad=False)
    out.print(Segments([*head, Segment.line()]), end="")
    for line, one in zip(lines, found, strict=True):
        out.print(Segments([*line, Segment.line()]), end="")
        out.print(Padding(one["title"], (0, 0, 0, 2), expand=False), soft_wrap=False)
    out.print(
        "\n`refinedet datasets NAME` shows the details: licence, citation, split rule, checksums, and manual steps."
    )


def _trust(one: dict[str, Any]) -> str:
    """Two words on who verified the checksum."""
    archives = one["archives"]
    if not archives:
        return ""
    if all(archive["verified"] for archive in archives):
        return "verified"
    return "MD5 published" if all(archive["sum"].startswith("MD5") for archive in archives) else "not verified"


def _print_one(one: dict[str, Any], downloads: Path) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in _rows(one, downloads):
        table.add_row(title, text)
    out.print(table, soft_wrap=False)


def _rows(one: dict[str, Any], downloads: Path) -> list[tuple[str, str]]:
    classes = one["classes"]
    rows = [
        ("data set", one["name"]),
        ("what", one["title"]),
        ("from", one["from"]),
        ("images", f"{one['images']:,}" if one["images"] else _UNKNOWN),
        ("size", size_text(one["size_bytes"])),
        ("classes", first_of(classes, _CLASSES_SHOWN) or "those of your files"),
        ("splits", one["split_rule"]),
        ("parts of test", ", ".join(one["subsets"])),
        ("licence", one["licence"]),
        ("citation", one["citation"]),
        ("page", one["page"] or ""),
    ]
    for archive in one["archives"]:
        place = archive["url"] or ("fetched by hand" if "by_hand" in one else "only in a mirror")
        size = f", {size_text(archive['size_bytes'])}" if archive["size_bytes"] else ""
        rows.append(("archive", f"{archive['name']}{size}: {place}"))
        rows.append(("", archive["sum"]))
    if "by_hand" in one:
        rows.append(("by hand", f"go to {one['by_hand']['where']}, download {one['by_hand']['what']}"))
        rows.append(("", f"put it into {downloads} or the folder of download.mirror; the stage download checks it"))
    return [(title, text) for title, text in rows if text]
