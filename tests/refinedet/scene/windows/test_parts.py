"""Parts of a window show all that stands out with a margin, in few pixels; of two, each owns what lies nearest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.boxes import shift
from refinedet.detections import Detections
from refinedet.scene.windows.parts import Part, joined, part_around, parts_around
from refinedet.scene.windows.prescreen import Flags
from refinedet.tiling import PART_SIDES, Window, letterbox

WINDOW = Window(0, 0, 512, 512)


def flags_at(*things: tuple[int, int, int, int]) -> Flags:
    flags = np.zeros((256, 256), np.bool_)
    for y, x, height, width in things:
        flags[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = True
    return flags


def places(*things: tuple[int, int, int, int]) -> list[Window]:
    return [part.place for part in parts_around(WINDOW, flags_at(*things), WINDOW)]


@pytest.mark.parametrize("side", [128, 131, 506, 511, 512, 1199])
def test_parts_of_windows_fit_the_canvases_that_graphs_are_compiled_for(side: int) -> None:
    input_px, stride = 512, 64
    for reach in range(1, side, 3):
        part = part_around(Window(0, 0, side, side), Window(0, 0, reach, reach))
        long_side = round(part.width * input_px / side)
        box = letterbox(part.width, part.height, long_side, stride)
        assert (box.canvas_width, box.canvas_height) in ((192, 192), (320, 320), (512, 512))


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 200), st.integers(1, 200), st.booleans())
@settings(max_examples=300)
def test_a_part_of_a_window_holds_what_was_found_and_what_is_around_it(
    y: int, x: int, high: int, wide: int, low: bool
) -> None:
    window = Window(1000, 2000, 300 if low else 512, 512)
    bottom, right = min(y + high, window.height), min(x + wide, 512)
    y, x = min(y, bottom - 1), min(x, right - 1)
    found = Window(1000 + y, 2000 + x, bottom - y, right - x)
    part = part_around(window, found)
    for low_, high_, first, size, start, side in (
        (found.y, found.y + found.height, window.y, window.height, part.y, part.height),
        (found.x, found.x + found.width, window.x, window.width, part.x, part.width),
    ):
        assert first <= start <= max(first, low_ - 64)
        assert min(first + size, high_ + 64) <= start + side <= first + size
    needs = max(
        min(found.x + found.width + 64, 2512) - max(found.x - 64, 2000),
        min(found.y + found.height + 64, 1000 + window.height) - max(found.y - 64, 1000),
    )
    assert part.width == next(side for side in (192, 320, 512) if needs <= side)


def test_things_far_apart_get_parts_of_their_own() -> None:
    assert places() == []
    assert places((100, 100, 6, 6)) == [Window(7, 7, 192, 192)]
    assert places((100, 100, 6, 6), (400, 100, 6, 6)) == [Window(7, 7, 192, 192), Window(307, 7, 192, 192)]
    assert places((100, 100, 6, 6), (100, 400, 6, 6)) == [Window(7, 7, 192, 192), Window(7, 307, 192, 192)]
    corners = [(y, x, 6, 6) for y in (20, 480) for x in (20, 480)]
    assert places(*corners) == [Window(y, x, 192, 192) for y in (0, 320) for x in (0, 320)]


def test_things_near_one_another_share_a_part() -> None:
    assert len(places((100, 100, 6, 6), (232, 100, 6, 6))) == 1
    assert len(places((100, 100, 6, 6), (234, 100, 6, 6))) == 2
    wide = places((20, 20, 100, 400), (480, 20, 6, 400))
    assert wide == [WINDOW]  # two whole windows would be no fewer pixels


@given(st.lists(st.tuples(st.integers(0, 240), st.integers(0, 240)), min_size=1, max_size=8))
@settings(max_examples=200)
def test_parts_show_all_that_stands_out_in_no_more_pixels_than_one(spots: list[tuple[int, int]]) -> None:
    flags = flags_at(*((2 * y, 2 * x, 6, 6) for y, x in spots))
    parts = parts_around(WINDOW, flags, WINDOW)
    seen, cores = np.zeros_like(flags), np.zeros_like(flags, np.uint8)
    for place, core in parts:
        assert place.width in {int(share * 512) for share in (*PART_SIDES, 1)}
        seen[place.y // 2 : -(-(place.y + place.height) // 2), place.x // 2 : -(-(place.x + place.width) // 2)] = True
        cores[core.y // 2 : (core.y + core.height) // 2, core.x // 2 : (core.x + core.width) // 2] += 1
    assert seen[flags].all()
    assert (cores[flags] == 1).all()
    assert sum(place.height * place.width for place, _ in parts) <= 512 * 512


def test_a_thing_that_two_parts_see_comes_from_the_part_whose_core_is_nearest() -> None:
    near, far = Window(100, 100, 10, 10), Window(100, 300, 10, 10)
    parts = [Part(Window(9, 9, 192, 192), near), Part(Window(9, 150, 192, 192), far)]
    both = np.array([[100, 100, 112, 108], [180, 100, 190, 110], [215, 100, 225, 110]], np.float32)
    found = [
        Detections.of(shift(both, -part.place.x, -part.place.y), [0.5 + 0.1 * i, 0.4, 0.3], [0, 0, 0])
        for i, part in enumerate(parts)
    ]
    one = joined(parts, found)
    np.testing.assert_array_equal(one.boxes_xyxy, both)
    np.testing.assert_array_equal(one.scores, np.float32([0.5, 0.4, 0.3]))
    assert len(joined(parts, [Detections.empty(), found[1]])) == 1
