"""Formats of result files, a module each. They write the rows of `columns.py` for other programs."""
