"""Simulated scenes of kind `sentinel1`: resolution, contrast and clutter as in images of Sentinel-1."""
