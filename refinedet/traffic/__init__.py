"""Analyses of the data set of many scenes: fixed objects, and density of ships."""
