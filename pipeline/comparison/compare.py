"""Several evaluations side by side, as one HTML page: `python -m pipeline.comparison.compare A B ... --out PAGE.html`.

Equal inputs give equal bytes.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.comparison.experiments import Experiment, open_experiment
from pipeline.comparison.page import Comparison, Difference, SideBySide, render
from pipeline.report.charts import COLOURS
from pipeline.report.contact_sheet import whole_chip
from pipeline.report.errors_by_chip import Judged
from pipeline.stage import run_stage
from refinedet.data.coco import ImageRecord, Record
from refinedet.data.shards import read_chip
from refinedet.errors import FileError, InputError
from refinedet.evaluation.bootstrap import Measure, bootstrap_difference
from refinedet.files import write_json, write_text

logger = logging.getLogger(__name__)

PAGE = Path("comparison.html")
"""Default path of the page."""

_CHIPS = 6
_MEASURES: tuple[Measure, ...] = ("AP", "AP50", "AP75")


@dataclass(frozen=True, slots=True)
class _Together:
    """Experiments judged on one available test split, with their detections."""

    truth: Record
    experiments: Sequence[Experiment]
    judged: Mapping[str, Judged]
    """Label -> detections matched with the truth."""


def compare(words: Sequence[str], out: Path = PAGE) -> dict[str, Any]:
    """Write the page `out` and, beside it, its numbers as JSON.

    Args:
        words: experiments for `experiments.open_experiment`; the others are compared with the first.
        out: HTML file.

    Returns:
        Content of the JSON file. `experiments`: label -> Numbers.to_dict(). `same_test`: false if the test splits
        differ, which is a warning too. `differences`: label -> measure -> `value`
        and `interval`, from the first experiment; empty if truth or detections are missing, or the splits differ.

    Raises:
        FileError: an experiment does not exist.
        InputError: fewer than two or more than six experiments, two with one label, or one that is no evaluation.
    """
    if not 2 <= len(words) <= len(COLOURS):
        raise InputError(
            f"expected 2 to {len(COLOURS)} experiments to compare, found {len(words)}; for more, use `dvc exp show`"
        )
    with tempfile.TemporaryDirectory() as room:
        experiments = [open_experiment(word, Path(room) / str(index)) for index, word in enumerate(words)]
        labels = [one.label for one in experiments]
        if len(set(labels)) < len(labels):
            raise InputError(f"expected experiments of different names, found {labels}; name them: LABEL=FOLDER")
        compared = {one.label: one.numbers for one in experiments}
        together = _together(experiments)
        differences = {} if together is None else _differences(together)
        chips = [] if together is None else _side_by_side(together)
        same_test = _same_test(experiments)
        text = render(Comparison(compared, differences, chips, same_test))
    if not same_test:
        logger.warning("the test splits differ, in chips or in ships: the figures do not compare like with like")
    write_text(out, text)
    content = {
        "experiments": {label: numbers.to_dict() for label, numbers in compared.items()},
        "same_test": same_test,
        "differences": {label: {name: asdict(d) for name, d in row.items()} for label, row in differences.items()},
    }
    write_json(out.with_suffix(".json"), content)
    return content


def _together(experiments: Sequence[Experiment]) -> _Together | None:
    truths = [experiment.truth for experiment in experiments]
    truth = next((one for one in truths if one is not None), None)
    if truth is None or any(one is not None and not _same(one, truth) for one in truths):
        return None
    names = [image.file_name for image in truth.images]
    chips = [[row["chip"] for row in one.numbers.chips] for one in experiments]
    if any(found != names for found in chips) or any(one.found is None for one in experiments):
        return None
    judged = {one.label: Judged.of(truth, one.found) for one in experiments if one.found is not None}
    return _Together(truth, experiments, judged)


def _same_test(experiments: Sequence[Experiment]) -> bool:
    """True if all have as many test chips and ships, and the same chips and boxes where these are available."""
    numbers = [experiment.numbers for experiment in experiments]
    counts = {(one.test.get("chips"), one.test.get("ships")) for one in numbers}
    names = {tuple(row["chip"] for row in one.chips) for one in numbers if one.chips}
    truths = [experiment.truth for experiment in experiments if experiment.truth is not None]
    return len(counts) == 1 and len(names) <= 1 and all(_same(one, truths[0]) for one in truths)


def _same(one: Record, other: Record) -> bool:
    """True if two test splits have the same ships on the same chips."""
    return (one.images, one.classes) == (other.images, other.classes) and all(
        one.boxes[i].tobytes() == other.boxes[i].tobytes() and (one.ignored[i] == other.ignored[i]).all()
        for i in one.boxes
    )


def _differences(together: _Together) -> dict[str, dict[str, Difference]]:
    """Differences from the first experiment, on the same draws: label of each other one -> measure -> difference."""
    first, *others = together.experiments
    before = together.judged[first.label].found
    rows: dict[str, dict[str, Difference]] = {}
    for other in others:
        after = together.judged[other.label].found
        rows[other.label] = {
            measure: Difference(
                other.numbers.test[measure] - first.numbers.test[measure],
                bootstrap_difference(together.truth, before, after, measure=measure),
            )
            for measure in _MEASURES
            if measure in other.numbers.test and measure in first.numbers.test
        }
        logger.info("%s measured against %s", other.label, first.label)
    return rows


def _side_by_side(together: _Together) -> list[SideBySide]:
    """Chips on which the experiments differ most, with the boxes of each; empty if the chips are not available."""
    shown = []
    for image in _most_different(together):
        pixels = _chip(together.experiments, image)
        if pixels is None:
            return []
        read = {image.id: read_chip(pixels)}
        drawn = {label: whole_chip(own, image, lambda i: read[i.id]) for label, own in together.judged.items()}  # noqa: B023
        shown.append(SideBySide(image.file_name, drawn))
    return shown


def _most_different(together: _Together) -> list[ImageRecord]:
    def disagreement(image: ImageRecord) -> tuple[int, int]:
        wrong = [own.wrong(image) for own in together.judged.values()]
        return max(wrong) - min(wrong), max(wrong)

    different = [image for image in together.truth.images if disagreement(image)[0]]
    return sorted(different, key=lambda image: (*(-n for n in disagreement(image)), image.file_name))[:_CHIPS]


def _chip(experiments: Sequence[Experiment], image: ImageRecord) -> Path | None:
    places = (experiment.locate(f"tile/{image.file_name}") for experiment in experiments)
    return next((place for place in places if place is not None), None)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="+", metavar="EXPERIMENT")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()
    check_free(arguments.out, overwrite=arguments.overwrite)
    compare(arguments.experiments, arguments.out)
    logger.info("comparison: %s", arguments.out)


def check_free(out: Path, *, overwrite: bool) -> None:
    """Raise FileError if the page or its numbers would replace a file without `overwrite`."""
    for path in (out, out.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise FileError(f"expected no file at {path} yet, found one; name another `out`, or set `overwrite`")


if __name__ == "__main__":
    run_stage(main)
