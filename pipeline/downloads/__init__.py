"""Archives of data sets: their address, their checksums, and safe unpacking."""
