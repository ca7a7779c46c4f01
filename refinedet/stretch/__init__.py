"""Stretch of pixels to 8 bits: what it is, its limits, and the sea that they are measured on."""
