"""Measurement: one polarisation of a Sentinel-1 GRD product in any format."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from refinedet.raster import RasterFile, RasterInfo, RasterReader
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.layout import Kind
from refinedet.scene.sentinel1.radiometric import Noise, Table


class Measurement(Protocol):
    """Raster of a product, with its metadata."""

    @property
    def polarisation(self) -> str:
        """vv, vh, hh or hv."""

    @property
    def path(self) -> RasterFile:
        """Path of the raster, of the archive that holds it, or of the store."""

    @property
    def product(self) -> Path | str:
        """Folder or archive of the product; for an item, its address."""

    @property
    def processor(self) -> float | None:
        """Version of ESA's processor (IPF) that made the product, such as 3.52; None if not stated."""

    @property
    def instead_of(self) -> str | None:
        """Polarisation that is the default, but whose raster is missing; None if there is no such polarisation."""

    @property
    def unsearched(self) -> str | None:
        """Polarisation that could be searched besides; None if there is none, or if the caller named one."""

    def open(self, max_pixels: int) -> AbstractContextManager[RasterReader]:
        """Open the raster.

        Raises:
            FileError, InputError: it is missing, damaged, too large, or of another kind.
        """

    def where(self, kind: Kind) -> str:
        """Place of the files or tables of this kind, for messages."""

    def annotation(self, info: RasterInfo) -> Annotation | None:
        """Annotation of the raster, whose size is in `info`; None if the product has none.

        Raises:
            FileError, InputError: it is damaged, or belongs to another raster.
        """

    def sigma_nought(self) -> Table:
        """Factors of the radiometric calibration.

        Raises:
            FileError, InputError: the product has none, or they are damaged.
        """

    def noise(self) -> Noise:
        """Thermal noise.

        Raises:
            FileError, InputError: the product has no noise, or the tables are damaged.
        """
