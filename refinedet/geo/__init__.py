"""Geometry on the earth: pixels to longitude and latitude, lengths, directions, footprints."""
