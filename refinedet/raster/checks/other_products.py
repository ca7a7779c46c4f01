"""Products of other satellites and programs, recognised by the names of their files, with advice on each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TRANSLATE = "gdal_translate {} scene.tif puts its image and its position into one file"
_PRODUCTS: tuple[tuple[str, str, str], ...] = (
    (r"T[SD]X1_SAR__[^/]*\.xml", "a TerraSAR-X product", _TRANSLATE),
    (r"PAZ1_SAR__[^/]*\.xml", "a PAZ product", _TRANSLATE),
    (r"metadata/product\.xml", "a product of the RADARSAT Constellation (RCM)", _TRANSLATE),
    (r"product\.xml", "a RADARSAT-2 product", _TRANSLATE),
    (r"CS[KG][^/]*\.h5", "a COSMO-SkyMed product", "SNAP reads, calibrates and places {}; export it as GeoTIFF"),
    (r"ICEYE_[^/]*\.h5", "an ICEYE product", "fetch it as GeoTIFF, or export {} in SNAP as GeoTIFF"),
    (r"ICEYE_[^/]*\.tiff?", "an ICEYE product", "name its raster {}"),
    (r"CAPELLA_[^/]*\.tiff?", "a Capella product", "name its raster {}"),
    (r"[^/]*UMBRA[^/]*\.tiff?", "an Umbra product", "name its raster {}"),
    (r"[^/]*UMBRA[^/]*\.ntf|CAPELLA_[^/]*\.ntf", "a NITF product", "gdal_translate {} scene.tif converts it"),
    (r"IMG-[HV]{2}-[^/]*\.tiff?", "an ALOS product", "name its raster {}"),
    (r"IMG-[HV]{2}-[^/]*", "an ALOS product (CEOS)", "gdal_translate {} scene.tif converts it; SNAP also places it"),
    (r"[^/]*\.xemt", "a SAOCOM product", "SNAP reads, calibrates and places {}; export it as GeoTIFF"),
    (r"MTD_MSI[^/]*\.xml", "a Sentinel-2 product, which is no radar image", "name a Sentinel-1 GRD product"),
    (r"xfdumanifest\.xml", "a Sentinel-3 product, which is no radar image", "name a Sentinel-1 GRD product"),
    (r"[^/]*\.(N1|E1|E2)", "a product of Envisat or ERS", "gdal_translate {} scene.tif converts it"),
    (r"[^/]*\.dim", "a product of ESA's SNAP (BEAM-DIMAP)", "export {} in SNAP as GeoTIFF / BigTIFF"),
    (
        r"[^/]*\.hdr",
        "rasters in ENVI format, as in the folder .data of SNAP",
        "gdal_translate BAND.img scene.tif converts one",
    ),
    (r"[^/]*\.(h5|nc)", "a product in HDF5 or netCDF", "gdalinfo {} lists its images, gdal_translate converts one"),
)


def other_product(names: Iterable[str]) -> str | None:
    """Kind of product with files of these names, and advice, as the end of a sentence after "found"; else None.

    Args:
        names: paths within the product, with slashes.
    """
    listed = sorted(names)
    for pattern, kind, advice in _PRODUCTS:
        ends = re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE)
        found = next((name for name in listed if ends.fullmatch(name)), None)
        if found is not None:
            return f"{kind}; {advice.format(found)}"
    return None
