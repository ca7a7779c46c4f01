"""AIS: reports of ships about themselves, read from the files of many providers."""
