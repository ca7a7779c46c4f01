"""Position of a raster on the earth: its own coordinates, or files of the user beside it."""
