"""Harmful pictures, made by hand: TIFF, PNG and JPEG that would hang, swell, or read other files."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from refinedet.raster import write_scene
from refinedet.raster.checks.tiff import MAX_METADATA_BYTES

LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))

Make = Callable[[Path, Path], Path]
"""Function (folder, outside) -> path: makes a file in `folder`; nothing in `outside` may be touched."""


def vrt(source: Path | str, *, raw: bool) -> str:
    """The text of a VRT that shows another file, as a picture or as raw bytes."""
    kind = ' subClass="VRTRawRasterBand"' if raw else ""
    inner = (
        f'<SourceFilename relativeToVRT="0">{source}</SourceFilename><ImageOffset>0</ImageOffset>'
        "<PixelOffset>1</PixelOffset><LineOffset>40</LineOffset>"
        if raw
        else f"<SimpleSource><SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
    )
    band = f'<VRTRasterBand dataType="Byte" band="1"{kind}>{inner}</VRTRasterBand>'
    return f'<VRTDataset rasterXSize="40" rasterYSize="20">{band}</VRTDataset>'


Tags = dict[int, tuple[int, list[int] | list[float] | bytes]]
"""Tag -> (type, values)."""


def tiff(width: int, height: int, tags: Tags, *, blocks: list[tuple[int, int]]) -> bytes:
    """Bytes of a TIFF with these tags; `blocks` are the offsets and lengths of its strips."""
    kinds = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 12: "d", 16: "Q"}
    default: Tags = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [16]),
        259: (3, [1]),
        262: (3, [1]),
        273: (4, [offset for offset, _ in blocks]),
        277: (3, [1]),
        278: (4, [height]),
        279: (4, [length for _, length in blocks]),
    }
    entries = sorted((default | tags).items())
    entries = [(tag, values) for tag, values in entries if values[1] or tag not in default]
    extra = 8 + 2 + 12 * len(entries) + 4
    head, body = struct.pack("<2sHIH", b"II", 42, 8, len(entries)), b""
    for tag, (kind, values) in entries:
        packed = bytes(values) if isinstance(values, bytes) else struct.pack(f"<{len(values)}{kinds[kind]}", *values)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", extra + len(body))
        body += packed if len(packed) > 4 else b""
        head += struct.pack("<HHI", tag, kind, len(values)) + place
    return head + struct.pack("<I", 0) + body


def _tiff(width: int, height: int, tags: Tags, pixels: int = 4096) -> Make:
    """A TIFF whose one strip is at the end of the file."""

    def make(folder: Path, _: Path) -> Path:
        size = len(tiff(width, height, tags, blocks=[(1, 1)]))
        (folder / "scene.tif").write_bytes(tiff(width, height, tags, blocks=[(size, pixels)]) + bytes(pixels))
        return folder / "scene.tif"

    return make


def _tiles(width: int, height: int, side: int) -> Make:
    count = min(64, -(-width // side) * -(-height // side))
    tags: Tags = {
        273: (4, []),
        279: (4, []),
        278: (4, []),
        322: (4, [side]),
        323: (4, [side]),
        324: (4, [8] * count),
        325: (4, [64] * count),
    }
    return _tiff(width, height, tags)


def _circle(folder: Path, secret: Path) -> Path:
    path = _tiff(20, 20, {})(folder, secret)
    content = bytearray(path.read_bytes())
    end = 8 + 2 + 12 * struct.unpack_from("<H", content, 8)[0]
    struct.pack_into("<I", content, end, 8)
    path.write_bytes(content)
    return path


def _metadata(text: bytes, tag: int = 42112) -> Make:
    return _tiff(40, 50, {tag: (2 if tag == 42112 else 1, text + b"\0")})


def _side_files(folder: Path, secret: Path) -> Path:
    path = folder / "scene.tif"
    write_scene(path, np.full((60, 60), 77, np.uint16), crs="EPSG:32633", transform=(10, 0, 5e5, 0, -10, 5e6))
    for suffix in (".ovr", ".msk", ".aux.xml", ".vrt"):
        (folder / f"scene.tif{suffix}").symlink_to(secret / ("secret.txt" if suffix == ".aux.xml" else "secret.tif"))
    for name in (
        "scene.tfw",
        "scene.tifw",
        "scene.wld",
        "scene_RPC.TXT",
        "scene.tab",
        "scene.prj",
        "scene.rpb",
        "scene.imd",
    ):
        (folder / name).symlink_to(secret / "secret.txt")
    return path


def _side_vrt(folder: Path, secret: Path) -> Path:
    path = _side_files(folder, secret)
    for suffix in (".ovr", ".msk"):
        (folder / f"scene.tif{suffix}").unlink()
        (folder / f"scene.tif{suffix}").write_text(vrt(secret / "secret.tif", raw=False))
    (folder / "scene.tif.aux.xml").unlink()
    (folder / "scene.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>77</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    return path


def _proj_grid(folder: Path, secret: Path) -> Path:
    """Make a TIFF whose reference system names a grid file, in the citation that GDAL reads as the whole system."""
    text = (
        'ESRI PE String = PROJCS["x",GEOGCS["y",DATUM["d",SPHEROID["Bessel",6377397.155,299.1528128],'
        f'EXTENSION["PROJ4_GRIDS","{secret / "secret.txt"}"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
        'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",15],'
        'PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]|'
    )
    keys = [1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32767, 3073, 34737, len(text), 0]
    tags: Tags = {
        33550: (12, [10.0, 10.0, 0.0]),
        33922: (12, [0.0, 0.0, 0.0, 5e5, 5.3e6, 0.0]),
        34735: (3, keys),
        34737: (2, text.encode() + b"\0"),
    }
    return _tiff(40, 50, tags)(folder, secret)


def _many_points(folder: Path, secret: Path) -> Path:
    rng = np.random.default_rng(0)
    points = np.zeros((80_000, 6))
    points[:, :2], points[:, 3:5] = rng.uniform(0, 100, (80_000, 2)), rng.uniform(0, 20, (80_000, 2))
    keys = struct.pack("<16H", 1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    return _tiff(
        100, 100, {33922: (12, points.ravel().tolist()), 34735: (3, list(struct.unpack("<16H", keys)))}, 20_000
    )(folder, secret)


def _fifo(folder: Path, _: Path) -> Path:
    os.mkfifo(folder / "scene.tif")
    return folder / "scene.tif"


def _device(folder: Path, _: Path) -> Path:
    (folder / "scene.tif").symlink_to("/dev/zero")
    return folder / "scene.tif"


def _png_claim(folder: Path, _: Path) -> Path:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 10**6, 10**6, 16, 6, 0, 0, 1)
    (folder / "scene.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9)))
    )
    return folder / "scene.png"


def _png_text_bomb(folder: Path, _: Path) -> Path:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    for number in range(10):
        notes.add_text(f"note{number}", "A" * (8 << 20), zip=True)
    Image.fromarray(np.full((50, 50), 9, np.uint8)).save(folder / "scene.png", pnginfo=notes)
    return folder / "scene.png"


def _jpeg_claim(folder: Path, _: Path) -> Path:
    Image.fromarray(np.full((16, 16), 9, np.uint8)).save(folder / "scene.jpg", progressive=True)
    content = bytearray((folder / "scene.jpg").read_bytes())
    place = content.index(b"\xff\xc2")
    struct.pack_into(">HH", content, place + 5, 60_000, 60_000)
    (folder / "scene.jpg").write_bytes(content)
    return folder / "scene.jpg"


_ITEMS = b"".join(b'<Item name="n%d">v</Item>' % i for i in range(140_000))
_ALLOWED = b"<GDALMetadata>" + b"".join(b'<Item name="%x">v</Item>' % i for i in range(MAX_METADATA_BYTES // 27))
RASTERS: dict[str, Make] = {
    "TIFF claiming 10^6 x 10^6": _tiff(10**6, 10**6, {}),
    "TIFF claiming 10^6 x 10^6 in tiles": _tiles(10**6, 10**6, 256),
    "TIFF, one strip of 4 GB, packed": _tiff(60_000, 34_000, {259: (3, [8])}),
    "TIFF, one tile of 7 GB": _tiles(60_000, 60_000, 60_000),
    "TIFF, 60000 x 60000 by 64 tiles": _tiles(60_000, 60_000, 256),
    "TIFF, a circle of pictures": _circle,
    "TIFF, LZMA that asks for gigabytes": _tiff(40, 50, {259: (3, [34925])}),
    "TIFF, old JPEG": _tiff(40, 50, {259: (3, [6])}),
    "TIFF, 65535 bands": _tiff(4, 4, {277: (3, [65535])}, 4 * 4 * 65535 * 2),
    "TIFF, metadata a million levels deep": _metadata(b"<GDALMetadata>" + b"<a>" * 1_000_000),
    "TIFF, 140,000 items of metadata": _metadata(b"<GDALMetadata>" + _ITEMS + b"</GDALMetadata>"),
    "TIFF, as many items of metadata as are let in": _metadata(_ALLOWED),
    "TIFF, metadata with an XML bomb": _metadata(
        f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><GDALMetadata><Item name="a">&l9;</Item></GDALMetadata>'.encode()
    ),
    "TIFF, XMP of 48 MB": _metadata(b"<x>" * (16 << 20), tag=700),
    "TIFF, 80,000 control points": _many_points,
    "TIFF, reference system with a grid file": _proj_grid,
    "TIFF, side files are links elsewhere": _side_files,
    "TIFF, side files are VRTs": _side_vrt,
    "PNG claiming 10^6 x 10^6": _png_claim,
    "PNG, 80 MB of packed notes": _png_text_bomb,
    "JPEG claiming 60000 x 60000, progressive": _jpeg_claim,
    "a pipe": _fifo,
    "a link to /dev/zero": _device,
}
