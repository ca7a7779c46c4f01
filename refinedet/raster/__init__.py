"""Scenes as files: metadata, windowed reads, writes. The only place that calls rasterio.

GDAL is restricted: it opens three file formats, uses no network, no side files and a small block cache, and gets only
files with a valid header. Its messages become exceptions instead of text on stderr.
"""

from refinedet.raster.base import RasterReader, Reader
from refinedet.raster.decoding.pixels import can_hold
from refinedet.raster.decoding.stated import Missing
from refinedet.raster.info import GroundControlPoint, RasterInfo
from refinedet.raster.ranged import RangedFile, RasterFile, opened
from refinedet.raster.reader import MAX_PIXELS, SceneReader, open_scene
from refinedet.raster.writer import BLOCK_PX, write_blocks, write_scene

__all__ = [
    "BLOCK_PX",
    "MAX_PIXELS",
    "GroundControlPoint",
    "Missing",
    "RangedFile",
    "RasterFile",
    "RasterInfo",
    "RasterReader",
    "Reader",
    "SceneReader",
    "can_hold",
    "open_scene",
    "opened",
    "write_blocks",
    "write_scene",
]
