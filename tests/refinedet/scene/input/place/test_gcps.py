"""Control points from CSV and from QGIS: read, counted from the outer edge, refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyproj import CRS

from refinedet.errors import FileError, InputError
from refinedet.scene.input.place.gcps import read_gcps

UTM = CRS.from_epsg(32632).to_wkt()
ROWS = "0,0,7.0,54.5\n300,0,7.05,54.5\n0,200,7.0,54.48\n"


def points_of(path: Path, text: str, crs: str | None = None) -> tuple[list[tuple[float, ...]], str]:
    path.write_text(text)
    points, system = read_gcps(path, crs, 300, 200)
    return [(point.pixel, point.line, point.x, point.y) for point in points], system


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"pixel,line,lon,lat\n{ROWS}", id="plain"),
        pytest.param(f"\ufeffPixel, Line, Lon, Lat\n{ROWS}\n\n", id="capitals, blanks and a byte order mark"),
        pytest.param(f"pixel;line;lon;lat\n{ROWS.replace(',', ';')}", id="semicolons"),
        pytest.param(
            f"pixel;line;lon;lat\n{ROWS.replace(',', ';').replace('.', ',')}", id="semicolons and decimal commas"
        ),
        pytest.param(f"pixel\tline\tlon\tlat\n{ROWS.replace(',', chr(9))}", id="tabs"),
        pytest.param(
            "id,lat,lon,line,pixel\na,54.5,7.0,0,0\nb,54.5,7.05,0,300\nc,54.48,7.0,200,0\n",
            id="other columns and order",
        ),
    ],
)
def test_degrees_come_from_csv(tmp_path: Path, text: str) -> None:
    points, system = points_of(tmp_path / "p.csv", text)
    assert points == [(0, 0, 7.0, 54.5), (300, 0, 7.05, 54.5), (0, 200, 7.0, 54.48)]
    assert system == "EPSG:4326"


def test_x_and_y_take_the_stated_reference_system(tmp_path: Path) -> None:
    text = "pixel,line,x,y\n0,0,400000,6000000\n300,0,403000,6000000\n0,200,400000,5998000\n"
    points, system = points_of(tmp_path / "p.csv", text, UTM)
    assert points[1] == (300, 0, 403000, 6000000)
    assert system == UTM
    with pytest.raises(InputError, match=r"reference system of x and y in .*state it with `crs`"):
        points_of(tmp_path / "p.csv", text)


QGIS = "mapX,mapY,{},enable,dX,dY,residual\n" + "".join(
    f"{x},{y},{pixel},{line},{enable},0,0,0\n"
    for x, y, pixel, line, enable in (
        (400000, 6000000, 0, 0, 1),
        (403000, 6000000, 300, 0, 1),
        (400000, 5998000, 0, -200, 1),
        (1, 1, 10, -10, 0),
    )
)
"""File of QGIS's georeferencer, by `QgsGCPList::saveGcps`: lines of a picture count upwards, below zero."""


@pytest.mark.parametrize("columns", ["sourceX,sourceY", "pixelX,pixelY"])
def test_points_of_qgis_are_read_without_those_that_are_off(tmp_path: Path, columns: str) -> None:
    points, system = points_of(tmp_path / "p.points", QGIS.format(columns), UTM)
    assert points == [(0, 0, 400000, 6000000), (300, 0, 403000, 6000000), (0, 200, 400000, 5998000)]
    assert system == UTM


def test_the_reference_system_of_a_qgis_file_is_used_and_overruled(tmp_path: Path) -> None:
    text = f"#CRS: {' '.join(UTM.split())}\n{QGIS.format('sourceX,sourceY')}"
    _, system = points_of(tmp_path / "p.points", text)
    assert CRS.from_wkt(system).to_epsg() == 32632
    other = CRS.from_epsg(32633).to_wkt()
    assert points_of(tmp_path / "p.points", text, other)[1] == other


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected columns pixel, line, lon, lat"),
        ("a,b\n1,2\n", "found a, b"),
        ("pixel,line,lon,lat\n0,0,7,54\n9,9,7,54\n", "at least 3 control points in .*, found 2"),
        ("pixel,line,lon,lat\n0,0,7,54\n9,9,8,54\n30,30.01,9,54\n", "do not lie on one line"),
        ("pixel,line,lon,lat\n5,5,7,54\n5,5,8,54\n5,5,9,54\n", "do not lie on one line"),
        ("pixel,line,lon,lat\n0,0,7\n", "four numbers in row 2"),
        ("pixel,line,lon,lat\n0,0,7,north\n", r"four numbers in row 2 .*, found 0 \| 0 \| 7 \| north$"),
        ("pixel;line;lon;lat\n1,024;0;7.0;54.5\n", "four numbers in row 2"),
        ("pixel,line,lon,lat\n0,0,7,nan\n", "finite numbers in row 2"),
        ("pixel,line,lon,lat\n0,0,54,107\n", "degrees in row 2 .*right order"),
        ("pixel,line,lon,lat\n0,0,7,54\n3000,0,8,54\n0,200,7,53\n", "on the 300 x 200 pixels of the scene"),
        ("#CRS: nonsense\npixel,line,lon,lat\n", "reference system in the first line"),
        ('#CRS: PARAM["PROJ4_GRIDS","/etc/passwd"]\npixel,line,lon,lat\n', "reference system in the first line"),
        (QGIS.format("sourceX,sourceY").replace(",-200,", ",6000000,"), "some far away"),
    ],
)
def test_what_cannot_place_a_scene_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        points_of(tmp_path / "p.csv", text, UTM if "mapX" in text else None)


def test_degrees_take_no_reference_system(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected no `crs` beside"):
        points_of(tmp_path / "p.csv", f"pixel,line,lon,lat\n{ROWS}", UTM)


def test_a_file_that_is_missing_too_large_or_no_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected control points at"):
        read_gcps(tmp_path / "none.csv", None, 9, 9)
    (tmp_path / "p.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="as text"):
        read_gcps(tmp_path / "p.csv", None, 9, 9)
    (tmp_path / "p.csv").write_bytes(b"0" * ((4 << 20) + 1))
    with pytest.raises(InputError, match="at most 4 MB"):
        read_gcps(tmp_path / "p.csv", None, 9, 9)
