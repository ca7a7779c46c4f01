"""Name of a Sentinel-1 product for results, instead of the name of its manifest or the short name of a raster."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element  # made by defusedxml's parser

from refinedet.cloud.scene import ITEM_SUFFIXES, CloudScene, Scene
from refinedet.errors import RefineDetError
from refinedet.scene.sentinel1.files import ProductFiles, open_product, read_xml
from refinedet.scene.sentinel1.layout import (
    MANIFEST,
    MEASUREMENT,
    ROOTS,
    folder_of,
    is_product_name,
    parse_stem,
    raster_name,
)
from refinedet.scene.sentinel1.product import is_archive

_COARSE_M, _FULL_M = 39.0, 4.0
"""Least pixel size of a product of medium resolution, and largest pixel size of a product of full resolution."""


def product_name(path: Scene) -> str | None:
    """Name of the product that `path` is, lies in or holds, as a file name; None if it is no product.

    A folder or an archive that is named like a product keeps its name. Otherwise the name is made from the annotation:
    mission, mode, type, times, orbit and data take, as in the names of products. A raster with a short name gets the
    name of its product with its polarisation. Files are opened only if the names are not enough.
    """
    if isinstance(path, CloudScene):
        return _of_item(path) if path.is_item else _of_address(path)
    own = path.name or path.resolve().name
    if raster_name(own) is not None:
        return _of_raster(path)
    if own == MANIFEST and path.is_file():
        own = path.absolute().parent.name
    elif not path.is_dir() and not (path.suffix.lower() == ".zip" and path.is_file() and is_archive(path)):
        return None
    return own if is_product_name(own) else _from_inside(path, own)


def _of_raster(path: Path) -> str | None:
    name, place = raster_name(path.name), path.absolute().parent
    if name is None or name.product is not None or place.name != MEASUREMENT:
        return None
    product = product_name(place.parent)
    return None if product is None else f"{Path(product).stem}_{name.polarisation}{path.suffix}"


def _of_item(scene: CloudScene) -> str:
    """Id of a STAC item; taken from the end of its address, if that is the name of a product."""
    own = scene.name if Path(scene.name).suffix.lower() not in ITEM_SUFFIXES else Path(scene.name).stem
    if scene.address is not None and is_product_name(own):
        return own
    try:
        return scene.item().id
    except RefineDetError:  # reading the scene will say what is wrong
        return own


def _of_address(scene: CloudScene) -> str | None:
    """Name of a raster with a short name at an address, from the folders of the address; None for other rasters."""
    name, place = raster_name(scene.name), None if scene.address is None else scene.address.path.parent
    if name is None or name.product is not None or place is None or place.name != MEASUREMENT:
        return None
    product = place.parent
    return f"{product.stem}_{name.polarisation}{Path(scene.name).suffix}" if is_product_name(product.name) else None


def _from_inside(path: Path, own: str) -> str:
    """Name from the product in a folder or archive with another name `own`; `own` if the product does not state it."""
    try:
        files = open_product(path)
        return files.name if is_product_name(files.name) else _described(files) or own
    except RefineDetError:  # reading the scene will say what is wrong
        return own


def _described(files: ProductFiles) -> str | None:
    """Name from the first annotation of a product; without class and polarisations if there is no manifest."""
    folder = folder_of("annotation")
    for file in files.names(folder):
        if parse_stem(Path(file).stem) is None:
            continue
        root = read_xml(files, f"{folder}/{file}")
        if root.tag == ROOTS["annotation"]:
            return _composed(root, read_xml(files, MANIFEST) if files.holds(MANIFEST) else None)
    return None


def _composed(annotation: Element, manifest: Element | None) -> str | None:
    header = {entry.tag: (entry.text or "").strip() for entry in annotation.iterfind("adsHeader/*")}
    try:
        times = [re.sub(r"[-:]|\..*", "", header[name]) for name in ("startTime", "stopTime")]
        orbit, take = int(header["absoluteOrbitNumber"]), int(header["missionDataTakeId"])
        kind = header["productType"] + _resolution(annotation)
        parts = [header["missionId"], header["mode"], kind, _class(manifest), *times, f"{orbit:06d}", f"{take:06X}"]
    except (KeyError, ValueError):
        return None
    name = "_".join(filter(None, parts))
    return name if re.fullmatch(r"\w+", name) else None


def _resolution(annotation: Element) -> str:
    """Letter of the resolution class: F, H or M."""
    spacing = float(annotation.findtext("imageAnnotation/imageInformation/rangePixelSpacing") or "nan")
    return "M" if spacing > _COARSE_M else "F" if spacing < _FULL_M else "H"


def _class(manifest: Element | None) -> str:
    """Level, class and polarisations, such as 1SDV; empty if the manifest does not state them."""
    if manifest is None:
        return ""
    values: dict[str, list[str]] = {}
    for entry in manifest.iter():
        values.setdefault(entry.tag.rpartition("}")[2], []).append((entry.text or "").strip().upper())
    sent = values.get("transmitterReceiverPolarisation", [])
    if not sent or not values.get("productClass"):
        return ""
    return f"1{values['productClass'][0]}{'D' if len(sent) > 1 else 'S'}{sent[0][:1]}"
