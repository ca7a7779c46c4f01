"""Download of catalogue products as files: their names, addresses, signatures and checks."""
