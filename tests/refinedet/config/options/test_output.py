"""Settings of results that fit together."""

from __future__ import annotations

import pytest

from refinedet.config.options.output import OutputSettings
from refinedet.errors import InputError


def test_results_are_either_kept_or_replaced() -> None:
    with pytest.raises(InputError, match="`skip_existing`: expected none beside `overwrite`"):
        OutputSettings(skip_existing=True, overwrite=True)
