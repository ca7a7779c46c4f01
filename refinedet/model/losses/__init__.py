"""Losses of training, and the matching of anchors with ships."""
