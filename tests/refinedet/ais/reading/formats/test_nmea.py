"""Logs of NMEA sentences as receivers write them, with what they get wrong."""

from __future__ import annotations

from pathlib import Path

from pyais import encode_dict

from refinedet.ais.reading import reasons
from refinedet.ais.reading.read import read_ais

SHIP = {"msg_type": 1, "mmsi": 219000001, "lon": 10.5, "lat": 55.25, "speed": 5.0, "course": 90.0, "heading": 511}
STATIC = {"msg_type": 5, "mmsi": 219000001, "shipname": "A", "ship_type": 30, "to_bow": 10, "to_stern": 5}


def sentences(**fields: object) -> list[str]:
    return list(encode_dict({**SHIP, **fields}, radio_channel="A"))


def read(path: Path, *lines: str) -> tuple[list[str], dict[str, int]]:
    """Times of the fixes, and the counts."""
    path.write_text("".join(line + "\n" for line in lines))
    found = read_ais([path], area=None, time=None)
    counts = found.counts
    assert counts[reasons.MESSAGES] == sum(
        counts.get(key, 0) for key in (reasons.KEPT, reasons.STATIC, *reasons.DROPPED)
    )
    return [str(one) for one in found.fixes.time], counts


def test_times_stand_in_many_places(tmp_path: Path) -> None:
    ships = [sentences(mmsi=219000001 + i)[0] for i in range(6)]
    times, counts = read(
        tmp_path / "a.log",
        f"\\g:1-1-7,s:2573345,c:1717588800*5F\\{ships[0]}",
        f"\\c:1717588801500*00\\{ships[1]}",
        f"1717588802.25 {ships[2]}",
        f"2024-06-05T12:00:03Z,{ships[3]}",
        "$PGHP,1,2024,6,5,12,0,4,120,219,,2190071,1,2A*11",
        ships[4],
        ships[5],
    )
    assert times == [f"2024-06-05T12:00:0{end}" for end in ("0.000", "1.500", "2.250", "3.000", "4.120")]
    assert counts[reasons.NO_TIME] == 1


def test_parts_find_each_other(tmp_path: Path) -> None:
    """Parts of two messages are mixed, one part never comes, and one sentence is damaged."""
    one, two, three = (
        list(encode_dict({**STATIC, "mmsi": 219000001 + i}, radio_channel="AB"[i % 2], seq_id=i)) for i in range(3)
    )
    stamp = "\\c:1717588800*00\\"
    broken = sentences(mmsi=219000003)[0].replace(",A,", ",B,", 1)
    mixed = [one[0], two[0], one[1], two[1], three[0], broken, sentences()[0]]
    _, counts = read(tmp_path / "a.log", *(stamp + line for line in mixed), "!AIVDM,1,1,,A,15M")
    assert counts[reasons.STATIC] == 2
    assert counts[reasons.KEPT] == 1
    assert counts[reasons.DAMAGED] == 3


def test_what_is_no_ship_is_counted(tmp_path: Path) -> None:
    stamp = "1717588800 "
    kinds = {4: 2190001, 21: 992190001, 9: 111219001, 8: 219000001, 27: 219000002, 18: 219000003}
    _, counts = read(tmp_path / "a.log", *(stamp + sentences(msg_type=k, mmsi=m)[0] for k, m in kinds.items()))
    assert counts[reasons.KEPT] == 2
    assert counts[reasons.LONG_RANGE] == 1
    for reason in (reasons.BASE_STATION, reasons.AID, reasons.AIRCRAFT, reasons.NO_POSITION):
        assert counts[reason] == 1
