"""`refinedet runs`: MLflow's page that compares the runs of a data set."""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from types import FrameType
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.errors import FileError
from refinedet.extras import check_extra
from refinedet.wording import counted

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="Name of a data set or of an MLflow experiment.",
        show_default="the data set of the active recipe in params.yaml",
    ),
]
Port = Annotated[int | None, typer.Option(min=1024, max=65535, help="Port of the server.", show_default="a free one")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the addresses, and do not open a browser.")]


def runs(
    name: Name = None,
    port: Port = None,
    no_browser: NoBrowser = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare the runs of a data set in the MLflow UI: settings that differ, test AP, charts by epoch.

    Serves the project's store on this machine until Ctrl-C. If MLFLOW_TRACKING_URI names a server, it opens the page of
    that server instead.
    """
    with one_sentence_errors(debug=debug):
        check_extra("mlflow", "`refinedet runs`")
        from pipeline.mlflow_ui.page import prepare_page
        from pipeline.mlflow_ui.server import served

        page = prepare_page(name)
        if page.server is not None:
            _show(page.addresses(page.server), json=json, browser=not no_browser)
            return
        try:
            for number in filter(None, (signal.SIGTERM, getattr(signal, "SIGHUP", None))):  # Windows has no SIGHUP
                signal.signal(number, _interrupt)
            say(f"MLflow's server starts for the runs of {page.experiment}")
            with served(page.store, port) as (server, process):
                _show(page.addresses(server), json=json, browser=not no_browser)
                say(f"{counted(page.runs, 'run')} of {page.experiment}; Ctrl-C ends the server")
                raise FileError(f"expected MLflow's server to go on, but it ended with status {process.wait()}")
        except KeyboardInterrupt:
            say("the server has ended")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _show(addresses: dict[str, str], *, json: bool, browser: bool) -> None:
    if json:
        print_json(addresses)
    else:
        for title, address in addresses.items():
            out.print(f"{title.capitalize() + ':':8} {address}")
    if browser and _has_display():
        webbrowser.open(addresses["table"])


def _has_display() -> bool:
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
