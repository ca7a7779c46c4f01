"""Checks of a file before GDAL opens it: its format, its header, and kinds of files that are not read."""
