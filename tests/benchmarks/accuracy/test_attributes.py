"""The table of attribute errors runs as its help says, and reaches on one scene what is wanted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def test_the_table_of_true_boxes() -> None:
    done = subprocess.run(
        [sys.executable, _ROOT / "benchmarks" / "accuracy" / "attributes.py", "--seeds", "601"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    row = re.search(r"^all +(\d+)  ([\d.]+) / ([\d.]+) ", done.stdout, re.MULTILINE)
    assert row
    assert int(row[1]) > 30
    assert 0 < float(row[2]) < float(row[3])
    assert done.stdout.count("reached") == 3
    assert "MISSED" not in done.stdout
