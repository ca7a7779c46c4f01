"""The folder of the documentation, and the modules that make pages of it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "build"))  # as mkdocs does for its hooks
