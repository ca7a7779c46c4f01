"""Parsing of the columns of AIS tables: names, coordinates, dates and times."""
