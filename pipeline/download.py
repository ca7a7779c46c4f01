"""Stage download: the raw data set in outputs/download, as published, or simulated scenes.

Archives are kept in .refinedet/downloads of the project, outside of what DVC deletes, so that an interrupted download
goes on and a second run of the stage needs no network.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pipeline.catalogue import CATALOGUE, Source
from pipeline.extract import extract
from pipeline.fetch import fetch, locate
from pipeline.params import Params, SceneParams, load_params
from pipeline.stage import OUTPUTS, SPLITS, local_state, run_stage
from refinedet.data.synthetic import write_simulated
from refinedet.data.synthetic_spec import SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.files import atomic_folder, sha256_tree, write_json

_LOG = logging.getLogger(__name__)
SOURCE_NOTE = "source.json"
"""File in the output that says where the data came from and on what terms."""


def download(params: Params, out: Path, *, mirror: str | None, cache: Path) -> None:
    """Fill the folder `out` with the data set that `params` name; `cache` keeps archives from the network.

    Raises:
        FileError: the data set cannot be had, or is not what it should be.
        InputError: it is neither in the catalogue nor simulated.
    """
    source = CATALOGUE.get(params.dataset)
    if (source is None) == (params.scenes is None):
        raise InputError(
            f"expected the dataset of the recipe to be one of {sorted(CATALOGUE)}, or another name with `scenes` to "
            f"simulate, found {params.dataset!r} {'without' if source is None else 'with'} scenes"
        )
    with atomic_folder(out) as staged:
        if source is not None:
            _obtain(source, staged, mirror=mirror, cache=cache)
            note = {"dataset": params.dataset, "url": source.url, "sha256": source.sha256}
            write_json(staged / SOURCE_NOTE, note | {"licence": source.licence, "citation": source.citation})
        if params.scenes is not None:
            _simulate(params.scenes, staged)


def _obtain(source: Source, staged: Path, *, mirror: str | None, cache: Path) -> None:
    place = locate(source.url, source.archive, mirror)
    if not isinstance(place, Path):
        _from_network(place, source, cache, staged)
    elif place.is_file():
        _unpack(place, source, staged)
    else:
        raise FileError(f"expected {source.archive} in the mirror, found no {place}; check download.mirror")


def _from_network(url: str, source: Source, cache: Path, staged: Path) -> None:
    """Unpack the cached archive; one that is missing or bad is fetched, a bad one only once."""
    archive = cache / source.archive
    if archive.exists():
        try:
            _unpack(archive, source, staged)
        except FileError as error:
            _LOG.warning("%s; fetching it again", error)
            archive.unlink()
        else:
            return
    fetch(url, archive)
    try:
        _unpack(archive, source, staged)
    except FileError:
        archive.unlink()
        raise


def _unpack(archive: Path, source: Source, staged: Path) -> None:
    """Content of `archive` into `staged`, verified."""
    with atomic_folder(staged) as content:
        extract(archive, content, below=source.folder)
        found = sha256_tree(content)
        if found != source.sha256:
            raise FileError(
                f"expected the content of {archive} to have SHA-256 {source.sha256}, found {found}; "
                "it is damaged or another version, so fetch it again"
            )
    _LOG.info("%s: content verified", archive.name)


def _simulate(scenes: SceneParams, staged: Path) -> None:
    seed = scenes.seed
    for split in SPLITS:
        for number in range(getattr(scenes, split)):
            spec = SceneSpec(width_px=scenes.width_px, height_px=scenes.height_px, ships=scenes.ships, seed=seed)
            write_simulated(spec, staged / split / f"scene_{number:03d}.tif")
            seed += 1
        _LOG.info("%s: %d scenes simulated", split, getattr(scenes, split))


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    mirror = os.environ.get("REFINEDET_MIRROR") or params.download.mirror
    download(params, OUTPUTS / "download", mirror=mirror, cache=local_state("downloads"))


if __name__ == "__main__":
    run_stage(main)
