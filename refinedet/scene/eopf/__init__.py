"""Sentinel-1 products in ESA's EOPF Zarr format."""
