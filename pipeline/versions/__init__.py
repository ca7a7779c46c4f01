"""Restoring and verifying the run that a record names."""
