"""Ships in radar images."""
