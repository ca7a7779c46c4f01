"""Commands of refinedet, one file each: options, one call of the library, and the output; in folders by subject."""
