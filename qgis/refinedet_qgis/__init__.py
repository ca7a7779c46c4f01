"""Plugin for QGIS: ships in radar images, by the command `refinedet`.

The folder isn't named like the library, so that a QGIS in whose Python the library is installed finds both.
"""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:
    """Make the plugin; QGIS calls it, with its interface, or None without a window."""
    del iface
    from refinedet_qgis.plugin import RefineDetPlugin

    return RefineDetPlugin()
