"""Two polarisations of one scene: each is looked at on its own, and one list of ships comes of both."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
from numpy.typing import NDArray

from refinedet.config import StretchChoice, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.journal import Journal
from refinedet.scene.output.imagery import read_cutouts
from refinedet.scene.output.quicklook import write_quicklook
from refinedet.scene.output.record import run_record
from refinedet.scene.output.result_paths import DATASET, SUFFIXES, result_paths
from refinedet.scene.output.webmap import write_map
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.stream import WindowDetections
from tests.conftest import BrightBlobs

BOTH = SceneSettings(pol="vv+vh", stretch=StretchChoice.parse("fixed:0:1020"))
"""A stretch in which the score of a ship is its amplitude over 1020."""
TILE = TileConfig(tile_px=128, overlap_px=48)
TWO, VV, VH, WEAK, LOST = (
    (20, 30, 40, 38),
    (150, 100, 162, 130),
    (240, 150, 280, 160),
    (100, 60, 120, 64),
    (84, 190, 100, 202),
)
"""Boxes in a scene of 300 x 220 pixels: a ship in both polarisations, in one of them, weak in both, weak in one."""
FOUND = sorted([TWO, VV, VH, WEAK])
STRONG, FAINT = 1000, 400
"""Amplitudes of ships with a score of 1.0 and of 0.4, in tenths."""


class Graded(BrightBlobs):
    """Sees blobs, each with the score of its brightness."""

    def __init__(self, lives: int | None = None) -> None:
        super().__init__(threshold=60)
        self.lives = lives

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes of the bright blobs, until its lives are spent."""
        if self.lives is not None and len(self.chips) >= self.lives:
            raise KeyboardInterrupt
        return super().predict(chips)

    def _blobs(self, chip: Chip) -> Detections:
        found = super()._blobs(chip)
        corners = found.boxes_xyxy.astype(int)
        scores = [float(np.median(chip[y1:y2, x1:x2])) / 255 for x1, y1, x2, y2 in corners.tolist()]
        return Detections.of(found.boxes_xyxy, scores, found.labels)


def band(level: float, *ships: tuple[tuple[int, int, int, int], float], seed: int) -> NDArray[np.uint16]:
    pixels = np.random.default_rng(seed).integers(90, 110, (220, 300)).astype(np.float64)
    for (x1, y1, x2, y2), value in ships:
        pixels[y1:y2, x1:x2] = value
    return np.rint(pixels * level).astype(np.uint16)


def bands(level: float = 1) -> dict[str, NDArray[np.uint16]]:
    """Both bands; VV is so many times as bright. The ship in both is a pixel shorter in VH."""
    shorter = (TWO[0] + 1, *TWO[1:])
    return {
        "VV": band(level, (TWO, STRONG), (VV, STRONG), (WEAK, FAINT), (LOST, FAINT), seed=1),
        "VH": band(1, (shorter, 700), (VH, STRONG), (WEAK, FAINT), seed=2),
    }


def write(path: Path, images: dict[str, NDArray[Any]]) -> Path:
    height, width = next(iter(images.values())).shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": len(images), "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5.3e6)}
    with rasterio.open(path, "w", **profile, **place) as file:
        file.write(np.stack(list(images.values())))
        file.descriptions = tuple(images)
    return path


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write(tmp_path / "scene.tif", bands())


def looked_at(path: Path, predictor: Any = None, **more: Any) -> SceneResult:
    settings = {"scene": BOTH, "tile": TILE, "land": LandSettings(land_mask="off"), "batch_size": 3} | more
    return detect_scene(path, predictor or Graded(), **settings)


def scores(result: SceneResult) -> dict[tuple[int, ...], list[float | None]]:
    """Box of each ship -> its fused score, and its score in vv and vh, in tenths."""
    both = np.stack([result.detections.scores, *(seen.scores for seen in result.polarisations)], axis=1)
    boxes = [tuple(map(int, box)) for box in result.detections.boxes_xyxy.tolist()]
    rounded = [[None if np.isnan(one) else round(float(one), 1) for one in row] for row in both]
    return dict(zip(boxes, rounded, strict=True))


def outputs(result: SceneResult, folder: Path) -> dict[str, Path]:
    paths = result_paths(result.scene, folder, SUFFIXES, quicklook=False)
    write_results(result, paths)
    return paths


def test_one_ship_two_scores(scene: Path) -> None:
    result = looked_at(scene)
    found = scores(result)
    assert sorted(found) == FOUND
    assert found[TWO] == [1.0, 1.0, 0.7]
    assert found[VV] == [1.0, 1.0, None]
    assert found[VH] == [1.0, None, 1.0]
    assert found[WEAK] == [0.6, 0.4, 0.4]
    assert result.label == "vv+vh"
    assert [seen.name for seen in result.polarisations] == ["vv", "vh"]
    assert result.windows == 24
    alone = [looked_at(scene, scene=replace(BOTH, pol=pol)) for pol in ("vv", "vh")]
    assert [one.polarisations for one in alone] == [(), ()]
    assert [one.windows for one in alone] == [12, 12]
    assert [sorted(map(tuple, one.detections.boxes_xyxy.tolist())) for one in alone] == [
        sorted([TWO, VV]),
        sorted([(TWO[0] + 1, *TWO[1:]), VH]),
    ]


def test_each_polarisation_has_a_stretch_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "scene.tif", bands(level=5))
    both, vv, vh = (looked_at(path, scene=SceneSettings(pol=pol)) for pol in ("vv+vh", "vv", "vh"))  # type: ignore[arg-type]
    assert [seen.stretch_limits for seen in both.polarisations] == [vv.stretch_limits, vh.stretch_limits]
    assert both.stretch_limits == vv.stretch_limits
    assert vv.stretch_limits.high > 3 * vh.stretch_limits.high  # type: ignore[union-attr]
    records = [run_record(one, weights=None, settings={}, device="cpu", seconds=1.0) for one in (both, vv, vh)]
    limits = [record["stretch_limits"] for record in records]
    assert limits[0] == {"vv": limits[1], "vh": limits[2]}


@pytest.mark.parametrize("order", ["vh+vv", "VV+VH", "vv+vh"])
def test_either_order_is_one_form(scene: Path, order: str) -> None:
    settings = replace(BOTH, pol=order)
    assert settings == BOTH
    assert settings.polarisations == ("vv", "vh")
    assert SceneSettings.from_dict({"pol": order}).pol == "vv+vh"
    assert scores(looked_at(scene, scene=settings)) == scores(looked_at(scene))
    assert SceneSettings(pol="hv+hh").pol == "hh+hv"  # type: ignore[arg-type]  # as a user writes it


@pytest.mark.parametrize("pol", ["vv+hh", "vv+vv", "vv+vh+hh", "vv+", "+"])
def test_other_pairs_are_refused(pol: str) -> None:
    with pytest.raises(InputError, match=r"setting `pol`: expected one of 'vv'.*'vv\+vh' or 'hh\+hv'"):
        SceneSettings(pol=pol)  # type: ignore[arg-type]  # as a user writes it


def test_both_are_searched_unless_the_user_chooses(scene: Path) -> None:
    auto = looked_at(scene, scene=replace(BOTH, pol=None))
    assert scores(auto) == scores(looked_at(scene))
    assert auto.label == "vv+vh"
    assert 'vv and vh are searched; set `pol="vv"` to search one, in about half the time' in auto.notes
    for chosen in (replace(BOTH, pol="vv"), replace(BOTH, pol=None, band=1)):
        alone = looked_at(scene, scene=chosen)
        assert alone.polarisations == ()
        assert not [note for note in alone.notes if "searched" in note]


@pytest.mark.parametrize("fault", ["size", "damaged"])
def test_one_is_searched_if_the_other_cannot_be_used(make_product: Callable[..., Path], fault: str) -> None:
    product = make_product("vv", "vh")
    raster = next(product.glob("measurement/*-vh-*"))
    if fault == "size":
        write_scene(raster, bands()["VH"])
    else:
        raster.write_bytes(b"no raster")
    found = looked_at(product, scene=replace(BOTH, pol=None))
    assert (found.label, found.polarisations) == ("vv", ())
    (note,) = [note for note in found.notes if note.startswith("vv is searched, not vh")]
    assert ("120 x 90 and 300 x 220 pixels" in note) == (fault == "size")
    assert scores(found) == scores(looked_at(product, scene=replace(BOTH, pol="vv")))


def test_the_order_of_bands_in_the_file_does_not_matter(scene: Path, tmp_path: Path) -> None:
    turned = write(tmp_path / "turned.tif", dict(reversed(bands().items())))
    assert scores(looked_at(turned)) == scores(looked_at(scene))


def test_a_missing_polarisation_is_one_sentence(tmp_path: Path, scene: Path, make_product: Callable[..., Path]) -> None:
    write(tmp_path / "one.tif", {"VV": bands()["VV"]})
    with pytest.raises(InputError, match=r"expected a band of polarisation vh in .*one.tif, found vv alone"):
        looked_at(tmp_path / "one.tif")
    write_scene(tmp_path / "plain.tif", bands()["VV"])
    with pytest.raises(InputError, match=r"expected a band of polarisation vv in .*plain.tif, found no name"):
        looked_at(tmp_path / "plain.tif")
    with pytest.raises(InputError, match="expected either `pol` or `band`"):
        looked_at(scene, scene=replace(BOTH, band=1))
    product = make_product("vv")
    with pytest.raises(InputError, match=r"expected polarisation vh in .*SAFE, found vv"):
        looked_at(product)
    raster = next((product / "measurement").iterdir())
    with pytest.raises(InputError, match=r"expected polarisation vh in .*tiff, found a raster of vv"):
        looked_at(raster)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_product_is_looked_at_in_both(make_product: Callable[..., Path], tmp_path: Path, *, packed: bool) -> None:
    product = make_product("vv", "vh")
    before = scene_sha256(product, "vv+vh")
    if packed:
        product = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", product.parent, product.name))
    result = looked_at(product)
    assert scores(result) == {(60, 40, 80, 48): [1.0, 1.0, 1.0]}
    assert result.label == "vv+vh"
    if not packed:
        (product / "measurement" / next(product.glob("measurement/*-vh-*")).name).write_bytes(b"other")
        assert scene_sha256(product, "vv+vh") != before
        assert scene_sha256(product, "vv+vh") == scene_sha256(product)


def test_rasters_of_two_sizes_are_refused(make_product: Callable[..., Path]) -> None:
    product = make_product("vv", "vh")
    write_scene(next(product.glob("measurement/*-vh-*")), bands()["VH"])
    with pytest.raises(InputError, match=r"on one grid in .*, found 120 x 90 and 300 x 220 pixels"):
        looked_at(product)


def test_a_ship_has_size_and_contrast_of_its_stronger_polarisation(scene: Path) -> None:
    result = looked_at(scene)
    alone = {pol: looked_at(scene, scene=replace(BOTH, pol=pol)) for pol in ("vv", "vh")}  # type: ignore[arg-type]
    for box, pol in ((TWO, "vv"), (VV, "vv"), (VH, "vh")):
        one, other = (
            list(scores(result)).index(box),
            [tuple(map(int, place)) for place in alone[pol].detections.boxes_xyxy.tolist()].index(box),
        )
        for name in ("contrast_db", "length_m", "heading_deg"):
            wanted = pytest.approx(getattr(alone[pol].places, name)[other], rel=0.01)  # the sea around others tells too
            assert getattr(result.places, name)[one] == wanted, (box, name)


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


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_notes_of_both_are_told_once_and_of_one_with_its_name(tmp_path: Path) -> None:
    images = {"VV": bands()["VV"] / 1e4, "VH": bands()["VH"] / 1e3}
    path = tmp_path / "scene.tif"
    with rasterio.open(path, "w", driver="GTiff", height=220, width=300, count=2, dtype="float32") as file:
        file.write(np.stack(list(images.values())).astype(np.float32))
        file.descriptions = ("VV_amplitude", "VH")
    notes = looked_at(path).notes
    assert len([note for note in notes if "no position" in note]) == 1
    named = [note for note in notes if note.startswith(("vv: ", "vh: "))]
    assert [note[:26] for note in named] == ["vv: its values are read as", "vh: its values are read as"]


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
