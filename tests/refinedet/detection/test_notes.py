"""Notes of many scenes: each kind once, with the scenes that it is about."""

from __future__ import annotations

from refinedet.detection.notes import SceneNotes


def sentences(notes: dict[str, list[str]]) -> list[str]:
    told = SceneNotes()
    for scene, those in notes.items():
        told.add(scene, those)
    return told.sentences()


def test_a_note_of_all_scenes_is_told_as_it_is() -> None:
    assert sentences({"a.tif": ["in 8 bits"]}) == ["in 8 bits"]
    assert sentences({"a.tif": ["in 8 bits"], "b.tif": ["in 8 bits", "in 8 bits"]}) == ["in 8 bits"]


def test_a_note_of_some_scenes_names_them() -> None:
    assert sentences({"a.tif": [], "b.tif": ["odd"]}) == ["odd (b.tif)"]
    many = {f"{i}.tif": ["odd"] if i else [] for i in range(9)}
    assert sentences(many) == ["odd (1.tif, 2.tif, 3.tif and 5 more)"]


def test_a_note_about_its_scene_begins_with_the_name() -> None:
    assert sentences({"a.tif": ["its values are read as power"]}) == ["a.tif: its values are read as power"]
    assert sentences({"a.tif": [], "b.tif": ["its sea is dark"]}) == ["b.tif: its sea is dark"]
    assert sentences({"a.tif": [], "b.tif": ["its sea"], "c.tif": ["its sea"]}) == ["its sea (b.tif, c.tif)"]


def test_notes_that_differ_in_numbers_are_one_sentence() -> None:
    times = {f"{i}.tif": [f"taken at 2024-01-0{i}T00:00:00.000Z", "in 8 bits"] for i in range(1, 3)}
    assert sentences(times) == [
        "taken at 2024-01-01T00:00:00.000Z (1.tif; likewise in 1 more scene)",
        "in 8 bits",
    ]
