"""Sentinel-1 GRD product that a STAC item describes, as Copernicus Data Space, Earth Search and Planetary Computer do.

The keys of the assets give the files of a product: vv, vh, hh and hv are the rasters; schema-product-<pol>,
schema-calibration-<pol> and schema-noise-<pol> are the files that describe them. Other assets are never opened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NoReturn

from refinedet.cloud.address import Address
from refinedet.cloud.item import Item
from refinedet.cloud.remote_file import RemoteFile
from refinedet.cloud.scene import CloudScene
from refinedet.errors import FileError, InputError
from refinedet.scene.sentinel1.layout import MANIFEST, MEASUREMENT, folder_of, parse_stem

_POLARISATIONS = ("vv", "vh", "hh", "hv")
_MANIFESTS = ("safe-manifest", "safe_manifest")
_ANNOTATION = folder_of("annotation")


@dataclass(frozen=True, slots=True)
class ItemProduct:
    """Files of a product, by the assets of a STAC item."""

    scene: CloudScene
    name: str
    """Id of the item."""
    files: dict[str, Address]
    """Address of each file, by its path in the product."""
    max_bytes: int
    """Largest size of a small file in bytes."""
    guessed: dict[str, Address] = field(default_factory=dict)
    """Expected addresses of annotations that the item does not name."""

    @property
    def path(self) -> str:
        """Place of the item, for messages."""
        return str(self.scene)

    def where(self, name: str) -> str:
        """Place of a file of the product, for messages."""
        found = self.files.get(name) or self.guessed.get(name)
        return f"{name} of {self.path}" if found is None else str(found)

    def holds(self, name: str) -> bool:
        """True if the item names such a file."""
        return name in self.files

    def names(self, folder: str) -> list[str]:
        """Names of the files in one folder of the product."""
        if folder == _ANNOTATION:
            self._look_for_guessed()
        return sorted(PurePosixPath(name).name for name in self.files if str(PurePosixPath(name).parent) == folder)

    def check_inside(self, name: str) -> None:
        """Accept any name, because an item holds only the files that it names."""

    def locate(self, name: str) -> tuple[RemoteFile, None]:
        """Remote file, and None, because it is in no archive.

        Raises:
            FileError: the item names no such file.
        """
        if not self.holds(name):
            self._missing(name)
        return self.scene.file(self.files[name]), None

    def read(self, name: str) -> bytes:
        """Read at most one byte more than `max_bytes` of a file.

        Raises:
            FileError, InputError: as `locate`, or the file cannot be fetched.
        """
        if not self.holds(name):
            self._missing(name)
        return self.scene.small(self.files[name], self.max_bytes)

    def identified(self, names: list[str]) -> list[Any]:
        """Values that identify files, ready for JSON: for small files, a hash of their content.

        Raises:
            FileError, InputError: one of them cannot be read.
        """
        whole = [name for name in (MANIFEST, *names) if self.holds(name) and self._is_read(name)]
        rest = [name for name in names if name not in whole]
        hashes = [[name, hashlib.sha256(self.read(name)).hexdigest()] for name in whole]
        return hashes + [self.scene.file(self.files[name]).describe() for name in rest]

    @staticmethod
    def _is_read(name: str) -> bool:
        return str(PurePosixPath(name).parent) in (".", _ANNOTATION)

    def _look_for_guessed(self) -> None:
        """Add the annotations beside the rasters that the item does not name, if they exist."""
        for name, address in list(self.guessed.items()):
            del self.guessed[name]
            try:
                self.scene.small(address, self.max_bytes)
            except FileError:  # then the scene is read without its annotation, and a note says so
                continue
            self.files[name] = address
            self.scene.traffic.tell(f"the item names no annotation for {name}: the file beside its raster is read")

    def _missing(self, name: str) -> NoReturn:
        raise FileError(f"expected the file {name} among the assets of {self.path}, found none; name another item")


def product_of_item(scene: CloudScene, max_bytes: int) -> ItemProduct:
    """Product that a STAC item describes.

    Raises:
        FileError: the item cannot be read.
        InputError: it is no item, describes no such product, or names an address that is not allowed.
    """
    item = scene.item()
    product = ItemProduct(scene, item.id, {}, max_bytes)
    rasters = {pol: address for pol in _POLARISATIONS if (address := item.address(pol)) is not None}
    if not any(parse_stem(address.path.stem) for address in rasters.values()):
        keys = ", ".join(sorted(map(str, item.assets)))[:200] or "none"
        raise InputError(
            f"expected the rasters of a Sentinel-1 GRD product among the assets of {scene} (vv, vh, hh or hv), "
            f"found {keys}; name the address of one raster instead"
        )
    for pol, address in rasters.items():
        product.files[f"{MEASUREMENT}/{address.name}"] = address
        _add_descriptions(product, item, pol, address)
    manifest = next((found for key in _MANIFESTS if (found := item.address(key)) is not None), None)
    if manifest is not None:
        product.files[MANIFEST] = manifest
    return product


def _add_descriptions(product: ItemProduct, item: Item, pol: str, raster: Address) -> None:
    """Add the files that describe a raster; in place of an invalid annotation, the one expected beside the raster."""
    for kind in ("calibration", "noise"):
        found = item.address(f"schema-{kind}-{pol}")
        if found is not None:
            product.files[f"{folder_of(kind)}/{found.name}"] = found
    annotation = item.address(f"schema-product-{pol}")
    if annotation is not None and parse_stem(annotation.path.stem) is not None:
        product.files[f"{_ANNOTATION}/{annotation.name}"] = annotation
    elif raster.path.parent.name == MEASUREMENT:
        name = f"{raster.path.stem}.xml"
        product.guessed[f"{_ANNOTATION}/{name}"] = raster.beside(f"../{_ANNOTATION}/{name}")
