"""Who may ask the server: no other site, and no name that somebody else lets point here."""

from __future__ import annotations

import pytest

from tests.refinedet.serving.clients import Serve


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("192.168.1.5", 200),
        ("radar.lab:8000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.nip.io", 421),
        ("", 421),
        ("[::1", 421),
        ("user@evil.example", 421),
    ],
)
def test_the_header_host_is_known(stub: Serve, host: str, status: int) -> None:
    with stub(allow_host=("radar.lab",)) as client:
        answer = client.ask("GET", "/health", headers={"Host": host})
    assert answer.status == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    if status != 200:
        assert answer.json["error"].startswith("expected a header Host")


def test_an_address_or_headers_that_are_too_long_are_refused(stub: Serve) -> None:
    with stub() as client:
        assert client.ask("GET", "/?" + "a" * 20_000).status == 414
        answer = client.ask("GET", "/", headers={"X-Long": "a" * 20_000})
        assert answer.status in {400, 431}, "uvicorn or we, by how it arrives"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("http://localhost:9000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_another_site_may_not_ask(stub: Serve, origin: str, status: int) -> None:
    with stub() as client:
        answer = client.ask("POST", "/jobs", headers={"Host": "localhost:8000", "Origin": origin})
        assert answer.status == (415 if status == 200 else status), "no form, but it was let in"
