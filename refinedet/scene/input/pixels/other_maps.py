"""Rasters that lie beside radar images in the folders of processors and are none: angles, masks, heights, phases."""

from __future__ import annotations

import re
from pathlib import PurePath

from refinedet.errors import InputError
from refinedet.raster import RasterFile
from refinedet.scene.input.pixels.bands import NO_IMAGE, has_polarisation, role_of

_SURE = (
    (r"(inc|inc_map|inc_map_ell|incidence|lia|lv_theta|lv_phi)|\w*incidence_?angle\w*", "an incidence or look angle"),
    (r"(ls|ls_map)|layover_?shadow\w*", "a map of layover and shadow"),
    (r"coh|coherence|s1[a-d]{2}_\w+_corr", "a coherence"),  # "corr" alone may mean that an image was corrected
    (r"unw_phase|wrapped_phase|phase|ifg|\w*_disp|los_disp", "a phase or a displacement"),
    (r"[ns]\d{2}[ew]\d{3}_\d{2}_linci\w*", "an incidence or look angle"),
    (r"[ns]\d{2}[ew]\d{3}_\d{2}_date\w*", "the dates of observation"),
    (r"[ns]\d{2}[ew]\d{3}_\d{2}_mask\w*", "a mask"),
    (r"scattering_?area\w*|gamma_sigma_ratio|pix_area\w*", "a scattering area"),
    (r"number_of_looks", "a number of looks"),
    (r"rtc_anf\w*", "a factor of calibration"),
    (r"\w*ratio|(vv|vh|hh|hv)_?(div|over|by|minus)_?(vv|vh|hh|hv)", "a ratio of two bands"),
    (r"entropy|anisotropy|texture|glcm\w*|std|stdev|std_?dev|variance", "an entropy, a texture or a deviation"),
)
"""Last words in the names of files that are no image, by HyP3, SNAP, pyroSAR, OPERA, S1Tiling and ALOS's mosaics."""
_UNSURE = (
    (r"dem|elevation|height", "a height"),
    (r"area", "a scattering area"),
    (r"(border_?)?mask|valid|quality", "a mask"),
    (r"angle|(sin_|cos_)?lia_\w+", "an angle"),
)
"""Last words that names of images may have, too, so that the pixels must agree."""
_NAMES = {
    "angle": "an angle",
    "mask": "a mask",
    "height": "a height",
    "ratio": "a ratio of two bands",
    "derived": "a coherence, phase, count or texture",
}
"""Roles of bands that are no image, in sentences."""


def refuse_other_map(path: RasterFile, band: str, *, looks_like_image: bool) -> None:
    """Refuse a raster of one band whose name says that it is no radar image.

    Args:
        path: the file.
        band: name of its only band, empty where unknown.
        looks_like_image: whether its pixels are speckled.

    Raises:
        InputError: it is no radar image.
    """
    role = role_of(band)
    by_band = role in NO_IMAGE and not has_polarisation(band)
    found = _NAMES[role] if role is not None and by_band else _by_file_name(path, looks_like_image=looks_like_image)
    if found is not None:
        raise InputError(
            f"expected a radar image in {path}, found {found} by its name; leave it out, or name its band by `band` to "
            "search it all the same"
        )


def _by_file_name(path: RasterFile, *, looks_like_image: bool) -> str | None:
    """Kind of map that a file is by its name; None if it may be an image."""
    stem = re.sub(r"[-. ]", "_", PurePath(path.name).stem.lower())
    known = _SURE if looks_like_image else (*_SURE, *_UNSURE)
    return next((kind for words, kind in known if re.search(rf"(?:^|_)(?:{words})$", stem)), None)
