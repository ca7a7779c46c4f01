"""Formats of result files, a file each: the rows of `columns.py` as other programs read them."""
