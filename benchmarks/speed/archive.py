"""Detection over an archive: Ray against the local engine, with a worker and the program killed, and equal results.

    python benchmarks/speed/archive.py --scenes 200 --workers 2
    python benchmarks/speed/archive.py --products 10 --workers 2
    python benchmarks/speed/archive.py --plan 270

The first simulates small scenes, named like Sentinel-1's. It runs the command line over them three times: on the local
engine; on Ray; and on Ray with a worker killed after a third and the program after two thirds, then to the end. It
compares the files of the three data sets byte by byte, and returns 1 where they differ. Each run gets the words that
follow `--`. The second makes one full Sentinel-1 product (after metadata in REFINEDET_DATA), gives it that many names,
and times both engines on them, start and end included: the seconds of a product that the plan rests on. `--share` makes
a smaller product. The third prints the cost of a Sentinel-1 archive, from the seconds of one full scene on two cores:
the tables of docs/howto/cluster.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from products import make_product

from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec

ROOT = Path(__file__).resolve().parents[2]
STATUS = "archive.jsonl"
_DAYS = 5
_NAME = "s1a-iw-grd-vv-202301{day:02}t170605-202301{day:02}t170630-046551-059438-{number:04}.tif"


def main() -> int:
    """Run and print; returns 1 where results differ."""
    own, passed = sys.argv[1:], []
    if "--" in own:
        own, passed = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--size-px", type=int, default=768, help="side of a scene")
    parser.add_argument("--ships", type=int, default=12, help="ships of a scene")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--products", type=int, metavar="N", help="time N full products instead, and hurt no run")
    parser.add_argument("--share", type=float, default=1.0, help="share of the lines and samples of a product")
    parser.add_argument("--folder", type=Path, help="working folder, which is kept; default: a temporary one")
    parser.add_argument(
        "--plan",
        type=float,
        metavar="SECONDS",
        help="of a full scene on two cores; prints the plan alone",
    )
    for name, value in Plan.assumed().items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, help="assumption of the plan")
    asked = parser.parse_args(own)
    if asked.plan is not None:
        print_plan(Plan(asked.plan, **{name: getattr(asked, name) for name in Plan.assumed()}))
        return 0
    folder = asked.folder or Path(tempfile.mkdtemp())
    try:
        if asked.products is not None:
            return time_products(folder, asked, passed)
        simulate(folder / "scenes", asked.scenes, asked.size_px, asked.ships)
        return compare(folder, asked.scenes, asked.workers, passed)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder)


def simulate(folder: Path, count: int, size_px: int, ships: int) -> None:
    """Simulate scenes of _DAYS days, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / _NAME.format(day=1 + number % _DAYS, number=number)
        if not path.exists():
            write_simulated(SceneSpec(width_px=size_px, height_px=size_px, ships=ships, seed=number), path)


def compare(folder: Path, count: int, workers: int, passed: list[str]) -> int:
    """Make all runs and print their table."""
    scenes = str(folder / "scenes" / "*.tif")
    ray = ["--engine", "ray", "--workers", str(workers)]
    for name in ("local", "ray", "hurt"):
        shutil.rmtree(folder / name, ignore_errors=True)
    warm = _command([scenes.replace("*", "*-0000")], folder / "warm", ["--archive", "--overwrite", *passed])
    subprocess.run(warm, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # the export of the weights is made once
    seconds = {
        "local engine": whole(_command([scenes], folder / "local", ["--archive", *passed])),
        f"Ray, {workers} workers": whole(_command([scenes], folder / "ray", [*ray, *passed])),
    }
    again = _command([scenes], folder / "hurt", [*ray, *passed])
    seconds["a worker killed, the program stopped"] = hurt(again, folder / "hurt", count)
    left = len(finished(folder / "hurt"))
    seen = len({line["worker"] for line in finished(folder / "hurt")})
    seconds["the same again, to the end"] = whole(again)
    print(f"{count} scenes on {os.cpu_count()} cores; seconds with start and end of Python and Ray")
    print("| run | seconds | scenes finished in it | scenes a second |\n|---|---|---|---|")
    done = (count, count, left, count - left)
    for (name, spent), number in zip(seconds.items(), done, strict=True):
        print(f"| {name} | {spent:.1f} | {number} | {number / spent:.2f} |")
    print(f"workers seen before the program was stopped: {seen}")
    print_sizes(folder / "local", count)
    return judge(folder)


def time_products(folder: Path, asked: argparse.Namespace, passed: list[str]) -> int:
    """Time both engines on copies of a product, and print their table; returns 1 where results differ."""
    product = make_product(folder / "made", 300, share=asked.share)
    for number in range(asked.products):
        copy = folder / "scenes" / f"{product.stem[:-4]}{number:04X}.SAFE"
        if not copy.exists():
            shutil.copytree(product, copy, copy_function=os.link)
    shutil.rmtree(folder / "made")
    scenes = str(folder / "scenes" / "*.SAFE")
    engines = {"local": ["--archive"], "ray": ["--engine", "ray", "--workers", str(asked.workers)]}
    for name in engines:
        shutil.rmtree(folder / name, ignore_errors=True)
    warm = _command([scenes.replace("*", "*0000")], folder / "warm", ["--archive", "--overwrite", *passed])
    subprocess.run(warm, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    print(f"{asked.products} products on {os.cpu_count()} cores, seconds with start and end of Python and Ray\n")
    print("| engine | seconds | seconds a product |\n|---|---|---|")
    for name, words in engines.items():
        spent = whole(_command([scenes], folder / name, [*words, *passed]))
        shown = f"Ray, {asked.workers} workers" if name == "ray" else name
        print(f"| {shown} | {spent:.1f} | {spent / asked.products:.1f} |", flush=True)
    return judge(folder, ("ray",))


def print_sizes(out: Path, count: int) -> None:
    """Print the mean size of the files of a scene."""
    for kind, pattern in (("data set", "*.parquet"), ("records", "*.run.json"), ("status", STATUS)):
        size = sum(path.stat().st_size for path in out.rglob(pattern))
        print(f"{kind}: {size / count / 1000:.1f} kB a scene")
    ships = sum(line["ships"] for line in finished(out))
    print(f"ships: {ships}, {ships / count:.1f} a scene")


def judge(folder: Path, others: Sequence[str] = ("ray", "hurt")) -> int:
    """Compare the data sets with that of the local engine; returns 1 where one differs."""
    wanted, wrong = data_set(folder / "local"), 0
    for name in others:
        found = data_set(folder / name)
        differ = sum(wanted.get(file) != found.get(file) for file in {*wanted, *found})
        print(f"{name} against local: {len(found)} files, {differ} differ")
        wrong += differ
    return int(wrong > 0 or not wanted)


def data_set(out: Path) -> dict[str, bytes]:
    """Name -> bytes of the files of a data set."""
    root = out / "dataset"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.parquet")}


def whole(command: list[str]) -> float:
    """Run a command to its end; returns the seconds."""
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def hurt(command: list[str], out: Path, count: int) -> float:
    """Run a command, kill a worker after a third of the scenes, and the program after two thirds; returns seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    *_, line = wait_for(process, out, count // 3)
    os.kill(int(line["worker"].split()[-1]), signal.SIGKILL)
    *_, line = wait_for(process, out, 2 * count // 3)
    process.kill()
    process.wait()
    return time.perf_counter() - began


def wait_for(process: subprocess.Popen[bytes], out: Path, count: int) -> list[dict[str, Any]]:
    """Wait for `count` finished scenes; returns their lines of the status."""
    while len(lines := finished(out)) < max(1, count):
        if process.poll() is not None:
            raise SystemExit(f"detect ended with {process.returncode} before it could be hurt; take more --scenes")
        time.sleep(0.02)
    return lines


def finished(out: Path) -> list[dict[str, Any]]:
    """Whole lines of the status file, without the first."""
    path = out / STATUS
    lines = path.read_text().splitlines(keepends=True)[1:] if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _command(scenes: list[str], out: Path, more: list[str]) -> list[str]:
    return [sys.executable, "-m", "cli.app", "detect", *scenes, "--out", str(out), *more]


@dataclass(frozen=True, slots=True)
class Plan:
    """Cost of an archive from one measured time and assumptions."""

    scene_s: float
    """Seconds of one full scene of an archive on two cores."""
    satellites: float
    minutes_per_orbit: float
    """Minutes of imaging in IW and EW in an orbit."""
    slice_s: float
    """Seconds of imaging of one product."""
    orbits_per_day: float
    product_gb: float
    """Size of a product as it is stored and fetched."""
    result_kb: float
    """Size of a scene's results in the data set, with record and status."""
    cores: float
    """Cores of a node."""
    busy: float
    """Share of the measured pace that a large archive keeps."""
    price: float
    """Price of a core for an hour."""
    death_hours: float
    """Hours after which a node dies, on average."""

    @staticmethod
    def assumed() -> dict[str, float]:
        """The assumptions; docs/howto/cluster.md says where each comes from."""
        return {
            "satellites": 2,
            "minutes_per_orbit": 25,
            "slice_s": 25,
            "orbits_per_day": 175 / 12,
            "product_gb": 1.0,
            "result_kb": 50,
            "cores": 16,
            "busy": 0.85,
            "price": 0.04,
            "death_hours": 1000,
        }

    @property
    def scenes_per_day(self) -> float:
        """Scenes that the satellites can take in a day."""
        return self.satellites * self.orbits_per_day * self.minutes_per_orbit * 60 / self.slice_s

    @property
    def core_s(self) -> float:
        """Seconds of one core for one scene."""
        return 2 * self.scene_s / self.busy

    @property
    def node_scenes_per_day(self) -> float:
        """Scenes that one node finishes in a day."""
        return self.cores * 86_400 / self.core_s


def print_plan(plan: Plan) -> None:
    """Print the tables of docs/howto/cluster.md."""
    print(f"one scene: {plan.scene_s:g} s on two cores, {plan.core_s:.0f} core-seconds with {plan.busy:g} of them busy")
    print(f"one node of {plan.cores:g} cores: {plan.node_scenes_per_day:.0f} scenes a day, ", end="")
    print(f"{plan.node_scenes_per_day * plan.product_gb * 8e3 / 86_400:.0f} Mbit/s in\n")
    print(
        "| what | scenes | core-hours | price | in, TB | out, GB | nodes to do it in a day | in 30 days | in a year |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    day = plan.scenes_per_day
    for name, scenes in (("one machine's day", plan.node_scenes_per_day), *_sizes(day)):
        hours = scenes * plan.core_s / 3600
        nodes = [scenes / plan.node_scenes_per_day / days for days in (1, 30, 365)]
        print(
            f"| {name} | {scenes:,.0f} | {hours:,.0f} | {hours * plan.price:,.0f} "
            f"| {scenes * plan.product_gb / 1000:,.1f} | {scenes * plan.result_kb / 1e6:,.2f} | "
            + " | ".join(f"{max(count, 0.01):,.2f}" for count in nodes)
            + " |"
        )
    hours = 1e6 * plan.core_s / 3600 / plan.cores
    print(f"\nnodes that die while 10^6 scenes are done, one in {plan.death_hours:g} hours each: ", end="")
    print(f"{hours / plan.death_hours:.1f}")


def _sizes(day: float) -> Iterator[tuple[str, float]]:
    yield "a day of Sentinel-1", day
    yield "a month", 30 * day
    yield "a year", 365 * day
    yield "10^6 scenes", 1e6


if __name__ == "__main__":
    sys.exit(main())
