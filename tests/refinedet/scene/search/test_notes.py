"""Notes on a scene."""

from __future__ import annotations

import pytest

from refinedet.scene.search.notes import inland_notes


@pytest.mark.parametrize(("inland", "windows", "told"), [(99, 100, False), (100, 1001, False), (100, 1000, True)])
def test_many_windows_on_land_are_told(inland: int, windows: int, told: bool) -> None:
    assert bool(inland_notes(inland, windows)) == told


def test_the_note_names_both_numbers_and_the_setting() -> None:
    (note,) = inland_notes(1200, 2867)
    assert note.startswith("1,200 of 2,867 windows")
    assert 'land_mask="drop"' in note
