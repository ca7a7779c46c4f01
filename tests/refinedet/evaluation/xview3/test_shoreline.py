"""Shoreline files of xView3: contours as the contest pickled them, and files that would run code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.errors import FileError, InputError
from refinedet.evaluation.xview3.shoreline import close_to, read_shoreline


def saved(folder: Path, content: Any) -> Path:
    np.save(folder / "a_shoreline.npy", content, allow_pickle=True)
    return folder


def test_contours_of_different_lengths_become_points(tmp_path: Path) -> None:
    contours = np.empty(2, object)
    contours[:] = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.5, 6.0]])]
    assert read_shoreline(saved(tmp_path, contours), "a").tolist() == [[1, 2], [3, 4], [5.5, 6]]


def test_contours_of_one_length_are_a_plain_array(tmp_path: Path) -> None:
    assert read_shoreline(saved(tmp_path, np.arange(12.0).reshape(3, 2, 2)), "a").shape == (6, 2)


def test_a_scene_without_a_shoreline_has_no_points(tmp_path: Path) -> None:
    assert read_shoreline(saved(tmp_path, np.empty(0, object)), "a").shape == (0, 2)


class _Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([_Harmful()], id="a call"),
        pytest.param(["text"], id="text"),
        pytest.param([np.array([1.0, 2.0, 3.0])], id="no pairs"),
        pytest.param([np.array([[1.0, np.nan]])], id="no number"),
    ],
)
def test_other_content_is_one_sentence_and_runs_nothing(
    tmp_path: Path, content: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    array = np.empty(1, object)
    array[:] = content
    with pytest.raises(InputError, match="expected contours of rows and columns in"):
        read_shoreline(saved(tmp_path, array), "a")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"no numpy", b"\x93NUMPY\x01\x00\x08\x00broken!!"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a_shoreline.npy").write_bytes(content)
    with pytest.raises(InputError, match="expected contours"):
        read_shoreline(tmp_path, "a")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected the shoreline of scene a at"):
        read_shoreline(tmp_path, "a")


def test_near_is_within_the_distance_and_not_at_it() -> None:
    shore = np.array([[0.0, 0.0], [1000.0, 0.0]])
    places = np.array([[0.0, 220.0], [0.0, 220.1], [0.0, 0.0], [1000.0, 3.0]])
    assert close_to(shore, places, 2200).tolist() == [True, False, False, True]
    assert close_to(np.zeros((0, 2)), places, 2200).tolist() == [False] * 4
