"""Stage download: the raw data set in outputs/download, as published, or simulated scenes.

Archives are kept in .refinedet/downloads of the project, where DVC deletes nothing. So an interrupted download resumes,
and a second run of the stage needs no network. Data sets that the user must download are searched for there, too.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from pipeline.datasets.by_hand import copy_folder, find_by_hand, needed_paths, verify_splits
from pipeline.datasets.catalogue import CATALOGUE, ArchiveFile, Source
from pipeline.datasets.own_folder import prepare_own
from pipeline.datasets.real_scenes.writing import find_samples, write_real
from pipeline.datasets.xview3 import prepare_xview3
from pipeline.downloads.checksums import remember_checksum
from pipeline.downloads.extract import extract
from pipeline.downloads.places import ELSEWHERE, locate
from pipeline.params import Params, SceneParams, load_params
from pipeline.stage import OUTPUTS, REAL, SPLITS, local_state, project_root, run_stage
from refinedet.data.coco import SIMULATED
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.downloads.disk import alone_in
from refinedet.downloads.fetch import Access, fetch
from refinedet.errors import DiskError, FileError, InputError
from refinedet.files import atomic_folder, md5_file, sha256_tree, write_json

_LOG = logging.getLogger(__name__)
SOURCE_FILE = "source.json"
"""File in the output that names the origin of the data and its terms."""


def download(params: Params, out: Path, *, mirror: str | None, cache: Path, samples: str | None = None) -> None:
    """Fill the folder `out` with the data set that `params` name; `cache` keeps archives from the network.

    Scenes that the recipe simulates go into its folder `SIMULATED`, alone or with a published data set. Scenes made of
    the real samples in the folder `samples` go into `REAL`, with a data set.

    Raises:
        FileError: the data set is not available, or its content is wrong.
        InputError: it is neither in the catalogue nor simulated, or no image is left for validation or test.
    """
    source = CATALOGUE.get(params.dataset)
    if source is None:
        _check_simulated(params)
    with atomic_folder(out) as staged:
        if source is not None:
            origin = {"dataset": params.dataset, "licence": source.licence, "citation": source.citation}
            origin |= _content(params, source, staged, mirror=mirror, cache=cache)
            write_json(staged / SOURCE_FILE, origin)
        if params.scenes is not None:
            _simulate(params.scenes, staged / SIMULATED)
        if params.real is not None:
            write_real(find_samples(samples), params.real, staged / REAL)


def _check_simulated(params: Params) -> None:
    scenes = params.scenes
    if scenes is None:
        raise InputError(
            f"expected the dataset of the recipe to be one of {sorted(CATALOGUE)}, or another name with `scenes` to "
            f"simulate, found {params.dataset!r} without scenes"
        )
    if not (scenes.val and scenes.test):
        raise InputError(
            f"expected at least 1 simulated scene to validate and 1 to test on, found {scenes.val} and {scenes.test}; "
            "only a data set of the catalogue brings its own"
        )


def _content(params: Params, source: Source, staged: Path, *, mirror: str | None, cache: Path) -> dict[str, Any]:
    """Put the content of the data set into `staged`; returns its origin and SHA-256."""
    if not source.files:
        return _copy_own_folder(params, source, staged)
    if source.manual is None:
        sums = [_obtain(archive, staged, mirror=mirror, cache=cache) for archive in source.files]
    else:
        sums = [_by_hand(params.dataset, source, staged, mirror=mirror, cache=cache)]
    return _origin(source, sums)


def _origin(source: Source, sums: list[str]) -> dict[str, Any]:
    """Origin of the content, its SHA-256 and who verified it; a list if there are several archives."""
    origins = [
        {"archive": archive.name, "url": archive.url, "sha256": found, "known_sum": archive.sum}
        for archive, found in zip(source.files, sums, strict=True)
    ]
    if len(origins) > 1:
        return {"archives": origins}
    return {key: origins[0][key] for key in ("url", "sha256", "known_sum")}


def _copy_own_folder(params: Params, source: Source, staged: Path) -> dict[str, Any]:
    """Copy the user's folder into `staged`. Its path is not written, so equal content gives equal bytes."""
    if params.local is None or source.prepared is None:
        raise InputError(
            f"expected `local` of the recipe to name the folder of {params.dataset}, found null; "
            "see docs/training/data-sets.md"
        )
    prepare_own(source.prepared, params.local, project_root() / Path(params.local.path).expanduser(), staged)
    found = sha256_tree(staged)
    if params.local.sha256 is not None:
        _expect(f"the content of {params.local.path} to have SHA-256", params.local.sha256, found)
    else:
        _LOG.info("SHA-256 of the content: %s; with it in local.sha256 of the recipe, other content is refused", found)
    return {"sha256": found}


def _by_hand(dataset: str, source: Source, staged: Path, *, mirror: str | None, cache: Path) -> str:
    """Put the files that the user downloaded from mirror or cache into `staged`, verified; returns their SHA-256."""
    (archive,), manual = source.files, source.manual
    place = locate(archive.url, archive.name, mirror) if mirror else cache / archive.name
    if manual is None or (isinstance(place, str) and source.prepared is None):  # a web mirror has archives only
        found = _obtain(archive, staged, mirror=mirror, cache=cache)
    else:
        folders = [place.parent] if isinstance(place, Path) else []
        place = find_by_hand(dataset, archive, manual, list(dict.fromkeys([*folders, cache])))
        with atomic_folder(staged / archive.into) as content:
            _unfold(place, archive, source, content)
            found = sha256_tree(content)
        remember_checksum(cache, archive.name, found)
    verify_splits(staged, source)
    return found


def _unfold(place: Path, archive: ArchiveFile, source: Source, content: Path) -> None:
    if source.prepared == "xview3":
        prepare_xview3(place, content)
    elif place.is_dir():
        copy_folder(place, content, needed_paths(source))
    else:
        extract(place, content, below=archive.folder, only=needed_paths(source))


def _obtain(archive: ArchiveFile, staged: Path, *, mirror: str | None, cache: Path) -> str:
    """Put the content of `archive` into `staged`, verified; returns its SHA-256."""
    place = locate(archive.url, archive.name, mirror)
    if not isinstance(place, Path):
        return _from_network(place, archive, cache, staged)
    if place.is_file():
        return _unpack(place, archive, staged, cache)
    raise FileError(f"expected {archive.name} in the mirror, found no {place}; check download.mirror")


def _from_network(url: str, archive: ArchiveFile, cache: Path, staged: Path) -> str:
    """Unpack the cached archive; a missing or damaged one is fetched, a damaged one only once."""
    cached = cache / archive.name
    with alone_in(cache):
        if cached.exists():
            try:
                return _unpack(cached, archive, staged, cache)
            except DiskError:
                raise
            except FileError as error:
                _LOG.warning("%s; fetching it again", error)
                cached.unlink()
        fetch(url, cached, access=Access(unreachable=ELSEWHERE))
        try:
            return _unpack(cached, archive, staged, cache)
        except DiskError:
            raise
        except FileError:
            cached.unlink()
            raise


def _unpack(place: Path, archive: ArchiveFile, staged: Path, cache: Path) -> str:
    """Unpack the archive at `place` into its folder of `staged`, verified; returns the SHA-256 of that content."""
    if archive.sha256 is None and archive.md5 is not None:
        _expect(f"{place} to have MD5", archive.md5, md5_file(place))
    with atomic_folder(staged / archive.into) as content:
        extract(place, content, below=archive.folder)
        found = sha256_tree(content)
        if archive.sha256 is not None:
            _expect(f"the content of {place} to have SHA-256", archive.sha256, found)
    if archive.sha256 or archive.md5:
        _LOG.info("%s: content verified", place.name)
    else:
        remember_checksum(cache, archive.name, found)
        _LOG.warning(
            "%s: no checksum is known; SHA-256 of its content %s, recorded and noted in %s",
            place.name,
            found,
            SOURCE_FILE,
        )
    return found


def _expect(what: str, expected: str, found: str) -> None:
    if found != expected:
        raise FileError(
            f"expected {what} {expected}, found {found}; it is damaged or another version, so fetch it again"
        )


def scene_specs(scenes: SceneParams) -> dict[str, SceneSpec]:
    """Specification of each simulated scene, by its name in the folder `SIMULATED`."""
    width, height, kinds = scenes.width_px, scenes.height_px, scenes.kinds
    counts = scenes.ships if isinstance(scenes.ships, tuple) else (scenes.ships,)
    specs: dict[str, SceneSpec] = {}
    for split in SPLITS:
        for number in range(getattr(scenes, split)):
            seed, kind, ships = scenes.seed + len(specs), kinds[number % len(kinds)], counts[number % len(counts)]
            specs[f"{split}/scene_{number:03d}.tif"] = SceneSpec(width, height, ships, seed, kind=kind)
    return specs


def _simulate(scenes: SceneParams, staged: Path) -> None:
    for name, spec in scene_specs(scenes).items():
        write_simulated(spec, staged / name)
    counts = ", ".join(f"{getattr(scenes, split)} for {split}" for split in SPLITS)
    _LOG.info("scenes simulated: %s", counts)


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    mirror = os.environ.get("REFINEDET_MIRROR") or params.download.mirror
    samples = os.environ.get("REFINEDET_DATA") or params.download.samples
    download(params, OUTPUTS / "download", mirror=mirror, cache=local_state("downloads"), samples=samples)


if __name__ == "__main__":
    run_stage(main)
