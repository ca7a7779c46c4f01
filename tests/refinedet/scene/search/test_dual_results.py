"""Two polarisations of one scene in result files, records, journals and streams."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.scene.output.quicklook import write_quicklook
from refinedet.scene.output.record import run_record
from refinedet.scene.output.result_paths import DATASET
from refinedet.scene.output.webmap import write_map
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.search.journal import Journal
from refinedet.scene.search.stream import WindowDetections
from refinedet.scene.views.imagery import read_cutouts
from tests.conftest import BrightBlobs
from tests.refinedet.scene.two_bands import (
    BOTH,
    TWO,
    VH,
    VV,
    WEAK,
    Graded,
    band,
    bands,
    looked_at,
    outputs,
    scores,
    write,
)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write(tmp_path / "scene.tif", bands())


def test_all_formats_have_the_score_of_each_polarisation(scene: Path, tmp_path: Path) -> None:
    result = looked_at(scene)
    paths = outputs(result, tmp_path / "out")
    expected = [(seen[1], seen[2]) for seen in scores(result).values()]
    assert (1.0, None) in expected

    def tenths(rows: Sequence[Any]) -> list[tuple[float | None, ...]]:
        both = [(row["score_vv"], row["score_vh"]) for row in rows]
        return [tuple(None if one in (None, "") else round(float(one), 1) for one in two) for two in both]

    features = json.loads(paths["geojson"].read_text())["features"]
    assert tenths([feature["properties"] for feature in features]) == expected
    with paths["csv"].open(newline="") as stream:
        assert tenths(list(csv.DictReader(stream))) == expected
    assert tenths(json.loads(paths["coco"].read_text())) == expected
    for name in ("gpkg", "geoparquet"):
        pyarrow = pytest.importorskip("pyarrow.parquet")
        if name == "gpkg":
            meta, _, _, fields = pyogrio.raw.read(paths["gpkg"], layer=0)
            columns = dict(zip(meta["fields"].tolist(), fields, strict=True))
            rows = [{key: _none(columns[key][i]) for key in ("score_vv", "score_vh")} for i in range(len(expected))]
        else:
            rows = pyarrow.read_table(paths["geoparquet"]).to_pylist()
        assert tenths(rows) == expected, name
    partition = tmp_path / "part.parquet"
    write_results(result, {DATASET: partition})
    assert sorted(map(str, tenths(pyarrow.read_table(partition).to_pylist()))) == sorted(map(str, expected))


def _none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def test_without_ships_the_columns_are_there_and_of_one_polarisation_they_are_not(tmp_path: Path) -> None:
    empty = write(tmp_path / "empty.tif", {"VV": band(1, seed=1), "VH": band(1, seed=2)})
    quiet = BrightBlobs(threshold=300)
    header = outputs(looked_at(empty, quiet), tmp_path / "a")["csv"].read_text()
    assert header.strip().endswith(",score_vv,score_vh")
    one = outputs(looked_at(empty, quiet, scene=SceneSettings(pol="vv")), tmp_path / "b")["csv"].read_text()
    assert "score_v" not in one


def resumed(scene: Path, predictor: Graded, journal: Journal) -> tuple[SceneResult, list[tuple[int, int]]]:
    """Result of a run that goes on, and its steps."""
    steps: list[tuple[int, int]] = []
    return looked_at(scene, predictor, journal=journal, progress=lambda *step: steps.append(step)), steps


def test_interrupted_in_either_polarisation_the_run_goes_on_and_its_files_are_equal(
    scene: Path, tmp_path: Path
) -> None:
    whole = {name: path.read_bytes() for name, path in outputs(looked_at(scene), tmp_path / "whole").items()}
    for lives in (3, 12, 15, 21):
        journal = Journal(tmp_path / f"{lives}.journal")
        with pytest.raises(KeyboardInterrupt):
            looked_at(scene, Graded(lives), journal=journal)
        predictor = Graded()
        result, steps = resumed(scene, predictor, journal)
        assert steps[0] == (lives, 24)
        assert steps[-1] == (24, 24)
        assert len(predictor.chips) == 24 - lives
        files = outputs(result, tmp_path / f"{lives}")
        assert {name: path.read_bytes() for name, path in files.items()} == whole


def test_a_journal_of_one_polarisation_is_not_taken_over(scene: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "scene.journal")
    with pytest.raises(KeyboardInterrupt):
        looked_at(scene, Graded(3), journal=journal, scene=replace(BOTH, pol="vv"))
    with pytest.raises(InputError, match=r"pol.*vv.*vv\+vh"):
        looked_at(scene, journal=journal)


def test_the_stream_tells_of_which_polarisation_detections_are(scene: Path) -> None:
    told: list[WindowDetections] = []
    looked_at(scene, stream=told.append)
    assert [one.label for one in told] == ["vv"] * 12 + ["vh"] * 12
    found = {
        pol: sorted(
            tuple(map(int, box))
            for one in told
            if one.label == pol
            for box in one.detections.boxes_xyxy[one.owned].tolist()
        )
        for pol in ("vv", "vh")
    }
    assert found == {"vv": sorted([TWO, VV]), "vh": sorted([(TWO[0] + 1, *TWO[1:]), VH])}


def test_the_record_has_both_bands(scene: Path) -> None:
    record = run_record(looked_at(scene), weights=None, settings={}, device="cpu", seconds=1.0)
    assert record["scene"]["looked_at"] == "vv+vh"
    assert record["scene"]["read_as"]["bands"] == {"vv": [1], "vh": [2]}


def test_a_cutout_shows_the_stronger_polarisation(scene: Path, tmp_path: Path) -> None:
    result = looked_at(scene)
    cutouts = read_cutouts(scene, result, 4, BOTH)
    for (pixels, _), box in zip(cutouts, scores(result), strict=True):
        middle = pixels[len(pixels) // 2, pixels.shape[1] // 2].astype(int)
        assert middle.min() > (200 if box != WEAK else 60), box
    write_quicklook(scene, result, tmp_path / "a.png", scene=BOTH)
    write_map(scene, result, tmp_path / "a.html", scene=BOTH)
    text = (tmp_path / "a.html").read_text()
    assert '"label":"score vv"' in text
    assert "vv+vh" in text
