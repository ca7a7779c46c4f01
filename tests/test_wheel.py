"""The wheel as a user gets it: built, installed without the checkout, and run from an empty folder."""

from __future__ import annotations

import ast
import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("refinedet", "pipeline", "cli")
BESIDE = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE")

IMPORT_ALL = """
import importlib, pkgutil, refinedet
names = [found.name for found in pkgutil.walk_packages(refinedet.__path__, "refinedet.")]
for name in names:
    importlib.import_module(name)
print(len(names), "refinedet._cli.app" in names, "refinedet._pipeline.stages.train" in names)
"""


def run(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing of the checkout on its import path."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MLFLOW", "COV"))}
    done = subprocess.run(
        words, cwd=cwd, env=environment | variables, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the source distribution as `python -m build` does it."""
    checkout, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, checkout)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, checkout, cwd=out)
    (made,) = out.glob("*.whl")
    return made


def test_the_wheel_names_the_licences_of_what_it_carries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        told = email.message_from_bytes(archive.read(metadata))
        names = set(archive.namelist())
    assert "LGPL-3.0-or-later" in told["License-Expression"]
    licences = told.get_all("License-File")
    assert {"LICENSE", "NOTICE", "refinedet/scene/land/LICENSE_LGPL3"} <= set(licences)
    assert {metadata.replace("METADATA", f"licenses/{name}") for name in licences} <= names
    assert "refinedet/scene/land/coastline.zip" in names
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {told['Version']}\n" in citation


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of programs of an environment that has the wheel, and what it depends on from the one of the tests.

    The latter comes as a plain folder: its .pth files, among them that of an editable install, mean nothing there.
    """
    home = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    paths = {
        name: sysconfig.get_path(name, vars={"base": str(home), "platbase": str(home)})
        for name in ("purelib", "scripts")
    }
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(paths["purelib"]) / "shared.pth").write_text("\n".join(sorted(shared)), encoding="utf-8")
    programs = Path(paths["scripts"])
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=home)
    return programs


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder to start in, as a user would."""
    return tmp_path


def test_nothing_but_refinedet_is_at_the_top(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    version = wheel.name.split("-")[1]
    assert names == {"refinedet", f"refinedet-{version}.dist-info"}
    assert zipfile.ZipFile(wheel).read(f"refinedet-{version}.dist-info/top_level.txt") == b"refinedet\n"


def test_every_file_of_the_packages_is_in_it_and_nothing_else(wheel: Path) -> None:
    ours = (path.relative_to(ROOT) for name in SOURCES for path in (ROOT / name).rglob("*") if path.is_file())
    moved = {"cli": "refinedet/_cli", "pipeline": "refinedet/_pipeline"}
    expected = {
        "/".join((moved.get(p.parts[0], p.parts[0]), *p.parts[1:])) for p in ours if "__pycache__" not in p.parts
    }
    assert {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected


def test_only_import_statements_differ_from_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        for name in (
            "refinedet/_cli/app.py",
            "refinedet/_pipeline/stages/train.py",
            "refinedet/_pipeline/versions/verify.py",
        ):
            back = files.read(name).replace(b"refinedet._pipeline", b"pipeline").replace(b"refinedet._cli", b"cli")
            assert back == (ROOT / name.removeprefix("refinedet/_")).read_bytes()
        for name in files.namelist():
            if name.endswith(".py"):
                for node in ast.walk(ast.parse(files.read(name))):
                    found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                    found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                    assert not {one.split(".")[0] for one in found} & {"cli", "pipeline"}, name


@pytest.mark.slow
def test_every_module_of_it_can_be_imported_without_the_checkout(clean: Path, empty: Path) -> None:
    told = run(clean / "python", "-W", "ignore", "-c", IMPORT_ALL, cwd=empty).stdout.split()
    assert told[1:] == ["True", "True"]
    assert int(told[0]) > 200
    find = "from importlib.util import find_spec; print(find_spec('cli'), find_spec('pipeline'))"
    assert run(clean / "python", "-c", find, cwd=empty).stdout.split() == ["None", "None"]


def test_the_command_finds_ships(wheel: Path, clean: Path, empty: Path) -> None:
    version = run(clean / "refinedet", "--version", cwd=empty).stdout
    assert version == f"refinedet {wheel.name.split('-')[1]}\n"
    assert run(clean / "python", "-m", "refinedet", "--version", cwd=empty).stdout == version
    run(clean / "refinedet", "simulate", "s.tif", "--width-px", "512", "--height-px", "512", "--ships", "4", cwd=empty)
    words = ("detect", "s.tif", "--runtime", "torch", "--out", "ships")
    run(clean / "refinedet", *words, cwd=empty, REFINEDET_CACHE=str(empty / "cache"))
    assert len(json.loads((empty / "ships" / "s.geojson").read_bytes())["features"]) >= 2
    assert {path.name for path in (empty / "ships").iterdir()} >= {"s.csv", "s.png", "s.html", "s.run.json"}


@pytest.mark.slow
def test_the_command_trains_and_reports(clean: Path, empty: Path) -> None:
    own_data(empty / "my")
    words = ("train", "my/my.json", "--epochs", "1", "--batch-size", "4", "--out", "trained")
    told = run(clean / "refinedet", *words, cwd=empty).stdout
    assert "trained/report/report.html" in told
    assert (empty / "trained" / "train" / "model.safetensors").is_file()
    assert (empty / "trained" / "report" / "report.html").is_file()


def own_data(folder: Path) -> None:
    """Write a COCO file of twenty images with a ship each."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    content: dict[str, list[dict[str, Any]]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 1, "name": "ship"}],
    }
    for number in range(20):
        pixels = rng.integers(0, 40, (96, 96)).astype(np.uint8)
        x, y = (int(place) for place in rng.integers(0, 60, 2))
        pixels[y : y + 10, x : x + 24] = 230
        Image.fromarray(pixels).save(folder / f"{number}.png")
        content["images"].append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 96})
        box = {"bbox": [x, y, 24, 10], "area": 240, "iscrowd": 0}
        content["annotations"].append({"id": number, "image_id": number, "category_id": 1, **box})
    (folder / "my.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """The file setup.py, without a build."""
    spec = spec_from_file_location("builder", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("setuptools.setup", lambda **_: None)
        spec.loader.exec_module(module)
    return module


def test_imports_move_and_words_stay(builder: ModuleType) -> None:
    source = (
        '"""From cli import x: é."""\n'
        "from cli import options\n"
        "import os, pipeline.stages.train as train\n"
        "def f():\n"
        "    é = 1; from pipeline.params import (\n        Params,\n    )\n"
        "    from refinedet import boxes\n"
        "    from pipelines import cli\n"
        "    return 'from cli import x', 'pipeline.params'  # from cli import y\n"
    )
    moved = (
        source.replace("\nfrom cli", "\nfrom refinedet._cli")
        .replace("os, pipeline", "os, refinedet._pipeline")
        .replace("; from pipeline", "; from refinedet._pipeline")
    )
    assert builder.moved_imports(source.encode(), "x.py").decode() == moved


def test_an_import_that_would_bind_another_name_is_refused(builder: ModuleType) -> None:
    with pytest.raises(SyntaxError, match=r"x.py:2: expected `from cli import`, found `import cli.app`"):
        builder.moved_imports(b"import os\nimport cli.app\n", "x.py")
