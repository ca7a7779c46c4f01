"""The page of params.yaml: each setting with type, default, range and explanation, from the classes that check it."""

from __future__ import annotations

import ast
import inspect
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from pipeline.params import Document, DownloadParams, Recipe, TileParams, TileSection

_INTRO = """# params.yaml

This page lists every setting of [params.yaml](../../params.yaml). A recipe is a named group of settings;
`recipe` names the active one. Keys that a recipe leaves out have the default here. Change one for one run
with `-S` ([the workflow](../training/workflow.md#change-a-setting)):

```console
dvc exp run -S recipe=ssdd -S recipes.ssdd.train.seed=2
```

A key that the recipe leaves out needs two plus signs, as in `-S ++recipes.ssdd.model.detail=true`.

A wrong setting is one sentence that names its path, what was expected, and what was found. A *share* lies
within 0 and 1. [Models](models.md) explains the settings of the network in more words.
"""

_EXPLAINED_IN = {TileSection: TileParams}
"""Class that explains the settings of another."""


def text() -> str:
    """Markdown of the page."""
    parts = [_INTRO, "## Top level\n", _table(Document, skip=("recipes", "download"))]
    parts += ["## download\n", _first_line(DownloadParams), _table(DownloadParams)]
    parts += ["## recipes.NAME\n", _first_line(Recipe), _sections(Recipe, "recipes.NAME")]
    return "\n".join(parts)


def _sections(cls: type, path: str) -> str:
    """Table of the plain settings of a class, then a section for each group of settings within."""
    within = {one.name: group for one in fields(cls) if (group := _group_of(cls, one.name)) is not None}
    plain = _table(cls, skip=tuple(within))
    parts = [plain] if plain else []
    for name, group in within.items():
        inner = f"{path}.{name}"
        parts += [f"### {inner.removeprefix('recipes.NAME.')}\n", _first_line(group), _sections(group, inner)]
    return "\n".join(parts)


def _table(cls: type, skip: tuple[str, ...] = ()) -> str:
    shown = [one for one in fields(cls) if one.name not in skip]
    if not shown:
        return ""
    about = _docstrings(_EXPLAINED_IN.get(cls, cls)) | _docstrings(cls)
    schema = TypeAdapter(cls).json_schema()
    rows = [
        " | ".join(
            (
                f"| `{one.name}`",
                _kind(schema["properties"][one.name], schema),
                _default(one),
                f"{about.get(one.name, '')} |",
            )
        )
        for one in shown
    ]
    return "\n".join(["| setting | type and range | default | meaning |", "|---|---|---|---|", *rows, ""])


def _group_of(cls: type, name: str) -> type | None:
    """The class of the settings within a field, if it holds such."""
    hint = get_type_hints(cls)[name]
    return next((kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and is_dataclass(kind)), None)


def _kind(schema: dict[str, Any], root: dict[str, Any]) -> str:
    """Type and range of a value in words, from its JSON schema."""
    if "$ref" in schema:
        return _kind(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    if "anyOf" in schema:
        return " or ".join(_kind(one, root) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        items = schema.get("prefixItems")
        inner = ", ".join(_kind(one, root) for one in items) if items else _kind(schema.get("items", {}), root)
        return f"list of ({inner})" if items else f"list of {inner}"
    word = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true, false", "null": "null"}
    return f"{word.get(schema.get('type', ''), 'settings')}{_range(schema)}"


def _range(schema: dict[str, Any]) -> str:
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    limits = [f"{word} {schema[key]}" for key, word in words if key in schema and abs(schema[key]) < 2**31 - 1]
    return f", {', '.join(limits)}" if limits else ""


def _default(one: Field[Any]) -> str:
    if one.default is not MISSING and not hasattr(one.default, "default"):
        return f"`{json.dumps(one.default)}`"
    default = getattr(one.default, "default", MISSING) if one.default is not MISSING else MISSING
    if default is not MISSING and repr(default) != "PydanticUndefined":
        return f"`{json.dumps(default)}`"
    return "required" if one.default_factory is MISSING else f"`{json.dumps(one.default_factory(), default=str)}`"


@cache
def _docstrings(cls: type) -> dict[str, str]:
    """Text under each field of a class, and of the classes that it extends; comments of fields without a text."""
    found: dict[str, str] = {}
    for one in reversed([base for base in cls.__mro__ if is_dataclass(base)]):
        (node,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(one))).body
        last = None
        for statement in node.body:  # type: ignore[attr-defined]  # a class
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                last = statement.target.id
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and last:
                found[last] = " ".join(str(statement.value.value).split()).replace("|", "\\|").replace("None:", "null:")
                last = None
            else:
                last = None
    return found


def _first_line(cls: type) -> str:
    return f"{(cls.__doc__ or '').partition(chr(10))[0]}\n"
