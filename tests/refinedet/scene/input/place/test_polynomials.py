"""Rational polynomials (RPC) place a scene as their own formula says, from the file or from a text file beside it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.rpc import RPC

from refinedet.config.options.detect import SceneSettings
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo, open_scene
from refinedet.raster.polynomials import with_polynomials
from refinedet.scene.identity import scene_sha256
from refinedet.scene.input.place.polynomials import parsed_polynomials
from refinedet.scene.input.place.position import apply_position

WIDTH, HEIGHT = 900, 700
INFO = RasterInfo(WIDTH, HEIGHT, 1, "uint16")


def polynomials(seed: int = 0, *, height_off: float = 30.0, height_scale: float = 500.0) -> RPC:
    """RPC of a scene of about 10 m a pixel, turned a little, with a layover by height and bent in all terms."""
    rng = np.random.default_rng(seed)

    def numerator(column: int) -> list[float]:
        bent = np.r_[0, rng.normal(0, 1e-2, 3), rng.normal(0, 1e-5, 16)]
        bent[column] = 1.0 if column == 1 else -1.0
        return bent.tolist()

    def denominator() -> list[float]:
        return [1.0, *rng.normal(0, 1e-3, 3).tolist(), *rng.normal(0, 1e-6, 16).tolist()]

    line, samp = (numerator(2), denominator()), (numerator(1), denominator())
    middle = (HEIGHT / 2, HEIGHT / 2, 7.0, 0.07)
    return RPC(height_off, height_scale, 54.0, 0.03, line[1], line[0], *middle, samp[1], samp[0], WIDTH / 2, WIDTH / 2)


def pixels_of(rpc: RPC, lonlat: NDArray[np.float64], height_m: float) -> NDArray[np.float64]:
    """Pixels (N, 2) of places by the formula of RPC00B, which counts pixel centres from 0; here from the outer edge."""
    x, y = (lonlat - [rpc.long_off, rpc.lat_off]).T / [[rpc.long_scale], [rpc.lat_scale]]
    z = np.full_like(x, (height_m - rpc.height_off) / rpc.height_scale)
    one = np.ones_like(x)
    terms = [one, x, y, z, x * y, x * z, y * z, x * x, y * y, z * z]
    terms += [x * y * z, x**3, x * y * y, x * z * z, x * x * y, y**3, y * z * z, x * x * z, y * y * z, z**3]
    column = np.dot(rpc.samp_num_coeff, terms) / np.dot(rpc.samp_den_coeff, terms) * rpc.samp_scale + rpc.samp_off
    row = np.dot(rpc.line_num_coeff, terms) / np.dot(rpc.line_den_coeff, terms) * rpc.line_scale + rpc.line_off
    return np.stack([column, row], axis=1) + 0.5


def as_text(rpc: RPC) -> str:
    """Content of a `_RPC.TXT`."""
    lines = []
    for name, value in rpc.to_gdal().items():
        words = value.split()
        lines += [f"{name}_{i}: {word}" for i, word in enumerate(words, 1)] if len(words) > 1 else [f"{name}: {value}"]
    return "\n".join(lines)


def as_rpb(rpc: RPC) -> str:
    """Content of a `.rpb`."""
    ends = {"OFF": "Offset", "SCALE": "Scale", "NUM_COEFF": "NumCoef", "DEN_COEFF": "DenCoef"}
    lines = ['satId = "GF03";', "BEGIN_GROUP = IMAGE", "    errBias = 1.0;"]
    for name, value in rpc.to_gdal().items():
        first, end = name.split("_", 1)
        numbers = value.split()
        text = value if len(numbers) == 1 else "(\n        " + ",\n        ".join(numbers) + ")"
        lines.append(f"    {first.lower()}{ends[end]} = {text};")
    return "\n".join([*lines, "END_GROUP = IMAGE", "END;"])


def write(path: Path, **profile: Any) -> Path:
    shape = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "uint16"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as dataset:
            dataset.write(np.full((HEIGHT, WIDTH), 9, np.uint16), 1)
    return path


def placed(path: Path, **values: Any) -> tuple[NDArray[np.float64] | None, str, dict[str, Any]]:
    """Degrees of the corners, notes, and what the record says of the position."""
    with open_scene(path) as reader:
        apply_position(reader, path, SceneSettings(**values))
        position = locate(reader.info)
        corners = np.array([[0.0, 0.0], [WIDTH, 0.0], [WIDTH, HEIGHT], [0.0, HEIGHT]])
        return None if position is None else position.lonlat(corners), "\n".join(reader.notes), dict(reader.read_as)


@given(seed=st.integers(0, 2**31), x=st.floats(0, 1), y=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_place_at_sea_level_belongs_to_its_pixel_by_the_formula(seed: int, x: float, y: float) -> None:
    rpc = polynomials(seed)
    found = with_polynomials(INFO, rpc.to_gdal())
    assert found is not None
    info, height_m = found
    position = locate(info)
    assert position is not None
    assert height_m == 0
    pixel = np.array([[x * WIDTH, y * HEIGHT]])
    assert np.abs(pixels_of(rpc, position.lonlat(pixel), 0.0) - pixel).max() < 0.01


def test_a_height_outside_of_the_polynomials_is_the_nearest_within() -> None:
    rpc = polynomials(height_off=900.0, height_scale=200.0)
    found = with_polynomials(INFO, rpc.to_gdal())
    assert found is not None
    position = locate(found[0])
    assert position is not None
    assert found[1] == 700.0
    pixel = np.array([[100.0, 300.0]])
    assert np.abs(pixels_of(rpc, position.lonlat(pixel), 700.0) - pixel).max() < 0.01


@pytest.mark.parametrize("name", [None, "s_RPC.TXT", "s_rpc.txt", "s.rpb", "s.RPB"])
def test_polynomials_in_the_file_and_beside_it_place_a_scene(tmp_path: Path, name: str | None) -> None:
    rpc = polynomials()
    scene = write(tmp_path / "s.tif", **({"rpcs": rpc} if name is None else {}))
    before = scene_sha256(scene)
    if name is not None:
        for beside in tmp_path.glob("s*[!f]"):
            beside.unlink()
        assert placed(scene)[0] is None
        (tmp_path / name).write_text(as_rpb(rpc) if "rpb" in name.lower() else as_text(rpc))
        assert scene_sha256(scene) != before
    corners, notes, record = placed(scene)
    source = name or "the file"
    assert corners is not None
    assert np.abs(pixels_of(rpc, corners, 0.0) - [[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]]).max() < 0.01
    assert notes == (
        f"the position comes from the rational polynomials (RPC) in {source}, for a height of 0 m over the ellipsoid; "
        "a sea at another height moves places by about the difference; `gcps` overrules it"
    )
    assert record["position"] == {"rpc": source, "height_m": 0.0}


def test_own_coordinates_come_before_polynomials(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif", crs="EPSG:32632", transform=rasterio.Affine(10, 0, 4e5, 0, -10, 6e6))
    before = placed(scene)
    (tmp_path / "s_RPC.TXT").write_text(as_text(polynomials()))
    after = placed(scene)
    assert after[1:] == before[1:] == ("", {})
    assert after[0] is not None
    assert (after[0] == before[0]).all()


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in polynomials().to_gdal().items() if key != name}


@pytest.mark.parametrize(
    "entries",
    [
        {},
        _without("LINE_OFF"),
        _without("SAMP_DEN_COEFF"),
        polynomials().to_gdal() | {"LAT_SCALE": "0"},
        polynomials().to_gdal() | {"LAT_OFF": "nan"},
        polynomials().to_gdal() | {"LINE_NUM_COEFF": "1 2 3"},
        polynomials().to_gdal() | {"LINE_NUM_COEFF": " ".join(["0"] * 20)},
        polynomials().to_gdal() | {"LAT_OFF": "400"},
        polynomials().to_gdal() | {"SAMP_OFF": "<b>"},
    ],
)
def test_polynomials_that_cannot_be_used_give_no_position(entries: dict[str, str]) -> None:
    assert with_polynomials(INFO, entries) is None


def test_a_file_that_is_no_polynomials_is_told(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif")
    (tmp_path / "s.rpb").write_text("lineOffset = 3;")
    corners, notes, _ = placed(scene)
    assert corners is None
    assert notes == "the rational polynomials (RPC) in s.rpb cannot be used; `gcps` places the scene"


@given(st.text(alphabet="LINE_OFSAMPCT:=();, \n019.-+eE", max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert with_polynomials(INFO, parsed_polynomials(text)) is None


def test_both_kinds_of_text_have_the_same_entries() -> None:
    rpc = polynomials(5)
    entries = rpc.to_gdal()
    assert parsed_polynomials(as_text(rpc)) == entries
    assert {name: value for name, value in parsed_polynomials(as_rpb(rpc)).items() if name in entries} == entries
