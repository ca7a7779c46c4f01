"""Pictures of a store: one for each polarisation, with the arrays and attributes that describe it.

Three layouts are in use. Up to version 2 of ESA's software, each polarisation is a group, and the name of the group
ends with it. From version 3 on, one group holds all polarisations, and arrays have a first dimension `polarization`.
Prototypes are one group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError, InputError
from refinedet.raster.stores import ArrayInfo, Node
from refinedet.scene.eopf.facts import look_up, table, text

PIXELS = "measurements/grd"

_PLANES = "polarization"
_NAME = re.compile(r".*_([HV]{2})", re.IGNORECASE)
_KNOWN = ("vv", "vh", "hh", "hv")
_MOST_GROUPS = 100
_UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3, "nanoseconds": 1}
_SINCE = re.compile(r"(\w+) since (\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?))?")
_LATEST = 9 * 10**18
"""Nanoseconds since 1970 that still fit 64 bits."""
_EARLIEST_BARE = 10**17
"""Least number without a unit that counts as nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Picture of one polarisation in an open store."""

    polarisation: str
    """vv, vh, hh or hv."""
    group: Node
    plane: int | None
    """Index of its plane in arrays of all polarisations; None: the polarisation has a group of its own."""
    root: Mapping[str, Any]
    """Attributes of the store."""
    own: Mapping[str, Any]
    """Attributes of its group."""

    @property
    def where(self) -> str:
        """Store and group, for messages."""
        return f"{self.group.files.path}/{self.group.name}".rstrip("/")

    @property
    def properties(self) -> Mapping[str, Any]:
        """STAC properties: of the store, or else of the group, where some stores have only placeholders."""
        return {**table(self.own, "stac_discovery", "properties"), **table(self.root, "stac_discovery", "properties")}

    @property
    def annotated(self) -> Mapping[str, Any]:
        """Parts of the annotation in the attributes, with names that differ from the annotation file."""
        whole = table(self.own, "other_metadata")
        return table(whole, self.polarisation.upper()) or whole

    def pixels(self) -> ArrayInfo:
        """Describe the pixels.

        Raises:
            FileError, InputError: their metadata are damaged, or of a kind that is not read.
        """
        found = self.group.find(PIXELS)
        if found is None:
            raise self.broken(PIXELS, "no pixels")
        return found

    def values(self, info: ArrayInfo) -> NDArray[Any]:
        """Read a table of this polarisation. The axis of swaths comes first.

        Raises:
            FileError, InputError: it is damaged, or of a kind that is not read.
        """
        found = self.group.table(info)
        axes = list(info.axes)
        if self.plane is not None and _PLANES in axes:
            axis = axes.index(_PLANES)
            if self.plane >= found.shape[axis]:
                raise self.broken(info.name, f"{found.shape[axis]} polarisations")
            found = np.take(found, self.plane, axis)
            axes.remove(_PLANES)
        return np.moveaxis(found, axes.index("swath"), 0) if "swath" in axes else found

    def numbers(self, name: str) -> NDArray[np.float64] | None:
        """Read a table of numbers; None if there is none. Restores negative numbers that some stores keep unsigned.

        Raises:
            FileError, InputError: as `values`.
        """
        info = self.group.find(name)
        if info is None or info.dtype.kind not in "iuf":
            return None
        found = self.values(info)
        signed = found.view(np.int32) if found.dtype == np.uint32 else found
        return np.asarray(signed, np.float64)

    def times(self, name: str) -> NDArray[np.datetime64] | None:
        """Read times by the unit in their attributes; None if there are none, or their unit is not known.

        Raises:
            FileError, InputError: as `values`.
        """
        info = self.group.find(name)
        if info is None or info.dtype.kind not in "iuf":
            return None
        found = self.values(info)
        match = _SINCE.match(text(info.attributes, "units"))
        unit = _UNITS.get(match[1]) if match else None
        if match is None or unit is None:
            bare = found.dtype == np.int64 and np.abs(found).min() > _EARLIEST_BARE
            return found.astype("datetime64[ns]") if bare else None
        if not (np.abs(found.astype(np.float64)) < _LATEST / unit).all():
            return None
        try:
            start = np.datetime64(f"{match[2]}T{match[3] or '00:00:00'}", "ns")
        except ValueError:
            return None
        return np.asarray(start + (found.astype(np.int64) * unit).astype("timedelta64[ns]"))

    def broken(self, name: str, found: str) -> FileError:
        """Error for a damaged table."""
        return FileError(
            f"expected the metadata of a Sentinel-1 GRD raster at {self.where}, found {found} at {name}; the store is "
            "damaged or not whole, fetch the product again"
        )


def pictures(root: Node) -> dict[str, Picture]:
    """Pictures of a store by polarisation.

    Raises:
        FileError: the store is no Sentinel-1 GRD product, or damaged.
        InputError: its metadata are of an unsupported kind.
    """
    path, attributes = root.files.path, root.attributes()
    found: dict[str, Picture] = {}
    for group, info in _groups(root):
        for one in _of_group(group, info, attributes):
            if one.polarisation in found:
                raise FileError(
                    f"expected one picture of {one.polarisation} in {path}, found "
                    f"{found[one.polarisation].group.name} and {group.name}; fetch the product again"
                )
            found[one.polarisation] = one
    if not found:
        kind = text(attributes, "stac_discovery", "properties", "product:type") or "an unknown kind"
        raise FileError(
            f"expected a Sentinel-1 GRD product in the Zarr store {path}, found one of {kind[:40]} without {PIXELS}; "
            "detection needs ground range data of Sentinel-1, so fetch the GRD product"
        )
    return found


def _groups(root: Node) -> Iterator[tuple[Node, ArrayInfo]]:
    """Groups of a store that hold pixels, with the pixels: the root, or groups below it."""
    if (info := root.find(PIXELS)) is not None:
        yield root, info
        return
    names = root.groups()
    if len(names) > _MOST_GROUPS:
        raise InputError(
            f"expected at most {_MOST_GROUPS} groups in {root.files.path}, found {len(names)}; it is no GRD product"
        )
    for group in map(root.child, names):
        if (info := group.find(PIXELS)) is not None:
            yield group, info


def _of_group(group: Node, info: ArrayInfo, root: Mapping[str, Any]) -> Iterator[Picture]:
    own = group.attributes()
    if _PLANES in info.axes:
        described = group.find(f"measurements/{_PLANES}")
        names = None if described is None else group.table(described)
        if names is None or names.dtype.kind != "U" or len(names) != info.shape[0] or info.axes[0] != _PLANES:
            raise FileError(f"expected the names of the polarisations of {info.name} in {group.files.path}, found none")
        for plane, name in enumerate(names.tolist()):
            yield Picture(_checked(name, group), group, plane, root, own)
        return
    match = _NAME.fullmatch(group.name)
    yield Picture(_checked(match[1] if match else _only(own, root), group), group, None, root, own)


def _only(*attributes: Mapping[str, Any]) -> str:
    """Polarisation of a store with only one; empty if the attributes name none or several."""
    for one in attributes:
        named = look_up(one, "stac_discovery", "properties", "sar:polarizations")
        if isinstance(named, list) and len(named) == 1:
            return str(named[0])
    return ""


def _checked(name: str, group: Node) -> str:
    if name.lower() not in _KNOWN:
        raise FileError(
            f"expected a polarisation of {', '.join(_KNOWN)} for the pixels of group {group.name or '/'} in "
            f"{group.files.path}, found {name[:20]!r}; fetch the product again"
        )
    return name.lower()
