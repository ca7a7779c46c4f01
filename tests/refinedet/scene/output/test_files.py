"""Files of a scene: their places, and modules imported beforehand, as far as they are wanted."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = """
import sys
from pathlib import Path
from refinedet.scene.output.files import load_writers
load_writers({name: Path(name) for name in sys.argv[1:]})
print(*(name for name in ("quicklook", "webmap") if f"refinedet.scene.output.{name}" in sys.modules))
"""


@pytest.mark.parametrize(
    ("wanted", "loaded"), [(["csv"], []), (["quicklook", "map"], ["quicklook", "webmap"]), (["map"], ["webmap"])]
)
def test_only_what_is_wanted_is_imported(wanted: list[str], loaded: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED, *wanted], capture_output=True, text=True, check=True)
    assert done.stdout.split() == loaded
