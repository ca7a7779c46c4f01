"""Times in the names of scenes: those of the image, never those of its processing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.scene.input.name_time import time_in_name

TIMES = st.datetimes(datetime(1978, 1, 1), datetime(2098, 1, 1)).map(  # noqa: DTZ001 - the zone comes here
    lambda time: time.replace(microsecond=0, tzinfo=UTC)
)
FORMS = (
    "%Y%m%dT%H%M%S",
    "%Y%m%dt%H%M%SZ",
    "%Y%m%d_%H%M%S",
    "%Y%m%d-%H%M%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H-%M-%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d-%H-%M-%S",
    "%Y_%m_%d_%H_%M_%S",
    "%Y-%m-%dT%H%M%S",
    "%Y-%m-%d %H.%M.%S",
)


@given(TIMES, st.sampled_from(FORMS), st.sampled_from(["", "scene_", "ICEYE_X2_GRD_SM_", "x1.", "über-"]))
def test_a_time_in_any_form_is_found(time: datetime, form: str, before: str) -> None:
    for after in ("", "_GRD", ".vv", "-001"):
        assert time_in_name(f"{before}{time.strftime(form)}{after}") == time


@given(TIMES, st.timedeltas(timedelta(0), timedelta(days=365)), st.sampled_from(FORMS[:5]), st.booleans())
def test_of_several_times_the_earliest_is_that_of_the_image(
    time: datetime, later: timedelta, form: str, turned: bool
) -> None:
    both = [time.strftime(form), (time + later).strftime(form)]
    assert time_in_name("_".join(["scene", *(both[::-1] if turned else both), "v1"])) == time


@given(TIMES, TIMES, st.sampled_from(["processed", "exported_on", "created", "proc", "Downloaded-at"]))
def test_a_time_of_processing_is_none_of_the_image(time: datetime, made: datetime, word: str) -> None:
    stamp = made.strftime("%Y%m%dT%H%M%S")
    assert time_in_name(f"scene_{word}_{stamp}") is None
    assert time_in_name(f"scene_{time:%Y%m%dT%H%M%S}_{word}_{stamp}") == time


@given(TIMES, TIMES, TIMES)
def test_of_a_sentinel1_name_the_first_time_after_the_mission_counts(
    start: datetime, stop: datetime, other: datetime
) -> None:
    times = f"{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
    assert time_in_name(f"S1A_IW_GRDH_1SDV_{times}_045268_056950_0664") == start
    assert time_in_name(f"subset_{other:%Y%m%d_%H%M%S}_of_S1A_IW_GRDH_1SDV_{times}_045268_056950_0664_Orb_Cal") == start


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("s1a-iw-grd-vv-20221002t205126-20221002t205156-045268-056950-001", "2022-10-02T20:51:26"),
        ("s1a_33NWB_vv_DES_007_20200108t044150", "2020-01-08T04:41:50"),
        ("S1A_IW_20210701T120102_DVP_RTC10_G_gpuned_ABCD_VV", "2021-07-01T12:01:02"),
        ("OPERA_L2_RTC-S1_T047-100908-IW3_20200702T133137Z_20230808T180000Z_S1A_30_v1.0", "2020-07-02T13:31:37"),
        ("RS2_OK1234_PK5678_DK91011_F2_20080415_143805_HH_SGF", "2008-04-15T14:38:05"),
        ("TSX1_SAR__MGD_SE___SM_S_SRA_20110201T160010_20110201T160018", "2011-02-01T16:00:10"),
        ("CAPELLA_C02_SM_GEO_HH_20210101120000_20210101120005", "2021-01-01T12:00:00"),
        ("2023-01-05-14-43-50_UMBRA-04_GEC", "2023-01-05T14:43:50"),
        ("CSKS1_GEC_B_HI_01_HH_RA_SF_20140101120000_20140101120007", "2014-01-01T12:00:00"),
        ("20210799_20210701_120102", "2021-07-01T12:01:02"),
        ("s1a_33NWB_vv_DES_007_20200108txxxxxx", None),
        ("GF3_SAY_UFS_000605_E120.0_N30.0_20160919_L1A_HH_L10001849735", None),
        ("ALOS2014410740-140829-UBDR1.5RUD", None),
        ("scene_20211301T120102", None),
        ("scene_20210701T126102", None),
        ("120210701T120102", None),
        ("20210701T1201020", None),
        ("18500701T120102", None),
        ("scene", None),
        ("", None),
    ],
)
def test_names_as_they_occur(name: str, time: str | None) -> None:
    assert time_in_name(name) == (None if time is None else datetime.fromisoformat(time).replace(tzinfo=UTC))


@given(st.text(max_size=80))
def test_any_name_is_survived(name: str) -> None:
    time_in_name(name)
