"""Stretch of pixels to 8 bits, its limits, and the level of the sea from which they are measured."""
