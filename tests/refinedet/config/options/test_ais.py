"""Settings of AIS: what belongs together, and what does not apply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from refinedet.config.options.ais import AisSettings, RadarView
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import InputError

FILES = (Path("a.csv"),)


@pytest.mark.parametrize(
    ("settings", "say"),
    [
        ({"ais_gap_min": 5.0}, "`ais_gap_min`: expected none without `ais`"),
        ({"ais_date_order": "day-first"}, "`ais_date_order`: expected none without `ais`"),
        ({"ais_columns": ("mmsi=A",)}, "`ais_columns`: expected none without `ais`"),
        ({"platform_heading": 1.0, "incidence": 30.0}, "`platform_heading`: expected none without `ais`"),
        ({"ais": FILES, "platform_heading": 1.0}, "`incidence`: expected a number beside `platform_heading`|"),
        ({"ais": FILES, "altitude_km": 500.0}, "`altitude_km`: expected none without `platform_heading`"),
        ({"ais": FILES, "ais_columns": ("=A",)}, "FIELD=COLUMN"),
        ({"ais": ()}, "at least one file"),
    ],
)
def test_what_does_not_apply_is_refused(settings: dict[str, Any], say: str) -> None:
    with pytest.raises(InputError, match=say):
        AisSettings(**settings)


def test_settings_by_name_become_paths_and_columns() -> None:
    made = DetectSettings.of(ais="~/a.csv", ais_columns=["mmsi=A=B"]).ais
    assert made.ais == (Path("~/a.csv").expanduser(),)
    assert made.columns == {"mmsi": "A=B"}
    assert (made.gap_min, made.stated) == (30.0, False)
    assert DetectSettings.of(ais=["a.csv", Path("b.csv")]).ais.ais == (Path("a.csv"), Path("b.csv"))
    assert RadarView(platform_heading=0.0, incidence=30.0).stated


def test_files_of_ais_become_absolute_for_workers_elsewhere() -> None:
    made = DetectSettings.of(ais=["a.csv"], gcps="b.csv").absolute()
    assert made.ais.ais == (Path("a.csv").absolute(),)
    assert made.scene.gcps == Path("b.csv").absolute()
