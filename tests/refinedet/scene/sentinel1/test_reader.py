"""Reading with a product's files: calibrated pixels, masked borders, positions, ghosts; and refusals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from refinedet.config import StretchChoice
from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.geo.position import distances_m, locate
from refinedet.raster import RasterInfo, write_blocks, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.sentinel1.ambiguity import displacement
from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.radiometric import RadiometricCalibration, read_noise, read_sigma_nought
from refinedet.scene.source import open_source
from refinedet.tiling import Window

LINES, SAMPLES = 900, 640
ALL = Window(0, 0, LINES, SAMPLES)
MIDDLE = np.array([[320.0, 450.0]])
MakeUp = Callable[..., Path]


def sea() -> NDArray[np.uint16]:
    power = np.random.default_rng(1).gamma(4.4, 60.0**2 / 4.4, (LINES, SAMPLES))
    return np.clip(np.sqrt(power), 1, 200).astype(np.uint16)


def lay(product: Path, pixels: NDArray[np.uint16], *, gcps: bool = False) -> Path:
    """Put a raster where the manifest of a made-up product says."""
    stem = next((product / "annotation").glob("*.xml")).stem
    path = product / "measurement" / f"{stem}.tiff"
    path.parent.mkdir(exist_ok=True)
    points = annotation(product).grid.control_points() if gcps else ()
    info = RasterInfo(
        SAMPLES, LINES, 1, "uint16", gcps=points, gcp_crs="EPSG:4326" if gcps else None, gcp_zero="centre"
    )
    write_blocks(path, info, [(ALL, pixels)], as_measurement=gcps)
    return path


def root(product: Path, pattern: str) -> ET.Element:
    return ET.parse(next(product.glob(f"annotation/{pattern}"))).getroot()  # noqa: S314 - the test's own


def annotation(product: Path) -> Any:
    return read_annotation(root(product, "*.xml"), "here")


@pytest.fixture
def product(made_up_product: MakeUp) -> Path:
    made = made_up_product(LINES, SAMPLES)
    lay(made, sea())
    return made


def test_calibrated_pixels_are_the_root_of_sigma_nought(product: Path) -> None:
    table = read_sigma_nought(root(product, "calibration/cal*.xml"), "here")
    noise = read_noise(root(product, "calibration/noise*.xml"), "here")
    window = Window(50, 60, 70, 80)
    counts = sea()[50:120, 60:140]
    for name, calibration in {
        "sigma0": RadiometricCalibration(table),
        "sigma0-denoised": RadiometricCalibration(table, noise),
    }.items():
        with open_source(product, SceneSettings(calibrate=name)) as reader:  # type: ignore[arg-type]  # both are names
            assert reader.info.dtype == "float32"
            found = reader.read(window)
        np.testing.assert_allclose(found**2, calibration.sigma0(counts, window), rtol=1e-6)


def test_ships_are_found_in_calibrated_pixels_too(product: Path, bright_blobs: Any) -> None:
    pixels = sea()
    pixels[300:308, 200:230] = 4000
    lay(product, pixels)
    for calibrate in (None, "sigma0", "sigma0-denoised"):
        found = detect_scene(product, bright_blobs, scene=SceneSettings(calibrate=calibrate))  # type: ignore[arg-type]
        assert len(found.detections) == 1
        np.testing.assert_allclose(found.detections.boxes_xyxy[0], [200, 300, 230, 308], atol=8)


def test_a_raster_without_control_points_gets_those_of_the_annotation(product: Path) -> None:
    with open_source(product) as bare:
        assert len(bare.info.gcps) == len(annotation(product).grid.line)
    path = lay(product, sea(), gcps=True)
    with open_source(path) as own:
        assert own.info.gcps == bare.info.gcps
        assert own.label is None
    assert (own.info.gcp_zero, own.info.gcp_evidence) == ("centre", "product")


@pytest.mark.parametrize(
    ("named_as_esa", "tagged", "shift", "expected"),
    [
        (False, True, 0.0, ("centre", "tags")),
        (True, False, 0.0, ("centre", "name")),
        (False, False, 0.0, ("edge", "assumed")),
        (True, True, 0.25, ("edge", "assumed")),  # a shrunk copy: ESA's points are whole numbers
    ],
)
def test_a_raster_outside_of_its_product_counts_its_points_as_its_tags_or_name_say(
    product: Path, tmp_path: Path, *, named_as_esa: bool, tagged: bool, shift: float, expected: tuple[str, str]
) -> None:
    measurement = lay(product, sea(), gcps=True)
    path = tmp_path / (measurement.name if named_as_esa else "scene.tif")
    shutil.copy(measurement, path)
    with rasterio.open(path, "r+") as dataset:
        if not tagged:
            dataset.update_tags(TIFFTAG_IMAGEDESCRIPTION="")
        points, crs = dataset.gcps
        for point in points:
            point.col += shift
        dataset.gcps = (points, crs)
    with open_source(path) as reader:
        info = reader.info
    assert (info.gcp_zero, info.gcp_evidence) == expected
    with open_source(measurement) as reader:
        truth = locate(reader.info)
    position = locate(info)
    assert truth is not None
    assert position is not None
    found = distances_m(position.lonlat(MIDDLE), truth.lonlat(MIDDLE))[0]
    assert (found < 0.01) == (expected[0] == "centre")


def test_borders_of_old_products_are_masked_and_of_new_ones_left(made_up_product: MakeUp) -> None:
    rows = np.arange(LINES)[:, None]
    outside = (np.arange(SAMPLES) < 60 + rows // 40) | (rows >= LINES - 50)
    pixels = np.where(outside, np.random.default_rng(2).integers(1, 12, (LINES, SAMPLES)), sea()).astype(np.uint16)
    old = made_up_product(LINES, SAMPLES, processor="002.84")
    lay(old, pixels)
    with open_source(old) as reader:
        masked = reader.read(ALL)
    assert (masked[outside] > 0).mean() < 0.002
    assert (masked[:-90, 130:] > 0).all()
    new = made_up_product(LINES, SAMPLES)
    with open_source(new) as reader:
        np.testing.assert_array_equal(reader.read(ALL), pixels)


def test_detections_on_the_border_are_left_out_or_flagged(product: Path, bright_blobs: Any) -> None:
    pixels = sea()
    pixels[:, :100] = 0
    pixels[200:208, 100:130] = 4000
    pixels[400:408, 300:330] = 4000
    lay(product, pixels)

    class Fires(type(bright_blobs)):  # type: ignore[misc]  # the class of a fixture
        """Also where there is nothing."""

        def predict(self, chips: Any) -> Any:
            found = super().predict(chips)
            box = [[20, 500, 60, 520]]
            return [type(one).of([*one.boxes_xyxy, *box], [*one.scores, 0.9], [*one.labels, 0]) for one in found]

    found = detect_scene(product, Fires())
    flags = dict(zip(found.detections.boxes_xyxy[:, 0].astype(int).tolist(), found.flags, strict=True))
    assert flags == {100: ("nodata",), 300: ()}


def test_a_ghost_is_flagged_in_a_whole_scene(made_up_product: MakeUp, bright_blobs: Any) -> None:
    product = made_up_product(LINES, SAMPLES, steering=0)
    rows, columns, _ = displacement(annotation(product).geometry(np.array([[110.0, 104.0]])), 1)
    pixels = sea()
    pixels[100:108, 100:120] = 9000
    y, x = round(104 + rows[0]), round(110 + columns[0])
    assert y < LINES - 20
    pixels[y - 4 : y + 4, x - 6 : x + 6] = 900
    pixels[300:308, 400:412] = 900
    lay(product, pixels)
    bright_blobs.threshold = 250
    found = detect_scene(product, bright_blobs)
    flags = dict(zip(found.detections.boxes_xyxy[:, 1].astype(int).tolist(), found.flags, strict=True))
    assert flags == {100: (), y - 4: ("ambiguity",), 300: ()}
    outside = product.parent / "alone.tiff"
    shutil.copy(next((product / "measurement").iterdir()), outside)
    assert detect_scene(outside, bright_blobs).flags == ((), (), ())


def test_a_ghost_is_compared_with_ships_as_its_own_polarisation_shows_them(
    made_up_product: MakeUp, bright_blobs: Any
) -> None:
    product = made_up_product(LINES, SAMPLES, steering=0)
    rows, columns, _ = displacement(annotation(product).geometry(np.array([[110.0, 104.0]])), 1)
    ghost = round(104 + rows[0]), round(110 + columns[0])
    vv, vh = sea() // 4, sea()
    vv[100:108, 100:120] = 900
    vv[ghost[0] - 4 : ghost[0] + 4, ghost[1] - 6 : ghost[1] + 6] = 260
    vh[100:108, 100:120] = 1000  # stronger by its score, but over its sea darker than the ghost in vv
    vv[300:308, 400:412] = 800
    lay(product, vv)
    raster = next((product / "measurement").iterdir())
    for path in [raster, *product.glob("annotation/**/*.xml")]:
        shutil.copy(path, path.with_name(path.name.replace("-vv-", "-vh-")))
    with rasterio.open(raster.with_name(raster.name.replace("-vv-", "-vh-")), "r+") as dataset:
        dataset.write(vh, 1)
    manifest = product / "manifest.safe"
    listed = manifest.read_text()
    start, end = listed.index("<dataObject"), listed.index("</XFDU>")
    manifest.write_text(listed[:end] + listed[start:end].replace("-vv-", "-vh-") + listed[end:])

    class Graded(type(bright_blobs)):  # type: ignore[misc]  # the class of a fixture
        """Sees blobs, each with the score of its brightness."""

        def _blobs(self, chip: NDArray[np.uint8]) -> Any:
            found = super()._blobs(chip)
            scores = [chip[y1:y2, x1:x2].max() / 255 for x1, y1, x2, y2 in found.boxes_xyxy.astype(int)]
            return type(found).of(found.boxes_xyxy, scores, found.labels)

    settings = SceneSettings(pol="vv+vh", stretch=StretchChoice.parse("fixed:0:1020"))
    result = detect_scene(product, Graded(threshold=60), scene=settings, score_min=0.2)
    tops = result.detections.boxes_xyxy[:, 1].astype(int).tolist()
    ship, image = tops.index(100), tops.index(ghost[0] - 4)
    assert [result.stronger(one) for one in (ship, image)] == [1, 0]
    assert result.places.contrast_db[ship] < result.places.contrast_db[image]
    assert dict(zip(tops, result.flags, strict=True)) == {100: (), ghost[0] - 4: ("ambiguity",), 300: ()}


def test_names_of_cloud_optimised_products(product: Path) -> None:
    raster = next((product / "measurement").iterdir())
    raster.rename(raster.with_name(f"{raster.stem}-cog.tiff"))
    manifest = product / "manifest.safe"
    manifest.write_text(manifest.read_text().replace(".tiff", "-cog.tiff"))
    with open_source(product, SceneSettings(calibrate="sigma0")) as reader:
        assert reader.info.dtype == "float32"
    for path in product.glob("annotation/**/*.xml"):
        path.rename(path.with_name(f"{path.stem}-cog.xml"))
    with open_source(product, SceneSettings(calibrate="sigma0")) as reader:
        assert len(reader.info.gcps) > 10


def test_an_archive_is_calibrated_as_its_folder(product: Path) -> None:
    archive = Path(shutil.make_archive(str(product.parent / "packed"), "zip", product.parent, product.name))
    choice, window = SceneSettings(calibrate="sigma0-denoised"), Window(10, 20, 30, 40)
    with open_source(archive, choice) as packed, open_source(product, choice) as plain:
        np.testing.assert_array_equal(packed.read(window), plain.read(window))
        assert packed.info == plain.info


def test_what_cannot_be_calibrated_is_one_sentence(tmp_path: Path, product: Path, made_up_product: MakeUp) -> None:
    write_scene(tmp_path / "plain.tif", sea())
    with (
        pytest.raises(InputError, match="GRD product to calibrate"),
        open_source(tmp_path / "plain.tif", SceneSettings(calibrate="sigma0")),
    ):
        pass
    made_up_product(LINES, SAMPLES, processor="002.36")
    with (
        pytest.raises(InputError, match="not to scale"),
        open_source(product, SceneSettings(calibrate="sigma0-denoised")),
    ):
        pass
    next(product.glob("annotation/calibration/noise*.xml")).unlink()
    made_up_product_without_noise = SceneSettings(calibrate="sigma0-denoised")
    (product / "manifest.safe").write_text((product / "manifest.safe").read_text().replace("002.36", "003.52"))
    with pytest.raises(FileError, match="noise file"), open_source(product, made_up_product_without_noise):
        pass
    next(product.glob("annotation/calibration/cal*.xml")).unlink()
    with pytest.raises(FileError, match="calibration file"), open_source(product, SceneSettings(calibrate="sigma0")):
        pass


def test_an_annotation_of_another_raster_or_with_a_bomb_is_refused(product: Path, bright_blobs: Any) -> None:
    file = next((product / "annotation").glob("*.xml"))
    text = file.read_text()
    file.write_text(text.replace(f"<numberOfLines>{LINES}<", "<numberOfLines>77<"))
    with pytest.raises(FileError, match=r"as its annotation says, found 640 x 900"):
        detect_scene(product, bright_blobs)
    file.write_text('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + text)
    with pytest.raises(FileError, match="no safe XML"):
        detect_scene(product, bright_blobs)
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="inside the product"):
        detect_scene(product, bright_blobs)


def test_an_xml_file_above_the_cap_is_refused(
    product: Path, monkeypatch: pytest.MonkeyPatch, bright_blobs: Any
) -> None:
    monkeypatch.setattr("refinedet.scene.sentinel1.files.MAX_XML_BYTES", 500)
    with pytest.raises(FileError, match="found more"):
        detect_scene(product, bright_blobs)
