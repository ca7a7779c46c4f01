"""Angles, masks, heights and phases are no scenes; images whose names sound like them are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.input.pixels.other_maps import refuse_other_map
from refinedet.scene.source import open_source

_HYP3 = "S1A_IW_20240101T060000_DVP_RTC10_G_gpuned_AAAA"
_OPERA = "OPERA_L2_RTC-S1-STATIC_T042-088921-IW2_20140403_S1A_30_v1.0"


@pytest.mark.parametrize(
    ("file", "band", "kind"),
    [
        (f"{_HYP3}_inc_map.tif", "", "an incidence or look angle"),
        (f"{_HYP3}_ls_map.tif", "", "a map of layover and shadow"),
        ("S1AA_20240101_VVP012_INT40_G_ueF_AAAA_corr.tif", "", "a coherence"),
        ("S1AA_20240101_VVP012_INT40_G_ueF_AAAA_unw_phase.tif", "", "a phase or a displacement"),
        ("projectedLocalIncidenceAngle.tif", "", "an incidence or look angle"),
        ("S1A__IW___A_20240101T060000_inc_geo.angle.tif", "localIncidenceAngle", "an angle"),
        ("N55E007_20_linci_F02DAR.tif", "", "an incidence or look angle"),
        ("N55E007_20_date_F02DAR.tif", "", "the dates of observation"),
        ("S05W060_15_mask_F02DAR.tif", "", "a mask"),
        (f"{_OPERA}_number_of_looks.tif", "", "a number of looks"),
        (f"{_OPERA}_rtc_anf_gamma0_to_beta0.tif", "", "a factor of calibration"),
        (f"{_OPERA}_local_incidence_angle.tif", "", "an incidence or look angle"),
        ("S1A_20240101_VV_VH_ratio.tif", "", "a ratio of two bands"),
        ("vv_div_vh.tif", "", "a ratio of two bands"),
        ("pix_area_gamma_sigma_ratio.tif", "", "a scattering area"),
        ("S1A_20240101_Entropy.tif", "", "an entropy, a texture or a deviation"),
        ("S1_2024_VV_stdDev.tif", "", "an entropy, a texture or a deviation"),
        ("scene.tif", "elevation", "a height"),
        ("scene.tif", "layover_shadow_mask", "a mask"),
        ("scene.tif", "coh", "a coherence, phase, count or texture"),
    ],
)
def test_a_name_says_that_it_is_no_image(file: str, band: str, kind: str) -> None:
    with pytest.raises(InputError, match=f"expected a radar image in {file}, found {kind} by its name"):
        refuse_other_map(Path(file), band, looks_like_image=True)


@pytest.mark.parametrize(
    ("file", "band"),
    [
        (f"{_HYP3}_VV.tif", ""),
        ("bay_area.tif", ""),
        ("N55E007_20_sl_HH_F02DAR.tif", ""),
        ("scene_20_date.tif", ""),
        ("S1A_20240101_corr.tif", ""),
        ("sea_mask.tif", "VV_masked"),
        ("triangle.tif", ""),
        ("ratios_of_2024.tif", ""),
        ("low_contrast.tif", ""),
        ("S1_VV_VH.tif", ""),
        ("corridor.tif", "Sigma0_VV_use_local_incidence_angle_from_dem"),
        ("scene.tif", "VH"),
    ],
)
def test_an_image_may_sound_like_it(file: str, band: str) -> None:
    refuse_other_map(Path(file), band, looks_like_image=True)


_MAPS = (
    f"{_HYP3}_dem.tif",
    f"{_HYP3}_area.tif",
    "land-mask.tif",
    "s1a_31TCH_vv_ASC_110_20240101t060000_BorderMask.tif",
    "sin_LIA_s1a_31TCH_ASC_110.tif",
    "angle.tif",
)


@pytest.mark.parametrize("file", _MAPS)
def test_the_pixels_decide_on_other_names(tmp_path: Path, file: str) -> None:
    refuse_other_map(Path(file), "", looks_like_image=True)
    slope = np.tile(np.linspace(20, 40, 256, dtype=np.float32), (256, 1))
    write_scene(tmp_path / file, slope)
    with pytest.raises(InputError, match="by its name; leave it out, or name its band by `band`"):
        open_source(tmp_path / file).__enter__()
    with open_source(tmp_path / file, SceneSettings(band=1)) as reader:
        assert not any("does not look like a radar image" in note for note in reader.notes)
