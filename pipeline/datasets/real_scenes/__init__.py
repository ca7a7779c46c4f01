"""Training scenes from real samples: their split, and reading, laying out and pasting of the samples."""
