"""Write docs/results/speed.md: run the scripts of the table below, and collect what they print.

    make bench                      some 20 minutes on two cores; leave the machine alone meanwhile
    make bench PRODUCT=path.SAFE    with a whole Sentinel-1 scene that benchmarks/scenes/sentinel1_scene.py made
    make bench INT8=path.xml        with a file of `refinedet export --int8` beside the runtimes
    make bench QUICK=1              tries all but 8 bits in some two minutes: a page in demo/ whose figures mean nothing

The page appears whole, or not at all: a script that fails ends the run with exit code 1, and an old page stays.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from measuring import ROOT

from refinedet.files import sha256_file, write_text
from refinedet.runtimes.graphs import usable_cores
from refinedet.system.child import last_words
from refinedet.weights import shipped_weights

FOLDER = Path(__file__).resolve().parent
SHOWN = FOLDER.relative_to(ROOT).as_posix()
"""Folder of the scripts as the page names it."""
SCENE, OUT, INT8 = "SCENE", "OUT", "INT8"
"""Placeholders in a command: the large scene, a folder, and the option of an INT8 file where there is one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Script of this folder, with its options for a full and for a quick run."""

    name: str
    script: str
    full: tuple[str, ...]
    quick: tuple[str, ...]
    shows: str


ENTRIES = (
    Entry(
        "AlignConv alone",
        "align_conv.py",
        ("--rounds", "3", "--sides", "64"),
        ("--rounds", "1", "--sides", "16"),
        "The prediction layer three ways: ours (project, then sample), torchvision's deformable convolution, and that "
        "of mmcv where it is installed.",
    ),
    Entry(
        "Whole detectors, one chip",
        "detector.py",
        ("--repeats", "3", "--int8"),
        ("--repeats", "1", "--image-px", "128"),
        "A network of the published design beside ours: with the same VGG16-BN, as it ships, and exported.",
    ),
    Entry(
        "Runtimes",
        "runtimes.py",
        ("--rounds", "5", INT8),
        ("--rounds", "1", INT8, "--batches", "1", "--chips", "2", "--runtimes", "torch fp32", "openvino fp32"),
        "From 8-bit chips to detections in torch, ONNX Runtime and OpenVINO, with the memory of each.",
    ),
    Entry(
        "Training",
        "training.py",
        (),
        ("--quick",),
        "Images a second, and where the time of a step goes.",
    ),
    Entry(
        "Merging windows",
        "merge.py",
        ("--rounds", "1", "--limit-s", "60"),
        ("--quick",),
        "Our merging of windows beside torchvision's and SAHI's suppression, up to half a million boxes.",
    ),
    Entry(
        "One scene, other ways",
        "peers.py",
        ("--size", "4096", "--repeats", "2"),
        ("--quick",),
        "A scene from file to ships: ours, SAHI around the same network, a plain loop; and what the machine allows.",
    ),
    Entry(
        "A whole scene",
        "scene.py",
        (SCENE, "--out", OUT, "--no-bare"),
        (SCENE, "--out", OUT, "--no-bare"),
        "`refinedet detect` with its defaults on a large scene: time, memory, F1, and the ratio to reading it.",
    ),
)
STAND_IN = ("--width-px", "8000", "--height-px", "8000", "--ships", "900", "--seed", "20261129")
QUICK_STAND_IN = ("--width-px", "1536", "--height-px", "1536", "--ships", "30", "--seed", "20261129")
"""Options of `refinedet simulate` for a scene in the place of a product."""
PACKAGES = ("refinedet", "torch", "torchvision", "openvino", "onnxruntime", "numpy", "rasterio", "shapely", "sahi")
INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def main() -> None:
    """Run everything, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small inputs, once; the page goes to demo/")
    parser.add_argument("--product", type=Path, help="a simulated Sentinel-1 product (.SAFE) with its truth beside it")
    parser.add_argument("--int8", type=Path, help="a file of `refinedet export --int8`")
    parser.add_argument("--out", type=Path, help="the page")
    asked = parser.parse_args()
    out = asked.out or ROOT / ("demo/benchmarks.md" if asked.quick else "docs/results/speed.md")
    if asked.product and not asked.product.is_dir():
        script = "benchmarks/scenes/sentinel1_scene.py"
        raise SystemExit(f"expected a product of {script} at {asked.product}, found no folder")
    if asked.int8 and not asked.int8.is_file():
        raise SystemExit(f"expected a file of `refinedet export --int8` at {asked.int8}, found none")
    before = [*machine(), f"shipped weights {sha256_file(shipped_weights())[:8]}..."]
    with tempfile.TemporaryDirectory() as folder:
        scene = asked.product.resolve() if asked.product else stand_in(Path(folder), quick=asked.quick)
        parts = []
        for entry in ENTRIES:
            words = entry.quick if asked.quick else entry.full
            print(f"{entry.name}: {entry.script} ...", file=sys.stderr, flush=True)
            began = time.monotonic()
            text = run(entry, filled(words, str(scene), folder, asked.int8 and str(asked.int8.resolve())))
            shown = shlex.join(filled(words, scene.name, "found", asked.int8 and asked.int8.name))
            parts.append(section(entry, shown, text, time.monotonic() - began))
    note = "" if asked.product else f"No Sentinel-1 product was at hand: {scene.name} stands in, a simulated GeoTIFF."
    write_text(out, page(before, parts, note, quick=asked.quick))
    print(f"wrote {out}")


def filled(words: Iterable[str], scene: str, out: str, int8: str | None) -> list[str]:
    """Words of a command with placeholders filled in."""
    given = {SCENE: [scene], OUT: [out], INT8: ["--int8", int8] if int8 else []}
    return [part for word in words for part in given.get(word, [word])]


def run(entry: Entry, words: list[str]) -> str:
    """Run a script and return what it prints.

    Raises:
        SystemExit: it failed; one sentence names it and gives its last message.
    """
    command = [sys.executable, str(FOLDER / entry.script), *words]
    return _output(command, f"{SHOWN}/{Path(entry.script).name}")


def stand_in(folder: Path, *, quick: bool) -> Path:
    """Simulate a scene in the place of a product; returns its path."""
    path = folder / "simulated.tif"
    size = QUICK_STAND_IN if quick else STAND_IN
    _output([sys.executable, "-m", "cli.app", "simulate", str(path), *size], "refinedet simulate")
    return path


def _output(command: list[str], name: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"expected {name} to end well, found exit code {done.returncode} ({last_words(done.stderr)}); no page was "
            "written: run that script alone to see more"
        )
    return done.stdout.decode().strip()


def page(before: list[str], parts: list[str], note: str, *, quick: bool) -> str:
    """Text of the page."""
    title = "# Benchmarks\n\n"
    if quick:
        title += "**A smoke run on small inputs: its figures mean nothing.**\n\n"
    how = (
        "`make bench` writes this page: benchmarks/speed/report.py runs one script after another on an idle machine. "
        "Figures that stand side by side were measured in turns in the same run. All are medians. Each script has "
        "`--help` and runs alone.\n\n"
    )
    rows = [f"| [{e.name}](#{anchor(e.name)}) | {SHOWN}/{Path(e.script).name} | {e.shows} |" for e in ENTRIES]
    table = "\n".join(["| what | script | what it shows |", "|---|---|---|", *rows])
    facts = "\n".join(f"- {line}" for line in before)
    return f"{title}{how}{table}\n\n{note}\n\n## Machine\n\n{facts}\n\n" + "\n\n".join(parts) + "\n"


def section(entry: Entry, words: str, text: str, seconds: float) -> str:
    """Section of one script: its command and what it printed."""
    command = f"python {SHOWN}/{Path(entry.script).name} {words}".strip()
    return f"## {entry.name}\n\n{entry.shows}\n\n```console\n{command}\n```\n\n{text}\n\n{seconds / 60:.1f} minutes."


def anchor(name: str) -> str:
    """Anchor of a heading, as GitHub makes it."""
    return "".join(c for c in name.lower().replace(" ", "-") if c.isalnum() or c == "-")


def machine() -> list[str]:
    """Facts on machine, date and versions, taken before anything runs."""
    load = f", load average {os.getloadavg()[0]:.1f} at the start"
    lines = [
        f"{processor()}, {usable_cores()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory{load}",
        f"instruction sets: {', '.join(flags()) or 'unknown'}",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        ", ".join(f"{name} {found(name)}" for name in PACKAGES),
        f"{datetime.now(UTC):%Y-%m-%d}, git revision {revision()}",
    ]
    threads = os.environ.get("OMP_NUM_THREADS")
    return lines + ([f"OMP_NUM_THREADS was {threads}: torch had no more threads than that"] if threads else [])


def processor() -> str:
    """Name of the processor, as the system tells it."""
    return next(iter(_cpuinfo("model name")), platform.processor() or "an unknown processor").strip()


def flags() -> list[str]:
    """Instruction sets of INSTRUCTIONS that the processor has."""
    known = set(" ".join(_cpuinfo("flags")).split())
    return [name for name in INSTRUCTIONS if name in known]


def _cpuinfo(key: str) -> list[str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.partition(":")[2] for line in lines if line.partition(":")[0].strip() == key]


def found(package: str) -> str:
    """Version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def revision() -> str:
    """Git revision of the code that is measured."""
    try:
        commit, changed = (
            subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607 - the user's own git
            for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + (", with changes" if changed else "")


if __name__ == "__main__":
    main()
