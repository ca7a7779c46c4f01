"""Workarounds for faults of Ray."""
