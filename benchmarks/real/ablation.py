"""Ablation on real scenes: what the simulator, the real samples, the random stretch and the length of training bring.

Each row trains recipe `real` from the same weights, as a DVC experiment with its MLflow run, without one part. Then it
measures SSDD and the real scenes of the part `decide`, at the default score. The first row is the weights without any
further training. Nothing is chosen by this table.

    REFINEDET_MIRROR=/folder REFINEDET_DATA=/folder python benchmarks/real/ablation.py long.safetensors --epochs 2
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import Row, from_json

from pipeline.stage import OUTPUTS
from pipeline.tracking.seeds import PARAMS, run_experiment, try_to_group
from refinedet.errors import InputError
from refinedet.files import read_json

RECIPE = "recipes.real"


@dataclass(frozen=True, slots=True)
class Change:
    """Difference of a row from `all`."""

    settings: dict[str, object]
    """Settings of the recipe that differ."""
    longer: float = 1.0
    """Epochs relative to those of `all`; fewer chips in an epoch need more of them for as many images."""


ROWS: dict[str, Change | None] = {
    "none": None,
    "all": Change({}),
    "half as long": Change({}, 0.5),
    "no simulated scenes": Change({"scenes": "null"}, 4 / 3),
    "no real samples": Change({"real": "null"}, 5 / 3),
    "no random stretch": Change({"train.augment.contrast": 0.0}),
}
"""Rows; the names say what differs. None: the weights that all others start from."""
SHARES = {
    "ships, VV": ("opensarship: recall", "all, vv, all lengths", "recall at 0.5"),
    "below 60 m, VV": ("opensarship: recall", "all, vv, below 60 m", "recall at 0.5"),
    "ships, VH": ("opensarship: recall", "all, vh, all lengths", "recall at 0.5"),
    "ships, both": ("opensarship: recall", "all, vv+vh, all lengths", "recall at 0.5"),
    "boats": ("chips", "boats", "taken for ships"),
    "turbines": ("chips", "wind turbines", "taken for ships"),
    "beaches": ("chips", "beach", "taken for ships"),
    "land": ("chips", "land", "taken for ships"),
}
"""Columns of the table, and the table, subset and figure of the benchmark of real scenes behind each."""
_PART = "decide"


def main() -> None:
    """Train and measure the rows that are asked for and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="checkpoint that all rows start from")
    parser.add_argument("--epochs", type=int, default=2, help="epochs of `all`")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    asked = parser.parse_args()
    check_settings()
    names = ["row", "images", "val AP", "SSDD test AP", *SHARES]
    print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|", flush=True)
    runs = []
    for row in asked.rows:
        change = ROWS[row]
        if change is None:
            print(line(row, ["0", "-", "-", *shares(asked.weights)]), flush=True)
            continue
        told, run_id = run(change, row, asked.weights, asked.epochs)
        runs.append(run_id)
        try_to_group("ablation on real scenes", runs)
        print(line(row, [*told, *shares(OUTPUTS / "train" / "model.safetensors")]), flush=True)


def check_settings() -> None:
    """Check that params.yaml is as committed: an experiment that is killed leaves its own settings for all rows after.

    Raises:
        InputError: it is not.
    """
    words = ["git", "diff", "--quiet", "HEAD", "--", str(PARAMS)]
    if subprocess.run(words, check=False).returncode:
        raise InputError(
            f"expected {PARAMS} as it is committed, found changes, perhaps of a row that was killed; take them back: "
            f"git checkout {PARAMS}"
        )


def run(change: Change, row: str, weights: Path, epochs: int) -> tuple[list[str], str | None]:
    """Train one row; returns its images, its AP on val and on SSDD's test split, and the id of its MLflow run."""
    longer = max(1, round(epochs * change.longer))
    settings: dict[str, Any] = {"train.init": weights.resolve(), "train.epochs": longer, "train.validate_every": longer}
    settings |= {"evaluate.multiscale": "null", **change.settings}
    changes = [f"++{RECIPE}.{name}={value}" for name, value in settings.items()]
    run_id = run_experiment(["recipe=real", *changes], ["-f", "-n", f"ablation-{row.replace(' ', '-')}", "evaluate"])
    test, val = (read_json(OUTPUTS / stage / "metrics.json") for stage in ("evaluate", "train"))
    images = longer * training_chips()
    return [f"{images:,}", f"{val['val']['AP']:.1f}", f"{test['test']['AP']:.1f}"], run_id


def training_chips() -> int:
    """Number of chips of *train* of the last experiment."""
    return len(read_json(OUTPUTS / "tile" / "train.json")["images"])


def shares(weights: Path) -> list[str]:
    """Shares of `SHARES` for some weights, as the benchmark of real scenes measures them."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "real.json"
        words = ["--weights", str(weights), "--only", "opensarship", "chips", "--json", str(out)]
        script = Path(__file__).with_name("real.py")
        subprocess.run([sys.executable, str(script), *words], check=True, stdout=sys.stderr)
        return chosen([from_json(one) for one in json.loads(out.read_text(encoding="utf-8"))["rows"]])


def chosen(rows: Sequence[Row]) -> list[str]:
    """Shares of `SHARES` among rows of the benchmark, of the part that decides."""
    found = {(row.table, row.subset): row.figures for row in rows if row.part == _PART}
    values = [found[table, subset][figure].value for table, subset, figure in SHARES.values()]
    return ["-" if value is None else f"{value:.2f}" for value in values]


def line(name: str, cells: Sequence[str]) -> str:
    """Row of the table in Markdown."""
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
