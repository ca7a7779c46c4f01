"""Notes on control points that contradict each other or the size of their scene; a wrong point is left out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from refinedet.geo.exchanged_points import Exchange, exchanged
from refinedet.geo.wrong_points import PointCheck, check_points
from refinedet.raster import GroundControlPoint, RasterInfo, SceneReader
from refinedet.wording import first_of

_FROM_PRODUCTS = ("tags", "product", "name", "rpc")
"""Evidence of points that a product's processor wrote: they follow the terrain, and are not checked."""
_MACHINE_MADE = 50
"""Least number of points in a full grid that no person set: a processor's points follow the terrain, too."""
_FAR, _MANY = 1.5, 0.2
"""Reach of points beyond a scene as a multiple of its size, and share of points outside, at which it may be a part of
the picture that the points are of."""
_LEAST_SET = 3
"""Least number of points that place a scene."""
_LITTLE = 0.5
"""Share of the scene that points span, below which a note tells it."""
_EXCHANGED: dict[Exchange, str] = {
    "places": "latitude and longitude are exchanged",
    "pixels": "column and row are exchanged",
    "either": "latitude and longitude, or column and row, are exchanged",
}


def check_control_points(reader: SceneReader) -> None:
    """Leave out points that contradict the others, and report points that cannot be right."""
    if not reader.info.gcps or reader.info.gcp_evidence in _FROM_PRODUCTS:
        return
    _leave_out_unset(reader)
    note = _on_reach(reader.info)
    if note is not None:
        reader.tell(note)
    which = exchanged(reader.info)
    if which is not None:
        reader.tell(
            f"its control points mirror and turn the picture, as where {_EXCHANGED[which]}: if so, all places are "
            "wrong; exchange them, in the file or by others in `gcps`"
        )
    found = None if _is_machine_made(reader.info) else check_points(reader.info)
    if found is not None and not found.agree:
        reader.tell(
            f"its {len(found.kept)} control points do not agree with each other: they fit one grid only to "
            f"{_distance(float(found.off_m.max()))}, so places and lengths may be wrong; check them, or give others in "
            "`gcps`"
        )
    elif found is not None and not found.kept.all():
        _leave_out(reader, found)


def _leave_out_unset(reader: SceneReader) -> None:
    """Leave out points whose place was never set: it is no number, or that of several pixels, such as 0, 0."""
    pixels = defaultdict(set)
    for point in reader.info.gcps:
        pixels[point.x, point.y].add((point.pixel, point.line))
    points = reader.info.gcps
    known = tuple(p for p in points if np.isfinite((p.x, p.y)).all() and len(pixels[p.x, p.y]) == 1)
    if len(known) < max(_LEAST_SET, len(points) / 2) or len(known) == len(points):
        return
    unset = next(p for p in points if p not in known)
    reader.info = replace(reader.info, gcps=known)
    reader.tell(
        f"{len(points) - len(known)} of its {len(points)} control points have no place of their own, such as "
        f"{_name(unset)} ({unset.x:g}, {unset.y:g}), and are left out; check them, or give others in `gcps`"
    )


def _is_machine_made(info: RasterInfo) -> bool:
    columns, lines = ({getattr(point, side) for point in info.gcps} for side in ("pixel", "line"))
    return len(info.gcps) >= _MACHINE_MADE and len(columns) * len(lines) == len(info.gcps)


def _leave_out(reader: SceneReader, found: PointCheck) -> None:
    points = reader.info.gcps
    wrong = np.flatnonzero(~found.kept)
    shown = first_of([f"{_name(points[k])} by {_distance(float(found.off_m[k]))}" for k in wrong])
    reader.info = replace(reader.info, gcps=tuple(points[k] for k in np.flatnonzero(found.kept)))
    far = (
        "lies far from where the others put it, and is"
        if len(wrong) == 1
        else "lie far from where the others put them, and are"
    )
    reader.tell(
        f"{len(wrong)} of its {len(points)} control points {far} left out: {shown}; check them, or give others "
        "in `gcps`",
        gcps_left_out=[[points[k].pixel, points[k].line] for k in wrong],
    )


def _on_reach(info: RasterInfo) -> str | None:
    """Sentence on points that do not fit the size of the scene; None if they do."""
    pixels = np.array([(point.pixel, point.line) for point in info.gcps])
    size = np.array([info.width, info.height])
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    outside = ~((pixels >= -1) & (pixels <= size + 1)).all(axis=1)
    if (low >= -1).all() and (high > _FAR * size).any() and outside.mean() > _MANY:
        return (
            f"its control points reach to pixel {high[0]:,.0f} and line {high[1]:,.0f}, but it has only {size[0]:,} x "
            f"{size[1]:,} pixels: if it was cut out of a larger picture, all places are wrong; cut it again with "
            "gdal_translate -srcwin, which moves the points, or give others in `gcps`"
        )
    if outside.all():
        return "none of its control points lies in the scene: its places are extrapolated, and may be wrong"
    spanned = float(np.prod(np.clip(np.minimum(high, size) - np.maximum(low, 0), 0, None) / size))
    if spanned < _LITTLE:
        return (
            f"its control points span only {spanned:.0%} of the scene, from pixel {low[0]:,.0f} to {high[0]:,.0f} and "
            f"from line {low[1]:,.0f} to {high[1]:,.0f} of {size[0]:,} x {size[1]:,}: places outside of them are "
            "extrapolated; if the picture was enlarged after the points were set, all places are wrong; give points "
            "that span it in `gcps`"
        )
    return None


def _name(point: GroundControlPoint) -> str:
    return f"that at pixel {point.pixel:g}, line {point.line:g}"


def _distance(metres: float) -> str:
    return f"{metres / 1000:.3g} km" if metres >= 1000 else f"{metres:.0f} m"
