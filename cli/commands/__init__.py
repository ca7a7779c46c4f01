"""Commands of `refinedet`, a file each."""
