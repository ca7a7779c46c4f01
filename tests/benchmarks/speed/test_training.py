"""The parts of a training step add up, and both ways of matching agree (the script asserts it)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "speed" / "training.py"


@pytest.mark.slow
def test_the_parts_of_a_step_add_up() -> None:
    command = [sys.executable, _SCRIPT, "--quick", "--workers", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = re.findall(r"^\| 0 \| (fp32|bf16) \| (.*) \|$", done.stdout, re.MULTILINE)
    assert rows
    assert len(rows) == 2 or "bf16 is left out" in done.stdout
    for _, cells in rows:
        rate, *parts = (float(cell) for cell in cells.split(" | ") if re.fullmatch(r"[\d.]+", cell))
        assert all(part > 0 for part in parts)
        assert abs(sum(parts) * rate / 1000 - 1) < 0.02
    assert "Both give the same answers" in done.stdout
