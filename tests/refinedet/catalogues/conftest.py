"""Fixtures of the tests of catalogues: a STAC API on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stac_api import Api, stac_api


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A STAC API on loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    with stac_api() as running:
        yield running
