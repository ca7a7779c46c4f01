"""The polarisation that is taken by default, and its partner."""

from __future__ import annotations

import pytest

from refinedet.scene.polarisations import partner, preferred, to_search_both


@pytest.mark.parametrize(
    ("there", "first", "other"),
    [({"vv", "vh"}, "vv", "vh"), ({"hv", "hh"}, "hh", "hv"), ({"vv"}, "vv", None), ({"vh"}, "vh", None)],
)
def test_a_pair_is_sent_and_received_alike_and_across(there: set[str], first: str, other: str | None) -> None:
    assert preferred(there) == first
    assert partner(first, there) == other


def test_the_advice_names_a_setting_that_is_read() -> None:
    assert 'pol="hh+hv"' in to_search_both("hh", "hv")
