"""Report of an evaluation: tables, curves and pictures in one HTML page."""
