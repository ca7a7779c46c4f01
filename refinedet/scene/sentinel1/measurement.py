"""Measurement: one polarisation of a Sentinel-1 GRD product, whatever the format it is distributed in."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from refinedet.raster import RasterFile, RasterInfo, RasterReader
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.layout import Kind
from refinedet.scene.sentinel1.radiometric import Noise, Table

PREFERRED = ("vv", "hh")
"""Polarisations that are taken by default: sent and received alike, in which ships are brightest."""


class Measurement(Protocol):
    """Raster of a product, and what the product says of it."""

    @property
    def polarisation(self) -> str:
        """vv, vh, hh or hv."""

    @property
    def path(self) -> RasterFile:
        """The raster, the archive that holds it, or the store."""

    @property
    def product(self) -> Path | str:
        """The product's folder or archive; of an item, its place."""

    @property
    def processor(self) -> float | None:
        """Version of ESA's processor (IPF) that made it, such as 3.52; None if the product does not say."""

    @property
    def instead_of(self) -> str | None:
        """Polarisation that would be taken by default, if its raster were there."""

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
            FileError, InputError: the product does not tell it, or the tables are damaged.
        """


def preferred(polarisations: set[str]) -> str:
    """Polarisation that is looked at if none is asked for: vv, else hh, else the first by name."""
    return next((one for one in PREFERRED if one in polarisations), min(polarisations))
