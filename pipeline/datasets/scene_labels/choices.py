"""Choices of the user on labels over scenes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from refinedet.config.detect_options import SceneSettings
from refinedet.errors import InputError
from refinedet.geo.vectors import file_kind

POINT_M = 60.0
"""Side of the box around a point whose length is not known, in metres: most ships in harbour roads are longer, fishing
boats shorter."""
_LARGEST_M = 1000.0
_LABEL_SUFFIXES = (".geojson", ".gpkg", ".shp", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class LabelChoices:
    """Choices on labels and scenes; None: what the file says, or a guess that is told."""

    scenes: tuple[Path, ...]
    labels_crs: str | None = None
    """Reference system of coordinates that do not say theirs, or "pixels"."""
    class_column: str | None = None
    point_m: float = POINT_M
    """Side of the box around a point without a length, in metres."""
    settings: SceneSettings = field(default_factory=SceneSettings)
    """How the scenes are looked at."""

    def __post_init__(self) -> None:
        if not 1 <= self.point_m <= _LARGEST_M:
            raise InputError(f"expected `point_m` within 1 to {_LARGEST_M:g} metres, found {self.point_m:g}")
        twice = [path for path, count in Counter(path.absolute() for path in self.scenes).items() if count > 1]
        if twice:
            raise InputError(f"expected every scene once, found {twice[0]} more than once")


def label_choices(
    annotations: Path,
    scenes: tuple[Path, ...],
    *,
    labels_crs: str | None = None,
    class_column: str | None = None,
    point_m: float = POINT_M,
    settings: SceneSettings | None = None,
) -> LabelChoices | None:
    """Choices for labels over `scenes`; None without scenes, where `annotations` is a COCO file.

    Raises:
        InputError: there are labels without scenes, or choices that need scenes.
    """
    if scenes:
        return LabelChoices(scenes, labels_crs, class_column, point_m, settings or SceneSettings())
    asked = {"labels_crs": labels_crs, "class_column": class_column, "point_m": None if point_m == POINT_M else point_m}
    given = [name for name, value in asked.items() if value is not None]
    if settings not in (None, SceneSettings()):
        given.append("gsd_m")
    if given:
        raise InputError(
            f"expected `{given[0]}` and other settings of scenes with labels over scenes, found no scene; name the "
            "scenes with `scene`, or leave the setting out"
        )
    if annotations.suffix.lower() in _LABEL_SUFFIXES and (
        annotations.suffix.lower() != ".geojson" or file_kind(annotations, "labels") == "geojson"
    ):
        raise InputError(
            f"expected the scenes that the labels in {annotations} are of, found none; name each with `scene`"
        )
    return None
