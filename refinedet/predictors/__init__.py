"""Predictors: from chips to detections, at one scale or several."""
