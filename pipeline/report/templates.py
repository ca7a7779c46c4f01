"""HTML pages that need nothing else: pictures are inside, nothing is fetched, every text is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

_PAGES = Path(__file__).parents[1]
"""Folder of the templates, named as report/page.html; report/page_base.html is what they share."""


def render_template(name: str, filters: Mapping[str, Callable[..., str]], **values: Any) -> str:
    """The template as HTML; equal content gives equal text. `data_uri` is a filter of all of them."""
    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": data_uri, **filters}
    return environment.get_template(name).render(**values)


def data_uri(picture: Path | Image.Image) -> str:
    """A picture, or the PNG file of one, as an address that holds it."""
    if isinstance(picture, Path):
        content = picture.read_bytes()
    else:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        content = stream.getvalue()
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
