"""Detector without torch: exported files, the runtimes that run them, and a cache of both."""
