"""Data sets: their catalogue, and the readers that turn their files into records."""
