"""Workarounds for MLflow, a file each, in the form of `refinedet/workarounds`."""
