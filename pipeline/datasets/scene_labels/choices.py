"""User settings for labels over scenes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.datasets.labels.finding import is_table_of_images
from refinedet.cloud.scene import check_download_limit, scene_of
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.label import LabelSettings
from refinedet.config.options.option import options
from refinedet.errors import InputError
from refinedet.geo.vectors import file_kind

_TABLES = (".csv", ".tsv")
_LABEL_SUFFIXES = (".geojson", ".gpkg", ".shp", *_TABLES)
_OF_IMAGES = ("band", "values", "nodata")
"""Settings of scenes that labelled images have, too."""


@dataclass(frozen=True, slots=True)
class LabelChoices:
    """Scenes of a label file, and settings for both."""

    scenes: tuple[Path, ...]
    labels: LabelSettings = field(default_factory=LabelSettings)
    settings: SceneSettings = field(default_factory=SceneSettings)
    """Settings for reading the scenes."""

    def __post_init__(self) -> None:
        twice = [path for path, count in Counter(path.absolute() for path in self.scenes).items() if count > 1]
        if twice:
            raise InputError(f"expected every scene once, found {twice[0]} more than once")


def label_choices(
    annotations: Path, scenes: tuple[Path, ...], labels: LabelSettings, settings: SceneSettings
) -> LabelChoices | None:
    """Settings for labels over `scenes`; None without scenes, when `annotations` are labels of images.

    Raises:
        InputError: scenes are missing for the labels or for a setting, or a setting does not apply to them.
    """
    if scenes:
        check_download_limit(map(scene_of, scenes), settings.max_download_mb)
        if settings.time is not None:
            raise InputError("expected no `time` for training, which does not depend on it; leave it out")
        return LabelChoices(scenes, labels, settings)
    given = [
        one.name
        for group in (labels, settings)
        for one, _ in options(group)
        if one.name not in _OF_IMAGES and getattr(group, one.name) != one.default
    ]
    if given:
        raise InputError(
            f"expected `{given[0]}` beside labels over scenes, found no scene; name the scenes with `scene`, or leave "
            "the setting out"
        )
    suffix = annotations.suffix.lower()
    if suffix in _TABLES and is_table_of_images(annotations):
        return None
    if suffix in _LABEL_SUFFIXES and (suffix != ".geojson" or file_kind(annotations, "labels") == "geojson"):
        raise InputError(
            f"expected the scenes that the labels in {annotations} are of, found none; name each with `scene`"
        )
    return None
