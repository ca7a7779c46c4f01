"""Sentinel-1 GRD products: files, annotation, calibration, borders and ambiguities."""
