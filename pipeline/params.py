"""params.yaml as settings of the active recipe. Only this file reads YAML.

Every recipe is checked, not just the active one, so that a typing error shows early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.local_params import LocalParams
from refinedet.config import (
    ModelConfig,
    MultiscaleConfig,
    PostprocessConfig,
    Preset,
    Radiometry,
    TileConfig,
    TrainConfig,
)
from refinedet.config.base import Count, Settings, Share, Whole, check, validated
from refinedet.config.options.detect import NoData, SceneSettings, Values
from refinedet.config.scene_kind import SceneKind
from refinedet.errors import FileError, InputError

_SHARDS_BEYOND = 20_000
"""Number of files in one folder from which DVC takes minutes."""


@validated(frozen=True, slots=True)
class DownloadParams(Settings):
    """Section `download`."""

    mirror: str | None = None
    """Folder, file:// or http(s):// address with the archives, used instead of their public addresses."""
    samples: str | None = None
    """Folder that contains the folder `real` of real samples; None: the one in REFINEDET_DATA."""


@validated(frozen=True, slots=True)
class ConvertParams(Settings):
    """Section `convert` of a recipe."""

    val_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the training images that becomes the validation split, if the data set has none."""
    train_images: Count | None = None
    """Number of training images to keep, chosen by a stable hash; None: all."""


@validated(frozen=True, slots=True)
class SceneParams(Settings):
    """Section `scenes` of a recipe: the scenes of a simulated data set."""

    train: Count = 16
    """Number of scenes for training."""
    val: Whole = 4
    test: Whole = 4
    width_px: Count = 1024
    height_px: Count = 1024
    ships: Whole | tuple[Whole, ...] = 24
    """Ships in each scene; several numbers are used in turn, and 0 gives a scene with other objects only."""
    seed: Whole = 100
    """Seed of the first scene; the next ones count up: train, then val, then test."""
    kinds: tuple[SceneKind, ...] = ("plain",)
    """Kinds of scenes, in turn: `plain`, and `sentinel1`, which is harder and calibrated on images of Sentinel-1."""

    def __post_init__(self) -> None:
        check(len(self.kinds) > 0, "kinds", "at least one kind of scene", self.kinds)
        check(self.ships != (), "ships", "at least one number of ships", self.ships)


@validated(frozen=True, slots=True)
class RealParams(Settings):
    """Section `real` of a recipe: scenes made of real samples, added to those of a data set."""

    train: Count = 6
    """Number of random arrangements of the samples for training."""
    val: Count = 2
    """Number of random arrangements of the samples for validation."""
    seed: Whole = 1
    """Seed of all training arrangements; validation uses the next seed."""


@validated(frozen=True, slots=True)
class TileParams(Settings):
    """Settings for cutting training chips."""

    windows: TileConfig = field(default_factory=TileConfig)
    """Windows into which scenes are cut, in training and in detection."""
    keep_empty: Share = 1.0
    """Share of the training chips without a ship that is kept."""
    shards_beyond: Whole = _SHARDS_BEYOND
    """Number of windows of all splits together beyond which chips are packed into a few large files."""
    band: str | int | None = None
    """Band of the images, by number or description; None: by polarisation, else the brightest one; or RGB."""
    values: Values = "auto"
    """Kind of the values of images of more than 8 bits, as in detection; auto: guessed."""
    nodata: NoData | None = None
    """Value of missing pixels, nan or none; None: as the images say, else guessed."""

    @property
    def pixels(self) -> SceneSettings:
        """Settings for reading the pixels of an image."""
        return SceneSettings(band=self.band, values=self.values, nodata=self.nodata)


@validated(frozen=True, slots=True)
class TileSection(TileConfig):
    """Section `tile` of a recipe: the windows, and the other settings of TileParams."""

    keep_empty: Share = 1.0
    shards_beyond: Whole = _SHARDS_BEYOND
    band: str | int | None = None
    values: Values = "auto"
    nodata: NoData | None = None

    def params(self) -> TileParams:
        """Convert to TileParams."""
        windows = TileConfig(self.tile_px, self.overlap_px, self.whole_factor, self.min_visible)
        return TileParams(windows, self.keep_empty, self.shards_beyond, self.band, self.values, self.nodata)


@validated(frozen=True, slots=True)
class EvaluateSection(Settings):
    """Section `evaluate` of a recipe."""

    postprocess: PostprocessConfig = field(default_factory=PostprocessConfig)
    multiscale: Preset | None = None


@validated(frozen=True, slots=True)
class Recipe(Settings):
    """One entry of `recipes`."""

    dataset: Annotated[str, Field(min_length=1)]
    """Name of a data set in the catalogue, or any other name if the scenes are simulated."""
    scenes: SceneParams | None = None
    real: RealParams | None = None
    local: LocalParams | None = None
    convert: ConvertParams = field(default_factory=ConvertParams)
    radiometry: Radiometry = field(default_factory=Radiometry)
    tile: TileSection = field(default_factory=TileSection)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateSection = field(default_factory=EvaluateSection)

    def __post_init__(self) -> None:
        largest, train = self.model.strides[-1], self.train
        for name, sides in (
            ("canvas_width", (train.canvas_width,)),
            ("canvas_height", (train.canvas_height,)),
            ("early_canvas", train.early_canvas),
        ):
            whole = all(side % largest == 0 for side in sides)
            check(whole, f"train.{name}", f"a multiple of {largest}, the largest stride", getattr(train, name))


@validated(frozen=True, slots=True)
class Document(Settings):
    """The whole of params.yaml."""

    recipe: str
    """Name of the active recipe."""
    recipes: dict[str, Recipe]
    download: DownloadParams = field(default_factory=DownloadParams)

    def __post_init__(self) -> None:
        check(self.recipe in self.recipes, "recipe", f"one of {sorted(self.recipes)}", self.recipe)


@validated(frozen=True, slots=True)
class Params(Settings):
    """Settings of one run: shared sections, and the active recipe."""

    recipe: str
    """Name of the active recipe."""
    dataset: str
    """Name in the catalogue, or any other name if the scenes are simulated."""
    download: DownloadParams
    convert: ConvertParams
    scenes: SceneParams | None
    """Section `scenes`; None for a data set without simulated scenes."""
    radiometry: Radiometry
    tile: TileParams
    model: ModelConfig
    train: TrainConfig
    postprocess: PostprocessConfig
    """Section `evaluate.postprocess`."""
    multiscale: MultiscaleConfig | None
    """Preset named in `evaluate.multiscale`; None: single scale only."""

    real: RealParams | None = None
    """Section `real`; None without scenes of real samples."""

    local: LocalParams | None = None
    """Section `local`; None unless the data set is a folder of the user."""

    versioned: bool = True
    """True if the run is a stage of the project in the current folder; its code and data then belong to the record."""

    def flat(self) -> dict[str, Any]:
        """Dotted name -> plain value of every setting, for an experiment tracker."""
        return _flatten(asdict(self))


def load_params(path: str | Path = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        FileError: the file cannot be read.
        InputError: it is not YAML, a key is unknown or missing, or a value has the wrong type or range.
    """
    return parse_params(read_yaml(path), str(path))


def read_yaml(path: str | Path) -> Any:
    """Content of a YAML file; raises FileError if it cannot be read, and InputError if it is not YAML."""
    try:
        return YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"expected settings in {path}, but it cannot be read ({error.strerror})") from error
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, bad date, or too many digits
        said = " ".join(str(error).split())
        raise InputError(f"expected YAML in {path}, found something else ({said})") from error


def stage_dependencies(stage: str, path: str | Path = "dvc.yaml") -> list[str]:
    """Files and folders that a stage depends on according to dvc.yaml: its code and its inputs.

    Raises:
        FileError: dvc.yaml cannot be read.
        InputError: it has no such stage, or the stage has no list of dependencies.
    """
    document = read_yaml(path)
    stages = document.get("stages") if isinstance(document, Mapping) else None
    if not isinstance(stages, Mapping) or stage not in stages:
        raise InputError(f"expected a stage '{stage}' in {path}, found {sorted(map(str, stages or ()))}")
    found = stages[stage].get("deps", []) if isinstance(stages[stage], Mapping) else None
    if not isinstance(found, list):
        raise InputError(f"expected a list 'deps' in stage '{stage}' of {path}, found {found!r}")
    return [str(dependency) for dependency in found]


def parse_params(document: Any, where: str = "params.yaml") -> Params:
    """Settings from the parsed content of params.yaml; `where` names it in errors.

    A section without a value (`convert:`, or null) gets the defaults.

    Raises:
        InputError: as `load_params`.
    """
    content = _without_nulls(document)
    if isinstance(content, dict) and isinstance(content.get("recipes"), Mapping):
        content["recipes"] = {name: _without_nulls(recipe) for name, recipe in content["recipes"].items()}
    found = Document.from_dict(content, where)
    recipe = found.recipes[found.recipe]
    multiscale = recipe.evaluate.multiscale
    return Params(
        recipe=found.recipe,
        dataset=recipe.dataset,
        download=found.download,
        convert=recipe.convert,
        scenes=recipe.scenes,
        real=recipe.real,
        radiometry=recipe.radiometry,
        tile=recipe.tile.params(),
        model=recipe.model,
        train=recipe.train,
        postprocess=recipe.evaluate.postprocess,
        multiscale=None if multiscale is None else MultiscaleConfig.preset(multiscale),
        local=recipe.local,
    )


def _without_nulls(section: Any) -> Any:
    return {k: v for k, v in section.items() if v is not None} if isinstance(section, Mapping) else section


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = list(value) if isinstance(value, tuple) else value
    return flat
