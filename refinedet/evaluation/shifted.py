"""Shift of one file of ships against another, which `score_files` reports where few ships match."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from refinedet.geo.reference import Shapes

_REACH_M = 1000.0
"""Longest shift that is looked for."""
_FEWEST = 5
"""Least number of ships that match with the shift."""
_MOST_PAIRS = 200_000
"""Most pairs of a detection and a ship among which a shift is looked for."""


def shift_note(found: Shapes, there: Shapes, matches: Callable[[Shapes, Shapes], int], centre_m: float) -> str | None:
    """Sentence if a shift of the truth makes at least half of the ships match, and twice as many as now; else None.

    Args:
        found: (N,) detections in metres on a plane.
        there: (M,) ships of the truth on the same plane.
        matches: counts the ships of a one-to-one match.
        centre_m: largest distance of centres of a match.
    """
    from scipy.spatial import KDTree

    fewest = max(_FEWEST, (min(len(found), len(there)) + 1) // 2)
    if min(len(found), len(there)) < fewest or centre_m <= 0:
        return None
    now = matches(found, there)
    if 2 * now >= min(len(found), len(there)):
        return None
    centres = [shapely.get_coordinates(shapely.centroid(one)) for one in (found, there)]
    near = KDTree(centres[0]).query_ball_tree(KDTree(centres[1]), _REACH_M)
    if not 0 < sum(map(len, near)) <= _MOST_PAIRS:
        return None
    apart = np.concatenate([centres[0][i] - centres[1][some] for i, some in enumerate(near) if some])
    alike = KDTree(apart).query_ball_point(apart, centre_m)
    east_m, north_m = np.median(apart[max(alike, key=len)], axis=0)
    shifted = matches(found, np.asarray(shapely.transform(there, lambda xy: np.add(xy, (east_m, north_m))), object))
    if shifted < max(fewest, 2 * now):
        return None
    return (
        f"{shifted} instead of {now} ships would match if the truth lay {east_m:+.0f} m east and {north_m:+.0f} m "
        "north of its place: is one of the two files shifted, or in another reference system?"
    )
