"""The command line of refinedet."""
