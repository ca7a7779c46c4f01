"""Copy of a Sentinel-1 product's metadata for a raster of its size or smaller. Used by sentinel1_scene.py."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from defusedxml.ElementTree import parse
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from refinedet.errors import FileError
from refinedet.scene.sentinel1.annotation import Annotation, Grid, read_annotation

_POINTS = "geolocationGrid/geolocationGridPointList/geolocationGridPoint"
_FIRST_LINE = "imageAnnotation/imageInformation/productFirstLineUtcTime"


def copy_metadata(
    source: Path, target: Path, polarisation: str, fraction: tuple[float, float]
) -> tuple[str, Annotation]:
    """Copy manifest, annotation, calibration and noise of one polarisation into the folder `target`.

    The annotation is that of the upper left part of the raster, `fraction` of its lines and of its samples, with as
    many grid points; the manifest keeps the files that are there, and the raster.

    Returns:
        The name of the raster within the product, and its annotation.

    Raises:
        FileError: `source` has no such metadata.
    """
    found = sorted(source.glob(f"annotation/*-{polarisation}-*.xml"))
    if not found or not (source / "manifest.safe").is_file():
        raise FileError(
            f"expected a folder with manifest.safe and an annotation of {polarisation} at {source}, found none; "
            "name the .SAFE folder of a product"
        )
    raster = f"measurement/{found[0].stem}.tiff"
    names = [f"annotation/{found[0].name}"]
    names += [f"annotation/calibration/{kind}-{found[0].name}" for kind in ("calibration", "noise")]
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    tree = parse(found[0])
    root = tree.getroot()
    whole = read_annotation(root, str(found[0]))
    if fraction != (1.0, 1.0):
        _crop(root, whole, max(64, round(whole.lines * fraction[0])), max(64, round(whole.samples * fraction[1])))
        tree.write(target / names[0], encoding="utf-8", xml_declaration=True)
    _write_manifest(source, target, {*names, raster})
    return raster, read_annotation(root, names[0])


def _write_manifest(source: Path, target: Path, names: set[str]) -> None:
    text = (source / "manifest.safe").read_text(encoding="utf-8")

    def keep(match: re.Match[str]) -> str:
        href = re.search(r'href="(?:\./)?([^"]*)"', match[0])
        return match[0] if href and href[1] in names else ""

    text = re.sub(r"<dataObject .*?</dataObject>\s*", keep, text, flags=re.DOTALL)
    (target / "manifest.safe").write_text(text, encoding="utf-8")


def _crop(root: ET.Element, whole: Annotation, lines: int, samples: int) -> None:
    image = root.find("imageAnnotation/imageInformation")
    assert image is not None
    for name, value in (("numberOfLines", lines), ("numberOfSamples", samples)):
        _set(image, name, str(value))
    for merge_list in root.iterfind("swathMerging/swathMergeList"):
        for merge in list(merge_list):
            if not _crop_bounds(merge, lines, samples):
                merge_list.remove(merge)
    _lay_grid(root, whole.grid, lines, samples)


def _crop_bounds(merge: ET.Element, lines: int, samples: int) -> bool:
    """Crop the bounds of a swath; returns whether any of it is left."""
    bounds = merge.find("swathBoundsList")
    assert bounds is not None
    for piece in list(bounds):
        first = int(piece.findtext("firstAzimuthLine", "")), int(piece.findtext("firstRangeSample", ""))
        if first[0] >= lines or first[1] >= samples:
            bounds.remove(piece)
            continue
        _set(piece, "lastAzimuthLine", str(min(lines - 1, int(piece.findtext("lastAzimuthLine", "")))))
        _set(piece, "lastRangeSample", str(min(samples - 1, int(piece.findtext("lastRangeSample", "")))))
    return len(bounds) > 0


def _lay_grid(root: ET.Element, grid: Grid, lines: int, samples: int) -> None:
    """Move the points of the grid so that they span the smaller raster, each with its own place."""
    old_lines, old_pixels = np.unique(grid.line), np.unique(grid.pixel)
    new_lines = np.unique(np.linspace(0, lines - 1, len(old_lines)).round())
    new_pixels = np.unique(np.linspace(0, samples - 1, len(old_pixels)).round())

    def moved(values: NDArray[np.float64]) -> NDArray[np.float64]:
        table = values.reshape(len(old_lines), len(old_pixels))
        spline = RectBivariateSpline(old_lines, old_pixels, table, kx=3, ky=3, s=0)
        return np.asarray(spline(new_lines, new_pixels)).ravel()

    values = {
        "line": np.repeat(new_lines, len(new_pixels)),
        "pixel": np.tile(new_pixels, len(new_lines)),
        "longitude": moved(grid.longitude),
        "latitude": moved(grid.latitude),
        "height": moved(grid.height),
        "slantRangeTime": moved(grid.slant_range_s),
        "incidenceAngle": moved(grid.incidence_deg),
    }
    seconds = moved(grid.seconds)
    first = np.datetime64(root.findtext(_FIRST_LINE), "us").item()
    for number, point in enumerate(root.iterfind(_POINTS)):
        for name, column in values.items():
            _set(point, name, repr(float(column[number])) if name not in {"line", "pixel"} else f"{column[number]:.0f}")
        _set(
            point, "azimuthTime", (first + timedelta(seconds=float(seconds[number]))).isoformat(timespec="microseconds")
        )


def _set(parent: ET.Element, name: str, text: str) -> None:
    element = parent.find(name)
    assert element is not None, name
    element.text = text
