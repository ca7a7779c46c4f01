"""Several evaluations side by side, in one HTML page."""
