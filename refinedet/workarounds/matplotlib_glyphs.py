"""Text in pictures in a script that the font lacks.

Problem: matplotlib warns once for each sign of a name that its font lacks, and draws a box in its place.
Upstream: no report was found; it shows as `Glyph 1234 missing from font(s) DejaVu Sans`.
Versions: matplotlib 3.11.
Remove: when matplotlib finds a font for the sign by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def missing_glyphs_allowed() -> Iterator[None]:
    """Ignore this warning, and no other, within the block."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield
