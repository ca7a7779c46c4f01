"""Server: a process that keeps a detector ready and finds ships for others over HTTP."""
