"""Labels over scenes: vector files and tables become boxes in pixels, and scenes become images of blocks."""
