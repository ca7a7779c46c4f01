"""The names that a user imports: lazy, complete, and typed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import refinedet

STUB = Path(refinedet.__file__).with_suffix(".pyi")


def test_import_is_light() -> None:
    heavy = "torch", "rasterio", "numpy", "matplotlib", "mlflow"
    code = f"import sys, refinedet; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", refinedet.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(refinedet, name).__doc__
    assert name in dir(refinedet)


def test_the_types_name_the_same_public_names() -> None:
    tree = ast.parse(STUB.read_text())
    imported = {
        (node.module, alias.name) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == {(home, name) for name, home in refinedet._HOME.items()}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        refinedet.nonsense  # noqa: B018 - the access is the test
    assert refinedet.__version__
