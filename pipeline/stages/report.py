"""Stage report: results of the evaluation as one HTML page, with numbers, curves, and pictures of detection errors.

Outputs are hashed, so equal inputs must give equal bytes. Git revision, run id and time are therefore in MLflow only.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pipeline.datasets.catalogue import CATALOGUE
from pipeline.params import Params, load_params
from pipeline.provenance.state import state_files
from pipeline.report.chart_set import iou_curves, working_point
from pipeline.report.charts import precision_recall_png, training_png
from pipeline.report.contact_sheet import Picture, close_up, compose, whole_chip
from pipeline.report.errors_by_chip import Judged, evenly_sampled
from pipeline.report.figures import training_svgs
from pipeline.report.labels import KIND_WORDS
from pipeline.report.numbers import Numbers, Row
from pipeline.report.page import Page, render
from pipeline.report.published import PUBLISHED
from pipeline.stage import OUTPUTS, run_stage
from pipeline.tracking.runs import RECORDS, track
from refinedet.boxes import xywh_to_xyxy
from refinedet.config import PostprocessConfig
from refinedet.config.base import Count, Settings, Share, validated
from refinedet.data.coco import ImageRecord, read_record
from refinedet.data.shards import read_chip
from refinedet.data.truth import LARGEST
from refinedet.detections import Detections
from refinedet.evaluation.detection_errors import kinds_of
from refinedet.files import atomic_folder, read_json, sha256_file, write_json, write_text
from refinedet.model.checkpoint import Header, read_header
from refinedet.wording import counted

logger = logging.getLogger(__name__)

SAMPLES = 6
"""Number of whole chips shown, and of the worst ones."""

_FILES = ("report.html", "numbers.json", "pr_curve.png", "losses.png", "contact_sheet.png")
_SHORT = 12
"""Digits of the checkpoint's SHA-256 in the head of the page; the whole hash is in its facts."""
_COLUMNS = 6
_HITS, _MISSES, _WRONG = 12, 18, 12
_Size = Annotated[float, Field(ge=0, le=LARGEST)]
_Place = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


@dataclass(frozen=True, slots=True)
class Sources:
    """Output folders of the stages before this one."""

    tile: Path
    train: Path
    evaluate: Path

    @property
    def checkpoint(self) -> Path:
        """Path of the evaluated checkpoint."""
        return self.train / "model.safetensors"


def report(sources: Sources, dataset: str, postprocess: PostprocessConfig, out: Path) -> None:
    """Write folder `out`: report.html, numbers.json, pr_curve.png, losses.png, contact_sheet.png and samples/*.png.

    Raises:
        FileError: an output of an earlier stage is missing or damaged.
        InputError: an output of an earlier stage is invalid.
    """
    truth = read_record(sources.tile / "test.json")
    header = read_header(sources.checkpoint)
    judged = Judged.of(truth, read_results(sources.evaluate / "detections.coco.json"))
    history = read_json(sources.train / "history.json")
    numbers = replace(
        Numbers.of_evaluation(_evaluation_reader(sources.evaluate), str(sources.evaluate)),
        dataset=dataset,
        facts=_facts(sources, header, dataset, postprocess),
    )
    read = _chip_reader(sources.tile)
    sections = _sections(judged, read)
    with_ships = [image for image in truth.images if not truth.ignored[image.id].all()]
    samples = [whole_chip(judged, image, read) for image in evenly_sampled(with_ships, SAMPLES)]
    with atomic_folder(out) as staged:
        _draw_curves(numbers, history, staged)
        compose(sections, _COLUMNS).save(staged / "contact_sheet.png")
        (staged / "samples").mkdir()
        for sample in samples:
            sample.pixels.save(staged / "samples" / f"{sample.title}.png")
        page = Page(
            title=f"Ship detection on {_name(dataset)}",
            subtitle=_subtitle(header, numbers),
            numbers=numbers,
            validation=_validation(header),
            published=PUBLISHED.get(dataset, ()),
            training=training_svgs(history),
            sections=sections,
            worst=[whole_chip(judged, image, read) for image in judged.worst(SAMPLES)],
            samples=samples,
        )
        write_text(staged / "report.html", render(page))
        write_json(staged / "numbers.json", numbers.to_dict())


def _evaluation_reader(folder: Path) -> Callable[[str], Any]:
    """Function from the name of a JSON file of evaluate in `folder` to its content, or to None without such a file.

    Raises:
        FileError: metrics.json is missing, so there is no evaluation; or a file cannot be read.
    """
    return lambda name: read_json(folder / name) if name == "metrics.json" or (folder / name).is_file() else None


@validated(frozen=True, slots=True)
class _Result(Settings):
    """One detection in a file of COCO results."""

    image_id: int
    category_id: Count
    bbox: tuple[_Place, _Place, _Size, _Size]
    score: Share


@validated(frozen=True, slots=True)
class _Results(Settings):
    """List of all detections in a file of COCO results."""

    results: tuple[_Result, ...]


def read_results(path: Path) -> dict[int, Detections]:
    """Detections by image id from a file of COCO results, as evaluate writes it.

    Raises:
        FileError: it cannot be read.
        InputError: it is no such file, or a value is invalid.
    """
    rows: dict[int, list[_Result]] = defaultdict(list)
    for row in _Results.from_dict({"results": read_json(path)}, str(path)).results:
        rows[row.image_id].append(row)
    return {
        image_id: Detections.of(
            xywh_to_xyxy([row.bbox for row in own]), [row.score for row in own], [row.category_id - 1 for row in own]
        )
        for image_id, own in rows.items()
    }


def _sections(judged: Judged, read: Callable[[ImageRecord], NDArray[np.uint8]]) -> dict[str, list[Picture]]:
    events = judged.events()
    chosen = {
        "Hits": (events["hit"], evenly_sampled(events["hit"], _HITS)),
        "Misses": (events["miss"], evenly_sampled(events["miss"], _MISSES)),
    }
    for kind in kinds_of(judged.truth)[1:]:  # without the first kind, missed ships, which are the misses above
        own = [event for event in events["false alarm"] if event.kind == kind]
        chosen[KIND_WORDS[kind].heading] = (own, own[:_WRONG])
    return {
        f"{name}: {len(shown)} of {len(all_)}": [close_up(judged, event, read) for event in shown]
        for name, (all_, shown) in chosen.items()
    }


def _draw_curves(numbers: Numbers, history: list[Row], folder: Path) -> None:
    precision_recall_png(folder / "pr_curve.png", iou_curves(numbers), working_point(numbers))
    training_png(folder / "losses.png", history)


def _chip_reader(root: Path) -> Callable[[ImageRecord], NDArray[np.uint8]]:
    """Function from an image to its pixels, in the folder that stage tile wrote."""
    return lambda image: read_chip(root / image.file_name)


def _name(dataset: str) -> str:
    """Name of the data set in its usual spelling."""
    return dataset.upper() if dataset in CATALOGUE else dataset.replace("simulated", "simulated scenes")


def _subtitle(header: Header, numbers: Numbers) -> str:
    """Network, test split and training in one line, so that a page alone leads to its run."""
    model, test, known = header.model, numbers.test, header.provenance
    measured = f"{model.backbone} at {model.input_px} px, {test['ships']} ships in {test['chips']} test chips"
    train, chips = known.get("train", {}), known.get("chips", {})
    made = [counted(chips["train"], "training chip")] if "train" in chips else []
    made += [counted(train["epochs"], "epoch")] if "epochs" in train else []
    made += [f"seed {train['seed']}"] if "seed" in train else []
    made += [f"checkpoint {numbers.facts['SHA-256']['checkpoint'][:_SHORT]}"]
    return f"{measured}; {', '.join(made)}"


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
        "Windows": _flat(header.trained_on.windows.to_dict()),
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


def _log_report(sources: Sources, params: Params, out: Path) -> None:
    pictures = [(out / name, "report") for name in _FILES]
    samples = [(path, "samples") for path in sorted((out / "samples").iterdir())]
    kept = [(Path(name), None) for name in RECORDS if Path(name).is_file()]
    with state_files("report") as state:
        track(sources.checkpoint, params, {}, [*pictures, *samples, *kept, *state])


def main() -> None:
    """Report on the outputs in the current folder and add the report to the MLflow run."""
    params = load_params()
    sources = Sources(OUTPUTS / "tile", OUTPUTS / "train", OUTPUTS / "evaluate")
    out = OUTPUTS / "report"
    report(sources, params.dataset, params.postprocess, out)
    logger.info("report: %s", out / "report.html")
    _log_report(sources, params, out)


if __name__ == "__main__":
    run_stage(main)
