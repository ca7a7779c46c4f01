"""AIS: reports that ships send about themselves, read from the files of many providers."""
