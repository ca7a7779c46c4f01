"""A server under eight clients and hostile requests: right answers, errors by kind, and memory.

    python benchmarks/hostile/serve.py --minutes 5

It starts `refinedet serve`, and eight programs that upload small scenes, as fast as they are answered. Each answer is
compared with the bytes of the command. Another program sends hostile requests meanwhile (`serve_cases.py`). A full
queue is no error: the client asks again after Retry-After. The exit code is 1 if an answer was lost or wrong, a hostile
request got anything but one sentence with its status, memory or disk grew, or the server did not end in order.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from serve_cases import CASES, Target, form

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 8
GROWTH_MB = 60
"""Growth of memory from which it counts as a leak; the first requests fill caches."""
_WARM = 24
"""Requests after which memory is read for the first time."""


@dataclass
class Tally:
    """Counts of all clients."""

    answers: Counter[str] = field(default_factory=Counter)
    hostile: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, kind: str) -> None:
        """Count the answer to an upload."""
        with self._one:
            self.answers[kind] += 1

    def fault(self, text: str) -> None:
        """Keep a fault."""
        with self._one:
            self.faults.append(text)


def main() -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostile-serve-") as name:
        folder = Path(name)
        scenes = made_scenes(folder)
        temporary = folder / "temporary"
        temporary.mkdir()
        process = started(temporary)
        try:
            target = Target(_address(process))
            tally = Tally()
            memory = run(target, scenes, tally, asked.minutes, process.pid)
            disk = sum(one.stat().st_size for one in temporary.rglob("*") if one.is_file())
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
        left = [one.name for one in temporary.glob("refinedet-serve-*")]
    if code or left:
        tally.fault(f"the server ended with {code} and left {left}")
    return told(tally, memory, disk, asked.minutes)


def made_scenes(folder: Path) -> dict[Path, bytes]:
    """Small scenes, and the ships that the command finds in each."""
    from refinedet.raster import write_scene

    scenes = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        side = 160 + 20 * seed
        pixels = rng.gamma(4, 25, (side, side)).astype(np.uint16)
        for x, y in rng.integers(10, side - 30, (3 + seed, 2)):
            pixels[y : y + 5, x : x + 16] = 3000
        scenes.append(folder / f"scene_{seed}.tif")
        write_scene(scenes[-1], pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    words = ["--out", str(folder / "found"), "--no-map", "--no-quicklook", "--format", "geojson"]
    subprocess.run([sys.executable, "-m", "refinedet", "detect", *map(str, scenes), *words], cwd=ROOT, check=True)
    return {scene: (folder / "found" / f"{scene.stem}.geojson").read_bytes() for scene in scenes}


def started(temporary: Path) -> subprocess.Popen[str]:
    """Start a server, whose temporary folder is `temporary`."""
    words = ["serve", "--port", "0", "--json", "--root", str(temporary), "--upload-mb", "4", "--queue", "12"]
    return subprocess.Popen(
        [sys.executable, "-m", "refinedet", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    address: str = json.loads("".join(process.stdout.readline() for _ in range(3)))["address"]
    return address.removeprefix("http://")


def run(target: Target, scenes: dict[Path, bytes], tally: Tally, minutes: float, pid: int) -> list[tuple[str, int]]:
    """Let all clients ask until the time is over; returns memory at moments, in bytes, of server and worker."""
    end = threading.Event()
    clients = [threading.Thread(target=client, args=(target, scenes, tally, end, n)) for n in range(CLIENTS)]
    clients.append(threading.Thread(target=attacker, args=(target, tally, end)))
    until = time.monotonic() + 60 * minutes
    for one in clients:
        one.start()
    while tally.answers["right"] < _WARM and time.monotonic() < until:
        time.sleep(0.2)
    memory = [("start", resident(pid))]
    while time.monotonic() < until:
        time.sleep(0.2)
    end.set()
    for one in clients:
        one.join()
    memory.append(("end", resident(pid)))
    return memory


def client(target: Target, scenes: dict[Path, bytes], tally: Tally, end: threading.Event, number: int) -> None:
    """Upload scenes one after the other; every second one as a job."""
    listed, count = list(scenes), number
    while not end.is_set():
        scene = listed[count % len(listed)]
        count += 1
        try:
            body = by_job(target, scene, end) if count % 2 else upload(target, "/detect", scene, end)
        except (OSError, http.client.HTTPException, RuntimeError, ValueError) as error:
            tally.answer("lost")
            tally.fault(f"{scene.name}: {type(error).__name__}: {error}")
            continue
        if body is None:  # the time is over, and no place was free
            return
        tally.answer("right" if body == scenes[scene] else "wrong")


def upload(target: Target, path: str, scene: Path, end: threading.Event) -> bytes | None:
    """Body of the answer to an upload; a full queue is asked again."""
    content, kind = form(scene.read_bytes(), scene.name)
    while True:
        status, headers, body = target.ask("POST", path, content, {"Content-Type": kind})
        if status in {200, 202}:
            return body
        if status != 503 or "Retry-After" not in headers:
            raise RuntimeError(f"status {status}: {body[:200]!r}")
        if end.wait(float(headers["Retry-After"])):
            return None


def by_job(target: Target, scene: Path, end: threading.Event) -> bytes | None:
    """Ships of a scene by a job, which is watched by its events, and removed."""
    begun = upload(target, "/jobs", scene, end)
    if begun is None:
        return None
    job = json.loads(begun)["id"]
    _, _, events = target.ask("GET", f"/jobs/{job}/events")
    last: Any = json.loads(events.rstrip().rsplit(b"data: ", 1)[1])
    if last["state"] != "done":
        raise RuntimeError(f"the job is {last['state']}: {last['error']}")
    status, _, ships = target.ask("GET", f"/jobs/{job}/ships.geojson")
    if status != 200:
        raise RuntimeError(f"status {status} of a job that is done")
    if job[0] in "0123":  # the others wait until they are the oldest
        target.ask("DELETE", f"/jobs/{job}")
    return ships


def attacker(target: Target, tally: Tally, end: threading.Event) -> None:
    """Send hostile requests one after the other, each at least once, and hold each answer against what is due."""
    tried = set[str]()
    while len(tried) < len(CASES) or not end.is_set():
        for title, (send, due) in CASES.items():
            if end.is_set() and title in tried:
                continue
            tried.add(title)
            outcome = send(target)
            tally.hostile[title, outcome] += 1
            if outcome not in due and outcome != "503":  # 503: the queue was full
                tally.fault(f"{title}: {outcome}, expected {' or '.join(due)}")


def resident(pid: int) -> int:
    """Memory of a process and its children, in bytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    pages = [int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in (pid, *children)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def told(tally: Tally, memory: list[tuple[str, int]], disk: int, minutes: float) -> int:
    """Print the table; returns the exit code."""
    total = sum(tally.answers.values())
    print(f"{CLIENTS} clients for {minutes:g} minutes: {total} scenes")
    for kind in ("right", "wrong", "lost"):
        print(f"  {kind:40} {tally.answers[kind]:6d}")
    print(f"hostile requests: {sum(tally.hostile.values())}")
    for (title, outcome), count in sorted(tally.hostile.items()):
        print(f"  {title:40} {outcome:>12} {count:6d}")
    for moment, size in memory:
        print(f"memory of server and worker at the {moment}: {size / 1e6:.0f} MB")
    print(f"temporary files at the end: {disk / 1e6:.2f} MB")
    growth = (memory[-1][1] - memory[0][1]) / 1e6
    if growth > GROWTH_MB:
        tally.fault(f"memory grew by {growth:.0f} MB")
    for fault in tally.faults[:20]:
        print(f"FAULT  {fault}")
    bad = bool(tally.faults) or not tally.answers["right"] or tally.answers["right"] != total
    print("FAILED" if bad else "nothing lost, every answer right")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
