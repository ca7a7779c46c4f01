"""The documents tell the truth: their commands, options, links and figures exist."""

from __future__ import annotations

import re
import shlex
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from cli.app import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
sys.path.insert(0, str(ROOT / "docs" / "build"))
try:
    import hooks
finally:
    sys.path.pop(0)
MADE = {ROOT / "docs" / page: write for page, write in hooks.MADE.items()}
"""Pages that have no file: they are made with the site."""
OUTSIDE = {ROOT / "docs" / page: ROOT / name for page, name in hooks.OUTSIDE.items()}
"""Pages of the site whose file lies elsewhere."""
LINK = re.compile(r"\]\(([^)#\s]+)")
SOURCE = re.compile(r"`([\w./-]+\.py)`")
SECTION_LINK = re.compile(r"\]\(([^)#:\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def commands() -> list[str]:
    """Every command line of the console blocks of all pages."""
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip() and line[0] != "#"]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def options_of(name: str) -> set[str]:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]  # a group
    return {option for param in command.params for option in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("line", commands())
def test_a_documented_command_exists(line: str) -> None:
    words = shlex.split(line, comments=True)
    while words and "=" in words[0] and not words[0].startswith("-"):
        words.pop(0)  # an environment variable
    program = Path(words[0]).name
    if program == "make":
        assert {w for w in words[1:] if "=" not in w} <= make_targets()
    elif program == "refinedet":
        assert {w.split("=")[0] for w in words[2:] if w.startswith("--")} <= options_of(words[1])
    elif program.startswith("python") and words[1].endswith(".py"):
        assert (ROOT / words[1]).is_file()
    elif program == "dvc" and "-S" in words:
        keys = [w.split("=")[0] for flag, w in pairwise(words) if flag == "-S"]
        assert all(known_param(key) for key in keys), keys
    else:
        assert program in {"dvc", "mlflow", "git", "pip", "python3", "cp", "cd"}, f"unknown program in: {line}"


def known_param(dotted: str) -> bool:
    value = YAML(typ="safe").load(ROOT / "params.yaml")
    for key in dotted.split("."):
        if key not in value:
            return False
        value = value[key]
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_and_pictures_exist(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in t]
    assert [t for t in targets if not exists((page.parent / t).resolve())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_linked_sections_exist(page: Path) -> None:
    links = SECTION_LINK.findall(page.read_text(encoding="utf-8"))
    assert [
        (name, section) for name, section in links if section not in sections(page.parent / name if name else page)
    ] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda p: p.name)
def test_source_files_that_a_page_names_exist(page: Path) -> None:
    named = SOURCE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in source_files())] == []


@cache
def source_files() -> list[str]:
    """All source files of the project, by their paths below it."""
    rooms = ("benchmarks", "cli", "docs", "pipeline", "qgis", "refinedet", "tests")
    above = [path.name for path in ROOT.glob("*.py")]
    return above + [path.relative_to(ROOT).as_posix() for room in rooms for path in (ROOT / room).rglob("*.py")]


def exists(path: Path) -> bool:
    return path.exists() or path in MADE or path in OUTSIDE


@cache
def text_of(page: Path) -> str:
    return MADE[page]() if page in MADE else OUTSIDE.get(page, page).read_text(encoding="utf-8")


def sections(page: Path) -> set[str]:
    """Anchors of the headings of a page, as GitHub makes them."""
    headings = HEADING.findall(text_of(page.resolve()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_fits_on_three_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 125


def test_the_readme_gives_the_set_up_in_two_commands_and_names_the_test_command_of_ci() -> None:
    first = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert first is not None
    assert first.group(1).split("\n")[:2] == ["make demo", "make test"]
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_setting_in_params_is_explained_where_it_first_stands() -> None:
    lines = (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines()
    commented, known = False, set(SELF_EXPLAINING)
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("#"):
            commented = True
            continue
        if not text or text.endswith(":"):
            commented = False
        else:  # a comment covers the settings that follow it, up to the next section
            assert commented or text.split(":")[0] in known, f"params.yaml:{number}: {text}"
        known.add(text.split(":")[0])


SELF_EXPLAINING = {"seed", "epochs", "batch_size"}
