"""Lock for the first uses of OpenVINO's Python binding: creating a Core, and passing arrays in or out.

Problem: the Python binding initialises itself at its first use. If two threads make that first use together, they block
each other for ever, because one has Python's lock and the other has the binding's.
Upstream: no report was found. It shows in `test_the_first_arrays_of_a_process_may_come_from_many_threads`, whose
    process then never ends.
Versions: OpenVINO 2026.4.
Remove: when that test passes without it, repeated a hundred times.
"""

from __future__ import annotations

from threading import Lock

BINDING = Lock()
"""Lock that is held only during such a call, never while a graph computes."""
