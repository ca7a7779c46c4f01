"""Products of a catalogue, fetched as files: their names, addresses, signatures and checks."""
