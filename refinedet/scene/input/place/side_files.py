"""Small files beside a raster that give its position: world files, reference systems, GDAL's auxiliary file and RPC.

These files are untrusted. Each is read up to a small limit, never by GDAL, and its content is never shown. Accepted are
numbers, and the text of a reference system that names no files.
"""

from __future__ import annotations

from pathlib import Path

from refinedet.raster.info import Matrix
from refinedet.raster.ranged import RasterFile
from refinedet.scene.input.place.auxiliary import Auxiliary, parsed_auxiliary
from refinedet.scene.input.place.polynomials import parsed_polynomials
from refinedet.scene.input.place.untrusted import finite_numbers, safe_wkt

_WORLD_BYTES = 1 << 10
_PRJ_BYTES = 1 << 16
_AUXILIARY_BYTES = 1 << 22
_POLYNOMIAL_BYTES = 1 << 16
_PLACES = (b"<SRS", b"<GeoTransform", b"<GCPList", b'"RPC"')
"""Entries of GDAL's auxiliary file that give the position of a raster."""
_RPC = (".rpb", ".rpc", "_rpc.txt", "_rpc_org.txt", ".rpc.txt")


def world_file(path: RasterFile) -> Path | None:
    """World file beside a raster, such as .tfw beside .tif; None if there is none."""
    kind = path.suffix[1:].lower()
    ends = [f"{kind[0]}{kind[-1]}w", f"{kind}w"] if kind else []
    ends += ["jpw"] if kind.startswith("jp") else []
    return _beside(path, [f".{end}" for end in (*ends, "wld")])


def reference_file(path: RasterFile) -> Path | None:
    """File of a reference system (.prj) beside a raster; None if there is none."""
    return _beside(path, [".prj"])


def read_world_file(path: Path) -> Matrix | None:
    """Transform at pixel corners of a world file; None if it holds anything but six valid numbers.

    A world file gives x per column, y per column, x per row, y per row, and the place of the centre of the first pixel.
    Some programs write decimal commas.
    """
    text = (_content(path, _WORLD_BYTES) or b"").decode("ascii", "replace")
    numbers = finite_numbers((text if "." in text else text.replace(",", ".")).split())
    if len(numbers) != 6:
        return None
    a, d, b, e, x, y = numbers
    return None if a * e == b * d else (a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)


def read_reference_file(path: Path) -> str | None:
    """WKT of a .prj file; None if it is no reference system, or names files."""
    return safe_wkt((_content(path, _PRJ_BYTES) or b"").decode("utf-8-sig", "replace").strip())


def auxiliary_file(path: RasterFile) -> Path | None:
    """GDAL's auxiliary file beside a raster; None if there is none, or none that gives a position.

    Viewers write statistics into such a file, which change nothing here.
    """
    if not isinstance(path, Path):
        return None
    beside = path.with_name(f"{path.name}.aux.xml")
    content = _content(beside, _AUXILIARY_BYTES) or b""
    return beside if any(place in content for place in _PLACES) else None


def read_auxiliary_file(path: Path) -> Auxiliary | None:
    """Position in an auxiliary file; None if it cannot be read."""
    return parsed_auxiliary(_content(path, _AUXILIARY_BYTES) or b"")


def polynomial_file(path: RasterFile) -> Path | None:
    """File of rational polynomial coefficients (RPC) beside a raster; None if there is none."""
    return _beside(path, list(_RPC))


def read_polynomial_file(path: Path) -> dict[str, str]:
    """Entries of a file of RPC, by the names that GDAL gives them; empty if it cannot be read."""
    return parsed_polynomials((_content(path, _POLYNOMIAL_BYTES) or b"").decode("utf-8", "replace"))


def _beside(path: RasterFile, ends: list[str]) -> Path | None:
    """First file beside `path` with its stem and one of these endings, in lower or upper case; None at an address."""
    if not isinstance(path, Path):
        return None
    names = [f"{path.stem}{spelled}" for end in ends for spelled in (end, end.upper())]
    return next((one for one in map(path.with_name, names) if one != path and one.is_file()), None)


def _content(path: Path, most: int) -> bytes | None:
    """Content of a regular file of at most that many bytes; None for any other."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError:
        return None
    return content if len(content) <= most else None
