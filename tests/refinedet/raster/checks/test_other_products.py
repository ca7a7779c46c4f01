"""Products of other satellites and programs, known by the names of their files."""

from __future__ import annotations

import pytest

from refinedet.raster.checks.other_products import other_product


@pytest.mark.parametrize(
    ("names", "kind", "advice"),
    [
        (["TSX1_SAR__MGD.xml", "IMAGEDATA/IMAGE_HH.tif"], "a TerraSAR-X product", "gdal_translate TSX1_SAR__MGD.xml"),
        (["product.xml", "imagery_HH.tif"], "a RADARSAT-2 product", "gdal_translate product.xml"),
        (["metadata/product.xml", "imagery/1_HH.tif"], "(RCM)", "gdal_translate metadata/product.xml"),
        (["a/CSKS1_SCS_B.h5"], "a COSMO-SkyMed product", "SNAP reads, calibrates and places a/CSKS1_SCS_B.h5"),
        (["LED-A", "IMG-HH-A", "VOL-A"], "an ALOS product (CEOS)", "gdal_translate IMG-HH-A"),
        (["IMG-HH-A.tif", "LED-A"], "an ALOS product", "name its raster IMG-HH-A.tif"),
        (["CAPELLA_C02.tif", "CAPELLA_C02.json"], "a Capella product", "name its raster CAPELLA_C02.tif"),
        (["2023_UMBRA-04_GEC.tif"], "an Umbra product", "name its raster 2023_UMBRA-04_GEC.tif"),
        (["Sigma0_VV.img", "Sigma0_VV.hdr"], "ENVI format", "gdal_translate BAND.img"),
        (["MTD_MSIL1C.xml", "manifest.safe"], "a Sentinel-2 product", "Sentinel-1 GRD"),
    ],
)
def test_names_tell_the_product(names: list[str], kind: str, advice: str) -> None:
    found = other_product(names)
    assert found is not None
    assert kind in found.partition("; ")[0]
    assert advice in found.partition("; ")[2]


def test_other_files_tell_nothing() -> None:
    assert other_product(["a.tif", "notes.txt"]) is None
