"""Names of products, and the times that people write."""

from __future__ import annotations

import pytest

from refinedet.catalogues.asked import period
from refinedet.catalogues.names import ProductName
from refinedet.errors import InputError

NAME = "S1A_IW_GRDH_1SDV_20221002T205126_20221002T205151_045277_05698A_ABCD"


@pytest.mark.parametrize(
    ("name", "version", "cog"),
    [
        (NAME, "ABCD", False),
        (f"{NAME}_COG", "ABCD", True),
        (f"{NAME}.SAFE", "ABCD", False),
        (NAME[:62], None, False),
    ],
)
def test_names_of_three_catalogues(name: str, version: str | None, cog: bool) -> None:
    found = ProductName.of(name)
    assert found is not None
    assert (found.version, found.cog, found.take) == (version, cog, "05698A")
    assert (found.kind, found.polarisations) == ("IW_GRDH_DV", ("vv", "vh"))
    assert found.relative_orbit == (45277 - 73) % 175 + 1


@pytest.mark.parametrize("name", ["S2A_MSIL1C_20221002", NAME.replace("20221002", "20221302"), f"{NAME}/..", ""])
def test_other_names_are_none(name: str) -> None:
    assert ProductName.of(name) is None


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2024-03-05", "2024-03-05", ("2024-03-05T00:00:00+00:00", "2024-03-05T23:59:59.999000+00:00")),
        ("2024-03-05T06:00", "2024-03-05t07:00z", ("2024-03-05T06:00:00+00:00", "2024-03-05T07:00:00+00:00")),
        ("2024-03-05T06:00+02:00", "20240306", ("2024-03-05T04:00:00+00:00", "2024-03-06T23:59:59.999000+00:00")),
    ],
)
def test_days_and_times(since: str, until: str, expected: tuple[str, str]) -> None:
    assert tuple(one.isoformat() for one in period(since, until)) == expected


@pytest.mark.parametrize(("since", "until"), [("5 March", "2024-03-06"), ("2024-03-06", "2024-03-05"), ("", "x")])
def test_what_is_no_period_is_told(since: str, until: str) -> None:
    with pytest.raises(InputError, match=r"expected (a date|`from` before)"):
        period(since, until)
