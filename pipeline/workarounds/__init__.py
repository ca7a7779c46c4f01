"""Workarounds for MLflow, a file each, in the form that `refinedet/workarounds` has."""
