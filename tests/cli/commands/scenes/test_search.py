"""refinedet search and refinedet fetch, as a user types them: from a catalogue to an archive, stopped and resumed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from refinedet.downloads import tokens
from refinedet.raster import RasterInfo, write_blocks
from refinedet.tiling import Window
from tests.stac_api import Api, box, copernicus, flattened, item, product_id, stac_api

pytest.importorskip("pystac_client", reason="pystac-client is not installed: pip install 'refinedet[cloud]'")

Run = Callable[..., Result]
SIDE = 128
DAYS = ("05", "17", "29")
ASKED = ("--bbox", 2, 50, 3, 51, "--from", "2024-03-01", "--to", "2024-03-31")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A STAC API on loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with stac_api() as running:
        yield running


@pytest.fixture
def scenes(api: Api, made_up_product: Callable[..., Path], tmp_path: Path) -> list[str]:
    """Three small products in the catalogue, each with a bright ship; their names."""
    api.files, names = tmp_path / "served", []
    for number, day in enumerate(DAYS):
        made = made_up_product(SIDE, SIDE)
        stem = next((made / "annotation").glob("*.xml")).stem
        pixels = np.random.default_rng(number).integers(90, 110, (SIDE, SIDE)).astype(np.uint16)
        pixels[30 + 20 * number : 38 + 20 * number, 40:60] = 1000
        (made / "measurement").mkdir()
        info = RasterInfo(SIDE, SIDE, 1, "uint16")
        write_blocks(made / "measurement" / "iw-vv.tiff", info, [(Window(0, 0, SIDE, SIDE), pixels)])
        for file in made.rglob("*.xml"):
            file.rename(file.with_name(file.name.replace(stem, "iw-vv")))
        name = product_id(f"202403{day}T054321", take=f"0665{day}")
        shutil.move(made, api.files / name)
        assets = {key: value for key, value in flattened(f"{api.url}/files/{name}").items() if not key.endswith("vh")}
        api.items.append(item(name[:62], box(1, 50, 4, 52), assets))
        names.append(name[:62])
    return names


def test_from_a_catalogue_to_an_archive_stopped_and_resumed(
    run: Run, api: Api, scenes: list[str], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'refinedet[geoparquet]'")
    monkeypatch.setattr("refinedet.downloads.retrying.time.sleep", lambda _: None)
    found = run("search", api.url, *ASKED, "--out", "found")
    assert found.exit_code == 0, found.stderr
    assert [line.split()[-1] for line in found.stdout.splitlines()[1:4]] == scenes
    assert "2024-03-05T05:43:21" in found.stdout
    listed = [line for line in (tmp_path / "found" / "manifest.txt").read_text().splitlines() if line[0] != "#"]
    assert listed == [f"items/{name}.json" for name in scenes]

    api.cuts = [10**7] * 9 + [800, *[0] * 5]  # the second raster breaks off, and stays so
    stopped = run("fetch", "found/manifest.txt", "--out", "kept", "--pol", "vv")
    assert stopped.exit_code == 1
    assert f"refinedet: {scenes[1]}.SAFE: expected to download {api.url}/files" in stopped.stderr
    assert (tmp_path / "kept" / "products.txt").read_text().split() == [f"{scenes[k]}.SAFE" for k in (0, 2)]
    detect = ["detect", "--manifest", "kept/products.txt", "--weights", weights, "--land-mask", "off", "--out", "ships"]
    first = run(*detect, "--json")
    assert (first.exit_code, json.loads(first.stdout)["done"]) == (0, 2), first.stderr

    resumed = run("fetch", "found/manifest.txt", "--out", "kept", "--pol", "vv", "--json")
    told = json.loads(resumed.stdout)
    assert (resumed.exit_code, told["files"], told["as_before"], told["failed"]) == (0, 1, 14, {})
    second = json.loads(run(*detect, "--json").stdout)
    assert (second["scenes"], second["done"], second["as_before"]) == (3, 1, 2)
    assert second["ships"] == 3


def test_the_map_holds_the_footprints_and_asks_for_nothing(run: Run, api: Api, tmp_path: Path) -> None:
    api.items = [copernicus(product_id(f"202403{day}T054321", take=f"0665{day}"), box(1, 50, 4, 52)) for day in DAYS]
    assert run("search", api.url, *ASKED, "--out", "found").exit_code == 0
    page = (tmp_path / "found" / "footprints.html").read_text()
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    assert data["words"] == {"one": "scene", "many": "scenes", "score": "share of the area"}
    assert data["ships"]["id"] == [one["id"] for one in api.items]
    assert data["ships"]["score"] == [1.0, 1.0, 1.0]
    assert len(data["ships"]["outline_px"][0]) == 4
    assert len(data["outlines"]) == 1
    assert "<title>Footprints: 3 scenes</title>" in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    before = page
    assert run("search", api.url, *ASKED, "--out", "found", "--overwrite").exit_code == 0
    assert (tmp_path / "found" / "footprints.html").read_text() == before


def test_an_area_from_a_file_and_a_summary_for_programs(run: Run, api: Api, tmp_path: Path) -> None:
    api.items = [copernicus(product_id(), box(1, 50, 2.5, 52))]
    (tmp_path / "area.geojson").write_text(json.dumps({"type": "Feature", "geometry": box(2, 50, 3, 51)}))
    ran = run("search", api.url, "--area", "area.geojson", *ASKED[5:], "--json")
    (scene,) = json.loads(ran.stdout)["scenes"]
    assert scene["share"] == pytest.approx(0.5, abs=1e-3)
    assert scene["polarisations"] == ["VV", "VH"]
    assert list(tmp_path.glob("found*")) == []


def test_nothing_found_writes_nothing_and_says_what_to_widen(run: Run, api: Api, tmp_path: Path) -> None:
    ran = run("search", api.url, *ASKED, "--out", "found")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "widen --from and --to" in ran.stderr
    assert "or --bbox or --area" in ran.stderr
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere", *ASKED], "expected copernicus, earth-search, planetary or the https address"),
        (["http://stac.example", *ASKED], "expected https, since anybody on the way"),
        (["copernicus", "--bbox", 3, 50, 3, 51, *ASKED[5:]], "expected --bbox as west, south, east, north"),
        (["copernicus", *ASKED[:5], "--from", "2024-03-05", "--to", "2024-03-01"], "expected --from before --to"),
        (["copernicus", *ASKED[:5], "--from", "March", "--to", "2024-03-01"], "expected a date such as 2024-03-05"),
        (["copernicus", "--area", "points.geojson", *ASKED[5:]], "expected polygons in points.geojson, found none"),
        (["copernicus", *ASKED, "--out", "."], "expected no file at manifest.txt yet, found one"),
    ],
)
def test_a_wrong_question_is_one_sentence(run: Run, tmp_path: Path, words: list[object], told: str) -> None:
    (tmp_path / "points.geojson").write_text('{"type": "Point", "coordinates": [1, 2]}')
    (tmp_path / "manifest.txt").write_text("precious")
    ran = run("search", *words)
    assert ran.exit_code == 1
    assert told in " ".join(ran.stderr.split())
    assert (tmp_path / "manifest.txt").read_text() == "precious"


def test_one_area_is_needed(run: Run) -> None:
    ran = run("search", "copernicus", *ASKED[5:])
    assert ran.exit_code == 2
    assert "either --bbox or --area" in ran.stderr


def test_from_a_catalogue_straight_to_an_archive_stopped_and_resumed(
    run: Run, api: Api, scenes: list[str], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `fetch`: the rasters are read where they are, and the one that fails comes last."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'refinedet[geoparquet]'")
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert run("search", api.url, *ASKED, "--out", "found").exit_code == 0
    broken = f"/files/{api.items[1]['assets']['vv']['href'].partition('/files/')[2]}"
    api.answers[broken] = (503, {}, b"")
    detect = [
        "detect",
        "--manifest",
        "found/manifest.txt",
        "--weights",
        weights,
        "--land-mask",
        "off",
        "--out",
        "ships",
    ]
    first = run(*detect, "--json")
    assert first.exit_code == 1
    told = json.loads(first.stdout)
    assert (told["done"], len(told["failed"])) == (2, 1), first.stderr
    api.answers = {}
    second = json.loads(run(*detect, "--json").stdout)
    assert (second["scenes"], second["done"], second["as_before"], second["ships"]) == (3, 1, 2, 3)
    assert all(name in (tmp_path / "ships" / "archive.jsonl").read_text() for name in scenes)


def test_files_of_planetary_computer_are_opened_with_tokens_that_nothing_keeps(
    run: Run, api: Api, scenes: list[str], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_STORES", ("127.0.0.1", ""))
    monkeypatch.setenv(tokens.SERVER_VARIABLE, f"{api.url}/sas")
    api.query = "sig=SECRET"
    assert run("search", api.url, *ASKED, "--limit", 1, "--out", "found").exit_code == 0
    item_file = tmp_path / "found" / "items" / f"{scenes[0]}.json"
    ran = run("detect", item_file, "--weights", weights, "--land-mask", "off", "--out", "ships")
    assert ran.exit_code == 0, ran.stderr
    assert [path for path in api.paths if path.startswith("/sas")] == ["/sas/127/files"]
    kept = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert "SECRET" not in kept + ran.stdout + ran.stderr
