"""Whole scenes: windows, positions, merging and result files."""
