"""Data sets: what the catalogue says of them, and how their files become records."""
