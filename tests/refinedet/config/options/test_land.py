"""Settings of land that fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.config.options.land import LandSettings
from refinedet.errors import InputError


@pytest.mark.parametrize("name", ["exclude", "platforms", "fixed"])
def test_a_distance_without_its_file_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"setting `{name}_m`: expected a file in `{name}` beside it, found 50"):
        LandSettings(**{f"{name}_m": 50})  # type: ignore[arg-type]  # one of them
    settings = {name: tmp_path, f"{name}_m": 50}
    assert getattr(LandSettings(**settings), f"{name}_m") == 50  # type: ignore[arg-type]  # as above


def test_a_buffer_without_land_is_an_error() -> None:
    with pytest.raises(InputError, match="`land_buffer_m`: expected `land_mask` flag or drop beside it, found 9"):
        LandSettings(land_mask="off", land_buffer_m=9)
