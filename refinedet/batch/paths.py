"""Paths of the results of an archive: files of each scene by day, and its part of the data set of all scenes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from refinedet.batch.partitions import UNKNOWN, acquisition_day, partition_path
from refinedet.cloud.scene import Scene
from refinedet.config.options.output import OutputSettings
from refinedet.errors import InputError
from refinedet.scene.naming import scene_stem
from refinedet.scene.output.files import plan_files, same_name
from refinedet.scene.output.result_paths import DATASET as PARTITION
from refinedet.scene.output.result_paths import SEEN

SCENES, DATASET, FOOTPRINTS = "scenes", "dataset", "footprints"
"""Folders of an archive: files of each scene by day, ships of all scenes, and their seen areas."""


def archive_files(scene: Scene, output: OutputSettings, folder: Path, *, ais: bool = False) -> dict[str, Path]:
    """Paths of the result files of one scene of an archive; its part of the data set comes last.

    Formats, picture and map are written only if they were asked for; `ais` as in `plan_files`.
    """
    asked = replace(
        output,
        out=folder / SCENES / acquisition_day(scene),
        format=output.formats(()),
        quicklook=output.quicklook is True,
        map=output.map is True,
    )
    seen = {SEEN: partition_path(folder / FOOTPRINTS, scene)}
    return {**plan_files(scene, asked, ais=ais), **seen, PARTITION: partition_path(folder / DATASET, scene)}


def drop_undated(scene: Scene, folder: Path) -> None:
    """Remove the parts of a scene that an earlier version filed without its day, so that no ship appears twice."""
    for part in (FOOTPRINTS, DATASET):
        undated = partition_path(folder / part, scene, UNKNOWN)
        if undated != partition_path(folder / part, scene):
            undated.unlink(missing_ok=True)


def check_apart(scenes: Iterable[Scene], folder: Path) -> None:
    """Check that no scene lies among the results.

    Raises:
        InputError: one does.
    """
    results = tuple(f"{(folder / name).absolute()}/" for name in (SCENES, DATASET, FOOTPRINTS))
    for scene in scenes:
        if str(scene.absolute()).startswith(results):
            raise InputError(f"expected results apart from the scenes, but {scene} lies among them; name another `out`")


def named_alike(scenes: Iterable[Scene]) -> dict[Scene, InputError]:
    """Scenes whose results would replace those of an earlier scene of the same name, each with its error."""
    taken: dict[str, Scene] = {}
    found = {}
    for scene in scenes:
        stem = scene_stem(scene)
        if (first := taken.setdefault(stem, scene)) != scene:
            found[scene] = same_name(first, scene, f"results would both be named {stem}")
    return found
