"""Stage report: what the evaluation found, as one HTML page, its curves, and pictures of hits, misses and false alarms.

Hashed outputs: equal inputs give equal bytes, so git revision, run id and time are in MLflow, not here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue import CATALOGUE
from pipeline.charts import precision_recall_png, training_png
from pipeline.contact_sheet import Picture, close_up, compose, whole_chip
from pipeline.outcomes import Judged, spread
from pipeline.page import Page, render
from pipeline.params import Params, load_params
from pipeline.published import PUBLISHED
from pipeline.stage import OUTPUTS, run_stage
from pipeline.state import state_files
from pipeline.tracking import RECORDS, record
from refinedet.boxes import xywh_to_xyxy
from refinedet.config import PostprocessConfig
from refinedet.data.coco import ImageRecord, read_record
from refinedet.data.dataset import read_chip
from refinedet.detections import Detections
from refinedet.files import atomic_folder, read_json, sha256_file, write_text
from refinedet.model.checkpoint import Header, read_header

logger = logging.getLogger(__name__)

SAMPLES = 6
"""Whole chips shown."""

_COLUMNS = 6
_HITS, _MISSES, _FALSE_ALARMS = 12, 18, 18


@dataclass(frozen=True, slots=True)
class Sources:
    """Output folders of the stages before this one."""

    tile: Path
    train: Path
    evaluate: Path

    @property
    def checkpoint(self) -> Path:
        """The weights that were evaluated."""
        return self.train / "model.safetensors"


def report(sources: Sources, dataset: str, postprocess: PostprocessConfig, out: Path) -> None:
    """Write folder `out`: report.html, pr_curve.png, losses.png, contact_sheet.png and samples/*.png.

    Raises:
        FileError: an output of a stage before is missing or damaged.
        InputError: one of them is not what it should be.
    """
    truth = read_record(sources.tile / "test.json")
    header = read_header(sources.checkpoint)
    found = read_results(sources.evaluate / "detections.coco.json")
    metrics = read_json(sources.evaluate / "metrics.json")
    judged = Judged.of(truth, found)
    read = _reader(sources.tile)
    sections = _sections(judged, read)
    with_ships = [image for image in truth.images if not truth.ignored[image.id].all()]
    samples = [whole_chip(judged, image, read) for image in spread(with_ships, SAMPLES)]
    with atomic_folder(out) as staged:
        _draw_curves(sources, metrics["test"], staged)
        compose(sections, _COLUMNS).save(staged / "contact_sheet.png")
        (staged / "samples").mkdir()
        for sample in samples:
            sample.pixels.save(staged / "samples" / f"{sample.title}.png")
        page = Page(
            title=f"Ship detection on {_name(dataset)}",
            subtitle=_subtitle(header, metrics["test"]),
            metrics={**metrics, "val": _validation(header)},
            published=PUBLISHED.get(dataset, ()),
            curves=staged / "pr_curve.png",
            training=staged / "losses.png",
            sections=sections,
            samples=samples,
            facts=_facts(sources, header, dataset, postprocess),
        )
        write_text(staged / "report.html", render(page))


def read_results(path: Path) -> dict[int, Detections]:
    """Detections by image id from a COCO results list that evaluate wrote.

    Raises:
        FileError, InputError: as files.read_json.
    """
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in read_json(path):
        rows[row["image_id"]].append(row)
    return {
        image_id: Detections.of(
            xywh_to_xyxy([row["bbox"] for row in own]),
            [row["score"] for row in own],
            [row["category_id"] - 1 for row in own],
        )
        for image_id, own in rows.items()
    }


def _sections(judged: Judged, read: Callable[[ImageRecord], NDArray[np.uint8]]) -> dict[str, list[Picture]]:
    events = judged.events()
    chosen = {
        "Hits": (events["hit"], spread(events["hit"], _HITS)),
        "Misses": (events["miss"], spread(events["miss"], _MISSES)),
        "False alarms": (events["false alarm"], events["false alarm"][:_FALSE_ALARMS]),
    }
    return {
        f"{name}: {len(shown)} of {len(all_)}": [close_up(judged, event, read) for event in shown]
        for name, (all_, shown) in chosen.items()
    }


def _draw_curves(sources: Sources, test: Mapping[str, float], folder: Path) -> None:
    curves = {
        f"IoU {iou:.2f}, AP {test.get(f'AP{iou * 100:.0f}', 0):.1f}": read_json(sources.evaluate / name)
        for name, iou in (("pr_50.json", 0.5), ("pr_75.json", 0.75))
    }
    point = (test["recall"] / 100, test["precision"] / 100) if {"recall", "precision"} <= set(test) else None
    precision_recall_png(folder / "pr_curve.png", curves, point)
    training_png(folder / "losses.png", read_json(sources.train / "history.json"))


def _reader(root: Path) -> Callable[[ImageRecord], NDArray[np.uint8]]:
    return lambda image: read_chip(root / image.file_name)


def _name(dataset: str) -> str:
    return dataset.upper() if dataset in CATALOGUE else dataset.replace("simulated", "simulated scenes")


def _subtitle(header: Header, test: Mapping[str, float]) -> str:
    model = header.model
    return f"{model.backbone} at {model.input_px} px, {test['ships']} ships in {test['chips']} test chips"


def _validation(header: Header) -> dict[str, float]:
    chips = header.provenance.get("chips", {})
    return {**header.provenance.get("val", {}), **({"chips": chips["val"]} if "val" in chips else {})}


def _facts(
    sources: Sources, header: Header, dataset: str, postprocess: PostprocessConfig
) -> dict[str, dict[str, object]]:
    known = dict(header.provenance)
    source = CATALOGUE.get(dataset)
    data: dict[str, object] = {"name": dataset, "classes": ", ".join(header.classes)}
    if source is not None:
        data |= {"citation": source.citation, "licence": source.licence, "content sha256": source.sha256}
    data |= {f"{split} chips": count for split, count in known.get("chips", {}).items()}
    hashes = {"checkpoint": sha256_file(sources.checkpoint), **known.get("inputs_sha256", {})}
    if "code_sha256" in known:
        hashes["training code"] = known["code_sha256"]
    return {
        "Data set": data,
        "SHA-256": hashes,
        "Windows": _flat(known.get("tile", {})),
        "Model": _flat(header.model.to_dict()),
        "Training": {**_flat(known.get("train", {})), "weights": known.get("weights", "")},
        "Radiometry": _flat(header.radiometry.to_dict()),
        "Postprocessing": _flat(postprocess.to_dict()),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def _record(sources: Sources, params: Params, out: Path) -> None:
    pictures = [(out / name, "report") for name in ("report.html", "pr_curve.png", "losses.png", "contact_sheet.png")]
    samples = [(path, "samples") for path in sorted((out / "samples").iterdir())]
    kept = [(Path(name), None) for name in RECORDS if Path(name).is_file()]
    with state_files("report") as state:
        record(sources.checkpoint, params, {}, [*pictures, *samples, *kept, *state])


def main() -> None:
    """Report on the outputs in the current folder and add the report to the MLflow run."""
    params = load_params()
    sources = Sources(OUTPUTS / "tile", OUTPUTS / "train", OUTPUTS / "evaluate")
    out = OUTPUTS / "report"
    report(sources, params.dataset, params.postprocess, out)
    logger.info("report: %s", out / "report.html")
    _record(sources, params, out)


if __name__ == "__main__":
    run_stage(main)
