"""Threads, processes, locks, retries and the cache folder: what a program needs of its machine."""
