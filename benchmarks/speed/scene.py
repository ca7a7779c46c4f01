"""Detection in a large simulated scene against its truth: positions, F1, time, memory, and the limit of time.

    python benchmarks/speed/scene.py demo/s1/S1A_IW_GRDH.SAFE --out demo/s1/found [-- --device cuda]
    python benchmarks/speed/scene.py demo/scene.tif --out demo/found

The scene is a product of benchmarks/scenes/sentinel1_scene.py with ships.geojson, ambiguities.geojson and land.geojson
beside it, or a GeoTIFF of `refinedet simulate` with its truth. Detection runs on a product's .SAFE folder and on its
bare raster. Each run is one call of the command line with its defaults; it gets the words that follow `--`. Time and
memory are medians over `--repeats`. Memory is the sum over the process and its children, read 20 times a second. The
limit is that of benchmarks/speed/limits.py: read the raster in bands of whole rows, and stretch each pixel once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from limits import limits
from measuring import ROOT, median, watched
from numpy.typing import NDArray

from refinedet.errors import RefineDetError
from refinedet.evaluation.score import score_files
from refinedet.files import read_json, write_json
from refinedet.geo.position import distances_m, local_plane

FAR_M = 100.0
"""A detection with no ship this near matches none; wider than the score's own rule, so that large errors show."""


def main() -> None:
    """Run on a scene, or on both forms of a product, and print."""
    own, passed = sys.argv[1:], []
    if "--" in own:
        own, passed = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, metavar="PRODUCT.SAFE or SCENE.tif")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bare", action=argparse.BooleanOptionalAction, default=True, help="the bare raster as well")
    parser.add_argument("--repeats", type=int, default=1)
    asked = parser.parse_args(own)
    folder = asked.scene / "measurement"
    raster = min(folder.iterdir()) if folder.is_dir() else asked.scene
    for scene in dict.fromkeys([asked.scene, *([raster] if asked.bare else [])]):
        seconds = run(scene.resolve(), asked.out.resolve(), passed, asked.repeats)
        if folder.is_dir():
            print_scores(asked.out, scene.stem, asked.scene.parent)
        else:
            told(asked.out / f"{scene.stem}.geojson", scene.with_name(f"{scene.stem}.truth.geojson"), "all detections")
        print_limit(raster, seconds)


def run(scene: Path, out: Path, passed: list[str], repeats: int) -> float:
    """Call detect `repeats` times and print time, memory and counts; returns the median seconds."""
    seconds, peaks = [], []
    command = [sys.executable, "-m", "cli.app", "detect", str(scene), "--out", str(out), "--overwrite", *passed]
    for _ in range(repeats):
        began = time.perf_counter()
        peaks.append(watched(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)) or 0)
        seconds.append(time.perf_counter() - began)
    record = read_json(out / f"{scene.stem}.run.json")
    size, counts = record["scene"], record["counts"]
    print(f"\n{scene.name}: {size['width_px']} x {size['height_px']} pixels, {size['dtype']}\n")
    print(f"- {counts['windows']} windows, {counts['windows_skipped']} skipped; {counts['ships']} detections")
    print(f"- wall time {median(seconds):.1f} s, peak memory {median(peaks) / 1e9:.2f} GB")
    parts = {name: spent for name, spent in record["time"].items() if name != "seconds"}
    print("- seconds by part: " + ", ".join(f"{name} {spent:.1f}" for name, spent in parts.items()))
    return median(seconds)


def print_limit(raster: Path, seconds: float) -> None:
    """Print the time beside that of reading and stretching alone."""
    found = limits(raster, 3)
    least = found.read_and_stretch_s
    print(
        f"- limit: reading the raster in bands {found.bands_s:.2f} s, one pass of the stretch {found.stretch_s:.2f} s; "
        f"wall time is {seconds / least:.0f} times their sum"
    )


def told(found: Path, truth: Path, name: str) -> None:
    """Print precision, recall and F1 of detections against a truth."""
    score = score_files(found, truth)
    ratios = f"precision {score.precision:.3f}, recall {score.recall:.3f}, F1 {score.f1:.3f}"
    print(f"- {name}: {score.tp + score.fp}, {ratios}")


def print_scores(out: Path, stem: str, truth: Path) -> None:
    """Print F1 of all detections and of those not flagged as land or ambiguity; then errors of place, and flags."""
    found = read_json(out / f"{stem}.geojson")
    sure = [f for f in found["features"] if not {"land", "ambiguity"} & set(f["properties"]["flags"])]
    write_json(out / f"{stem}.sure.geojson", found | {"features": sure})
    for name, file in (("all detections", f"{stem}.geojson"), ("not on land, no ambiguity", f"{stem}.sure.geojson")):
        told(out / file, truth / "ships.geojson", name)
    ships = read_json(truth / "ships.geojson")["features"]
    errors = centre_errors_m(sure, ships)
    quantiles = np.quantile(errors, [0.5, 0.95, 1.0])
    print("- centres, median / 95 % / worst: " + " / ".join(f"{value:.1f}" for value in quantiles) + " m")
    ghosts = read_json(truth / "ambiguities.geojson")["features"]
    marked = [f for f in found["features"] if "ambiguity" in f["properties"]["flags"]]
    print(f"- ambiguities: {len(ghosts)} planted, {matches(found['features'], ghosts)} of them detected, ", end="")
    print(f"{matches(marked, ghosts)} flagged; ships flagged as ambiguity: {matches(marked, ships)} of {len(ships)}")
    explain_land(found["features"], truth)


def centre_errors_m(found: list[dict[str, Any]], ships: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Distance from each detection to the nearest ship, where there is one within FAR_M."""
    pairs = nearest(found, ships)
    return pairs[pairs <= FAR_M]


def nearest(found: list[dict[str, Any]], others: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Geodesic distance (N,) in metres from the centre of each detection to the nearest of the others."""
    places, marks = centres(found), centres(others)
    if not len(places) or not len(marks):
        return np.full(len(places), np.inf)
    plane = local_plane(marks)
    flat = np.stack(plane.transform(*marks.T), axis=1), np.stack(plane.transform(*places.T), axis=1)
    index = shapely.STRtree(shapely.points(flat[0])).nearest(shapely.points(flat[1]))
    return np.asarray(distances_m(places, marks[index]), np.float64)


def matches(found: list[dict[str, Any]], others: list[dict[str, Any]]) -> int:
    """Number of the others that have a detection within FAR_M."""
    return int((nearest(others, found) <= FAR_M).sum())


def centres(features: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Longitude and latitude (N, 2) by the properties `lon` and `lat`, else of the middle of the polygon."""
    told = [(f["properties"].get("lon"), f["properties"].get("lat")) for f in features]
    middle = shapely.get_coordinates(shapely.centroid([shapely.geometry.shape(f["geometry"]) for f in features]))
    return np.array([own if own[0] is not None else mid for own, mid in zip(told, middle, strict=True)]).reshape(-1, 2)


def explain_land(found: list[dict[str, Any]], truth: Path) -> None:
    """Print what --land-mask drop would leave out, compared with the land of the simulation."""
    dropped = [f for f in found if "land" in f["properties"]["flags"]]
    shapes = [shapely.geometry.shape(f["geometry"]) for f in read_json(truth / "land.geojson")["features"]]
    if not dropped or not shapes:
        print(f"- land: {len(dropped)} detections flagged")
        return
    places = centres(dropped)
    plane = local_plane(places)
    land = shapely.transform(shapely.union_all(shapes), plane.transform, interleaved=False)
    offshore = shapely.distance(shapely.points(np.stack(plane.transform(*places.T), axis=1)), land)
    print(f"- land: {len(dropped)} detections flagged, {int((offshore == 0).sum())} of them on land; ", end="")
    print(f"the farthest from it {offshore.max():.0f} m")


if __name__ == "__main__":
    try:
        main()
    except RefineDetError as error:
        raise SystemExit(str(error)) from error
