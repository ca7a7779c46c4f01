"""Settings of an archive: when there is one, and which options need one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from refinedet.batch.settings import ArchiveSettings
from refinedet.errors import InputError


@pytest.mark.parametrize(
    ("settings", "listed"),
    [(ArchiveSettings(archive=True), False), (ArchiveSettings(engine="ray"), False), (ArchiveSettings(), True)],
)
def test_an_archive_is_asked_for_or_follows_from_a_manifest_or_ray(settings: ArchiveSettings, *, listed: bool) -> None:
    assert replace(settings, retries=3).is_archive(listed=listed)


def test_scenes_alone_are_no_archive_and_are_not_retried() -> None:
    assert not ArchiveSettings().is_archive(listed=False)
    with pytest.raises(InputError, match="expected an archive for `retries`, found 3"):
        ArchiveSettings(retries=3).is_archive(listed=False)
