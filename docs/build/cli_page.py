"""The page of the command line, made from the app: every command, argument and option with its help."""

from __future__ import annotations

import re
from html import escape, unescape

from typer.cli import get_docs_for_click
from typer.main import get_command

from cli.app import app

_LIST = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+")
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)|([^`]+)", re.DOTALL)
"""Code, which Markdown shows as it is, and text, in which < begins a tag."""
_INTRO = """# Command line

`refinedet COMMAND --help` prints the same. `python -m refinedet` is the same program. `restore`, `verify`,
`sync` and `runs` work on a DVC project, so they need a checkout; the other commands do not. A command that
needs an [extra](../start/install.md) says which. [Errors](errors.md) has the exit codes. [Run
detect](../howto/run.md#options-of-detect-by-topic) sorts the options of `detect` by topic.
"""


def text() -> str:
    """Markdown of the page."""
    import typer

    command = get_command(app)
    docs = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="refinedet"), name="refinedet")
    body = _CODE.sub(lambda part: part[1] or escape(unescape(part[2]), quote=False), docs.split("\n", 1)[1])
    body = _LIST.sub(lambda _: _table(command), body)
    # `## refinedet detect` as `## detect`: short names in the table of contents
    body = re.sub(r"^## `refinedet ([\w-]+)`$", r"## \1", body, flags=re.MULTILINE)
    return f"{_INTRO}\n{body}"


def _table(command: object) -> str:
    rows = [
        f"| [`{name}`](#{name}) | {_first_paragraph(one.help or '')} |"
        for name, one in command.commands.items()  # type: ignore[attr-defined]  # a group
    ]
    return "\n".join(["| command | what it does |", "|---|---|", *rows, ""])


def _first_paragraph(text: str) -> str:
    return escape(" ".join(text.partition("\n\n")[0].split()), quote=False).replace("|", "\\|")
