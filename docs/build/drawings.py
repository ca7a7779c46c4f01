"""Drawings for the site. Material would load the program that draws Mermaid from another server, so tables stand in."""

from __future__ import annotations

import re

_DRAWING = re.compile(r"```mermaid\nflowchart TD\n(.*?)```", re.DOTALL)
_ARROW = re.compile(r"^\s*(\w+) ?--> ?(\w+)$", re.MULTILINE)


def as_tables(markdown: str) -> str:
    """Replace each flowchart by a table: what each node points to."""
    return _DRAWING.sub(lambda drawing: _table(_ARROW.findall(drawing[1])), markdown)


def _table(arrows: list[tuple[str, str]]) -> str:
    rows: dict[str, list[str]] = {}
    for one, other in arrows:
        rows.setdefault(one, []).append(f"`{other}`")
    lines = [f"| `{one}` | {', '.join(sorted(others))} |" for one, others in sorted(rows.items())]
    return "\n".join(["| from | to |", "|---|---|", *lines, ""])
