"""Flags of detections that may be no ship: land, clutter, side lobes, wakes, wind farms."""
