"""Names that the provider and its algorithms share: the setting of the command, and the picture."""

from __future__ import annotations

from pathlib import Path

COMMAND = "REFINEDET_COMMAND"
"""Setting with the path of the command."""
ICON = Path(__file__).parent / "icon.svg"
