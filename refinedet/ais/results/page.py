"""HTML page of a match: precision and recall of the detector against AIS, and the ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refinedet.files import write_text

_ROWS = 500
"""Most rows of a table of the page; the files have all rows."""


def write_page(
    path: Path,
    record: Mapping[str, Any],
    detections: Sequence[Mapping[str, Any]],
    ships: Sequence[Mapping[str, Any]],
    web_map: Path | None = None,
) -> None:
    """Write the page; equal content gives equal bytes.

    Args:
        path: the file.
        record: summary of the match.
        detections: rows of the detections, with their columns of AIS.
        ships: rows of the ships of AIS.
        web_map: map to which the page links; None: there is none.

    Raises:
        OSError: it cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups = {name: [row for row in detections if row["ais"] == name] for name in ("matched", "dark", "unknown")}
    text = environment.get_template("page.html").render(
        record=record,
        groups=groups,
        unseen=[row for row in ships if row["status"] == "unseen"],
        web_map=None if web_map is None else web_map.name,
        most=_ROWS,
    )
    write_text(path, text)
