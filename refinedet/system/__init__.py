"""Threads, processes, locks, retries and the cache folder."""
