"""Scenes in STAC catalogues: search by place and time, and download of products."""
