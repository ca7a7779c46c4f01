"""Names of the members of the family as parameters of tests: all but that of the shipped weights take long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

SHIPPED = "refinedetpp512_lite0"


def slow_unless_shipped(names: Iterable[str]) -> list[Any]:
    """Parameters of a test, marked `slow` but for the shipped one."""
    return [pytest.param(name, marks=() if name == SHIPPED else pytest.mark.slow) for name in names]
