"""A lock for whoever makes OpenVINO's Core, hands it arrays or takes them.

Problem: the Python binding sets something up at the first of those. Where two threads come to it at once, both wait
    for ever: one has Python's lock, and the other has the binding's.
Upstream: no report was found. It shows in `test_the_first_arrays_of_a_process_may_come_from_many_threads`, whose
    process then never ends.
Versions: OpenVINO 2026.4.
Remove: when that test passes without it, repeated a hundred times.
"""

from __future__ import annotations

from threading import Lock

BINDING = Lock()
"""Held for the moment of the call alone, never while a graph computes."""
