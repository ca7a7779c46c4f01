"""Decisions on how a raster is read: its bands, the kind of its values, its missing pixels, its time and place."""
