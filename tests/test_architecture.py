"""The drawing in docs/contributing/architecture.md, made executable."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("refinedet", "pipeline", "cli")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = {path: path.relative_to(ROOT).as_posix() for path in FILES}

PURE = [
    *(f"refinedet/{name}.py" for name in ("boxes", "detections", "tiling", "radiometry", "cfar", "nms")),
    *(f"refinedet/model/{name}.py" for name in ("anchors", "align_conv", "network", "postprocess", "box_coder")),
    *(f"refinedet/model/{name}.py" for name in ("norms", "variants", "backbones/vgg", "suppression/arrays")),
    *(f"refinedet/model/losses/{name}.py" for name in ("loss", "matching", "class_loss", "box_loss")),
    *(f"refinedet/geo/{name}.py" for name in ("compass", "footprints", "steps")),
    *(f"refinedet/ais/{name}.py" for name in ("tables", "tracks", "displacement", "geometry", "assignment", "offset")),
    *(f"refinedet/ais/{name}.py" for name in ("expected", "evidence", "matching", "verdicts")),
    *(f"refinedet/ais/results/{name}.py" for name in ("columns", "reporting", "summary")),
    *(f"refinedet/ais/reading/{name}.py" for name in ("cleaning", "messages", "numbers", "ordering", "reasons")),
    *(f"refinedet/ais/reading/{name}.py" for name in ("parsing/columns", "parsing/times", "ship_types", "static_data")),
    *(f"refinedet/scene/windows/{name}.py" for name in ("merge", "polarisations", "seams", "overlap")),
    *(f"refinedet/scene/ships/doubts/{name}.py" for name in ("backdrop", "cells", "clutter", "discs", "plausible")),
    *(f"refinedet/scene/ships/measuring/{name}.py" for name in ("axes", "blob", "crop", "profiles", "shape", "stack")),
    "refinedet/scene/ships/attributes.py",
    *(f"refinedet/scene/sentinel1/{name}.py" for name in ("ambiguity", "borders", "radiometric")),
    *(f"refinedet/scene/output/{name}.py" for name in ("columns", "map_reports", "quicklook_layout")),
    *(f"refinedet/scene/output/formats/{name}.py" for name in ("layer_style", "looks", "xml")),
    *(f"refinedet/scene/input/{name}.py" for name in ("acquisition", "name_time")),
    *("refinedet/scene/land/region.py", "refinedet/data/augment.py", "refinedet/predictors/multiscale.py"),
    "refinedet/scene/reported.py",
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

FILE_LINES, FUNCTION_LINES = 300, 60


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_file(name: str) -> Path | None:
    """File of a module of ours, or None for other people's."""
    base = ROOT / name.replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def imported(path: Path, *, type_checking: bool = False) -> set[str]:
    """Full names of the modules a file imports, inside functions too."""
    found = set()
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" and not type_checking:
            skipped |= {child for statement in node.body for child in ast.walk(statement)}
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the full name instead of dots"
            assert node.module is not None  # only dots alone have none
            found |= {
                f"{node.module}.{a.name}" if module_file(f"{node.module}.{a.name}") else node.module for a in node.names
            }
    return found


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


def test_no_file_imports_itself_by_others() -> None:
    graph = {path: {file for name in imported(path) if (file := module_file(name))} for path in FILES}
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


def renames(code: ast.AST) -> list[int]:
    """Lines that rename or move a file: os.replace and the like by any name, and the methods of a path.

    A path's `replace` and `rename` take one argument; those of text, dates and dataclasses take two, or named ones.
    """
    movers = {"os": {"replace", "rename", "renames"}, "shutil": {"move"}}
    known = {name: name for name in movers}
    lines = []
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in movers}
        elif isinstance(node, ast.ImportFrom):
            lines += [node.lineno for alias in node.names if alias.name in movers.get(node.module or "", set())]
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            lines += [node.lineno] * (node.attr in movers[known[node.value.id]])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            by_target = (len(node.args) == 1 and not node.keywords) or {word.arg for word in node.keywords} == {
                "target"
            }
            lines += [node.lineno] * (node.func.attr in {"replace", "rename"} and by_target)
    return sorted(set(lines))


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.replace(a, b)",
        "import os as system\nsystem.rename(a, b)",
        "import os\nmove = partial(os.renames, a)",
        "from os import replace as swap",
        "import shutil\nshutil.move(a, b)",
        "Path(a).replace(b)",
        "(folder / name).rename(folder / other)",
        "path.replace(target=b)",
        "def f():\n    with g() as path:\n        path.with_suffix('.x').replace(path)",
    ],
)
def test_a_rename_is_seen_whatever_it_is_called(source: str) -> None:
    assert renames(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "text.replace('a', 'b')",
        "moment.replace(tzinfo=None)",
        "replace(settings, tile=1)",
        "from dataclasses import replace",
        "import os\nos.unlink(a)",
        "'os.replace(a, b)'",
    ],
)
def test_what_renames_no_file_is_let_alone(source: str) -> None:
    assert renames(ast.parse(source)) == []


def test_only_one_file_renames() -> None:
    """Files appear whole or not at all, since one place alone puts them there."""
    assert {NAMES[path] for path in FILES if renames(tree(path))} == {"refinedet/files.py"}


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


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_every_public_name_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "the module"
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
            inner = node.body if isinstance(node, ast.ClassDef) else []
            for method in inner:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    assert ast.get_docstring(method), f"{node.name}.{method.name}"


FLAG = re.compile(r"(?<![\w`-])--[a-z][a-z-]*")
FLAGS_OF_OTHERS = re.compile(
    r"`(?:dvc|git|mlflow|pip|torchrun) [^`]*`"  # a command to run
    r"|python -m [\w.]+[^\n]*"  # how a file is run
    r"|var\(--\w+"  # CSS
    r"|<!--|--nproc_per_node"  # HTML, torchrun
)
STARTS_OTHERS = ("pipeline/provenance/", "pipeline/mlflow_ui/", "pipeline/versions/")
"""Folders with flags of git, DVC and MLflow, each a string of its own in the call that runs them."""


def flags_named(path: Path) -> list[str]:
    """Strings of a file that name a flag of our command line, each with its line."""
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    defined = [call for call in calls if getattr(call.func, "attr", "") == "add_argument"]  # of `python -m`
    spelled = [k.value for call in calls for k in call.keywords if k.arg == "flag"]  # of `config.option`
    skipped = {id(node) for part in (*defined, *spelled) for node in ast.walk(part)}
    strings = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    if NAMES.get(path, "").startswith(STARTS_OTHERS):
        skipped |= {id(node) for node in strings if FLAG.match(str(node.value)) and " " not in str(node.value)}
    return [
        f"{NAMES.get(path, path)}:{node.lineno}: {node.value!r}"
        for node in strings
        if id(node) not in skipped and FLAG.search(FLAGS_OF_OTHERS.sub("", str(node.value)))
    ]


@pytest.mark.parametrize("path", [p for p in FILES if not NAMES[p].startswith("cli/")], ids=NAMES.get)
def test_the_library_names_settings_and_no_flags(path: Path) -> None:
    assert flags_named(path) == []


def test_a_flag_in_a_message_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text('raise ValueError(f"expected {x}; set --overwrite")\nrun("a", "--out")\n"see `git log --all`"\n')
    assert len(flags_named(file)) == 2


RIDDLE = re.compile(r"(?:what|whether|how|where|which|who|whose|when|the same|as|of)\b|\.\.\.", re.IGNORECASE)
"""Beginnings of a docstring that do not name its subject."""
PLAIN = (*PACKAGES, "benchmarks", "qgis")
"""Folders whose docstrings name their subject."""


def riddles(code: ast.AST) -> list[str]:
    """First lines of docstrings, of attributes too, that begin with no noun and no verb."""
    bodies = [getattr(node, "body", None) for node in ast.walk(code)]
    statements = [one for body in bodies if isinstance(body, list) for one in body]
    texts = [one.value for one in statements if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)]
    lines = [(text.lineno, text.value.strip().split("\n")[0]) for text in texts if isinstance(text.value, str)]
    return [f"{number}: {line}" for number, line in lines if RIDDLE.match(line)]


@pytest.mark.parametrize("name", PLAIN)
def test_docstrings_name_their_subject(name: str) -> None:
    files = sorted((ROOT / name).rglob("*.py"))
    assert files
    assert {path.relative_to(ROOT).as_posix(): found for path in files if (found := riddles(tree(path)))} == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""What it is."""',
        'def f():\n    """Whether it is so."""',
        'class A:\n    """A thing."""\n\n    x: int\n    """... and how large."""',
        'class A:\n    def f(self):\n        """\n        Of one file.\n        """',
        'X = 1\n"""As above."""',
    ],
)
def test_a_docstring_without_a_subject_is_found(source: str) -> None:
    assert riddles(ast.parse(source))


def test_a_docstring_with_a_subject_passes() -> None:
    assert riddles(ast.parse('"""Offset of a file."""\n\n\ndef f():\n    """Assert whether it is so."""\n')) == []


def test_nothing_prints_outside_the_command_line() -> None:
    printing = [
        NAMES[path]
        for path in FILES
        if not NAMES[path].startswith("cli/")
        and any(isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print" for n in ast.walk(tree(path)))
    ]
    assert printing == []
