"""The map: self-contained, safe against hostile names, and right about where things are."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.geo.position import distances_m, locate
from refinedet.raster import GroundControlPoint, RasterInfo, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.input.acquisition import Acquisition
from refinedet.scene.output import webmap
from refinedet.scene.output.map_page import place_grid
from refinedet.scene.output.webmap import write_map

MakeMap = Callable[..., Path]
HOSTILE = "a</script><script>alert(1)</script>&quot;'\"{{ 7*7 }}\u2028.tif".replace("/", "\N{FRACTION SLASH}")


@pytest.fixture
def make_map(tmp_path: Path, bright_blobs: Any) -> MakeMap:
    """The map of a scene with `ships` ships, under the name `scene`."""

    def make(ships: int = 3, *, scene: str = "scene.tif", located: bool = True) -> Path:
        pixels = np.random.default_rng(0).integers(80, 120, (300, 400)).astype(np.uint16)
        for i in range(ships):
            pixels[20 + 12 * i : 26 + 12 * i, 30 + 9 * i : 46 + 9 * i] = 2000
        place = {"crs": "EPSG:32633", "transform": (10.0, 0, 5e5, 0, -10.0, 5e6)} if located else {}
        write_scene(tmp_path / scene, pixels, **place)
        bright_blobs.threshold = 200 if ships else 256
        write_map(tmp_path / scene, detect_scene(tmp_path / scene, bright_blobs), tmp_path / "map.html")
        return tmp_path / "map.html"

    return make


def data_of(page: Path) -> dict[str, Any]:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert text is not None
    content: dict[str, Any] = json.loads(text.group(1))
    return content


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handle a tag, as HTMLParser calls it."""
        self.found.append((tag, dict(attrs)))


def test_the_page_fetches_nothing_and_runs_nothing_but_its_own_script(make_map: MakeMap) -> None:
    text = make_map().read_text("utf-8")
    tags = Tags(text).found
    links = [value for _, attrs in tags for key, value in attrs.items() if key in ("src", "href", "action", "data")]
    assert links
    assert all(link is not None and link.startswith("data:image/jpeg;base64,") for link in links)
    assert not any(key.startswith("on") or key == "style" for _, attrs in tags for key in attrs)
    assert "://" not in text.replace("http://www.w3.org", "")
    policy = next(attrs["content"] for tag, attrs in tags if tag == "meta" and "http-equiv" in attrs)
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(script) == len(style) == 1
    hashes = [base64.b64encode(hashlib.sha256(part[0].encode()).digest()).decode() for part in (style, script)]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'"
    )


def test_a_hostile_name_is_text_and_nothing_else(make_map: MakeMap) -> None:
    text = make_map(scene=HOSTILE).read_text("utf-8")
    harmless = [tag for tag, _ in Tags(make_map(scene="scene.tif").read_text("utf-8")).found]
    assert [tag for tag, _ in Tags(text).found] == harmless
    title = re.search(r"<h1>(.*?)</h1>", text, re.DOTALL)
    assert title is not None
    assert unescape(title.group(1)) == Path(HOSTILE).stem


def test_hostile_class_names_stay_inside_the_data(bright_blobs: Any, make_map: MakeMap) -> None:
    bright_blobs.classes = ("</script><script>alert(1)</script>",)
    page = make_map()
    assert data_of(page)["ships"]["class"] == list(bright_blobs.classes) * 3
    assert page.read_text("utf-8").count("<script") == 2


def test_the_page_holds_the_ships_their_cut_outs_and_the_scene(make_map: MakeMap) -> None:
    page = make_map()
    data = data_of(page)
    assert data["ships"]["bbox_px"] == [[30, 20, 46, 26], [39, 32, 55, 38], [48, 44, 64, 50]]
    assert len(data["cutouts"]) == 3
    x, y, width, height = data["cutouts"][0]["window"]
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["cutouts"][0]["jpeg"]))).convert("L"))
    assert image.shape == (height, width)
    assert image[23 - y, 38 - x] > 200 > image[-5:, -5:].max()
    assert (data["north_deg"], data["metres_per_px"]) == (pytest.approx(0, abs=0.1), pytest.approx(10, rel=1e-3))
    assert {column["key"] for column in data["columns"]} >= {"score", "length_m", "flags", "bbox_px"}


def test_the_bounds_of_the_length_stay_out_of_the_table(make_map: MakeMap) -> None:
    columns = {column["key"]: column for column in data_of(make_map())["columns"]}
    bound = columns["length_m_low"]
    assert (columns["length_m"]["table"], bound["table"]) == (True, False)
    assert (bound["name"], bound["unit"], bound["digits"]) == ("length low", "m", 0)


def test_the_heading_gives_the_time_and_the_number_of_flagged_ships(
    tmp_path: Path, bright_blobs: Any, make_map: MakeMap
) -> None:
    make_map(2)
    seen = detect_scene(tmp_path / "scene.tif", bright_blobs)
    taken = Acquisition("option", once=datetime(2024, 5, 1, 17, 0, 1, tzinfo=UTC))
    write_map(tmp_path / "scene.tif", replace(seen, flags=(("land",), ()), acquired=taken), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text("utf-8")
    assert "<p>2 ships · 1 flagged (dashed) · 2024-05-01 17:00:01 UTC · 400 \N{MULTIPLICATION SIGN} 300 px</p>" in text


@pytest.mark.parametrize("located", [True, False])
@pytest.mark.parametrize("ships", [0, 1])
def test_pages_without_ships_or_position_are_whole(make_map: MakeMap, ships: int, located: bool) -> None:
    data = data_of(make_map(ships, located=located))
    assert len(data["ships"]["score"]) == ships
    assert (data["grid"] is None) is (data["north_deg"] is None) is (not located)


def test_equal_input_gives_equal_bytes(make_map: MakeMap) -> None:
    assert make_map().read_bytes() == make_map().read_bytes()


@pytest.mark.parametrize("ship", [(6, 2), (24, 50)], ids=["small ships", "ships of fifty pixels"])
@pytest.mark.slow
def test_a_full_scene_of_noise_with_many_ships_stays_below_three_megabytes(
    tmp_path: Path, bright_blobs: Any, ship: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    pixels = (300 * np.sqrt(rng.gamma(4, 0.25, (2048, 2048)))).astype(np.uint16)
    for y in range(20, 2000, 80):
        for x in range(40, 1980, 160):
            pixels[y : y + ship[0], x : x + ship[1]] = 1200
    write_scene(tmp_path / "s.tif", pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5e6))
    bright_blobs.threshold = 254
    result = detect_scene(tmp_path / "s.tif", bright_blobs)
    assert len(result.detections) > webmap.CUTOUTS
    write_map(tmp_path / "s.tif", result, tmp_path / "s.html")
    assert (tmp_path / "s.html").stat().st_size < 3e6


def interpolated(grid: dict[str, Any], info: RasterInfo, points: np.ndarray) -> np.ndarray:
    """Longitude and latitude as map.js computes them."""
    nodes = np.array(grid["points"]).reshape(grid["rows"], grid["columns"], 3)
    u, v = points[:, 0] / info.width * (grid["columns"] - 1), points[:, 1] / info.height * (grid["rows"] - 1)
    i, j = np.minimum(u.astype(int), grid["columns"] - 2), np.minimum(v.astype(int), grid["rows"] - 2)
    a, b = (u - i)[:, None], (v - j)[:, None]
    mixed = nodes[j, i] * (1 - a) * (1 - b) + nodes[j, i + 1] * a * (1 - b)
    x, y, z = (mixed + nodes[j + 1, i] * (1 - a) * b + nodes[j + 1, i + 1] * a * b).T
    return np.degrees(np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], axis=1))


def swath(lon: float, lat: float) -> tuple[GroundControlPoint, ...]:
    """Ground control points like those of a Sentinel-1 scene, 250 x 190 km, turned by 12 degrees."""
    points = []
    for line in np.linspace(0, 19_496, 10):
        for pixel in np.linspace(0, 25_116, 21):
            east, north = (pixel - 12_558) * 10, (9_748 - line) * 10
            c, s = np.cos(0.21), np.sin(0.21)
            degrees = lat + (c * north + s * east) / 111_320
            points.append(
                GroundControlPoint(
                    pixel, line, lon + (c * east - s * north) / (111_320 * np.cos(np.radians(degrees))), degrees
                )
            )
    return tuple(points)


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(RasterInfo(25_117, 19_497, 1, "uint16", gcps=swath(5, 54), gcp_crs="EPSG:4326"), id="Sentinel-1"),
        pytest.param(
            RasterInfo(25_117, 19_497, 1, "uint16", gcps=swath(179.5, 70), gcp_crs="EPSG:4326"), id="antimeridian"
        ),
        pytest.param(
            RasterInfo(20_000, 20_000, 1, "uint16", crs="EPSG:3995", transform=(20, 0, -2e5, 0, -20, 2e5)), id="pole"
        ),
    ],
)
def test_places_under_the_pointer_are_right_to_a_pixel(info: RasterInfo) -> None:
    position = locate(info)
    assert position is not None
    points = np.random.default_rng(0).uniform(0, (info.width, info.height), (2000, 2))
    shown = interpolated(place_grid(position, info.width, info.height), info, points)
    assert distances_m(shown, position.lonlat(points)).max() < 10


@pytest.mark.skipif(shutil.which("chromium") is None, reason="the browser chromium is not installed")
def test_a_browser_shows_the_ship_that_is_asked_for(make_map: MakeMap, tmp_path: Path) -> None:
    page = make_map(scene=HOSTILE)
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/u", "--dump-dom"]
    command = ["chromium", *options, "--virtual-time-budget=3000", f"file://{page}#ship=2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "3 of 3 ships" in ran.stdout
    assert re.search(r'<tr data-ship="1" aria-current="true">', ran.stdout)
    assert re.search(r"<h2>Ship 2</h2>", ran.stdout)
    assert re.search(r"<dt>place</dt><dd>45\.\d+°&nbsp;N  15\.\d+°&nbsp;E</dd>", ran.stdout)
