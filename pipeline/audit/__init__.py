"""Checks of a data set: duplicates, disagreeing annotations, sizes, and the page that shows them."""
