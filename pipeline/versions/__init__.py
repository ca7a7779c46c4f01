"""Restoring and verifying runs from their records."""
