"""Decoding of stored values to amplitudes."""
