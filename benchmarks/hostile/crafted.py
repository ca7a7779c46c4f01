"""Scenes made by hand to do harm: files, products and archives that would read or write elsewhere, hang or swell."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mutants import Mutants
from rasters import LAUGHS, RASTERS, Make, tiff, vrt

from refinedet.raster import write_scene

MEASUREMENT = "s1a-iw-grd-vv-20221002t205126-20221002t205156-045268-056950-001.tiff"
_OBJECT = '<dataObject repID="s1Level1MeasurementSchema"><fileLocation href="{}"/></dataObject>'


def outside(folder: Path) -> None:
    """Make the folder that no scene may touch; it holds a readable scene and a secret, which the files below aim at."""
    folder.mkdir(parents=True)
    (folder / "secret.txt").write_text("root:x:0:0\n" * 2000)
    write_scene(folder / "secret.tif", np.full((80, 80), 4242, np.uint16), crs="EPSG:32633")
    os.link(folder / "secret.tif", folder / MEASUREMENT)


def _text(name: str, content: Callable[[Path], str]) -> Make:
    def make(folder: Path, secret: Path) -> Path:
        (folder / name).write_text(content(secret))
        return folder / name

    return make


def _mrf(secret: Path) -> str:
    return (
        f"<MRF_META><CachedSource><Source>{secret / 'secret.tif'}</Source></CachedSource><Raster>"
        f'<Size x="80" y="80"/><PageSize x="80" y="80"/><DataFile>{secret / "written.bin"}</DataFile>'
        f"<IndexFile>{secret / 'written.idx'}</IndexFile></Raster></MRF_META>"
    )


def _product(folder: Path, href: str, head: str = "") -> Path:
    product = folder / "S1A_IW_GRDH_TEST.SAFE"
    (product / "measurement").mkdir(parents=True)
    (product / "manifest.safe").write_text(f'<?xml version="1.0"?>{head}<xfdu>{_OBJECT.format(href)}</xfdu>')
    return product


def _safe_traversal(folder: Path, secret: Path) -> Path:
    up = "../" * len(folder.parts)
    return _product(folder, f"{up}{(secret / MEASUREMENT).relative_to('/')}")


def _safe_absolute(folder: Path, secret: Path) -> Path:
    return _product(folder, str(secret / MEASUREMENT))


def _safe_vrt(folder: Path, secret: Path) -> Path:
    product = _product(folder, f"./measurement/{MEASUREMENT}")
    (product / "measurement" / MEASUREMENT).write_text(vrt(secret / "secret.tif", raw=False))
    return product


def _safe_link(folder: Path, secret: Path) -> Path:
    product = _product(folder, f"./measurement/{MEASUREMENT}")
    (product / "measurement" / MEASUREMENT).symlink_to(secret / "secret.tif")
    return product


def _safe_manifest_link(folder: Path, secret: Path) -> Path:
    product = _product(folder, f"./measurement/{MEASUREMENT}")
    (product / "manifest.safe").unlink()
    (product / "manifest.safe").symlink_to(secret / "secret.txt")
    return product


def _safe_bomb(folder: Path, _: Path) -> Path:
    return _product(folder, "&l9;", f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>')


def _safe_entity(folder: Path, secret: Path) -> Path:
    return _product(folder, "&s;", f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{secret / "secret.txt"}">]>')


def _safe_deep(folder: Path, _: Path) -> Path:
    return _product(folder, "x", "<a>" * 1_000_000)


def _safe_long(folder: Path, _: Path) -> Path:
    product = _product(folder, "x")
    with (product / "manifest.safe").open("a") as stream:
        stream.write(" " * (40 << 20))
    return product


def _zip(*members: tuple[str, bytes]) -> Make:
    def make(folder: Path, _: Path) -> Path:
        with zipfile.ZipFile(folder / "product.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return folder / "product.zip"

    return make


def _manifest(href: str) -> bytes:
    return f"<xfdu>{_OBJECT.format(href)}</xfdu>".encode()


def _zip_bomb(folder: Path, _: Path) -> Path:
    """A TIFF whose pixels lie at the end of half a gigabyte of zeros, packed two hundred to one."""
    with zipfile.ZipFile(folder / "product.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("A.SAFE/manifest.safe", _manifest(f"./{MEASUREMENT}"))
        with archive.open(f"A.SAFE/{MEASUREMENT}", "w", force_zip64=True) as stream:
            stream.write(tiff(40, 30, {}, blocks=[((16 << 25) - 4096, 2400)]))
            for _step in range(16):
                stream.write(bytes(32 << 20))
    return folder / "product.zip"


def _zip_vrt(folder: Path, secret: Path) -> Path:
    content = vrt(secret / "secret.tif", raw=False).encode()
    return _zip(("A.SAFE/manifest.safe", _manifest(f"./{MEASUREMENT}")), (f"A.SAFE/{MEASUREMENT}", content))(
        folder, secret
    )


def _zip_braces(folder: Path, secret: Path) -> Path:
    """GDAL ends the archive's name at the first brace, and would look into another file."""
    members = ("A.SAFE/manifest.safe", _manifest(f"./{MEASUREMENT}")), (f"A.SAFE/{MEASUREMENT}", Mutants(0).plain)
    made = _zip(*members)(folder, secret)
    return made.rename(folder / "a}b.zip")


def _name(text: str) -> Make:
    return lambda _folder, secret: Path(text.format(secret=secret))


_TRAVERSAL = "../../../../../../tmp/" + MEASUREMENT
CRAFTED: dict[str, Make] = {
    "MRF that writes, named .mrf": _text("scene.mrf", _mrf),
    "MRF that writes, named .tif": _text("scene.tif", _mrf),
    "VRT that reads /etc/passwd": _text("scene.vrt", lambda _: vrt("/etc/passwd", raw=True)),
    "VRT that reads /etc/passwd, named .tiff": _text("scene.tiff", lambda _: vrt("/etc/passwd", raw=True)),
    "VRT of a scene elsewhere, named .tif": _text("scene.tif", lambda s: vrt(s / "secret.tif", raw=False)),
    "SAFE, measurement ../../..": _safe_traversal,
    "SAFE, measurement by absolute path": _safe_absolute,
    "SAFE, VRT as measurement": _safe_vrt,
    "SAFE, measurement is a link out of it": _safe_link,
    "SAFE, manifest is a link out of it": _safe_manifest_link,
    "SAFE, XML bomb": _safe_bomb,
    "SAFE, XML entity from a file": _safe_entity,
    "SAFE, XML a million levels deep": _safe_deep,
    "SAFE, manifest of 40 MB": _safe_long,
    "zip, pixels behind 512 MB of zeros": _zip_bomb,
    "zip, manifest of 40 MB of zeros": _zip(("A.SAFE/manifest.safe", bytes(40 << 20))),
    "zip, measurement named ../../..": _zip(
        ("A.SAFE/manifest.safe", _manifest(_TRAVERSAL)), (f"A.SAFE/{_TRAVERSAL}", b"II*\0")
    ),
    "zip, manifest named ../../manifest.safe": _zip(
        ("../../manifest.safe", _manifest(f"./{MEASUREMENT}")), (f"../../{MEASUREMENT}", b"II*\0")
    ),
    "zip, VRT as measurement": _zip_vrt,
    "zip, braces in its own name": _zip_braces,
    **RASTERS,
    "name /vsicurl/...": _name("/vsicurl/http://127.0.0.1:9/scene.tif"),
    "name /vsizip/...": _name("/vsizip//vsicurl/http://127.0.0.1:9/a.zip/scene.tif"),
    "name GTIFF_DIR:1:...": _name("GTIFF_DIR:1:{secret}/secret.tif"),
    "name https://...": _name("https://127.0.0.1:9/scene.tif"),
}
