"""Import of packages without openvino_telemetry, by which they would send usage data.

Problem: an import of openvino or nncf sends an event, and leaves an id and a count in the user's home. Its opt-out is a
    file in the user's home, too, which a library must not write.
Upstream: https://github.com/openvinotoolkit/openvino/pull/23832 (sent at import) and
    https://github.com/openvinotoolkit/nncf/pull/2186 (on unless refused).
Versions: OpenVINO 2026.4, NNCF 3.4.
Remove: when an environment variable turns it off. Both packages work without openvino_telemetry.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_SENDER = "openvino_telemetry"


def import_without_telemetry(name: str) -> Any:
    """Import a package as if openvino_telemetry were not installed.

    Raises:
        ImportError: the package is not installed.
    """
    known = {_SENDER: sys.modules[_SENDER]} if _SENDER in sys.modules else {}
    sys.modules[_SENDER] = None  # type: ignore[assignment]  # Python's own way to make an import fail
    try:
        return import_module(name)
    finally:
        del sys.modules[_SENDER]
        sys.modules.update(known)
