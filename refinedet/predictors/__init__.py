"""Predictors that turn chips into detections, at one scale or several."""
