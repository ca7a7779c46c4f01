"""Simulated SAR scenes with exact truth."""
