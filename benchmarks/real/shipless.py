"""Samples without marked ships: coasts, land, a city, seas with oil, wakes, and a bay by eye. Boxes are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from figures import Row, number, rate
from finding import Bench, Found

from pipeline.datasets.real_scenes.pictures import half_of
from pipeline.datasets.real_scenes.split import PARTS, part_of

NOTES = {
    "bay": "some 40 ships at anchor, by eye",
    "boat1_VV": "large moving ships and wakes",
    "boat2_VV": "large moving ships and wakes",
}
"""Ships that a scene does show, unmarked: its boxes are no false alarms."""


def rows(bench: Bench) -> Iterator[Row]:
    """Look at the scenes, and yield a row for each, and one for each part of the seas."""
    real, scenes = bench.data, []
    for half in ("left", "right"):
        cut = bench.scratch / f"city_{half}.png"
        half_of(real / "city" / "original_crop.png", half).save(cut)
        scenes.append(("city", half, f"city, {half} half", cut, {}))
    scenes += [("slc_coast", "slc_coast", "slc_coast", path, {}) for path in (real / "slc_coast").glob("*.tiff")]
    for path in (real / "rtc_coast").glob("*.tif"):
        scenes += [("rtc_coast", "rtc_coast", f"rtc_coast, {name}", path, {"band": n}) for n, name in _BANDS]
    for path in sorted((real / "dualpol_land").glob("*.tif"), reverse=True):
        scenes.append(("dualpol_land", "dualpol_land", f"dualpol_land, {path.stem.lower()}", path, {}))
    scenes += [("asar", "asar", "asar", path, {}) for path in (real / "asar").glob("*.tiff")]
    for sample in ("wakes", "screens"):
        for path in sorted((real / sample).iterdir()):
            note = NOTES.get(path.stem)
            scenes.append((sample, path.stem, f"{path.stem} ({note})" if note else path.stem, path, {}))
    for part in PARTS:
        for sample, name, subset, path, settings in scenes:
            if part_of(sample, name) == part:
                yield _row(part, subset, bench.find(path, **settings))
        yield from _seas(bench, part)


_BANDS: tuple[tuple[int, str], ...] = ((1, "vv"), (2, "vh"))


def _row(part: str, subset: str, found: Found) -> Row:
    figures = {"boxes": number(len(found.boxes)), "of them without a flag": number(int(found.plain.sum()))}
    return Row("scenes without marked ships", part, subset, figures)


def _seas(bench: Bench, part: str) -> Iterator[Row]:
    boxes = plain = count = 0
    for path in sorted((bench.data / "sea").glob("*.jpg")):
        if part_of("sea", path.stem) == part:
            cut = bench.scratch / f"sea_{path.stem}.png"
            half_of(path, "left").save(cut)
            found = bench.find(cut)
            count, boxes, plain = count + 1, boxes + len(found.boxes), plain + int(found.plain.sum())
    if count:
        figures: dict[str, Any] = {"boxes per picture": rate(boxes, count), "without a flag": rate(plain, count)}
        yield Row("sea: boxes", part, f"{count} pictures", figures)
