"""Attributes of ships: size, heading, contrast and flags."""
