"""Self-contained HTML pages: they contain their pictures, load nothing, and escape every text."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

_PAGES = Path(__file__).parents[1]
"""Folder of the templates, which have names such as report/page.html; all extend report/page_base.html."""


def render_template(name: str, filters: Mapping[str, Callable[..., str]], **values: Any) -> str:
    """Render a template as HTML; equal content gives equal text. All templates have the filter `data_uri`."""
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
    """Encode a picture, or a PNG file, as a `data:` address."""
    if isinstance(picture, Path):
        content = picture.read_bytes()
    else:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        content = stream.getvalue()
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
