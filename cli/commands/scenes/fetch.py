"""`refinedet fetch`: products of a catalogue as files on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import options
from cli.console import EXIT_ERROR, err, one_sentence_errors, out, print_json, say

if TYPE_CHECKING:
    from refinedet.catalogues.fetching.fetch import Fetched


def fetch(
    *,
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="MANIFEST_OR_ITEM",
            help="Manifest written by `refinedet search`, or STAC items (files or https addresses).",
            show_default=False,
        ),
    ],
    out_folder: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the products.", show_default=False)
    ],
    pol: Annotated[
        Literal["vv", "vh", "hh", "hv"] | None,
        typer.Option(help="Fetch only this polarisation.", show_default="all"),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Download Sentinel-1 products: rasters, annotation, calibration, noise and manifest, in folders <id>.SAFE.

    Each file is verified by the checksum or length from its item or server. If the download is interrupted, the same
    command continues. The file products.txt in the folder is a manifest for `detect --manifest`. Credentials for s3
    addresses come from the environment, as for the AWS command line.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.catalogues.fetching.fetch import fetch_products

        def progress(name: str, finished: int, total: int) -> None:
            if err.is_terminal:
                err.print(f"{finished + 1} of {total}: {name}")

        done = fetch_products(items, out_folder.expanduser(), pol, progress=progress)
        _print(done, json=json)
        if done.failed:
            raise typer.Exit(EXIT_ERROR)


def _print(done: Fetched, *, json: bool) -> None:
    for note in done.notes:
        say(note)
    for product, why in done.failed.items():
        say(f"{product}: {why}")
    if json:
        products = [str(done.folder / name) for name in done.products]
        counts = {"files": done.files, "as_before": done.as_before, "verified": dict(done.verified)}
        print_json(counts | {"products": products, "failed": done.failed, "notes": done.notes})
        return
    for name in done.products:
        out.print(str(done.folder / name))
    means = ", ".join(f"{count} by {name}" for name, count in sorted(done.verified.items())) or "none"
    out.print(f"files fetched: {done.files} (verified: {means}), there already: {done.as_before}")
