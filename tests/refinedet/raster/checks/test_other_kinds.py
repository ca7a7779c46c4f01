"""Files that are not read: the error names the kind of each, and says how to convert it."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.errors import FileError
from refinedet.raster import open_scene

_REST = bytes(600)


@pytest.mark.parametrize(
    ("name", "content", "kind", "advice"),
    [
        ("CSKS1.h5", b"\x89HDF\r\n\x1a\n" + _REST, "an HDF5 or netCDF file", "gdalinfo CSKS1.h5 lists them"),
        ("a.nc", b"CDF\x01" + _REST, "a netCDF file", "gdal_translate NAME_OF_THE_IMAGE"),
        ("a.ntf", b"NITF02.10" + _REST, "a NITF file", "gdal_translate a.ntf scene.tif"),
        ("a.N1", b'PRODUCT="ASA_IMP' + _REST, "a product of Envisat or ERS", "gdal_translate a.N1 scene.tif"),
        ("IMG-HH-ALPSRP", b"\0\0\0\1\x32\xc0" + _REST, "a CEOS file, as of ALOS PALSAR", "gdal_translate IMG-HH-"),
        ("p.dim", b"<Dimap_Document name='p'>", "a product of ESA's SNAP (BEAM-DIMAP)", "p.data/BAND.img"),
        ("t.xml", b"<?xml version='1.0'?><level1Product>", "TerraSAR-X or PAZ", "gdal_translate t.xml scene.tif"),
        ("r.xml", b"<?xml?><product xmlns='http://www.rsi.ca/rs2'>", "a RADARSAT-2 product", "gdal_translate r.xml"),
        ("a.vrt", b"<VRTDataset>", "a VRT file of GDAL", "name the raster that it reads"),
        ("a.tif", b"\n<!DOCTYPE html><html>", "a web page", "fetch it again, perhaps after a login"),
        ("a.tif", b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS", "git lfs pull"),
        ("a.tif", b"", "an empty file", "fetch it again"),
        ("a.tar", bytes(257) + b"ustar" + _REST, "a tar archive", "unpack it"),
        ("a.csv", b"lon,lat\n1,2\n", "text", "`manifest` reads lists of scenes"),
        ("a.bin", b"\1\2\3" + _REST, "a file of another kind", "if GDAL can read it"),
    ],
)
def test_the_error_names_the_kind_and_a_way(tmp_path: Path, name: str, content: bytes, kind: str, advice: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError) as refused, open_scene(tmp_path / name):
        pass
    sentence = str(refused.value)
    assert sentence.startswith(f"expected a GeoTIFF, PNG or JPEG file at {tmp_path / name}, found ")
    assert kind in sentence
    assert advice in sentence


@pytest.mark.parametrize("header", ["Sigma0_VV.hdr", "Sigma0_VV.img.hdr"])
def test_pixels_of_envi_are_known_by_their_header(tmp_path: Path, header: str) -> None:
    (tmp_path / "Sigma0_VV.img").write_bytes(_REST)
    (tmp_path / header).write_text("ENVI\nsamples = 3\n")
    with pytest.raises(FileError, match=r"the pixels of an ENVI raster; convert it: gdal_translate Sigma0_VV\.img"):
        open_scene(tmp_path / "Sigma0_VV.img").__enter__()
    with pytest.raises(FileError, match="the header of an ENVI raster"):
        open_scene(tmp_path / header).__enter__()
