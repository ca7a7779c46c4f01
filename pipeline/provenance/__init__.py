"""Origin of a run: code revision, data hashes, settings and lock file, kept beside it."""
