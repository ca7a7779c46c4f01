"""Commands of refinedet, a file each: options, one call of the library, and what is printed."""
