"""The site as it is built: strict, complete, and without a single request to anybody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import refinedet

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}
RELATIONS = {"stylesheet", "icon", "preload", "preconnect", "prefetch", "modulepreload"}


class Page(HTMLParser):
    """Addresses that a page loads, pages that it links, and pictures without a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.silent: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values["id"]} if "id" in values else set()
        if tag in LOADED and LOADED[tag] in values:
            self.loads.append(values[LOADED[tag]])
        if tag == "link" and RELATIONS & set(values.get("rel", "").split()):
            self.loads.append(values.get("href", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "img" and not values.get("alt"):
            self.silent.append(values.get("src", "")[:80])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    out = tmp_path_factory.mktemp("site") / "site"
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    variables = {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 40
    outside = {
        (path.name, one)
        for path, page in pages.items()
        for one in page.loads
        if urlsplit(one).scheme not in {"", "data"}
    }
    assert outside == set()
    styles = "\n".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )['\"]?https?:[^)'\"]+", styles) == []
    servers = re.compile(r"(?:cdnjs|unpkg|jsdelivr|googleapis|gstatic)\.")
    assert {path.name for path in pages if servers.search(path.read_text("utf-8"))} == set()
    assert [path.name for path in pages if "mathjax" in path.read_text("utf-8").lower()] == []
    assert [path.name for path in pages if 'class="mermaid"' in path.read_text("utf-8")] == []


def test_links_and_anchors_lead_somewhere(pages: dict[Path, Page]) -> None:
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            anchor = unquote(parts.fragment)
            if not target.exists() or (known and anchor and not anchor.startswith("__") and anchor not in known.ids):
                dead.append((path.name, link))
    assert dead == []


def test_every_page_is_within_two_clicks_of_the_home_page(site: Path, pages: dict[Path, Page]) -> None:
    def linked(path: Path) -> set[Path]:
        targets = {(path.parent / unquote(urlsplit(link).path)).resolve() for link in pages[path].links}
        return {target for target in targets if target in pages}

    near = linked(site / "index.html")
    near |= {further for path in near for further in linked(path)}
    assert {path.name for path in pages if path not in near} == {"404.html"}


def test_pictures_have_a_text(pages: dict[Path, Page]) -> None:
    assert {path.name: page.silent for path, page in pages.items() if page.silent} == {}


def test_every_public_name_has_an_entry(pages: dict[Path, Page]) -> None:
    (page,) = (page for path, page in pages.items() if path.match("reference/api.html"))
    entries = {one.rsplit(".", 1)[-1] for one in page.ids}
    assert set(refinedet.__all__) <= entries


def test_search_has_an_index_that_needs_no_server(site: Path) -> None:
    script = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    index = json.loads(script[script.index("{") : script.rindex("}") + 1])
    found = {entry["location"].split("#")[0] for entry in index["docs"] if "sigma0-denoised" in entry["text"]}
    assert {"howto/sentinel1.html", "reference/cli.html"} <= found


def test_the_notebooks_are_pages(pages: dict[Path, Page]) -> None:
    assert len([path for path in pages if path.parent.name == "tutorials"]) == 3
