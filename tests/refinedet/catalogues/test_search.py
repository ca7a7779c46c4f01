"""A search in a real STAC API by pystac-client: items of three catalogues, paging, doubles, and hostile answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refinedet.catalogues.area import Area
from refinedet.catalogues.asked import Question, period
from refinedet.catalogues.search import Found, search_catalogue
from refinedet.errors import FileError, InputError
from refinedet.system.retrying import RetryPolicy
from tests.stac_api import CORE, Api, box, copernicus, earth_search, planetary, product_id

pytest.importorskip("pystac_client", reason="pystac-client is not installed: pip install 'refinedet[cloud]'")

SOON = RetryPolicy(attempts=2, timeout_s=2, backoff_s=0)
HERE = box(1, 50, 4, 52)
MONTH = period("2024-03-01", "2024-03-31")


def asked(api: Api, bbox: tuple[float, ...] = (2, 50, 3, 51), **settings: Any) -> Found:
    return search_catalogue(api.url, Question(Area.of_box(bbox), *MONTH, **settings), SOON)


@pytest.mark.parametrize("make", [copernicus, earth_search, planetary])
@pytest.mark.parametrize("post", [True, False], ids=["POST", "GET"])
def test_items_of_three_catalogues_are_read(api: Api, make: Any, post: bool) -> None:
    api.items, api.post = [make(product_id(), HERE)], post
    found = asked(api)
    (scene,) = found.scenes
    assert (scene.orbit, scene.direction, scene.polarisations) == (44, "descending", ("vv", "vh"))
    assert (scene.start.isoformat(), found.notes) == ("2024-03-05T05:43:21.123456+00:00", ())
    assert found.shares == (1.0,)
    (question,) = api.bodies
    assert question["datetime"] == "2024-03-01T00:00:00.000Z/2024-03-31T23:59:59.999Z"


def test_all_pages_are_read_up_to_the_limit(api: Api) -> None:
    api.items = [copernicus(product_id(f"202403{day:02}T054321", take=f"0665{day:02}"), HERE) for day in range(1, 26)]
    found = asked(api)
    assert len(found.scenes) == 25
    assert len(api.bodies) == 3, "pages of ten"
    assert [one.start.day for one in found.scenes] == list(range(1, 26))
    found = asked(api, limit=12)
    assert len(found.scenes) == 12
    assert "more than 12 scenes match: the first 12 are taken" in found.notes[0]


def test_the_newest_processing_of_an_acquisition_is_taken_and_told(api: Api) -> None:
    old = copernicus(product_id(version="0001"), HERE)
    new = copernicus(product_id(version="0002"), HERE, **{"processing:datetime": "2024-04-01T00:00:00Z"})
    plain = {**copernicus(product_id(version="0002"), HERE), "id": product_id(version="0002")}
    plain["properties"] = new["properties"]
    slice_after = copernicus(product_id("20240305T054346", version="0003"), HERE)
    api.items = [new, old, plain, slice_after]
    found = asked(api)
    assert [one.id for one in found.scenes] == [new["id"], slice_after["id"]]
    assert f"2 older processings of these acquisitions left out: {old['id']} ({new['id']} is newer)" in found.notes[0]


def test_settings_that_a_catalogue_cannot_be_asked_are_checked_here(api: Api) -> None:
    other = {"sat:relative_orbit": 88, "sat:orbit_state": "ascending", "sar:polarizations": ["VV"]}
    api.items = [
        copernicus(product_id(), HERE),
        copernicus(product_id("20240310T170000", take="0A0A0A"), HERE, **other),
    ]
    for settings in ({"orbit": 44}, {"direction": "descending"}, {"pol": "vh"}):
        (scene,) = asked(api, **settings).scenes
        assert scene.orbit == 44
    silent = {"sat:relative_orbit": None, "sar:polarizations": None}
    api.items = [earth_search(product_id(), HERE, **silent)]
    (scene,) = asked(api, orbit=(52841 - 73) % 175 + 1, pol="vh").scenes
    assert scene.polarisations == ("vv", "vh")


@pytest.mark.parametrize("geometry", [box(178, -18, 181, -16), box(-182, -18, -179, -16)], ids=["east", "west"])
def test_an_area_across_the_antimeridian_is_one_question(api: Api, geometry: dict[str, Any]) -> None:
    api.items = [copernicus(product_id(), geometry)]
    found = asked(api, (179, -18, -179, -16))
    assert len(found.scenes) == 1
    assert found.shares[0] == pytest.approx(1.0, abs=1e-6)
    assert api.bodies[0]["intersects"]["type"] == "MultiPolygon"


def test_nothing_found_says_what_was_asked_and_what_to_widen(api: Api) -> None:
    api.items = [copernicus(product_id(), HERE)]
    (note,) = asked(api, orbit=15, pol="hh").notes
    assert "for 2E to 3E, 50N to 51N, 2024-03-01 to 2024-03-31, relative orbit 15, hh; there and then 1 scene" in note
    assert "of relative orbits 44, descending, with vh, vv: change or leave out `orbit`, `pol`" in note
    api.items = []
    (note,) = asked(api).notes
    assert note.endswith("or `bbox` or `area`")
    assert "widen `from` and `to`" in note


def test_a_collection_that_is_not_there_is_told_with_those_that_are(api: Api) -> None:
    with pytest.raises(InputError, match=r"expected one of sentinel-1-grd as `collection` of http://.*, found 'grd'"):
        asked(api, collection="grd")


def test_items_that_cannot_be_used_are_counted(api: Api) -> None:
    good = copernicus(product_id(), HERE)
    late = copernicus(product_id("20240306T000000", take="0AAAAA"), HERE, start_datetime="2025-01-01T00:00:00Z")
    late["properties"]["end_datetime"] = "2025-01-01T00:01:00Z"
    beside = copernicus(product_id("20240307T000000", take="0BBBBB"), box(2.5, 50.5, 3, 51))
    beside["geometry"]["coordinates"] = [[[20, 50], [21, 50], [21, 51], [20, 50]]]
    flat = {**copernicus(product_id("20240308T000000"), HERE), "geometry": {"type": "Polygon", "coordinates": "?"}}
    optical = copernicus(product_id("20240309T000000", take="0CCCCC"), HERE, **{"product:type": "S2MSI2A"})
    rude = {**good, "id": "../../etc/passwd"}
    api.answers["/search"] = page(good, late, beside, flat, optical, rude, {"type": "x"}, None)
    found = asked(api)
    assert [one.id for one in found.scenes] == [good["id"]]
    told = "\n".join(found.notes)
    assert "1 item not GRD left out" in told
    assert "1 item outside of the time left out" in told
    assert "1 item not in the area left out" in told
    assert "4 items of no use left out" in told


def page(*items: Any, **more: Any) -> tuple[int, dict[str, str], bytes]:
    content = {"type": "FeatureCollection", "features": list(items), "links": [], **more}
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


OTHER = {"rel": "next", "href": "https://elsewhere.example/search"}
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"/search": (200, {}, b"<html>")}, "expected the answers of a STAC API"),
    "a list": ({"/search": (200, {}, b"[1, 2]")}, "expected the answers of a STAC API"),
    "features that are none": ({"/search": (200, {}, b'{"features": {"a": 1}}')}, "expected the answers of a STAC API"),
    "links that are none": (
        {"/search": page({"type": "Feature", "id": "a"}, links=[{"no": "rel"}])},
        "expected the answers of a STAC API",
    ),
    "very deep": ({"/search": (200, {}, b"[" * 100_000)}, "expected the answers of a STAC API"),
    "no text": ({"/": (200, {}, bytes(range(256)))}, "expected the answers of a STAC API"),
    "some other page": ({"/": (200, {}, b'{"type": "FeatureCollection"}')}, "expected the answers of a STAC API"),
    "half an answer": ({"/search": (200, {"Content-Length": "999"}, b"{")}, r"expected an answer .* \(2 times\)"),
    "an error that stays": ({"/search": (500, {}, b"")}, r"the server answered 500 .* \(2 times\)"),
    "a refusal with its reason": ({"/search": (400, {}, b'{"detail": "no such area"}')}, "no such area"),
    "a redirect to another host": (
        {"/search": (302, {"Location": "https://elsewhere.example/"}, b"")},
        "a redirect to another host, elsewhere.example",
    ),
    "a loop of redirects": ({"/search": (302, {"Location": "/search"}, b"")}, "expected"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_answer_is_one_sentence(api: Api, case: str) -> None:
    answers, told = HOSTILE[case]
    api.answers = answers
    with pytest.raises(FileError, match=told) as caught:
        asked(api)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        pytest.param(
            {"rel": "next", "href": "{url}/search?a=1"}, "without any item that earlier ones lack", id="same items"
        ),
        pytest.param(
            {"rel": "next", "href": "{url}/search", "method": "POST", "body": {}, "merge": True},
            "leads back",
            id="same page",
        ),
        pytest.param(OTHER, "found a link to https://elsewhere.example, which is not followed", id="another host"),
    ],
)
def test_paging_that_leads_nowhere_ends(api: Api, link: dict[str, Any], told: str) -> None:
    api.items = [copernicus(product_id(), HERE)]
    api.next_link = {**link, "href": link["href"].format(url=api.url)}
    api.answers = {} if "merge" in link else {"/search": page(*api.items, links=[api.next_link])}
    with pytest.raises(FileError, match=told):
        asked(api)
    assert len(api.paths) <= 4


def test_a_server_that_is_gone_is_told_after_a_few_attempts() -> None:
    gone = "http://127.0.0.1:9"
    with pytest.raises(FileError, match=r"an answer from http://127\.0\.0\.1:9.* \(2 times\); check the network"):
        search_catalogue(gone, Question(Area.of_box((0, 0, 1, 1)), *MONTH), SOON)


def test_a_catalogue_without_search_is_told(api: Api) -> None:
    api.conforms = (CORE,)
    with pytest.raises(FileError, match="expected a STAC API that can be searched"):
        asked(api)
