"""The page of the quicklook: nothing overlaps and nothing leaves it, whatever the scene."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.scene.output.quicklook_layout import (
    CAPTION_PX,
    CELL_PX,
    FOOT_PX,
    HEAD_PX,
    MARGIN_PX,
    layout,
    place_labels,
)


def apart(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


@given(st.integers(1, 200_000), st.integers(1, 200_000), st.integers(0, 12))
def test_panels_stay_on_a_page_of_bounded_size_and_off_each_other(width: int, height: int, shown: int) -> None:
    page = layout(width, height, shown)
    scene = (MARGIN_PX, HEAD_PX, MARGIN_PX + page.scene[0], HEAD_PX + page.scene[1] + FOOT_PX)
    cells = [(x, y, x + CELL_PX, y + CELL_PX + CAPTION_PX) for x, y in page.cells]
    assert len(cells) == shown
    panels = [(*scene[:3], scene[3] - FOOT_PX), *cells]
    assert all(apart(a, b) for a, b in combinations(panels, 2))
    assert max(panel[2] for panel in panels) + MARGIN_PX <= page.page[0] <= 4000
    assert max(panel[3] for panel in [scene, *cells]) <= page.page[1] <= 3000
    assert max(page.scene) >= min(96, 12 * min(width, height))
    assert page.scene == pytest.approx((width * page.scale[0], height * page.scale[1]), abs=1)


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((2048, 2048), None),
        ((25_117, 19_497), None),
        ((100_000, 10), "height drawn 637 times larger"),
        ((60, 9_000), "width drawn 13 times larger"),
        ((8, 8), None),
        ((1, 1), None),
    ],
)
def test_what_is_not_to_scale_is_said(size: tuple[int, int], said: str | None) -> None:
    assert layout(*size, 12).stretched == said


def test_cut_outs_lie_beside_a_scene_that_would_leave_half_of_the_page_empty() -> None:
    narrow, wide = layout(756, 550, 12), layout(2048, 1024, 12)
    assert all(x > MARGIN_PX + narrow.scene[0] for x, _ in narrow.cells)
    assert all(y > HEAD_PX + wide.scene[1] for _, y in wide.cells)


def test_labels_never_cover_each_other_and_the_first_are_always_there() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 380, (300, 2))
    marks = np.concatenate([corners, corners + 15], axis=1)
    places = place_labels(marks, [(20.0, 12.0)] * 300, (0, 0, 400, 400), required=12)
    assert None not in places[:12]
    assert None in places
    rects = [(x, y, x + 20, y + 12) for x, y in filter(None, places[12:])]
    assert len(rects) > 50
    assert all(apart(a, b) for a, b in combinations(rects, 2))
    assert all(x1 >= 0 and y1 >= 0 and x2 <= 400 and y2 <= 400 for x1, y1, x2, y2 in rects)


def test_a_label_lies_on_no_other_mark_if_another_corner_is_free() -> None:
    marks = np.array([(100.0, 100.0, 120.0, 120.0), (125.0, 80.0, 145.0, 100.0)])
    first, _ = place_labels(marks, [(20.0, 12.0)] * 2, (0, 0, 400, 400), required=0)
    assert first == (120.0, 120.0)  # below, since the second mark is at the corner above
