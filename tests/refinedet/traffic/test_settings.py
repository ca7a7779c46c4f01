"""Settings of analyses of an archive that fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.errors import InputError
from refinedet.traffic.settings import DensitySettings


def test_a_distance_from_fixed_objects_without_their_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`fixed_m`: expected a file in `fixed` beside it, found 50"):
        DensitySettings(fixed_m=50.0)
    assert DensitySettings(fixed=tmp_path, fixed_m=50.0).fixed_m == 50
