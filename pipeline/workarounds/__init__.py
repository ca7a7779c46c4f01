"""Workarounds for MLflow, one file each, in the form of `refinedet/workarounds`."""
