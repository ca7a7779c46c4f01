"""Scenes in STAC catalogues: found by place and time, and kept as products."""
