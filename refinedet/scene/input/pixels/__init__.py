"""Decisions on the pixels of a raster: its band, the kind of its values, and its missing pixels."""
