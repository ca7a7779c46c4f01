"""Notes of several scenes on a console."""

from __future__ import annotations

from refinedet.scene.notes_of_several import with_scenes


def test_each_sentence_is_said_once_with_its_scenes() -> None:
    notes = {"it is dark": ["a"], "it is old": ["a", "b", "c", "d", "e"], "it is far": ["b", "c", "d", "e"]}
    assert with_scenes(notes, 5) == [
        "a: it is dark",
        "all 5 scenes: it is old",
        "b, c, d and 1 more: it is far",
    ]


def test_one_scene_needs_no_name() -> None:
    assert with_scenes({"it is dark": ["a"]}, 1) == ["it is dark"]
