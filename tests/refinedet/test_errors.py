"""One root catches all; each child is also the builtin that a caller would expect."""

from __future__ import annotations

import inspect

import pytest

from refinedet import errors


def test_every_error_of_ours_is_caught_by_the_root() -> None:
    ours = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
    assert len(ours) > 1
    assert all(issubclass(cls, errors.RefineDetError) for cls in ours)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.FileError, OSError),
        (errors.DiskError, OSError),
        (errors.MissingExtra, ImportError),
    ],
)
def test_a_caller_who_knows_only_builtins_catches_it_and_reads_the_sentence(
    error: type[errors.RefineDetError], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin, match=r"^expected a scene at a\.tif, found a folder$"):
        raise error("expected a scene at a.tif, found a folder")
