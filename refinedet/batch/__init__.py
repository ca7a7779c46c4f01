"""Many scenes: manifest, status, engines, retries and one data set of results."""
