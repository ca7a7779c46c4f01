"""Ray without messages on dead workers in the output of the command.

Problem: Ray reports a worker that died on the console of the process that started it, even with `log_to_driver=False`.
The switch for that is private. The engine replaces a dead worker, and its scene has a line in the status.
Upstream: https://github.com/ray-project/ray/issues/2572 asked for quiet errors, and was closed.
Versions: Ray 2.60.
Remove: when Ray has a public switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SWITCH = "_worker_logs_enabled"


@contextmanager
def silent(ray: Any) -> Iterator[None]:
    """Turn these messages of the module ray off within the block."""
    module = ray._private.worker  # noqa: SLF001 - see above
    before = getattr(module, _SWITCH, True)
    setattr(module, _SWITCH, False)
    try:
        yield
    finally:
        setattr(module, _SWITCH, before)
