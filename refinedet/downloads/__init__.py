"""Files from the network: fetched with resume into a partial file, and checked before they are put in place."""
