"""Position of a raster from the user's settings, from its own coordinates, or from the small files beside it.

`gcps` comes first, then the file's own control points or transform, then a world file, then GDAL's auxiliary file, then
rational polynomial coefficients (RPC). `crs` overrules the reference system of the file, which overrules the .prj file
and the auxiliary file beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.geo.position import locate
from refinedet.raster import RasterFile, RasterInfo, SceneReader
from refinedet.raster.polynomials import with_polynomials
from refinedet.scene.input.file_metadata import FileMetadata, file_metadata
from refinedet.scene.input.place.auxiliary import Auxiliary
from refinedet.scene.input.place.control_points import check_control_points
from refinedet.scene.input.place.gcps import read_gcps
from refinedet.scene.input.place.side_files import (
    auxiliary_file,
    polynomial_file,
    read_auxiliary_file,
    read_polynomial_file,
    read_reference_file,
    read_world_file,
    reference_file,
    world_file,
)
from refinedet.wording import first_of


def apply_position(reader: SceneReader, path: RasterFile, settings: SceneSettings) -> None:
    """Give a raster the position from the settings, its own coordinates or the files beside it, and report which.

    A raster without a position gets the pixel spacing that its metadata state.

    Raises:
        FileError: `gcps` cannot be read.
        InputError: `gcps` or `crs` cannot be used, or `crs` has nothing to apply to.
    """
    crs = None if settings.crs is None else _stated_wkt(settings.crs)
    _tell_pages(reader, path)
    if settings.gcps is not None:
        _apply_gcps(reader, settings.gcps, crs)
    else:
        auxiliary = _auxiliary(reader, path)
        _apply_world_file(reader, path)
        _apply_auxiliary(reader, path, auxiliary)
        _apply_crs(reader, path, crs, auxiliary)
        _apply_polynomials(reader, path, auxiliary)
    check_control_points(reader)
    _tell_latitude_first(reader)
    _apply_metadata(reader, located=locate(reader.info) is not None)


def _stated_wkt(text: str) -> str:
    """WKT of the setting `crs`."""
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        crs = None
    if crs is None or not (crs.is_geographic or crs.is_projected):
        raise InputError(f"expected `crs` as EPSG:n or the WKT of a map's reference system, found {text[:100]!r}")
    return str(crs.to_wkt())


def _apply_gcps(reader: SceneReader, path: Path, crs: str | None) -> None:
    before = reader.info
    points, system = read_gcps(path, crs, before.width, before.height)
    reader.info = replace(
        before,
        crs=None,
        transform=None,
        gcps=points,
        gcp_crs=system,
        gcp_zero="edge",
        gcp_evidence="setting",
    )
    if before.transform is not None or before.gcps:
        reader.tell(f"the scene lies where the {len(points)} points of {path.name} say; its own coordinates are unused")
    reader.tell(position={"gcps": path.name})


def _apply_world_file(reader: SceneReader, path: RasterFile) -> None:
    """Use the transform of the world file beside a raster that has no coordinates."""
    if _has_coordinates(reader.info) or (world := world_file(path)) is None:
        return
    matrix = read_world_file(world)
    if matrix is None:
        reader.tell(f"{world.name} beside the scene is not read: expected six numbers that place pixels")
        return
    reader.info = replace(reader.info, transform=matrix)
    reader.tell(f"the scene's transform comes from {world.name} beside it", position={"transform": world.name})


def _has_coordinates(info: RasterInfo) -> bool:
    return bool(info.gcps) or info.transform is not None


def _auxiliary(reader: SceneReader, path: RasterFile) -> Auxiliary:
    """Content of GDAL's auxiliary file beside a raster without a position; empty without one."""
    beside = None if locate(reader.info) is not None else auxiliary_file(path)
    found = None if beside is None else read_auxiliary_file(beside)
    if beside is not None and found is None:
        reader.tell(f"{beside.name} beside the scene is not read: expected XML as GDAL writes it")
    return found or Auxiliary()


def _apply_auxiliary(reader: SceneReader, path: RasterFile, found: Auxiliary) -> None:
    """Use the transform or the control points of the auxiliary file beside a raster that has no coordinates."""
    if _has_coordinates(reader.info) or not (found.gcps or found.transform):
        return
    if found.gcps:
        what, key = f"{len(found.gcps)} control points come", "gcps"
        reader.info = replace(reader.info, gcps=found.gcps, gcp_crs=found.gcp_crs)
    else:
        what, key = "transform comes", "transform"
        reader.info = replace(reader.info, transform=found.transform, crs=found.crs or reader.info.crs)
    name = f"{path.name}.aux.xml"
    reader.tell(f"the scene's {what} from {name} beside it", position={key: name})


def _apply_polynomials(reader: SceneReader, path: RasterFile, auxiliary: Auxiliary) -> None:
    """Use rational polynomial coefficients for a raster without any other position."""
    if locate(reader.info) is not None:
        return
    for source, entries in _polynomials(reader, path, auxiliary):
        placed = with_polynomials(reader.info, entries)
        if placed is None:
            reader.tell(f"the rational polynomials (RPC) in {source} cannot be used; `gcps` places the scene")
            continue
        reader.info, height_m = placed
        reader.tell(
            f"the position comes from the rational polynomials (RPC) in {source}, for a height of {height_m:.0f} m "
            "over the ellipsoid; a sea at another height moves places by about the difference; `gcps` overrules it",
            position={"rpc": source, "height_m": height_m},
        )
        return


def _polynomials(
    reader: SceneReader, path: RasterFile, auxiliary: Auxiliary
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the rational polynomials of a scene, each with the name of its file."""
    if own := reader.rational_polynomials():
        yield "the file", own
    if auxiliary.polynomials:
        yield f"{path.name}.aux.xml", auxiliary.polynomials
    if (beside := polynomial_file(path)) is not None:
        yield beside.name, read_polynomial_file(beside)


def _apply_crs(reader: SceneReader, path: RasterFile, crs: str | None, auxiliary: Auxiliary) -> None:
    """Use the stated reference system, else that of the file, else that of the .prj or auxiliary file beside it."""
    info = reader.info
    if crs is not None:
        if not _has_coordinates(info):
            raise InputError(
                f"expected coordinates for `crs` in {path}, found none: neither a transform nor control points, "
                "and no world file beside it; give control points with `gcps`"
            )
        own = info.gcp_crs if info.gcps else info.crs
        if own is not None and CRS.from_wkt(own) != CRS.from_wkt(crs):
            reader.tell(f"`crs` overrules the scene's own reference system ({_name(own)}): {_name(crs)} is used")
        reader.info = _with_crs(info, crs)
        reader.tell(position={**dict(reader.read_as.get("position", {})), "crs": _name(crs)})
        return
    lacks = info.gcp_crs is None if info.gcps else info.transform is not None and info.crs is None
    if not lacks:
        return
    beside = reference_file(path)
    system = None if beside is None else read_reference_file(beside)
    if beside is not None and system is None:
        reader.tell(f"{beside.name} beside the scene is no reference system that can be used")
    name = f"{path.name}.aux.xml" if beside is None or system is None else beside.name
    system = system or auxiliary.crs
    if system is not None:
        reader.info = _with_crs(info, system)
        reader.tell(
            f"the scene's reference system ({_name(system)}) comes from {name} beside it; `crs` overrules it",
            position={**dict(reader.read_as.get("position", {})), "crs": name},
        )


def _with_crs(info: RasterInfo, crs: str) -> RasterInfo:
    return replace(info, gcp_crs=crs) if info.gcps else replace(info, crs=crs)


def _name(wkt: str) -> str:
    """Name of a reference system, for messages."""
    return str(CRS.from_wkt(wkt).name)


def _tell_latitude_first(reader: SceneReader) -> None:
    """Report a transform in degrees that looks as if latitude came first."""
    info = reader.info
    if info.gcps or info.transform is None or info.crs is None or locate(info) is None:
        return
    a, b, _, d, e, _ = info.transform
    if a == e == 0 and b * d < 0 and CRS.from_wkt(info.crs).is_geographic:
        reader.tell(
            "its transform lets the first coordinate change with the rows alone and mirrors the picture, as where "
            "latitude comes before longitude: if so, all places are wrong; give longitude first, in the file or by "
            "control points in `gcps`"
        )


def _tell_pages(reader: SceneReader, path: RasterFile) -> None:
    """Report the pages of a TIFF that are not searched."""
    pages = reader.further_pages
    if not pages:
        return
    shown = first_of([f"page {page.number} ({page.width} x {page.height})" for page in pages])
    largest = max(pages, key=lambda page: page.width * page.height).number
    reader.tell(
        f"the file has several pages: page 1 ({reader.info.width} x {reader.info.height}) is used, "
        f"not {shown}; to use another, write it to its own file: "
        f"gdal_translate GTIFF_DIR:{largest}:{path.name} page{largest}.tif",
        pages_left_out=[[page.number, page.width, page.height] for page in pages],
    )


def _apply_metadata(reader: SceneReader, *, located: bool) -> None:
    """Use the pixel spacing that the file states if there is no position, and report the statements of the file."""
    found = file_metadata(reader.tags())
    if found.source is None:
        return
    size = zip(found.size_px or (0, 0), (reader.info.width, reader.info.height), strict=True)
    whole = all(stated in (0, own) for stated, own in size)
    if not located and whole:
        reader.info = replace(reader.info, spacing_m=found.spacing_m)
    unused = "unused, since the file was cut or resampled"
    use = "the position measures them" if located else "used" if whole else unused
    reader.tell(_about(found, use), file_metadata=found.to_dict())


def _about(found: FileMetadata, use: str) -> str:
    """Sentence on the statements of a file; `use` says how its spacing is used."""
    parts = [] if found.platform is None else [found.platform]
    if found.acquired is not None:
        parts.append(f"taken {found.acquired:%Y-%m-%d %H:%M:%S} UTC")
    if found.geometry == "slant":
        parts.append("in slant range")
    if found.spacing_m is not None:
        x, y = found.spacing_m
        where = "on the ground" if found.on_ground else "in slant range, more on the ground"
        parts.append(f"pixels of {x:.3g} x {y:.3g} m {where} ({use})")
    return f"the file says of itself ({found.source}): {', '.join(parts) or 'nothing of use'}"
