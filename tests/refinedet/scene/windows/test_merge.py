"""Through windows or on the whole scene: the same ships. A perfect detector stands in for the network."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.boxes import Boxes, area, as_boxes, clip, iou, shift
from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.scene.windows import merge
from refinedet.scene.windows.merge import Merged, merge_windows
from refinedet.tiling import Window, windows

Parts = list[tuple[Window, Detections]]


def see(ships: Boxes, window: Window, rng: np.random.Generator, jitter_px: float) -> Detections:
    """Detections of a detector that is right to within `jitter_px`, in a window, in scene pixels."""
    size = ships[:, 2:] - ships[:, :2]
    noise = rng.uniform(-jitter_px, jitter_px, ships.shape) * np.minimum(1, np.tile(size, 2) / 16)
    noisy = as_boxes(ships + noise)
    local = clip(shift(noisy, -window.x, -window.y), window.width, window.height)
    visible = area(local) >= np.minimum(8, area(noisy))
    boxes = shift(local[visible], window.x, window.y)
    return Detections.of(boxes, rng.uniform(0.5, 1.0, len(boxes)), np.zeros(len(boxes)))


def detect(ships: Boxes, grid: list[Window], jitter_px: float = 0.0, seed: int = 0) -> Parts:
    rng = np.random.default_rng(seed)
    return [(window, see(ships, window, rng, jitter_px)) for window in grid]


def scatter(
    rng: np.random.Generator, size: tuple[int, int], lengths: list[float], grid: list[Window], gap: float
) -> Boxes:
    """Boxes that keep `gap` pixels apart; half of them lie on a seam or corner of the grid."""
    kept = np.zeros((0, 4), np.float32)
    for length in lengths:
        side = np.array([length, max(3.0, length * rng.uniform(0.15, 1))])
        side = np.minimum(side if rng.random() < 0.5 else side[::-1], np.array(size) - 1.0)
        middle = rng.uniform(0, size)
        if rng.random() < 0.5:
            window = grid[rng.integers(len(grid))]
            corner = np.array([window.x, window.y]) + rng.integers(0, 2, 2) * np.array([window.width, window.height])
            middle = np.where(rng.random(2) < 0.7, corner + rng.uniform(-1, 1, 2) * side / 2, middle)
        start = np.clip(np.round(middle - side / 2), 0, np.array(size) - side)
        box = as_boxes([[*start, *(start + side)]])
        grown = as_boxes(box + np.array([-gap, -gap, gap, gap], np.float32))
        if not len(kept) or iou(grown, kept).max() == 0:
            kept = np.concatenate([kept, box])
    return kept


def by_place(boxes: Boxes) -> Boxes:
    return boxes[np.lexsort(boxes.T[::-1])]


def nearest_error(found: Boxes, truth: Boxes) -> float:
    """Largest coordinate error when each true box takes the found box nearest to it."""
    if not len(truth):
        return 0.0
    return float(np.abs(found[None] - truth[:, None]).max(axis=2).min(axis=1).max())


@st.composite
def scenes(draw: st.DrawFn, shortest: float, longest: float) -> tuple[Boxes, list[Window], int]:
    """Ships from `shortest` to `longest` overlaps long, and the windows of their scene."""
    tile = draw(st.integers(64, 300))
    overlap = draw(st.integers(16, tile * 2 // 3))
    width, height = draw(st.integers(tile // 2, 5 * tile)), draw(st.integers(tile // 2, 4 * tile))
    grid = windows(width, height, TileConfig(tile_px=tile, overlap_px=overlap))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(0, 25))
    lengths = rng.uniform(max(4.0, shortest * overlap), longest * overlap, count)
    return scatter(rng, (width, height), lengths.tolist(), grid, gap=3), grid, seed


@given(scenes(0, 1))
@settings(max_examples=150, deadline=None)
def test_ships_no_longer_than_the_overlap_are_found_once_whole_and_not_joined(
    scene: tuple[Boxes, list[Window], int],
) -> None:
    ships, grid, _ = scene
    merged = merge_windows(detect(ships, grid), grid)
    np.testing.assert_array_equal(by_place(merged.detections.boxes_xyxy), by_place(ships))
    assert not merged.cut.any()
    assert not merged.joined.any()


@given(scenes(0, 1))
@settings(max_examples=150, deadline=None)
def test_a_detector_that_is_off_by_two_pixels_still_finds_each_ship_once(
    scene: tuple[Boxes, list[Window], int],
) -> None:
    ships, grid, seed = scene
    merged = merge_windows(detect(ships, grid, jitter_px=2.0, seed=seed), grid)
    assert len(merged.detections) == len(ships)
    assert nearest_error(merged.detections.boxes_xyxy, ships) <= 2.0
    assert not merged.joined.any()


@given(scenes(1, 4), st.sampled_from([0.0, 2.0]))
@settings(max_examples=150, deadline=None)
def test_longer_ships_are_joined_from_their_fragments(scene: tuple[Boxes, list[Window], int], jitter_px: float) -> None:
    ships, grid, seed = scene
    merged = merge_windows(detect(ships, grid, jitter_px, seed), grid)
    assert len(merged.detections) == len(ships)
    assert nearest_error(merged.detections.boxes_xyxy, ships) <= jitter_px
    assert not merged.cut.any()


@given(scenes(0, 3), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_windows_does_not_matter(scene: tuple[Boxes, list[Window], int], random: Random) -> None:
    ships, grid, seed = scene
    parts = detect(ships, grid, 2.0, seed)
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert_equal(merge_windows(parts, grid), merge_windows(shuffled, [window for window, _ in shuffled]))


def assert_equal(a: Merged, b: Merged) -> None:
    np.testing.assert_array_equal(a.detections.boxes_xyxy, b.detections.boxes_xyxy)
    np.testing.assert_array_equal(a.detections.scores, b.detections.scores)
    np.testing.assert_array_equal(a.joined, b.joined)
    np.testing.assert_array_equal(a.cut, b.cut)


TWO = [Window(0, 0, 100, 100), Window(0, 60, 100, 100)]
"""A scene of 160 x 100 pixels in two windows that share x = 60..100; the seam is at x = 80."""


def ships_of(*boxes: tuple[float, float, float, float], score: float = 0.9, label: int = 0) -> Detections:
    return Detections.of(boxes, [score] * len(boxes), [label] * len(boxes))


@pytest.mark.parametrize("gap", [0, 1, 3], ids=["touching", "one pixel apart", "three pixels apart"])
@pytest.mark.parametrize("length", [8, 38, 90], ids=["small", "as long as the overlap", "longer than the overlap"])
def test_two_ships_moored_side_by_side_on_a_seam_stay_two(length: int, gap: int) -> None:
    x1 = 80 - length // 2
    ships = as_boxes([[x1, 30, x1 + length, 37], [x1, 37 + gap, x1 + length, 44 + gap]])
    for seed in range(20):
        merged = merge_windows(detect(ships, TWO, 1.0, seed), TWO)
        assert len(merged.detections) == 2
        assert nearest_error(merged.detections.boxes_xyxy, ships) <= 1.0


@pytest.mark.parametrize("rows", [1, 2], ids=["cut by one seam", "cut by four windows"])
def test_windows_that_merely_adjoin_join_what_they_cut(rows: int) -> None:
    grid = [Window(y, x, 64, 64) for y in range(0, 64 * rows, 64) for x in (0, 64, 128)]
    middle = 32 * rows
    ships = as_boxes([[40, middle - 9, 150, middle + 9], [10, 5, 20, 9]])
    merged = merge_windows(detect(ships, grid), grid)
    np.testing.assert_array_equal(by_place(merged.detections.boxes_xyxy), by_place(ships))
    assert merged.joined.tolist() == (merged.detections.boxes_xyxy[:, 2] > 64).tolist()
    assert not merged.cut.any()


def test_a_ship_across_five_windows_is_joined_and_takes_the_best_score() -> None:
    grid = windows(1000, 64, TileConfig(tile_px=64, overlap_px=16))
    ship = as_boxes([[100, 20, 310, 40]])
    parts = detect(ship, grid, seed=3)
    merged = merge_windows(parts, grid)
    np.testing.assert_array_equal(merged.detections.boxes_xyxy, ship)
    assert merged.joined.tolist() == [True]
    assert merged.detections.scores[0] == max(float(d.scores.max()) for _, d in parts if len(d))


def test_a_whole_view_wins_over_the_fragment_next_door_even_in_foreign_pixels() -> None:
    parts = [(TWO[0], ships_of((20, 10, 95, 30), score=0.6)), (TWO[1], ships_of((60, 10, 95, 30), score=0.9))]
    merged = merge_windows(parts, TWO)
    assert merged.detections.boxes_xyxy.tolist() == [[20, 10, 95, 30]]
    assert merged.detections.scores.tolist() == pytest.approx([0.6])
    assert not merged.joined.any()


def test_a_false_alarm_in_pixels_that_another_window_owns_is_dropped() -> None:
    parts = [(TWO[0], ships_of((90, 50, 94, 54))), (TWO[1], ships_of((90, 10, 94, 14)))]
    assert merge_windows(parts, TWO).detections.boxes_xyxy.tolist() == [[90, 10, 94, 14]]


@pytest.mark.parametrize("x", [76, 84], ids=["just on this side of the seam", "just beyond the seam"])
def test_near_a_seam_one_window_is_enough(x: int) -> None:
    assert len(merge_windows([(TWO[0], ships_of((x - 3, 50, x + 3, 56)))], TWO).detections) == 1


FOUR = [Window(y, x, 100, 100) for y in (0, 60) for x in (0, 60)]
"""A scene of 160 x 160 pixels in four windows; seams at 80."""


def test_what_its_owner_cuts_and_misses_stands_where_two_others_agree_on_it() -> None:
    below = [(FOUR[2], ships_of((10, 66, 99, 74))), (FOUR[3], ships_of((61, 66, 150, 74)))]  # owned by the row above
    assert merge_windows(below, FOUR).detections.boxes_xyxy.tolist() == [[10, 66, 150, 74]]
    assert len(merge_windows(below[:1], FOUR).detections) == 0, "one alone is a false alarm in foreign pixels"


def test_a_large_fragment_that_nobody_completes_is_kept_and_flagged() -> None:
    merged = merge_windows([(TWO[1], ships_of((60, 10, 140, 30)))], TWO)
    assert merged.detections.boxes_xyxy.tolist() == [[60, 10, 140, 30]]
    assert merged.cut.tolist() == [True]
    assert merged.joined.tolist() == [False]


def test_a_second_fragment_within_a_ship_is_not_a_second_ship() -> None:
    parts = [(TWO[0], ships_of((5, 10, 98, 30))), (TWO[1], ships_of((60, 10, 150, 30), (60, 12, 130, 20)))]
    merged = merge_windows(parts, TWO)
    assert merged.detections.boxes_xyxy.tolist() == [[5, 10, 150, 30]]


def test_classes_are_never_mixed() -> None:
    both = Detections.of([(70, 10, 90, 20)] * 2, [0.9, 0.8], [0, 1])
    merged = merge_windows([(TWO[0], both), (TWO[1], both)], TWO)
    assert merged.detections.labels.tolist() == [0, 1]


def test_views_of_one_window_are_never_merged() -> None:
    boxes = [(10.0, 10.0, 30.0, 20.0), (11.0, 10.0, 31.0, 20.0)]
    assert len(merge_windows([(TWO[0], ships_of(*boxes))], TWO).detections) == 2


@pytest.mark.parametrize("parts", [[], [(TWO[0], Detections.empty())]], ids=["no windows", "no detections"])
def test_nothing_gives_an_empty_result(parts: Parts) -> None:
    merged = merge_windows(parts, TWO)
    assert len(merged.detections) == 0
    assert merged.joined.shape == merged.cut.shape == (0,)


def test_work_grows_with_the_number_of_ships_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    overlap = merge.iou_and_ios
    monkeypatch.setattr(merge, "iou_and_ios", lambda a, b: (compared.append(len(a)), overlap(a, b))[1])

    def pairs(count: int) -> int:
        side = int(100 * np.sqrt(count))
        grid = windows(side, side, TileConfig(tile_px=512, overlap_px=160))
        rng = np.random.default_rng(1)
        start = rng.integers(0, side - 30, (count, 2)).astype(np.float32)
        parts = detect(as_boxes(np.concatenate([start, start + rng.integers(4, 30, (count, 2))], axis=1)), grid, 1.0)
        compared.clear()
        merge_windows(parts, grid)
        return sum(compared)

    small = pairs(2_000)
    assert 0 < pairs(16_000) < 8 * small * 1.5  # 8 times the ships; a square would be 64 times the pairs
