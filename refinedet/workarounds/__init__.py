"""Workarounds for other libraries, a file each: what goes wrong, where it is reported, when it may go."""
