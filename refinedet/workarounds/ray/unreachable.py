"""Check that a Ray cluster is reachable before Ray itself connects.

Problem: if no cluster is at the address, `ray.init` tries for minutes, and a native check may crash the process.
Upstream: https://github.com/ray-project/ray/issues/28372 (an end after 60 seconds; closed as stale).
Versions: Ray 2.60.
Remove: when `ray.init` has a timeout, and raises.
"""

from __future__ import annotations

import socket

_REACH_S = 10.0
"""Seconds within which a reachable cluster answers."""


def check_reachable(address: str) -> None:
    """Open a connection to HOST:PORT, and close it; other forms of address are not checked.

    Raises:
        OSError: no server listens there.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), _REACH_S).close()
