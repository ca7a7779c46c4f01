"""`refinedet serve`: a detector that stays loaded, for other programs and for the browser."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.config.options.detect import DetectorSettings, SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.extras import check_extra

if TYPE_CHECKING:
    from refinedet.serving.server import Running


def serve(  # noqa: PLR0913 - groups of options
    *,
    server: ServeSettings,
    detector: DetectorSettings,
    scene: SceneSettings,
    land: LandSettings,
    windows: WindowSettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run a detection server for other programs (HTTP API) and for the browser.

    The server runs until Ctrl-C. The page is at /, the API description at /openapi.json. The detection options are the
    defaults for requests. Uploads and results are in a temporary folder, which is removed at the end.
    """
    with one_sentence_errors(debug=debug):
        for package in ("fastapi", "uvicorn", "python_multipart"):
            check_extra(package, "`refinedet serve`")
        from refinedet.serving.server import serve as serve_until_interrupted

        def tell(running: Running) -> None:
            if json:
                print_json({"address": running.address})
            else:
                out.print(f"Page: {running.address}/")
                say("ready; Ctrl-C ends the server")

        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            with suppress(KeyboardInterrupt):
                serve_until_interrupted(DetectSettings(scene, land, windows, detector), server, tell)
            say("the server has ended")
        finally:
            signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
