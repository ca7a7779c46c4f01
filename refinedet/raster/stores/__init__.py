"""Zarr stores: arrays in a folder or a zip archive, read chunk by chunk. The only place that calls zarr.

A store is as restricted as a TIFF: sizes, types and codecs of an array are checked before one of its chunks is read,
each chunk is checked before it is decoded, and no file outside of the store is opened.
"""

from refinedet.raster.stores.arrays import ArrayInfo
from refinedet.raster.stores.files import StoreFiles, is_store, open_store
from refinedet.raster.stores.nodes import Node
from refinedet.raster.stores.reader import StoreReader

__all__ = ["ArrayInfo", "Node", "StoreFiles", "StoreReader", "is_store", "open_store"]
