"""Suppression of overlapping boxes: in arrays, and on the device of the network."""
