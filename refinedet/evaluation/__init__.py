"""Measures of detections against a truth."""
