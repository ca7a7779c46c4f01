"""Downloads that resume from a partial file, and are checked before they reach their final place."""
