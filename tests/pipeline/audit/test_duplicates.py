"""Copies by pixels, near-duplicates by hash and grain, in an order of their own."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from pipeline.audit import duplicates
from pipeline.audit.duplicates import DHASH_BITS, PHASH_BITS, Fingerprint, copies, hashes, like, near
from pipeline.audit.image_alignment import Grey

bits = st.integers(0, 2**64 - 1)


def print_of(name: str, picture: Grey, split: str = "train") -> Fingerprint:
    return Fingerprint(split, name, name, str(picture.tobytes().__hash__()), *hashes(picture))


def sea(seed: int) -> Grey:
    pixels = np.random.default_rng(seed).gamma(2, 20, (120, 160))
    y, x = np.random.default_rng(seed + 999).integers(20, 90, 2)
    pixels[y : y + 9, x : x + 40] += 150
    return pixels.clip(0, 255).astype(np.uint8)


@given(st.lists(st.tuples(bits, bits), max_size=12), st.integers(1, 5))
def test_pairs_of_like_hashes_are_those_of_a_plain_loop(found: list[tuple[int, int]], block: int) -> None:
    few = [(d & 0xFFF, p & 0xFFF) for d, p in found]  # so that there are some
    images = [Fingerprint("train", str(i), "", str(i), *pair) for i, pair in enumerate(few)]
    expected = {
        (i, j)
        for i, j in combinations(range(len(few)), 2)
        if (few[i][0] ^ few[j][0]).bit_count() <= DHASH_BITS or (few[i][1] ^ few[j][1]).bit_count() <= PHASH_BITS
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_ENTRIES", block * len(few))
        pairs = like(images)
    assert set(pairs) == expected
    assert len(pairs) == len(expected)
    away = [(few[i][0] ^ few[j][0]).bit_count() + (few[i][1] ^ few[j][1]).bit_count() for i, j in pairs]
    assert away == sorted(away), "nearest first"


def test_a_group_of_copies_is_found_and_the_first_stands_for_it() -> None:
    pictures = {"a": sea(1), "b": sea(2), "c": sea(1), "d": sea(1)[2:, 3:]}
    images = [print_of(name, picture) for name, picture in pictures.items()]
    assert [[i.file_name for i in group] for group in copies(images)] == [["a", "c"]]
    pairs, unseen = near(images, pictures.__getitem__)
    assert [(p.first.file_name, p.second.file_name) for p in pairs] == [("a", "d")]
    assert (pairs[0].placement.x, pairs[0].placement.y) == (3, 2)
    assert unseen == 0


def test_pairs_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = {name: sea(1)[i:] for i, name in enumerate("abc")}
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 1)
    pairs, unseen = near([print_of(name, picture) for name, picture in pictures.items()], pictures.__getitem__)
    assert (len(pairs), unseen) == (1, 2)


def test_hashes_survive_compression(tmp_path: Path) -> None:
    Picture.fromarray(sea(4)).save(tmp_path / "a.jpg", quality=70)
    again = np.asarray(Picture.open(tmp_path / "a.jpg"))
    assert (hashes(sea(4))[0] ^ hashes(again)[0]).bit_count() <= DHASH_BITS
    assert (hashes(sea(4))[1] ^ hashes(again)[1]).bit_count() <= PHASH_BITS


def test_no_images_have_no_pairs() -> None:
    assert like([]) == []
