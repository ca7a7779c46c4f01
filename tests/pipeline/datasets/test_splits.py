"""Copies are told by pixels, stay together, and never leak into validation; a choice of one image changes no other."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.datasets.splits import Image, cut_off, cut_validation, keep_some, pixel_digest
from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated


def image(number: int, digest: str) -> Image:
    truth = (as_boxes([]), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    return Image(Annotated(f"{number}.png", 1, 1, *truth), digest)


digests = st.lists(st.sampled_from([pixel_digest(np.full((2, 2), i, np.uint8)) for i in range(40)]), max_size=60)


@settings(deadline=None)
@given(train=digests, test=digests, fraction=st.floats(0, 0.99), more=st.floats(0, 0.99))
def test_the_cut_keeps_copies_together_and_is_stable(
    train: list[str], test: list[str], fraction: float, more: float
) -> None:
    images = [image(i, digest) for i, digest in enumerate(train)]
    held = [image(i, digest) for i, digest in enumerate(test)]
    kept, val = cut_validation(images, held, fraction)
    assert sorted(i.annotated.file_name for i in kept + val) == sorted(i.annotated.file_name for i in images)
    assert not {i.digest for i in kept} & {i.digest for i in val}, "copies stay together"
    assert not {i.digest for i in val} & set(test), "no test image validates"
    alone = [i for i in images if cut_validation([i], held, fraction)[1]]
    free = set(train) - set(test)
    if alone or not free or fraction == 0 or len(set(train)) == 1:
        assert alone == val, "the choice for one image does not depend on the others"
    else:
        assert {i.digest for i in val} == {min(free)}, "a small data set has an image to validate on, too"
    if more >= fraction:
        assert {i.digest for i in val} <= {i.digest for i in cut_validation(images, held, more)[1]}


def test_the_cut_is_about_the_fraction_asked_for() -> None:
    images = [image(i, pixel_digest(np.array([[i]]))) for i in range(2000)]
    assert 0.08 < len(cut_validation(images, [], 0.1)[1]) / 2000 < 0.12


def test_digest_tells_pixels_from_pixels_and_grey_from_nothing() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    coloured = rgb.copy()
    coloured[0, 0, 1] ^= 1
    assert pixel_digest(grey) == pixel_digest(rgb), "grey stored as RGB is the same picture"
    others: list[NDArray[Any]] = [coloured, grey.reshape(4, 3), grey.astype(np.uint16), grey.T]
    assert len({pixel_digest(pixels) for pixels in [grey, *others]}) == 5


@given(digests=digests, count=st.integers(0, 70), more=st.integers(0, 70))
def test_fewer_training_images_are_a_stable_choice(digests: list[str], count: int, more: int) -> None:
    images = [image(i, digest) for i, digest in enumerate(digests)]
    kept = keep_some(images, count)
    assert len(kept) == min(count, len(images))
    assert [i for i in images if i in kept] == kept, "in their order"
    again = keep_some(images[::-1], count)
    assert sorted(i.annotated.file_name for i in again) == sorted(i.annotated.file_name for i in kept)
    if more >= count:
        assert {i.annotated.file_name for i in kept} <= {i.annotated.file_name for i in keep_some(images, more)}
    assert keep_some(images, None) == images


@given(found=digests, fraction=st.floats(0, 0.5), leave=st.integers(1, 3))
def test_a_part_cut_off_keeps_copies_together_and_leaves_enough(found: list[str], fraction: float, leave: int) -> None:
    assume(len(set(found)) > leave)
    images = [image(i, digest) for i, digest in enumerate(found)]
    rest, cut = cut_off(images, fraction, "test", leave=leave)
    assert cut
    assert len({i.digest for i in rest}) >= leave
    assert sorted(i.annotated.file_name for i in [*rest, *cut]) == sorted(i.annotated.file_name for i in images)
    assert not {i.digest for i in rest} & {i.digest for i in cut}, "copies stay together"


def test_parts_of_different_names_are_independent() -> None:
    images = [image(i, pixel_digest(np.array([[i]]))) for i in range(2000)]
    rest, test = cut_off(images, 0.2, "test", leave=1)
    assert 0.17 < len(test) / 2000 < 0.23
    assert 0.17 < len(cut_off(rest, 0.2, "val", leave=1)[1]) / len(rest) < 0.23
    assert len(cut_off(rest, 0.2, "test", leave=1)[1]) == 1, "all below the fraction are gone already"
