"""Where the results of each scene of a call go, and which of them are there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from refinedet.errors import InputError

if TYPE_CHECKING:
    from cli.detect_options import DetectOptions
    from refinedet.scene.output.result_paths import Format

SCENES, DATASET = "scenes", "dataset"
"""Folders of an archive: what is written of each scene, by day, and the ships of all scenes."""


def scene_paths(scene: Path, options: DetectOptions) -> dict[str, Path]:
    """The files of one scene, by format or view; of an archive also its file in the data set, last."""
    from refinedet.batch.partitions import acquisition_day, partition_path
    from refinedet.scene.output.result_paths import DATASET as IN_DATASET
    from refinedet.scene.output.result_paths import result_paths

    archive = options.archive
    folder = options.out if archive is None else archive / SCENES / acquisition_day(scene)
    formats = cast("list[Format]", options.formats)
    views = {"quicklook": options.quicklook, "web_map": options.web_map, "record": True}
    paths = result_paths(scene, folder, formats, **views)
    return paths if archive is None else {**paths, IN_DATASET: partition_path(archive / DATASET, scene)}


def planned(options: DetectOptions) -> dict[Path, dict[str, Path]]:
    """The files of all scenes.

    Raises:
        InputError: two scenes would write the same file, or a scene would be written over.
    """
    plan = {scene: scene_paths(scene, options) for scene in options.scenes}
    sources = {scene.resolve() for scene in options.scenes}
    taken: dict[Path, Path] = {}
    for scene, paths in plan.items():
        for path in paths.values():
            if path.resolve() in sources:
                raise InputError(f"expected results apart from the scenes, but {path} is a scene; name another --out")
            if path in taken:
                raise _same_name(taken[path], scene, f"results would both be {path}")
            taken[path] = scene
    return plan


def check_archive(options: DetectOptions, out: Path) -> None:
    """The same for an archive, without a path for each file of a million.

    Raises:
        InputError: two scenes would write the same files, or one lies among the results.
    """
    results = tuple(f"{(out / name).absolute()}/" for name in (SCENES, DATASET))
    taken: dict[str, Path] = {}
    for scene in options.scenes:
        if str(scene.absolute()).startswith(results):
            raise InputError(f"expected results apart from the scenes, but {scene} lies among them; name another --out")
        if (first := taken.setdefault(scene.stem, scene)) != scene:
            raise _same_name(first, scene, f"results would both be named {scene.stem}")


def journal_path(scene: Path, paths: dict[str, Path]) -> Path:
    """Where finished windows are kept until the results are written: beside them."""
    return next(iter(paths.values())).with_name(f"{scene.stem}.journal")


def finished(scene: Path, paths: dict[str, Path], options: DetectOptions) -> bool:
    """Whether an earlier run has left all results of a scene, which need not be made again."""
    whole = all(path.is_file() for path in paths.values()) and not _interrupted(scene, paths)
    return options.skip_existing and not options.overwrite and whole


def refuse_existing(scene: Path, paths: dict[str, Path], options: DetectOptions) -> None:
    """Find out before the work whether results could not be written.

    Raises:
        FileError: results are there and must not be replaced, or something is in the way of them.
        MissingExtra: a format needs a package that is not installed.
    """
    from refinedet.scene.output.result_paths import check_writable

    # a journal: these results are half of those of an interrupted run, which was free to write them
    overwrite = options.overwrite or _interrupted(scene, paths) or finished(scene, paths, options)
    check_writable(paths, overwrite=overwrite)


def _interrupted(scene: Path, paths: dict[str, Path]) -> bool:
    """Whether a run has left windows; an empty journal says neither of what, nor that results are its own."""
    journal = journal_path(scene, paths)
    return journal.is_file() and journal.stat().st_size > 0


def _same_name(first: Path, second: Path, why: str) -> InputError:
    return InputError(
        f"expected scenes with different names, found {first} and {second}, whose {why}; run them with different --out"
    )
