"""The drawing in docs/contributing/architecture.md, made executable."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.code_files import FILES, NAMES, PACKAGES, ROOT, imported, module_file, tree

PURE = [
    *(f"refinedet/{name}.py" for name in ("boxes", "detections", "tiling", "radiometry", "cfar", "nms")),
    *(f"refinedet/model/{name}.py" for name in ("anchors", "align_conv", "network", "postprocess", "box_coder")),
    *(f"refinedet/model/{name}.py" for name in ("norms", "variants", "backbones/vgg", "suppression/arrays")),
    *(f"refinedet/model/losses/{name}.py" for name in ("loss", "matching", "class_loss", "box_loss")),
    *(f"refinedet/geo/{name}.py" for name in ("compass", "footprints", "steps")),
    *(f"refinedet/ais/{name}.py" for name in ("tables", "tracks", "displacement", "geometry", "assignment", "offset")),
    *(f"refinedet/ais/{name}.py" for name in ("expected", "evidence", "local_time", "matching", "verdicts")),
    *(f"refinedet/ais/results/{name}.py" for name in ("columns", "reporting", "summary")),
    *(f"refinedet/ais/reading/{name}.py" for name in ("cleaning", "messages", "numbers", "ordering", "reasons")),
    *(f"refinedet/ais/reading/{name}.py" for name in ("parsing/columns", "parsing/times", "ship_types", "static_data")),
    *(f"refinedet/scene/windows/{name}.py" for name in ("merge", "polarisations", "seams", "overlap")),
    *(f"refinedet/scene/ships/doubts/{name}.py" for name in ("backdrop", "cells", "clutter", "discs", "plausible")),
    *(f"refinedet/scene/ships/measuring/{name}.py" for name in ("axes", "blob", "crop", "profiles", "shape", "stack")),
    "refinedet/scene/ships/attributes.py",
    *(f"refinedet/scene/sentinel1/{name}.py" for name in ("ambiguity", "borders", "radiometric")),
    *(f"refinedet/scene/output/{name}.py" for name in ("map_reports", "quicklook_layout")),
    *(f"refinedet/scene/output/formats/{name}.py" for name in ("layer_style", "looks", "xml")),
    *(f"refinedet/scene/input/{name}.py" for name in ("acquisition", "name_time")),
    *("refinedet/scene/land/region.py", "refinedet/data/augment.py", "refinedet/predictors/multiscale.py"),
    *("refinedet/scene/reported.py", "refinedet/scene/views/columns.py", "refinedet/scene/views/page_columns.py"),
    *(f"refinedet/adapters/{name}.py" for name in ("common", "onnx_layout", "onnx_outputs")),
    *(
        f"refinedet/evaluation/{name}.py"
        for name in ("metrics", "voc", "bootstrap", "score_calibration", "detection_errors")
    ),
]
"""Files that take no path and open nothing."""

FILE_MODULES = {"os", "pathlib", "shutil", "tempfile", "glob", "rasterio", "pyogrio", "safetensors"}
OUR_FILE_MODULES = {"refinedet.files", "refinedet.raster"}
OPENERS = {
    *("open", "load", "save", "savez", "savez_compressed", "fromfile", "tofile", "memmap", "loadtxt", "savetxt"),
    *("read_text", "write_text", "read_bytes", "write_bytes"),
}

MAY_IMPORT = {
    "refinedet": {"refinedet"},
    "pipeline": {"pipeline", "refinedet"},
    "cli": {"cli", "pipeline", "refinedet"},
}

DRAWING = (ROOT / "docs" / "contributing" / "architecture.md").read_text(encoding="utf-8")
COMMON = {"config", "system", "weights", "workarounds"}
"""Rooms of refinedet that every room may know; the drawings leave them out, and the leaves."""
ABOVE = {"refinedet/__init__.py", "refinedet/exporting.py"}
"""Files of refinedet beside the rooms that know any room. All other files beside them are leaves."""
LEAF_MAY_KNOW = {"config", "raster", "stretch", "weights"}
FOREIGN = {"dvc", "mlflow", "typer", "ray", "ruamel", "yaml"}
"""What the library knows nothing of."""


def closure(path: Path, seen: set[Path] | None = None) -> set[Path]:
    """Files of ours that a module imports, directly or not, with the package files on the way."""
    seen = set() if seen is None else seen
    if path in seen:
        return seen
    seen.add(path)
    for name in imported(path):
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            file = module_file(".".join(parts[:depth]))
            if file is not None:
                closure(file, seen)
    return seen


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_imports_run_one_way(path: Path) -> None:
    package, *rest = Path(NAMES[path]).parts
    for name in imported(path, type_checking=True):
        top, *inner = name.split(".")
        if top in PACKAGES:
            assert top in MAY_IMPORT[package], f"{NAMES[path]} imports {name}"
        if package == "refinedet" and NAMES[path] not in ABOVE:
            assert top not in FOREIGN or (top, rest[0]) == ("ray", "batch"), f"{NAMES[path]} imports {name}"
            if len(rest) == 1 and top == "refinedet" and inner and (ROOT / "refinedet" / inner[0]).is_dir():
                assert inner[0] in LEAF_MAY_KNOW, f"the leaf {NAMES[path]} imports {name}"


def room(name: str, package: str) -> str | None:
    """The folder directly under `package` that a file lies in; None for a file beside the folders, or elsewhere."""
    parts = Path(name).parts
    depth = len(Path(package).parts)
    return parts[depth] if "/".join(parts[:depth]) == package and len(parts) > depth + 1 else None


def edges(package: str) -> set[tuple[str, str]]:
    """Imports between the rooms of a package, as (who imports, what), without the rooms that all may know."""
    found = set()
    for path in FILES:
        one = room(NAMES[path], package)
        for name in imported(path, type_checking=True):
            file = module_file(name)
            other = room(NAMES[file], package) if file is not None else None
            if one and other and one != other and not {one, other} & COMMON:
                found.add((one, other))
    return found


@pytest.mark.parametrize("package", ["refinedet", "refinedet/scene", "pipeline"])
def test_the_drawing_shows_the_imports_between_rooms(package: str) -> None:
    block = re.search(rf"```mermaid\nflowchart TD\n%% rooms of {package}\n(.*?)```", DRAWING, re.DOTALL)
    assert block, f"docs/contributing/architecture.md has no drawing of the rooms of {package}"
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", block[1], re.MULTILINE))
    assert drawn == edges(package)


def test_rooms_know_one_another_in_one_direction() -> None:
    for package in ("refinedet", "refinedet/scene", "pipeline"):
        left = edges(package)
        while left:  # take away rooms that import nothing that is left
            importing = {one for one, _ in left}
            fewer = {(one, other) for one, other in left if other in importing}
            assert len(fewer) < len(left), f"a circle among {sorted(importing)} of {package}"
            left = fewer


def test_folders_beside_one_another_import_one_another_in_one_direction() -> None:
    found = set()
    for path in FILES:
        for name in imported(path, type_checking=True):
            file = module_file(name)
            if file is not None:
                one, other = path.relative_to(ROOT).parts[:-1], file.relative_to(ROOT).parts[:-1]
                shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
                if shared is not None:
                    found.add(("/".join(one[: shared + 1]), "/".join(other[: shared + 1])))
    assert {pair for pair in found if pair[::-1] in found} == set()


def test_no_file_imports_itself_by_others() -> None:
    names = {path: imported(path, type_checking=True) for path in FILES}
    graph = {path: {file for name in names[path] if (file := module_file(name)) and file != path} for path in FILES}
    done: set[Path] = set()

    def visit(path: Path, way: tuple[Path, ...]) -> None:
        assert path not in way, " -> ".join(NAMES[one] for one in (*way[way.index(path) :], path))
        if path not in done:
            for other in sorted(graph[path]):
                visit(other, (*way, path))
            done.add(path)

    for path in FILES:
        visit(path, ())


BY_NAME = {
    "refinedet/__main__.py",  # the command line, which a wheel has elsewhere
}
"""Files that name a module of `cli` or `pipeline` in a string. A wheel changes import statements, and no strings."""


def test_a_string_names_no_module_that_a_wheel_moves() -> None:
    found = set()
    for path in FILES:
        texts = {id(n.value) for n in ast.walk(tree(path)) if isinstance(n, ast.Expr)}  # docstrings
        for node in ast.walk(tree(path)):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in texts else None
            if isinstance(text, str) and re.match(r"cli$|(cli|pipeline)\.([a-z]\w*\.?)*$", text):
                found.add(NAMES[path])
    assert found == BY_NAME


@pytest.mark.parametrize("name", PURE)
def test_pure_files_open_nothing(name: str) -> None:
    path = ROOT / name
    names = imported(path)
    assert not {name.split(".")[0] for name in names} & FILE_MODULES, "a file module"
    assert not names & OUR_FILE_MODULES, "a file module of ours"
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert not OPENERS & {getattr(f, "id", getattr(f, "attr", "")) for f in calls}


def test_only_one_folder_knows_rasterio() -> None:
    users = {NAMES[p] for p in FILES if any(n.split(".")[0] == "rasterio" for n in imported(p))}
    assert {Path(name).parts[:2] for name in users} == {("refinedet", "raster")}


def test_only_one_file_knows_ray() -> None:
    users = {NAMES[p] for p in FILES if any(n.split(".")[0] == "ray" for n in imported(p))}
    texts = {NAMES[p] for p in FILES if 'import_module("ray' in p.read_text(encoding="utf-8")}
    assert users | texts == {"refinedet/batch/ray_engine.py"}


@pytest.mark.parametrize("command", [["-m", "cli.app", "--help"], ["-c", "import cli.app"], ["-c", "import refinedet"]])
def test_help_and_imports_stay_light(command: list[str]) -> None:
    # -X importtime prints every module that is imported
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not modules & {"torch", "rasterio", "ray", "mlflow", "matplotlib", "pycocotools", "timm", "dvc", "scipy"}


def stages() -> dict[str, dict[str, list[str]]]:
    content: dict[str, dict[str, list[str]]] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    return content


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_depends_on_all_the_code_it_runs(stage: str) -> None:
    deps = set(stages()[stage]["deps"])
    needed = {path.relative_to(ROOT).as_posix() for path in closure(ROOT / "pipeline" / "stages" / f"{stage}.py")}
    missing = {name for name in needed if not any(name == dep or name.startswith(f"{dep}/") for dep in deps)}
    assert not missing, f"add to deps of {stage} in dvc.yaml: {sorted(missing)}"


@pytest.mark.parametrize("stage", sorted(stages()))
def test_a_stage_depends_on_nothing_that_does_not_exist(stage: str) -> None:
    code = [dep for dep in stages()[stage]["deps"] if not dep.startswith("outputs/")]
    assert [dep for dep in code if not (ROOT / dep).exists()] == []


def test_the_picture_of_the_stages_is_that_of_dvc_yaml() -> None:
    drawn = re.findall(
        r"^\t(\w+)-->(\w+)$",
        (ROOT / "docs" / "contributing" / "architecture.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    needed = [
        (dep.removeprefix("outputs/"), stage)
        for stage, content in stages().items()
        for dep in content["deps"]
        if dep.startswith("outputs/")
    ]
    assert sorted(drawn) == sorted(needed)
