"""Server: a process that keeps a detector loaded and finds ships for HTTP clients."""
