"""Viewing geometry of a Sentinel-1 raster for its record: the radar, and time, range and direction at some places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.position import azimuths_deg
from refinedet.scene.sentinel1.annotation import SPEED_OF_LIGHT_M_S, Annotation, Grid

_LINES, _PIXELS = 4, 6
"""Largest numbers of nodes along the track and across it; a quadratic through them is accurate to 0.1 %."""


def view_of(annotation: Annotation) -> dict[str, Any]:
    """Viewing geometry at nodes of the geolocation grid, ready for JSON.

    Keys: `start`, the time of second 0 (UTC); `look`, the side; and `nodes`, each [longitude, latitude, seconds after
    the start, metres of displacement per m/s of radial speed, incidence, direction of flight] in degrees and seconds.
    """
    grid = annotation.grid
    lines, pixels = np.unique(grid.line), np.unique(grid.pixel)
    chosen = np.isin(grid.line, _spread(lines, _LINES)) & np.isin(grid.pixel, _spread(pixels, _PIXELS))
    seen = annotation.geometry(np.stack([grid.pixel, grid.line], axis=1)[chosen] + 0.5)
    ground_m_s = annotation.azimuth_spacing_m / annotation.line_s
    nodes = np.stack(
        [
            *(grid.longitude[chosen], grid.latitude[chosen], grid.seconds[chosen]),
            seen.slant_range_m * ground_m_s / seen.velocity_m_s**2,
            np.degrees(seen.incidence_rad),
            _track(grid)[chosen],
        ],
        axis=1,
    )
    return {"start": annotation.first_line.isoformat() + "Z", "look": "right", "nodes": nodes.round(6).tolist()}


def radar_of(annotation: Annotation) -> dict[str, Any]:
    """Radar and image properties of an annotation, ready for JSON; the same for all polarisations of a product.

    Keys: `platform`, `mode` (IW, EW or S1 to S6), `product_type`, `frequency_ghz`, `spacing_m` [across, along track],
    `look` and `orbit_pass`, in the words of the SAR extension of STAC.
    """
    return {
        "platform": f"sentinel-1{annotation.mission[-1:].lower()}",
        "mode": annotation.mode,
        "product_type": annotation.product_type,
        "frequency_ghz": round(SPEED_OF_LIGHT_M_S / annotation.wavelength_m / 1e9, 6),
        "spacing_m": [annotation.range_spacing_m, annotation.azimuth_spacing_m],
        "look": "right",
        "orbit_pass": annotation.orbit_pass.lower(),
    }


def _spread(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most `most` evenly spaced values, with the first and the last."""
    return np.asarray(values[np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))])


def _track(grid: Grid) -> NDArray[np.float64]:
    """Direction of flight (G,) at each point: towards the next point of its column, or away from the previous one."""
    order = np.lexsort((grid.line, grid.pixel))
    places = np.stack([grid.longitude, grid.latitude], axis=1)[order]
    forward = azimuths_deg(places[:-1], places[1:])
    same = grid.pixel[order][:-1] == grid.pixel[order][1:]
    found = np.full(len(order), np.nan)
    found[1:][same] = forward[same]
    found[:-1][same] = forward[same]
    track = np.empty(len(order))
    track[order] = np.where(np.isnan(found), np.nanmedian(found), found)
    return track
