"""Rules of the code that a program can check: sizes, docstrings, messages, renames."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.code_files import FILES, NAMES, PACKAGES, ROOT, tree

FILE_LINES = 300
FUNCTION_LINES = 60
FOLDERS = (*PACKAGES, "benchmarks", "docs", "qgis", "tests")
"""All folders with code."""


def renames(code: ast.AST) -> list[int]:
    """Lines that rename or move a file: os.replace and the like by any name, and the methods of a path.

    A path's `replace` and `rename` take one argument; those of text, dates and dataclasses take two, or named ones.
    """
    movers = {"os": {"replace", "rename", "renames"}, "shutil": {"move"}}
    known = {name: name for name in movers}
    lines = []
    every = list(ast.walk(code))
    for node in every:
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in movers}
        elif isinstance(node, ast.ImportFrom):
            lines += [node.lineno for alias in node.names if alias.name in movers.get(node.module or "", set())]
    for node in every:
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


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_and_functions_stay_short(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    long = []
    for path in files:
        name, lines = path.relative_to(ROOT).as_posix(), len(path.read_text(encoding="utf-8").splitlines())
        long += [f"{name}: {lines} lines"] * (lines > FILE_LINES)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > FUNCTION_LINES:
                long.append(f"{name}: {node.name}")
    assert long == []


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
