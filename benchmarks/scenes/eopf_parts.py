"""Metadata of a product in SAFE format, and arrays of a store of EOPF, for eopf_store.py."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree.ElementTree import Element

import numpy as np
import zarr
from defusedxml.ElementTree import parse
from numcodecs import Blosc
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

Layout = Literal["cpm2", "cpm2-degraded", "cpm3"]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Annotated:
    """Metadata of one polarisation of a product in SAFE format."""

    polarisation: str
    """VV, VH, HH or HV."""
    annotation: Element
    calibration: Element
    noise: Element

    @property
    def first(self) -> np.datetime64:
        """Time of the first line."""
        return np.datetime64(self.image("productFirstLineUtcTime"), "ns")

    @property
    def last(self) -> np.datetime64:
        """Time of the last line."""
        seconds = (int(self.image("numberOfLines")) - 1) * float(self.image("azimuthTimeInterval"))
        return self.first + np.timedelta64(round(seconds * 1e6), "us")

    def image(self, name: str) -> str:
        """Text of the image information."""
        return self.annotation.findtext(f"imageAnnotation/imageInformation/{name}") or ""


def annotated(product: Path, raster: Path) -> Annotated:
    """Metadata that belong to a raster of a product."""
    stem, folder = raster.stem, product / "annotation"
    paths = [
        folder / f"{stem}.xml",
        *(folder / "calibration" / f"{kind}-{stem}.xml" for kind in ("calibration", "noise")),
    ]
    annotation, calibration, noise = (parse(path).getroot() for path in paths)
    return Annotated(annotation.findtext("adsHeader/polarisation") or "", annotation, calibration, noise)


class StoreArrays:
    """Arrays of a store under construction."""

    def __init__(self, out: Path, layout: Layout, chunks: tuple[int, int]) -> None:
        self.layout, self.chunks = layout, chunks
        self.version: Literal[2, 3] = 3 if layout == "cpm3" else 2
        self.root = zarr.open_group(out, mode="w", zarr_format=self.version)

    def put_each(self, group: zarr.Group, name: str, values: Sequence[Array], axes: Sequence[str]) -> None:
        """Write a table of each polarisation."""
        if self.version == 3:
            self.put(group, name, np.stack(values), ("polarization", *axes))
            self.put_names(group, name.rpartition("/")[0], None)
        else:
            self.put(group, name, values[0], axes)

    def put_names(self, group: zarr.Group, folder: str, members: Sequence[Annotated] | None) -> None:
        """Write the names of the polarisations, if there are any."""
        if members is not None:
            names = np.array([one.polarisation for one in members])
            with warnings.catch_warnings(action="ignore"):  # texts of a fixed length are no part of version 3 yet
                self.put(group, f"{folder}/polarization", names, ("polarization",))

    def put_times(
        self,
        group: zarr.Group,
        name: str,
        counts: Array,
        axes: Sequence[str],
        since: np.datetime64,
        unit: str = "nanoseconds",
    ) -> None:
        """Write times as counts of a unit since a moment."""
        array = self.put(group, name, counts, axes)
        array.attrs.update({"units": f"{unit} since {str(since).replace('T', ' ')}", "calendar": "proleptic_gregorian"})

    def put(self, group: zarr.Group, name: str, values: Array, axes: Sequence[str]) -> zarr.Array[Any]:
        """Write an array in one chunk."""
        array = self.create(group, name, values.dtype, values.shape, axes, values.shape)
        array[...] = values
        return array

    def create(
        self,
        group: zarr.Group,
        name: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        axes: Sequence[str],
        chunks: tuple[int, ...],
    ) -> zarr.Array[Any]:
        """Create an array without values; `chunks` are those of its last axes."""
        axes = ("polarization", *axes) if len(axes) < len(shape) else axes
        chunks = (1, *chunks) if len(chunks) < len(shape) else chunks
        fill = float("nan") if dtype.kind == "f" else None if self.version == 2 else "" if dtype.kind == "U" else 0
        how: dict[str, Any] = {"shape": shape, "chunks": chunks, "dtype": dtype, "fill_value": fill}
        if self.version == 3:
            return group.create_array(name, **how, compressors=ZstdCodec(level=0), dimension_names=axes)
        blosc = Blosc(cname="zstd", clevel=3, shuffle=2)
        return group.create_array(
            name, **how, compressors=blosc, filters=None, attributes={"_ARRAY_DIMENSIONS": list(axes)}
        )


def numbers(element: Element, name: str) -> NDArray[np.float64]:
    """Numbers in the text of an element."""
    return np.array((element.findtext(name) or "").split(), np.float64)


def padded(rows: Sequence[NDArray[np.float64]], fill: float) -> NDArray[np.float64]:
    """Rows of several lengths as a table, padded at their ends."""
    whole = np.full((len(rows), max(map(len, rows))), fill)
    for row, values in zip(whole, rows, strict=True):
        row[: len(values)] = values
    return whole


def laid(axis: NDArray[np.float64], places: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at some places of an axis, NaN elsewhere."""
    count = min(len(places), len(values))
    whole = np.full(len(axis), np.nan)
    whole[np.searchsorted(axis, places[:count])] = values[:count]
    return whole


def rounded(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Values as whole numbers."""
    return values.round().astype(np.int64)


def snake(name: str) -> str:
    """Name in small letters, with words joined by underscores."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def plain(element: Element | None) -> Any:
    """Element of an annotation as attributes have it: names in lower case, lists as lists, numbers as numbers."""
    if element is None:
        return {}
    children = list(element)
    if element.tag.endswith("List"):
        return [plain(child) for child in children]
    if children:
        return {snake(child.tag): plain(child) for child in children}
    text = element.text or ""
    try:
        return float(text) if "." in text or "e" in text else int(text)
    except ValueError:
        return text
