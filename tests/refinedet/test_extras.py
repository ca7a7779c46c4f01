"""Optional packages: the error names the extra, and pyproject.toml has it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from refinedet import extras
from refinedet.errors import MissingExtra
from refinedet.extras import EXTRA_OF, check_extra, extra_missing_for, installed, load_extra

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTION = {"ruamel": "ruamel.yaml", "pandas": "mlflow", "botocore": "boto3"}
"""Package that brings a module, where its name is another one."""


@pytest.mark.parametrize("module", EXTRA_OF)
def test_the_extra_installs_the_package_and_detection_does_not(module: str) -> None:
    name = DISTRIBUTION.get(module, module).replace("_", "-")
    wanted = PROJECT["optional-dependencies"][EXTRA_OF[module]]
    assert any(one.startswith(name) for one in wanted)
    assert not any(one.startswith(name) for one in PROJECT["dependencies"])


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRA_OF, "no_such_package", "train")
    told = r"expected no_such_package for a test, found none; install it: pip install 'refinedet\[train\]'"
    with pytest.raises(MissingExtra, match=told):
        load_extra("no_such_package", "a test")
    with pytest.raises(MissingExtra, match=told):
        check_extra("no_such_package", "a test")
    assert load_extra("json", "a test").dumps([]) == "[]"


def test_an_import_that_fails_is_told_only_for_optional_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")
    assert extra_missing_for(error, "this") is None, "torch is there, and damaged"
    monkeypatch.setattr(extras, "installed", lambda _: False)
    assert "expected torch for this, found none" in str(extra_missing_for(error, "this"))
    assert extra_missing_for(ModuleNotFoundError("No module named 'x'", name="x"), "this") is None
    assert extra_missing_for(ImportError("libcuda.so.1: cannot open", name="torch"), "this") is None
    assert extra_missing_for(ValueError("torch"), "this") is None


def test_a_package_whose_search_fails_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(extras, "find_spec", broken)
    assert not installed("torch")
