"""params.yaml as settings of the active recipe. The only reader of YAML.

Every recipe is checked, not just the active one, so that a typing error shows before it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.local_params import LocalParams
from refinedet.config import (
    PRESETS,
    ModelConfig,
    MultiscaleConfig,
    PostprocessConfig,
    Radiometry,
    TileConfig,
    TrainConfig,
)
from refinedet.errors import FileError, InputError

S = TypeVar("S")

_SECTIONS = ("recipe", "download", "recipes")
_RECIPE = ("dataset", "scenes", "local", "convert", "radiometry", "tile", "model", "train", "evaluate")


_SHARDS_BEYOND = 20_000
"""Files in one folder from which DVC takes minutes."""


@dataclass(frozen=True, slots=True)
class DownloadParams:
    """Section `download`."""

    mirror: str | None = None
    """Folder, file:// or http(s):// address that holds the archives instead of their public places."""


@dataclass(frozen=True, slots=True)
class ConvertParams:
    """Section `convert` of a recipe."""

    val_fraction: float = 0.1
    """Share of the training images that becomes the validation split, where the data set has none."""
    train_images: int | None = None
    """Keep this many training images only, chosen by a stable hash; None: all."""


@dataclass(frozen=True, slots=True)
class SceneParams:
    """Section `scenes` of a recipe: the scenes of a data set that is simulated."""

    train: int = 16
    """Scenes for training."""
    val: int = 4
    test: int = 4
    width_px: int = 1024
    height_px: int = 1024
    ships: int = 24
    """Ships in each scene."""
    seed: int = 100
    """Seed of the first scene; the next ones count up: train, then val, then test."""


@dataclass(frozen=True, slots=True)
class TileParams:
    """Section `tile` of a recipe."""

    windows: TileConfig = field(default_factory=TileConfig)
    """How scenes are cut, in training and in detection."""
    keep_empty: float = 1.0
    """Share of the training chips without a ship that is kept."""
    shards_beyond: int = _SHARDS_BEYOND
    """Where all splits together have more windows than this, chips are packed into a few large files."""


@dataclass(frozen=True, slots=True)
class Params:
    """The settings of one run: shared sections, and the active recipe."""

    recipe: str
    """Name of the active recipe."""
    dataset: str
    """Name in the catalogue, or any other name where the scenes are simulated."""
    download: DownloadParams
    convert: ConvertParams
    scenes: SceneParams | None
    """None where the data set is published, not simulated."""
    radiometry: Radiometry
    tile: TileParams
    model: ModelConfig
    train: TrainConfig
    postprocess: PostprocessConfig
    """Section `evaluate.postprocess`."""
    multiscale: MultiscaleConfig | None
    """The preset that `evaluate.multiscale` names; None: single scale alone."""

    local: LocalParams | None = None
    """None where the data set is none of the user's own folders."""

    versioned: bool = True
    """Whether the run is a stage of the project in the current folder, whose code and data belong to its record."""

    def flat(self) -> dict[str, Any]:
        """Dotted name -> plain value of every setting, as an experiment tracker wants them."""
        return _flatten(asdict(self))


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        FileError: the file cannot be read.
        InputError: it is not YAML, a key is unknown or missing, or a value has the wrong type or range.
    """
    return parse_params(read_yaml(path), str(path))


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file; FileError where it cannot be read, InputError where it is something else."""
    try:
        return YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"expected settings in {path}, but it cannot be read ({error.strerror})") from error
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or a date that no calendar has
        said = " ".join(str(error).split())
        raise InputError(f"expected YAML in {path}, found something else ({said})") from error


def stage_dependencies(stage: str, path: str | Path = "dvc.yaml") -> list[str]:
    """Files and folders that DVC says a stage depends on: its code and its inputs.

    Raises:
        FileError: dvc.yaml cannot be read.
        InputError: it has no such stage.
    """
    stages = _mapping(_mapping(read_yaml(path), str(path)).get("stages"), f"{path}: stages")
    if stage not in stages:
        raise InputError(f"expected a stage '{stage}' in {path}, found {sorted(stages)}")
    return [str(dependency) for dependency in stages[stage].get("deps", [])]


def parse_params(document: Any, where: str = "params.yaml") -> Params:
    """Settings from the parsed content of params.yaml; `where` names it in errors.

    Raises:
        InputError: as `load_params`.
    """
    sections = _mapping(document, where)
    _known(sections, _SECTIONS, where)
    recipes = _mapping(sections.get("recipes"), f"{where}: recipes")
    name = sections.get("recipe")
    if not isinstance(name, str) or name not in recipes:
        raise InputError(f"expected recipe in {where} to be one of {sorted(recipes)}, found {name!r}")
    download = _settings(DownloadParams, sections.get("download"), f"{where}: download")
    parsed = {key: _recipe(recipe, f"{where}: recipes.{key}") for key, recipe in recipes.items()}
    return Params(recipe=name, download=download, **parsed[name])


def _recipe(recipe: Any, where: str) -> dict[str, Any]:
    sections = dict(_mapping(recipe, where))
    _known(sections, _RECIPE, where)
    evaluate = _mapping(sections.get("evaluate"), f"{where}.evaluate")
    _known(evaluate, ("postprocess", "multiscale"), f"{where}.evaluate")
    dataset = sections.get("dataset")
    _range(isinstance(dataset, str) and dataset != "", f"{where}.dataset", "the name of a data set", dataset)
    model = _settings(ModelConfig, sections.get("model"), f"{where}.model")
    train = _settings(TrainConfig, sections.get("train"), f"{where}.train")
    largest = model.strides[-1]
    for key in ("canvas_width", "canvas_height", "early_canvas"):
        found = getattr(train, key)
        whole = all(side % largest == 0 for side in (found if isinstance(found, tuple) else (found,)))
        _range(whole, f"{where}.train.{key}", f"a multiple of {largest}, the largest stride", found)
    return {
        "dataset": dataset,
        "scenes": _scenes(sections.get("scenes"), f"{where}.scenes"),
        "local": None if (local := sections.get("local")) is None else _settings(LocalParams, local, f"{where}.local"),
        "convert": _convert(sections.get("convert"), f"{where}.convert"),
        "radiometry": _settings(Radiometry, sections.get("radiometry"), f"{where}.radiometry"),
        "tile": _tile(sections.get("tile"), f"{where}.tile"),
        "model": model,
        "train": train,
        "postprocess": _settings(PostprocessConfig, evaluate.get("postprocess"), f"{where}.evaluate.postprocess"),
        "multiscale": _multiscale(evaluate.get("multiscale"), f"{where}.evaluate.multiscale"),
    }


def _convert(section: Any, where: str) -> ConvertParams:
    convert = _settings(ConvertParams, section, where)
    _range(0 <= convert.val_fraction < 1, f"{where}.val_fraction", "within [0, 1)", convert.val_fraction)
    few = convert.train_images is not None and convert.train_images < 1
    _range(not few, f"{where}.train_images", "at least 1 or null", convert.train_images)
    return convert


def _multiscale(name: Any, where: str) -> MultiscaleConfig | None:
    if name is None:
        return None
    _range(isinstance(name, str) and name in PRESETS, where, f"null or one of {sorted(PRESETS)}", name)
    return MultiscaleConfig.preset(name)


def _scenes(section: Any, where: str) -> SceneParams | None:
    if section is None:
        return None
    scenes = _settings(SceneParams, section, where)
    for key in ("train", "width_px", "height_px"):
        _range(getattr(scenes, key) >= 1, f"{where}.{key}", "at least 1", getattr(scenes, key))
    for key in ("val", "test", "ships", "seed"):
        _range(getattr(scenes, key) >= 0, f"{where}.{key}", "at least 0", getattr(scenes, key))
    return scenes


def _tile(section: Any, where: str) -> TileParams:
    values = dict(_mapping(section, where))
    keep_empty = values.pop("keep_empty", 1.0)
    number = isinstance(keep_empty, int | float) and not isinstance(keep_empty, bool)
    _range(number and 0 <= keep_empty <= 1, f"{where}.keep_empty", "a number within [0, 1]", keep_empty)
    beyond = values.pop("shards_beyond", _SHARDS_BEYOND)
    _range(type(beyond) is int and beyond >= 0, f"{where}.shards_beyond", "a whole number of at least 0", beyond)
    return TileParams(_settings(TileConfig, values, where), float(keep_empty), beyond)


def _settings(cls: type[S], section: Any, where: str) -> S:
    """A frozen dataclass from a mapping; unknown keys and wrong types are errors that name `where`."""
    values = _mapping(section, where)
    hints = get_type_hints(cls)
    _known(values, tuple(f.name for f in fields(cls)), where)  # type: ignore[arg-type]  # every S is a dataclass
    built: dict[str, Any] = {}
    for key, value in values.items():
        hint = hints[key]
        if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
            built[key] = _settings(hint, value, f"{where}.{key}")
        elif not _fits(value, hint):
            wanted = hint.__name__ if isinstance(hint, type) else str(hint).removeprefix("typing.")
            raise InputError(f"expected {where}.{key} of type {wanted}, found {value!r}")
        else:
            built[key] = tuple(value) if isinstance(value, list) else value
    try:
        return cls(**built)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _fits(value: object, hint: Any) -> bool:
    """Whether a YAML value has the annotated type; a whole number passes as float, a boolean never as a number."""
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    options = get_args(hint)
    if not options:
        if isinstance(value, bool) or hint is bool:
            return isinstance(value, bool) and hint is bool
        return isinstance(value, (int, float) if hint is float else hint) and value not in (math.inf, -math.inf)
    if all(not isinstance(option, type) for option in options):
        return value in options
    return any(_fits(value, option) for option in options)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"expected a mapping of names to values in {where}, found {value!r}")
    return value


def _known(values: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise InputError(f"unknown setting {unknown} in {where}; expected some of {sorted(names)}")


def _range(condition: bool, where: str, expected: str, found: object) -> None:
    if not condition:
        raise InputError(f"expected {where} {expected}, found {found!r}")


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = list(value) if isinstance(value, tuple) else value
    return flat
