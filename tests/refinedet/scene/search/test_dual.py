"""Two polarisations of one scene: each is looked at on its own, and one list of ships comes of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.output.record import run_record
from tests.refinedet.scene.two_bands import (
    BOTH,
    FOUND,
    TWO,
    VH,
    VV,
    WEAK,
    bands,
    looked_at,
    scores,
    write,
)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write(tmp_path / "scene.tif", bands())


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
