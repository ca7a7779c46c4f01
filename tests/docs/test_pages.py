"""Pages of the site: those made from the code leave nothing out, and all are reached from the home page."""

from __future__ import annotations

import json
import re
from dataclasses import is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import api_page
import cli_page
import drawings
import hooks
import params_page
import pytest
from ruamel.yaml import YAML
from typer.main import get_command

import refinedet
from cli.app import app
from pipeline.params import Document

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FILES = sorted(path for suffix in ("md", "ipynb") for path in DOCS.rglob(f"*.{suffix}"))
PICTURE = re.compile(r"!\[([^\]]*)\]\(")
CLICKS = 2


def text_of(path: Path) -> str:
    """Markdown of a page, or of the cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")


def navigation() -> list[str]:
    """Pages of mkdocs.yml, in its order."""
    part = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    found: list[str] = []

    def walk(entry: Any) -> None:
        if isinstance(entry, str):
            found.append(entry)
        for inner in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
            walk(inner)

    walk(YAML(typ="safe").load(part))
    return found


def test_the_navigation_has_every_page_once() -> None:
    pages = [path.relative_to(DOCS).as_posix() for path in FILES]
    assert sorted(navigation()) == sorted([*pages, *hooks.MADE, *hooks.OUTSIDE])


def test_every_command_and_option_is_on_the_page_of_the_command_line() -> None:
    parts = re.split(r"^## ", cli_page.text(), flags=re.MULTILINE)
    by_command = {part.split("\n", 1)[0].strip(): part for part in parts[1:]}
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group
    assert set(by_command) == set(commands)
    for name, command in commands.items():
        options = {option for one in command.params for option in (*one.opts, *one.secondary_opts) if option[0] == "-"}
        assert not {option for option in options if option not in by_command[name]}, name


def test_every_public_name_is_on_the_page_of_python() -> None:
    named = re.findall(r"^::: ([\w.]+)$", api_page.text(), re.MULTILINE)
    assert sorted(name.rsplit(".", 1)[1] for name in named) == refinedet.__all__
    assert len(refinedet.__all__) > 30


def settings(cls: type) -> set[tuple[str, str]]:
    """Names of all settings with the class that holds them."""
    found = set()
    for name, hint in get_type_hints(cls).items():
        found.add((cls.__name__, name))
        for kind in (hint, *get_args(hint)):
            found |= settings(kind) if isinstance(kind, type) and is_dataclass(kind) else set()
    return found


def test_every_setting_is_on_the_page_of_params() -> None:
    text = params_page.text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \| (.*?) \| ", text, re.MULTILINE)
    sections = re.findall(r"^#+ ([\w.]+)$", text, re.MULTILINE)
    known = {name for name, *_ in rows} | {section.rsplit(".", 1)[-1] for section in sections}
    wanted = {name for _, name in settings(Document) if name != "recipes"}
    assert wanted <= known, wanted - known
    assert ("lr", "number, above 0", "`0.001`") in rows
    assert "settings" not in {kind for _, kind, _ in rows}, "a type that has no words"


def test_a_share_has_its_range() -> None:
    row = next(line for line in params_page.text().splitlines() if line.startswith("| `keep_empty`"))
    assert "at least 0, at most 1" in row
    assert "Share of the training chips without a ship that is kept" in row


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pictures_have_an_alternative_text(path: Path) -> None:
    assert [text for text in PICTURE.findall(text_of(path)) if len(text.split()) < 3] == []
    assert "<img" not in text_of(path)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".ipynb"], ids=lambda path: path.stem)
def test_the_links_of_a_notebook_exist(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", text_of(path))
    made = {DOCS / page for page in (*hooks.MADE, *hooks.OUTSIDE)}
    targets = [(path.parent / link).resolve() for link in links]
    assert targets
    assert [target.name for target in targets if not target.is_file() and target not in made] == []


class _Notebook:
    """Notebook's page, as far as a hook sees it."""

    class file:  # noqa: N801 - mkdocs calls it so
        """Its file."""

        src_uri = "tutorials/first.ipynb"


def test_the_page_of_a_notebook_links_pages_and_loads_nothing() -> None:
    text = (
        '<a href="../howto/land.md#files">a</a><a href="second.ipynb">b</a><a href="first.ipynb">c</a>'
        '<a href="https://x.example/a.md">d</a><script>ours()</script><script type="module">a; mermaid; b</script>'
        '<!-- Load mathjax --><script src=""> </script><script>MathJax</script><!-- End of mathjax configuration -->'
    )
    assert hooks.on_post_page(text, _Notebook, None) == (
        '<a href="../howto/land.html#files">a</a><a href="second.html">b</a><a href="first.ipynb">c</a>'
        '<a href="https://x.example/a.md">d</a><script>ours()</script>'
    )


def test_a_link_out_of_the_pages_becomes_a_name_or_a_page() -> None:
    inside = hooks._links_inside
    text = "[params.yaml](../../params.yaml), [what is trusted](../../SECURITY.md#runs), [log](../runs/x.txt)"
    assert inside(text, "training/workflow.md", None) == (
        "`params.yaml`, [what is trusted](../contributing/security.md#runs), [log](../runs/x.txt)"
    )
    assert "[params.yaml](https://example.org/us/refinedet/blob/main/params.yaml)" in inside(
        text, "training/workflow.md", "https://example.org/us/refinedet/"
    )


def test_an_example_that_no_test_runs_is_code_on_the_site() -> None:
    page, config = SimpleNamespace(file=SimpleNamespace(src_uri="howto/archive.md")), SimpleNamespace(repo_url=None)
    text = "```python notest\nimport x\n```\n"
    assert hooks.on_page_markdown(text, page, config, None) == "```python\nimport x\n```\n"


def test_links_of_the_changelog_are_those_of_its_page() -> None:
    text = hooks.OUTSIDE["changelog.md"]
    assert "](howto/dark-ships.md)" in hooks._from_outside("changelog.md", text)


def test_a_drawing_becomes_a_table() -> None:
    text = "```mermaid\nflowchart TD\n%% rooms\n    a --> b\n    a --> c\n\td-->a\n```"
    assert drawings.as_tables(text).splitlines()[2:] == ["| `a` | `b`, `c` |", "| `d` | `a` |"]


def test_every_drawing_of_the_pages_is_shown() -> None:
    shown = {path: drawings.as_tables(path.read_text(encoding="utf-8")) for path in FILES if path.suffix == ".md"}
    assert [path.name for path, text in shown.items() if "```mermaid" in text] == []


def test_the_changelog_has_the_sections_of_keep_a_changelog_breaking_first() -> None:
    order = ["Breaking", "Added", "Changed", "Fixed", "Removed", "Security"]
    versions = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len(versions) >= 3
    for version in versions:
        found = [one for one in re.findall(r"^### (.+)$", version, re.MULTILINE) if not one.startswith("From ")]
        assert found == [one for one in order if one in found], version.split("\n", 1)[0]
