"""Workarounds for faults of other software, one file each.

Every module docstring has the same form: the problem, its report or symptom, the affected versions, and when to remove
the file. A test checks the form.
"""
