"""Addresses of the server: what they take, answer and refuse, with a worker of a few lines."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.refinedet.serving.clients import Client, Serve, form


def refused(client: Client, status: int, method: str, path: str, **more: object) -> str:
    """Sentence of an answer that refuses a request."""
    answer = client.ask(method, path, **more)  # type: ignore[arg-type]
    assert answer.status == status, answer.body
    assert list(answer.json) == ["error"]
    sentence: str = answer.json["error"]
    assert "\n" not in sentence
    assert "expected" in sentence or "found" in sentence
    assert "/temporary/" not in sentence, "a path of the server"
    return sentence


def test_an_upload_is_answered_with_ships_and_leaves_nothing(stub: Serve, tmp_path: Path) -> None:
    with stub() as client:
        answer = client.send("/detect", b"two words", "a scene.tif")
        assert answer.status == 200
        assert answer.body.startswith(b"a scene.tif two words")
        assert answer.headers["content-type"] == "application/geo+json"
        assert client.ask("GET", "/health").json["kept"] == 0
        (folder,) = (tmp_path / "temporary").iterdir()
        assert list(folder.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == [], "the server removes its folder"


def test_a_job_tells_its_progress_and_keeps_its_results(stub: Serve) -> None:
    with stub() as client:
        answer = client.send("/jobs?score_min=0.3&map=false", b"four", "s.tif")
        assert answer.status == 202
        job = answer.json["id"]
        assert answer.headers["location"] == f"/jobs/{job}"
        told = client.ask("GET", f"/jobs/{job}/events")
        states = [json.loads(line[6:]) for line in told.body.decode().splitlines() if line.startswith("data: ")]
        assert told.headers["content-type"].startswith("text/event-stream")
        assert (states[-1]["state"], states[-1]["ships"], states[-1]["notes"]) == ("done", 4, ["a note"])
        assert states[-1]["windows_done"] == states[-1]["windows"] == 1
        kept = [f"/jobs/{job}/{name}" for name in ("ships.geojson", "record.json", "picture.png")]
        assert states[-1]["results"] == kept
        assert [client.ask("GET", path).status for path in kept] == [200] * 3
        assert "did not" in refused(client, 404, "GET", f"/jobs/{job}/map.html")
        refused(client, 404, "GET", f"/jobs/{job}/..%2Fsecret")
        assert client.ask("DELETE", f"/jobs/{job}").status == 204
        refused(client, 404, "GET", f"/jobs/{job}")


def test_a_map_may_run_its_script_and_reach_nothing(stub: Serve) -> None:
    with stub() as client:
        job = client.send("/jobs", b"x").json["id"]
        client.wait(job)
        policy = client.ask("GET", f"/jobs/{job}/map.html").headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts; default-src 'none'")
        page = client.ask("GET", "/")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for name in ("/page.js", "/page.css"):
            assert name.encode() in page.body
            assert client.ask("GET", name).status == 200
        assert b"http" not in page.body, "nothing comes from elsewhere"


def test_the_description_lists_the_options(stub: Serve) -> None:
    with stub() as client:
        paths = client.ask("GET", "/openapi.json").json["paths"]
    listed = {one["name"]: one for one in paths["/jobs"]["post"]["parameters"]}
    assert {"path", "score_min", "land_mask", "gsd_m", "map"} <= set(listed)
    assert listed["score_min"]["schema"]["maximum"] == 1
    assert not {"weights", "out", "max_pixels", "max_download_mb", "gcps"} & set(listed)
    assert "map" not in {one["name"] for one in paths["/detect"]["post"]["parameters"]}


WRONG = {
    "score_min=2": "`score_min`: expected a number of at most 1",
    "score_min=many": "`score_min`: expected a number",
    "gsd_m=10&scale=2": "`scale`",
    "score_mni=0.3": "did you mean score_min?",
    "weights=/etc/passwd": "`weights`, which it cannot have",
    "map=true": "`map`",
    "score_min=0.1&score_min=0.2": "once",
    "land_mask=perhaps": "`land_mask`",
    "&".join(f"o{n}=1" for n in range(60)): "at most 40 options",
    "x" * 3000 + "=1": "unknown option",
}


@pytest.mark.parametrize("query", WRONG, ids=lambda query: query[:20])
def test_a_wrong_option_is_one_sentence(stub: Serve, query: str) -> None:
    body, kind = form(b"x")
    with stub() as client:
        sentence = refused(client, 422, "POST", f"/detect?{query}", body=body, headers={"Content-Type": kind})
        assert WRONG[query] in sentence
        assert len(sentence) < 700


def test_a_body_that_is_no_form_with_a_scene_is_refused(stub: Serve) -> None:
    kind = {"Content-Type": form(b"")[1]}
    with stub(upload_mb=0.02) as client:
        assert "curl" in refused(client, 415, "POST", "/detect", body=b"garbage")
        refused(client, 415, "POST", "/detect", body=b"{}", headers={"Content-Type": "application/json"})
        refused(client, 422, "POST", "/detect", body=b"garbage", headers=kind)
        refused(client, 422, "POST", "/detect", body=form(b"x")[0][:-8], headers=kind)
        refused(client, 422, "POST", "/detect", body=form(b"x", part="other")[0], headers=kind)
        refused(client, 422, "POST", "/detect", body=form(b"")[0], headers=kind)
        two = form(b"a")[0].replace(b"--line--", b"--line") + form(b"b")[0]
        assert "more parts" in refused(client, 422, "POST", "/detect", body=two, headers=kind)
        large = refused(client, 413, "POST", "/detect", body=form(b"x" * 25_000)[0], headers=kind)
        assert "0.02 MB" in large
        assert "0.02 MB" in refused(client, 413, "POST", "/detect", body=form(b"x" * 100_000)[0], headers=kind)
        refused(client, 404, "GET", "/nothing")
        refused(client, 405, "GET", "/detect")
        assert client.ask("GET", "/health").json["waiting"] == 0, "no place in the queue is lost"


def test_what_the_worker_refuses_is_told(stub: Serve) -> None:
    body, kind = form(b"refuse")
    with stub() as client:
        told = refused(client, 422, "POST", "/detect", body=body, headers={"Content-Type": kind})
        assert told == "expected a scene, found none"
        job = client.send("/jobs", b"refuse").json["id"]
        assert client.wait(job)["error"] == told
        refused(client, 409, "GET", f"/jobs/{job}/ships.geojson")


def test_scenes_by_path_lie_below_the_named_folders(stub: Serve, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside):
        folder.mkdir()
        (folder / "s.tif").write_text("words")
    (root / "link.tif").symlink_to(outside / "s.tif")
    with stub() as client:
        refused(client, 403, "POST", f"/detect?path={root}/s.tif")
    with stub(root=(root,)) as client:
        for path in ("s.tif", f"{root}/s.tif", "../root/s.tif"):
            assert client.ask("POST", f"/detect?path={path}").body.startswith(b"s.tif words")
        for path in (
            "../outside/s.tif",
            f"{outside}/s.tif",
            "link.tif",
            "/etc/passwd",
            "none.tif",
            "%2e%2e/outside/s.tif",
        ):
            refused(client, 404, "POST", f"/detect?path={path}")
        refused(client, 422, "POST", "/detect?path=a%00b")
        refused(client, 422, "POST", f"/detect?path={'a' * 5000}")
        refused(client, 422, "POST", "/detect?path=s.tif&path=s.tif")
        body, kind = form(b"x")
        refused(client, 422, "POST", "/detect?path=s.tif", body=body, headers={"Content-Type": kind})
    assert (root / "s.tif").read_text() == "words", "scenes by path stay"


def raw(client: Client, request: bytes, *, close: bool = True) -> bytes:
    """Answer to bytes that may be no request."""
    host, _, port = urlsplit(client.running.address).netloc.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(request)
        if close:
            line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_a_length_that_lies_costs_nothing(stub: Serve) -> None:
    body, kind = form(b"x")
    head = f"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    with stub() as client:
        raw(client, f"{head}Content-Length: {len(body) + 500}\r\n\r\n".encode() + body)  # and the client has gone
        short = raw(client, f"{head}Content-Length: {len(body) - 20}\r\n\r\n".encode() + body, close=False)
        assert short.startswith(b"HTTP/1.1 422")
        assert raw(client, f"{head}Content-Length: -5\r\n\r\n".encode()).startswith(b"HTTP/1.1 400")
        assert raw(client, b"\x16\x03\x01 no request\r\n\r\n").startswith(b"HTTP/1.1 400")
        huge = raw(client, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", close=False)
        assert huge.startswith(b"HTTP/1.1 4")
        assert client.ask("GET", "/health").json["waiting"] == 0
        assert client.send("/detect", b"x").status == 200


def test_a_client_that_leaves_ends_its_job(stub: Serve) -> None:
    body, kind = form(b"slow")
    request = f"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    with stub() as client:
        host, _, port = urlsplit(client.running.address).netloc.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as line:
            line.sendall(request.encode() + body)
            while client.ask("GET", "/health").json["running"] == 0:
                time.sleep(0.02)
        assert client.send("/detect", b"next").status == 200, "the slow scene would take 20 s"


def test_the_end_of_the_server_ends_its_jobs(stub: Serve, tmp_path: Path) -> None:
    found: list[int] = []
    with stub() as client:
        waiting = threading.Thread(target=lambda: found.append(client.send("/detect", b"slow").status))
        waiting.start()
        while client.ask("GET", "/health").json["running"] == 0:
            time.sleep(0.02)
    waiting.join(20)
    assert found == [503]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_stac_item_is_refused_since_it_would_make_the_server_fetch(stub: Serve, tmp_path: Path) -> None:
    item = b'{"type": "Feature", "id": "s", "assets": {"vv": {"href": "https://a.org/s.tif"}}}'
    (tmp_path / "S.GeoJSON").write_bytes(item)
    with stub(root=(tmp_path,)) as client:
        for answer in (client.send("/detect", item, "s.json"), client.ask("POST", "/detect?path=S.GeoJSON")):
            assert answer.status == 422
            assert "fetches nothing" in answer.json["error"]
