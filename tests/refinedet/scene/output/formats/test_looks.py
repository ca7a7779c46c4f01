"""Classes of ships on maps: the first that takes a ship is its own, in QGIS, SLD and KML alike."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from refinedet.scene.land import survey
from refinedet.scene.output.formats.layer_style import qml, sld
from refinedet.scene.output.formats.looks import COAST, DOUBTFUL, STILL, look_of, looks
from refinedet.scene.ships import attributes
from refinedet.scene.ships.doubts import clutter, lattice, plausible, side_lobes, wakes

OGC = "{http://www.opengis.net/ogc}"
SE = "{http://www.opengis.net/se}"


def row(score: float = 0.9, *flags: str, ais: str | None = None) -> dict[str, Any]:
    return {"score": score, "flags": list(flags)} | ({} if ais is None else {"ais": ais})


@pytest.mark.parametrize(
    ("ship", "expected"),
    [
        (row(0.8), "strong"),
        (row(0.79), "middle"),
        (row(0.59, "edge"), "weak"),
        (row(0.9, "edge", "shore"), "coast"),
        (row(0.9, "platform", "shore"), "still"),
        (row(0.9, "land", "islet"), "doubtful"),
        (row(0.9, "islet", ais="matched"), "matched"),
        (row(0.9, "wake", ais="dark"), "doubtful"),
        (row(0.9, ais="dark"), "dark"),
        (row(0.9, ais="unknown"), "unknown"),
    ],
)
def test_the_first_class_that_takes_a_ship_is_its_own(ship: dict[str, Any], expected: str) -> None:
    assert look_of(ship, ais="ais" in ship).name == expected


def test_flags_are_those_that_ships_have_and_none_is_part_of_another() -> None:
    modules = (attributes, clutter, lattice, plausible, side_lobes, wakes, survey)
    known = {
        value for module in modules for name, value in vars(module).items() if name.isupper() and isinstance(value, str)
    }
    named = (*DOUBTFUL, *STILL, *COAST)
    assert known >= set(named)
    others = {"joined", "cut", "edge", "nodata", *named}
    assert not [(one, other) for one in named for other in others if one != other and one in other], (
        "SLD looks for parts"
    )


@pytest.mark.parametrize("ais", [False, True])
def test_styles_have_a_class_for_each_look(ais: bool) -> None:
    expected = [look.name for look in looks(ais=ais)]
    style = ET.fromstring(qml(ais=ais))  # noqa: S314 - our own document
    assert [one.get("value") for one in style.iter("category")] == expected
    assert [one.get("name") for one in style.findall("renderer-v2/symbols/symbol")] == [
        one.get("symbol") for one in style.iter("category")
    ]
    attribute = style.find("renderer-v2")
    assert attribute is not None
    assert ('"ais"' in attribute.get("attr", "")) is ais
    rules = ET.fromstring(sld("a & b", ais=ais))  # noqa: S314 - our own document
    assert rules.findtext(f".//{SE}Name") == "a & b"
    assert [one.findtext(f"{SE}Name") for one in rules.iter(f"{SE}Rule")] == expected


@pytest.mark.parametrize("ais", [False, True])
def test_rules_of_sld_take_the_ships_of_their_class_alone(ais: bool) -> None:
    rules = ET.fromstring(sld("ships", ais=ais))  # noqa: S314 - our own document
    states = ("matched", "dark", "unknown") if ais else (None,)
    for score in (0.3, 0.6, 0.8):
        for flags in ((), ("edge",), ("shore", "turbine"), ("wake",), ("land",)):
            for state in states:
                ship = row(score, *flags, ais=state)
                taken = [
                    one.findtext(f"{SE}Name")
                    for one in rules.iter(f"{SE}Rule")
                    if takes(next(iter(one.find(f"{OGC}Filter") or ())), ship)
                ]
                assert taken == [look_of(ship, ais=ais).name]


def takes(test: ET.Element, ship: dict[str, Any]) -> bool:
    """Evaluate an operator of the OGC on a ship."""
    kind = test.tag.removeprefix(OGC)
    if kind in {"And", "Or"}:
        inner = [takes(one, ship) for one in test]
        assert len(inner) > 1
        return all(inner) if kind == "And" else any(inner)
    if kind == "Not":
        return not takes(test[0], ship)
    name, literal = test.findtext(f"{OGC}PropertyName"), test.findtext(f"{OGC}Literal") or ""
    value = ";".join(ship["flags"]) if name == "flags" else ship[str(name)]
    if kind == "PropertyIsLike":
        return literal.strip("*") in value
    return value == literal if kind == "PropertyIsEqualTo" else value >= float(literal)
