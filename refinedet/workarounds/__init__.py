"""Workarounds for other people's software, a file each.

Every module docstring has the same form: the problem, its report or how it shows, the versions with it, and when the
file may go. A test checks the form.
"""
