"""Tokens of Planetary Computer, from a server that may answer with anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from refinedet.downloads import tokens
from refinedet.errors import RefineDetError
from refinedet.system.retrying import RetryPolicy

ADDRESS = "https://sentinel1euwest.blob.core.windows.net/s1-grd/GRD/2024/3/5/IW/DV/x/measurement/iw-vv.tiff"
SOON = RetryPolicy(attempts=2, timeout_s=2, backoff_s=0)


@pytest.mark.parametrize(
    ("address", "needed"),
    [
        (ADDRESS, True),
        ("https://sentinel1euwest.blob.core.windows.net.elsewhere.example/x", False),
        ("https://elsewhere.example/sentinel1euwest.blob.core.windows.net", False),
        ("s3://eodata/x", False),
    ],
)
def test_a_token_goes_to_one_store_alone(address: str, needed: bool) -> None:
    assert tokens.needs_token(address) is needed


def test_a_token_is_asked_for_once_and_anew_when_it_runs_out(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tokens.SERVER_VARIABLE, f"{server.url}/token/")
    monkeypatch.setenv("PC_SDK_SUBSCRIPTION_KEY", "mine")
    server.content = json.dumps({"token": "sig=A", "msft:expiry": "2999-01-01T00:00:00Z"}).encode()
    known = tokens.Tokens(SOON)
    assert [known.signed(ADDRESS), known.signed(ADDRESS)] == [f"{ADDRESS}?sig=A"] * 2
    assert server.paths == ["/token/sentinel1euwest/s1-grd"]
    assert {name.lower(): value for name, value in server.asked[0].items()}["ocp-apim-subscription-key"] == "mine"
    server.content = json.dumps({"token": "sig=B", "msft:expiry": "2020-01-01T00:00:00Z"}).encode()
    short = tokens.Tokens(SOON)
    assert [short.signed(ADDRESS), short.signed(ADDRESS)] == [f"{ADDRESS}?sig=B"] * 2
    assert len(server.paths) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"token": "a b", "msft:expiry": "2999-01-01T00:00:00Z"}',
        b'{"token": "a\\r\\nb", "msft:expiry": "2999-01-01T00:00:00Z"}',
        b'{"token": "a", "msft:expiry": "soon"}',
        b'{"token": 7, "msft:expiry": 8}',
    ],
)
def test_an_answer_without_a_token_is_one_sentence(
    server: Any, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tokens.SERVER_VARIABLE, server.url)
    server.content = content
    with pytest.raises(RefineDetError, match=r"^expected [^\n]+$"):
        tokens.Tokens(SOON).signed(ADDRESS)
