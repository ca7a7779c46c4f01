"""Checks of a data set: duplicates, disagreeing annotations and sizes, and a page of the findings."""
