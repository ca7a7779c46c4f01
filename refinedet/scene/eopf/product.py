"""Sentinel-1 GRD product in ESA's EOPF Zarr format, in a folder, a zip archive or at an address; one polarisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refinedet.cloud.scene import Scene
from refinedet.errors import InputError
from refinedet.raster import RasterFile, RasterInfo
from refinedet.raster.stores import Node, StoreFiles, StoreReader, open_store
from refinedet.scene.eopf.annotation import read_stored_annotation
from refinedet.scene.eopf.facts import number, table
from refinedet.scene.eopf.picture import Picture, pictures
from refinedet.scene.eopf.points import read_points
from refinedet.scene.eopf.scale import Scale, read_scale
from refinedet.scene.eopf.tables import CALIBRATION, NOISE, read_stored_noise, read_stored_sigma_nought
from refinedet.scene.polarisations import partner, preferred
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.layout import Kind
from refinedet.scene.sentinel1.radiometric import Noise, Table

_WHERE: dict[Kind, str] = {"annotation": "conditions", "calibration": CALIBRATION, "noise": NOISE}
_FORMAT = "EOPF Zarr"


@dataclass(frozen=True, slots=True)
class StoredMeasurement:
    """Picture of one polarisation in a Zarr store: a `Measurement`."""

    polarisation: str
    """vv, vh, hh or hv."""
    place: Scene
    """Path of the folder or of the zip archive; or scene at an address."""
    group: str
    """Path of its group in the store; empty for the store itself."""
    processor: float | None
    """Version of ESA's processor (IPF), such as 3.52; None if the store does not say."""
    instead_of: str | None = None
    """Always None: a store names no polarisation that it lacks."""
    unsearched: str | None = None
    """Polarisation that could be searched besides; None if there is none, or if the caller named one."""
    _read: dict[tuple[int, int], tuple[Annotation, tuple[str, ...]]] = field(default_factory=dict, compare=False)
    """Annotation and sentences on it by the size of the picture, kept once they were read."""

    @property
    def path(self) -> RasterFile:
        """Folder or zip archive; of a store at an address, the file of its metadata."""
        return self.place if isinstance(self.place, Path) else self.place.store().file

    @property
    def product(self) -> Path | str:
        """Folder, zip archive or address of the store."""
        return self.place if isinstance(self.place, Path) else str(self.place)

    def where(self, kind: Kind) -> str:
        """Group of the tables of this kind, for messages."""
        return "/".join(filter(None, (str(self.product), self.group, _WHERE[kind])))

    @contextmanager
    def open(self, max_pixels: int) -> Iterator[StoreReader]:
        """Open the pixels; the reader reports what was read, and which metadata had to be derived.

        Raises:
            FileError, InputError: they are missing, damaged, too large, or of another kind.
        """
        with self._picture() as picture:
            reader = StoreReader(picture.group.files, picture.pixels(), picture.plane, max_pixels)
            read = read_stored_annotation(picture, reader.info)
            self._read[reader.info.width, reader.info.height] = read
            reader.tell(*read[1], product=self._told(picture))
            yield reader

    def annotation(self, info: RasterInfo) -> Annotation:
        """Annotation of the pixels, whose size is in `info`.

        Raises:
            FileError, InputError: its tables are missing, damaged, or belong to another raster.
        """
        size = info.width, info.height
        if size not in self._read:
            with self._picture() as picture:
                self._read[size] = read_stored_annotation(picture, info)
        return self._read[size][0]

    def sigma_nought(self) -> Table:
        """Factors of the radiometric calibration.

        Raises:
            FileError, InputError: the store has none, or they are damaged.
        """
        with self._picture() as picture:
            return read_stored_sigma_nought(picture, _scale(picture))

    def noise(self) -> Noise:
        """Thermal noise.

        Raises:
            FileError, InputError: the store has no noise, or its tables are damaged.
        """
        with self._picture() as picture:
            return read_stored_noise(picture, _scale(picture))

    def files(self) -> list[str]:
        """Names of the files of a store in a folder from which this picture is read, without links."""
        inside, root = f"{self.group}/" if self.group else "", Path(str(self.product))
        names = (file.relative_to(root).as_posix() for file in root.rglob("*") if _is_own(file))
        return sorted(name for name in names if name.startswith(inside) or "/" not in name)

    @contextmanager
    def _picture(self) -> Iterator[Picture]:
        with _opened(self.place) as files:
            yield pictures(Node(files))[self.polarisation]

    def _told(self, picture: Picture) -> dict[str, Any]:
        software = table(picture.properties, "processing:software")
        return {
            "format": _FORMAT,
            "zarr_format": picture.group.version(),
            "group": self.group or "/",
            "software": {str(name): str(version) for name, version in sorted(software.items())},
        }


def find_stored(path: Scene, polarisation: str | None = None) -> StoredMeasurement:
    """Find the picture of a store, of the polarisation asked for; else vv, else hh, else the first by name.

    Args:
        path: folder, zip archive, or scene at an address whose store is meant.
        polarisation: vv, vh, hh or hv.

    Raises:
        FileError: there is no Sentinel-1 GRD product in the store, or it is damaged.
        InputError: it has no such polarisation, or its metadata are of an unsupported kind.
        MissingExtra: zarr is not installed.
    """
    with _opened(path) as files:
        found = pictures(Node(files))
        chosen = preferred(set(found)) if polarisation is None else polarisation.lower()
        if chosen not in found:
            known = ", ".join(sorted(found))
            raise InputError(f"expected polarisation {polarisation} in {path}, found {known}; name one of these")
        picture = found[chosen]
        other = partner(chosen, found) if polarisation is None else None
        processor = _processor(picture.properties)
        return StoredMeasurement(chosen, path, picture.group.name, processor, unsearched=other)


@contextmanager
def _opened(place: Scene) -> Iterator[StoreFiles]:
    if isinstance(place, Path):
        with open_store(place) as files:
            yield files
    else:
        yield place.store()


def _scale(picture: Picture) -> Scale:
    return read_scale(picture, picture.pixels().shape[-2], lambda: read_points(picture).spacing_m())


def _processor(properties: Mapping[str, Any]) -> float | None:
    software = table(properties, "processing:software")
    return next((number(software, name) for name in software if "IPF" in name), None)


def _is_own(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()
