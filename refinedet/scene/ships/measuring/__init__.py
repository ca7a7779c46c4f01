"""Sizes and axes of ships from the pixels around them. Pure, but for blocks.py, which reads."""
