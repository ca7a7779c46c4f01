"""Workarounds for other people's software, a file each.

Every docstring has the same form: what goes wrong, where it is reported or how it shows, which versions it was seen
with, and when the file may go. A new file keeps it; a test holds them to it.
"""
