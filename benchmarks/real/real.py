"""Ships found and missed and false alarms in real radar images, for any weights, in minutes on two cores.

    REFINEDET_DATA=../shared/data python benchmarks/real/real.py --write docs/results/real.md --json demo/real.json

Every scene is searched with the default settings of `refinedet.find_ships`. The samples are those of data/real, which
are not part of the project. `--against` compares an earlier run with this one.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boxed
import chips
import opensarship
import pointed
import shipless
from figures import Row, as_json, from_json
from finding import Bench
from tables import compared, markdown

from pipeline.datasets.real_scenes.split import split_table
from refinedet.files import read_json, write_json, write_text

ROOMS = {
    "opensarship": opensarship.rows,
    "points": pointed.rows,
    "boxes": boxed.rows,
    "chips": chips.rows,
    "shipless": shipless.rows,
}
"""Groups of samples, by the word of `--only`."""
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the sample data; default: REFINEDET_DATA")
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--precision", choices=("auto", "fp32", "int8"), default="auto", help="as that of `detect`")
    parser.add_argument("--only", nargs="*", choices=list(ROOMS), default=list(ROOMS), help="groups of samples")
    parser.add_argument("--write", type=Path, help="page whose tables are replaced, such as docs/results/real.md")
    parser.add_argument("--pictures", type=Path, help="folder for a quicklook of each scene")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--against", type=Path, help="figures of an earlier run, to be set beside these")
    asked = parser.parse_args()
    real = find_data(asked.data)
    earlier = None if asked.against is None else read_json(asked.against)
    if asked.write is not None and BEGIN not in asked.write.read_text(encoding="utf-8"):
        sys.exit(f"expected the line {BEGIN} in {asked.write}, found none; the tables are written there")
    began = time.perf_counter()
    rows: list[Row] = []
    with Bench.open(real, asked.weights, asked.pictures, asked.precision) as bench:
        for name in asked.only:
            with told(name, bench):
                rows += ROOMS[name](bench)
        facts = {
            "weights": bench.detector.weights.name,
            "weights_sha256": bench.detector.weights_sha256,
            "runtime": f"{bench.detector.runtime} {bench.detector.precision}",
            "processor": processor(),
            "seeds": {"opensarship": opensarship.SEED, "chips": chips.SEED},
            "scenes": len(bench.said),
            "seconds": round(time.perf_counter() - began),
        }
    text = f"{described(facts)}\n\n{markdown(rows)}"
    print(text)
    if earlier is not None:
        before = [from_json(row) for row in earlier["rows"]]
        print(f"\n## Beside {earlier['weights_sha256'][:12]}\n\n{compared(before, rows)}")
    if asked.json is not None:
        write_json(asked.json, {**facts, "rows": [as_json(row) for row in rows]})
    if asked.write is not None:
        replace_tables(asked.write, f"{split_table()}\n\n{text}")


def find_data(folder: Path | None) -> Path:
    """Folder `real` of the sample data; exits with one sentence if it is missing."""
    named = folder or (Path(os.environ["REFINEDET_DATA"]) if "REFINEDET_DATA" in os.environ else None)
    if named is None:
        sys.exit("expected the folder of the sample data, found none; name it with --data or REFINEDET_DATA")
    if not (named / "real").is_dir():
        sys.exit(f"expected a folder `real` in the sample data, found none in {named}")
    return named / "real"


@contextmanager
def told(name: str, bench: Bench) -> Iterator[None]:
    """Say on the error channel how long a group took."""
    began, scenes = time.perf_counter(), len(bench.said)
    yield
    print(f"{name}: {len(bench.said) - scenes} runs, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def processor() -> str:
    """Name of the processor, and the number of its cores at hand."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores"


def described(facts: dict[str, Any]) -> str:
    """Sentence about a run: weights, runtime, processor, seeds and time."""
    seeds = ", ".join(f"{name} {seed}" for name, seed in facts["seeds"].items())
    return (
        f"Weights `{facts['weights']}`, SHA-256 `{facts['weights_sha256']}`; runtime {facts['runtime']}; processor"
        f" {facts['processor']}.\nSeeds of the laid seas: {seeds}. {facts['scenes']} runs of `find_ships` in"
        f" {facts['seconds']} s."
    )


def replace_tables(page: Path, tables: str) -> None:
    """Replace what stands between the two marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(page, f"{before}{BEGIN}\n{tables}\n{END}{after}")


if __name__ == "__main__":
    main()
