"""Settings of a search that fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.catalogues.settings import SearchSettings
from refinedet.errors import InputError


def test_only_results_in_a_folder_can_be_replaced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`overwrite`: expected none without `out`"):
        SearchSettings(overwrite=True)
    assert SearchSettings(overwrite=True, out=tmp_path).overwrite
