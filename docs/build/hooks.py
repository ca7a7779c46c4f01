"""Hooks of mkdocs: pages that are made while the site is built, and links that leave the folder of the pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import api_page
import cli_page
import columns_page
import drawings
import params_page
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent.parent

MADE: dict[str, Callable[[], str]] = {
    "reference/cli.md": cli_page.text,
    "reference/api.md": api_page.text,
    "reference/params.md": params_page.text,
    "reference/columns.md": columns_page.text,
}
"""Pages that have no file, and what writes their text."""
OUTSIDE = {
    "changelog.md": "CHANGELOG.md",
    "contributing/contribute.md": "CONTRIBUTING.md",
    "contributing/security.md": "SECURITY.md",
    "reference/model-card.md": "refinedet/weights/MODEL_CARD.md",
}
"""Pages whose file lies outside of docs/."""

_SCRIPTS = re.compile(
    r'<script type="module">(?:(?!</script>).)*?mermaid.*?</script>'
    r"|<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->",
    re.DOTALL,
)
"""Scripts of a notebook's page for drawings and formulas, which would come from other servers."""
_NOTEBOOK_LINK = re.compile(r'href="([^":#]+)\.(?:md|ipynb)(#[^"]*)?"')
_FENCE = re.compile(r"^(```\w+) notest$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made."""
    for page, write in MADE.items():
        files.append(File.generated(config, page, content=write()))
    for page, name in OUTSIDE.items():
        files.append(File.generated(config, page, content=_from_outside(page, name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links that leave docs/ into names, or into links to the repository if `repo_url` names one; mend fences."""
    del files
    return _fences(drawings.as_tables(_links_inside(markdown, page.file.src_uri, config.repo_url)))


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Mend the page of a notebook: links lead to pages, and nothing is loaded from other servers."""
    del config
    if not page.file.src_uri.endswith(".ipynb"):
        return output
    own = f'href="{posixpath.basename(page.file.src_uri)}"'  # to download it
    linked = _NOTEBOOK_LINK.sub(lambda link: link[0] if link[0] == own else _as_page(link), output)
    return _SCRIPTS.sub("", linked)


def _fences(markdown: str) -> str:
    """Fences with a language alone: a second word, which the tests read, would make them text on the site."""
    return _FENCE.sub(r"\1", markdown)


def _as_page(link: re.Match[str]) -> str:
    return f'href="{link[1]}.html{link[2] or ""}"'


def _from_outside(page: str, name: str) -> str:
    """Text of a file outside of docs/, its links as seen from `page`."""
    text = (ROOT / name).read_text(encoding="utf-8")

    def seen_from_page(link: re.Match[str]) -> str:
        label, path, anchor = link[1], link[2], link[3] or ""
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        return f"[{label}]({posixpath.relpath(target, posixpath.dirname(f'docs/{page}'))}{anchor})"

    return _LINK.sub(seen_from_page, text)


def _links_inside(markdown: str, page: str, repository: str | None) -> str:
    """Links to files outside of docs/ as links to their pages, to the repository, or as plain names."""
    pages = {file: made for made, file in OUTSIDE.items()}

    def kept_or_named(link: re.Match[str]) -> str:
        label, path, anchor = link[1], link[2], link[3] or ""
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
        if target.startswith("docs/"):
            return link[0]
        if target in pages:
            return f"[{label}]({posixpath.relpath(pages[target], posixpath.dirname(page) or '.')}{anchor})"
        if repository:
            return f"[{label}]({repository.rstrip('/')}/blob/main/{target}{anchor})"
        return label if label.strip("`") != target else f"`{target}`"

    return _LINK.sub(kept_or_named, markdown)
