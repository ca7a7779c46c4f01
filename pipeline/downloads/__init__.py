"""Archives of data sets: their place, their checksums, and unpacking without trusting them."""
