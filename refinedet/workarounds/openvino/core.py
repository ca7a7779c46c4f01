"""OpenVINO's Core, one per process, kept until the process ends.

Problem: the CPU plugin gives the thread that loads it a stack for signals. It unmaps that stack when it is unloaded, in
any order and by any thread. The next signal of the first thread, such as Ctrl-C, then crashes the process. (Code that
creates another Core must keep it alive itself.)
Upstream: https://github.com/openvinotoolkit/openvino/pull/11894 brought the stack; no report of the crash was found.
    It shows in `test_signals_are_heard_after_graphs_were_let_go_in_any_order_by_any_thread`.
Versions: OpenVINO 2026.4, Linux.
Remove: when that test passes with a Core for each graph.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def kept_core(vino: Any) -> Any:
    """Return the Core of the process; `vino` is the module openvino."""
    return vino.Core()
