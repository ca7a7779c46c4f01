"""Split of the real samples, by name: a part for training and tuning, and a part that decides.

No choice may depend on the part that decides. Pictures of one site, product or parent scene are in one part.
"""

from __future__ import annotations

from typing import Literal

Part = Literal["train", "decide"]
Use = Literal["train", "val", "decide"]

PARTS: tuple[Part, ...] = ("decide", "train")
"""Parts in the order of the tables."""

TRAIN: dict[str, frozenset[str]] = {
    "opensarship": frozenset(
        {
            "S1A_IW_GRDH_1SDV_20150902T102505_20150902T102534_007535_00A699_2D00",
            "S1A_IW_GRDH_1SDV_20161018T095407_20161018T095432_013543_015ACD_AB15",
            "S1A_IW_SLC__1SSV_20150217T204257_20150217T204324_004668_005C34_2DC9",
        }
    ),
    "port_la": frozenset(),
    "mumbai": frozenset(),
    "screens": frozenset(),
    "slicks": frozenset(f"img_{number:04d}" for number in range(1, 37, 4)),
    "hrsid": frozenset({"P0001", "P0005", "P0009", "P0013", "P0017"}),
    "sar_ship": frozenset(),
    "chips": frozenset({"1", "3", "6"}),
    "city": frozenset({"left"}),
    "slc_coast": frozenset({"slc_coast"}),
    "rtc_coast": frozenset(),
    "dualpol_land": frozenset({"dualpol_land"}),
    "sea": frozenset(f"test{number}" for number in range(8, 32, 4)),
    "asar": frozenset(),
    "wakes": frozenset({"boat1_VV"}),
}
"""Names for training, by sample; every other name of the sample decides.

A name is a product (opensarship), a picture, a parent scene (hrsid), whole degrees of longitude east (chips), or a half
of the picture (city).
"""

VALIDATE: dict[str, frozenset[str]] = {
    "opensarship": frozenset({"S1A_IW_GRDH_1SDV_20150902T102505_20150902T102534_007535_00A699_2D00"}),
    "slicks": frozenset({"img_0033"}),
    "hrsid": frozenset({"P0017"}),
    "chips": frozenset({"1"}),
    "sea": frozenset({"test28"}),
}
"""Names of the training part for validation: they choose the epoch and calibrate the scores."""

UNIT = {"opensarship": "product", "hrsid": "parent scene", "chips": "degree of longitude", "city": "half"}
"""Kind of the names of a sample, if it is not a picture."""


def part_of(sample: str, name: str) -> Part:
    """Part of a sample that `name` belongs to.

    Raises:
        KeyError: the sample is not in the table.
    """
    return "train" if name in TRAIN[sample] else "decide"


def use_of(sample: str, name: str) -> Use:
    """Use of a name in training: as `part_of`, with the names of `VALIDATE` set apart.

    Raises:
        KeyError: the sample is not in the table.
    """
    return "val" if name in VALIDATE.get(sample, ()) else part_of(sample, name)


def split_table() -> str:
    """Table of the split, in Markdown."""
    lines = ["| sample | by | may be trained on | decides |", "|---|---|---|---|"]
    for sample, names in TRAIN.items():
        trained = ", ".join(f"`{name}`" for name in sorted(names))
        rest = "all" if not names else ("none" if names == {sample} else "all others")
        lines.append(f"| {sample} | {UNIT.get(sample, 'picture')} | {trained or 'none'} | {rest} |")
    return "\n".join(lines)
