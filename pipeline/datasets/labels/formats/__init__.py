"""Formats of labels, a file each, which becomes label sets; and the names of formats that are not read."""
