"""Result files of one scene: planning of their paths before detection, and writing after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from refinedet.cloud.scene import Scene
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.output import Format, OutputSettings
from refinedet.errors import InputError
from refinedet.scene.naming import scene_stem
from refinedet.scene.output.result_paths import DATASET, ais_paths, check_writable, result_paths

if TYPE_CHECKING:
    from refinedet.scene.result import SceneResult  # its imports take a second
    from refinedet.scene.views.imagery import Imagery

_FORMATS: tuple[Format, ...] = ("geojson", "csv")
_OUTLINED = {"geojson", "gpkg", "geoparquet", "kml", "fgb", "quicklook", "map", DATASET}
"""Formats and views that show an outline of each ship."""


def plan_files(scene: Scene, output: OutputSettings, *, ais: bool = False) -> dict[str, Path]:
    """Paths of the result files of one scene, by format or view, from the settings; `ais`: with those of AIS ships."""
    views = {"quicklook": output.quicklook is not False, "web_map": output.map is not False, "record": True}
    paths = result_paths(scene, output.out, output.formats(_FORMATS), **views)
    return paths | ais_paths(paths) | {"record": paths["record"]} if ais else paths


def plan_scenes(scenes: Iterable[Scene], output: OutputSettings, *, ais: bool = False) -> dict[Scene, dict[str, Path]]:
    """Paths of the result files of several scenes; `ais` as in `plan_files`.

    Raises:
        InputError: two scenes would write the same file, or a result would overwrite a scene.
    """
    plan = {scene: plan_files(scene, output, ais=ais) for scene in scenes}
    sources = {os.path.realpath(scene) for scene in plan if isinstance(scene, Path)}
    taken: dict[Path, Scene] = {}
    for scene, paths in plan.items():
        for path in paths.values():
            if os.path.realpath(path) in sources:  # unlike Path.resolve, it takes a link to itself
                raise InputError(f"expected results apart from the scenes, but {path} is a scene; name another `out`")
            if path in taken:
                raise same_name(taken[path], scene, f"results would both be {path}")
            taken[path] = scene
    return plan


def same_name(first: Scene, second: Scene, why: str) -> InputError:
    """Error for two scenes whose results would have the same name."""
    return InputError(
        f"expected scenes with different names, found {first} and {second}, whose {why}; "
        "rename one of them, or run them with different `out`"
    )


def journal_path(scene: Scene, paths: Mapping[str, Path]) -> Path:
    """Path of the journal of a scene, beside its results; the journal exists until they are written."""
    return next(iter(paths.values())).with_name(f"{scene_stem(scene)}.journal")


def finished(scene: Scene, paths: Mapping[str, Path], output: OutputSettings) -> bool:
    """True if all results of a scene exist from an earlier run, and these settings do not replace them."""
    whole = all(path.is_file() for path in paths.values()) and not _interrupted(scene, paths)
    return output.skip_existing and whole


def refuse_existing(scene: Scene, paths: dict[str, Path], output: OutputSettings) -> None:
    """Check before detection that results can be written.

    Raises:
        InputError: an outline other than the box is set, but no file shows outlines.
        FileError: results exist and must not be replaced, or another file or folder blocks them.
        MissingExtra: a format needs a package that is not installed.
    """
    if output.outline != "box" and not _OUTLINED & paths.keys():
        raise InputError(
            f"expected a file that shows outlines for the `outline` {output.outline}, found only {', '.join(paths)}; "
            "ask for a `format` such as geojson, or leave `outline` out"
        )
    # results beside a journal come from an interrupted run, which was allowed to write them
    overwrite = output.overwrite or _interrupted(scene, paths) or finished(scene, paths, output)
    check_writable(paths, overwrite=overwrite)


def load_writers(paths: Mapping[str, Path]) -> None:
    """Import the modules for `write_files` in advance, which takes half of the time of a picture."""
    import refinedet.scene.output.writers

    if "quicklook" in paths:
        import refinedet.scene.output.quicklook
    if "map" in paths:
        import jinja2  # noqa: F401 - to be there

        import refinedet.scene.output.webmap  # noqa: F401 - ditto


def with_format_notes(result: SceneResult, paths: Mapping[str, Path]) -> SceneResult:
    """Result with a note on each file that cannot hold all information."""
    if "stac" not in paths or result.acquired.source != "unknown":
        return result
    from refinedet.scene.output.formats.stac_properties import TIME_UNKNOWN

    return replace(result, notes=(*result.notes, TIME_UNKNOWN))


def write_files(
    scene: Scene,
    result: SceneResult,
    paths: Mapping[str, Path],
    settings: SceneSettings,
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write the formats, the picture and the map that `paths` names; `record` is the record of the run.

    Another thread draws the picture at the same time.

    Raises:
        FileError: a file cannot be written, or the scene cannot be read again.
    """
    from refinedet.scene.output.writers import write_results, write_ships_of_ais

    shown = _read_imagery(scene, result, paths, settings)
    with ThreadPoolExecutor(1, thread_name_prefix="picture") as beside:
        drawn = beside.submit(_write_view, "quicklook", scene, result, paths, shown)
        write_results(result, paths, record)
        write_ships_of_ais(result, paths)
        _write_view("map", scene, result, paths, shown)
        drawn.result()


def _read_imagery(
    scene: Scene, result: SceneResult, paths: Mapping[str, Path], settings: SceneSettings
) -> Imagery | None:
    """Read the imagery for picture and map, once for both; None if neither is wanted."""
    views = [paths[name] for name in ("quicklook", "map") if name in paths]
    if not views:
        return None
    from refinedet.scene.output import quicklook, webmap
    from refinedet.scene.output.writers import writing
    from refinedet.scene.views.imagery import read_imagery

    with writing(views[0]):
        return read_imagery(scene, result, webmap.CUTOUTS if "map" in paths else quicklook.CUTOUTS, settings)


def _write_view(
    name: Literal["quicklook", "map"],
    scene: Scene,
    result: SceneResult,
    paths: Mapping[str, Path],
    shown: Imagery | None,
) -> None:
    """Write the picture or the map, if it is wanted."""
    if name not in paths:
        return
    from refinedet.scene.output import quicklook, webmap
    from refinedet.scene.output.writers import writing

    write = quicklook.write_quicklook if name == "quicklook" else webmap.write_map
    with writing(paths[name]):
        write(scene, result, paths[name], imagery=shown)


def _interrupted(scene: Scene, paths: Mapping[str, Path]) -> bool:
    """True if an interrupted run left finished windows; an empty journal does not show whose results these are."""
    journal = journal_path(scene, paths)
    return journal.is_file() and journal.stat().st_size > 0
