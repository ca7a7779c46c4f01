"""Feature extractors and their ImageNet weights."""
