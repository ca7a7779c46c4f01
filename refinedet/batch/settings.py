"""Settings of an archive (many scenes in one call)."""

from __future__ import annotations

from typing import Literal

from refinedet.config.base import Count, Settings, Whole, check, validated
from refinedet.config.options.option import Effect, option
from refinedet.errors import InputError

RETRIES = 2
"""Further attempts at a scene by default."""


@validated(frozen=True, slots=True)
class ArchiveSettings(Settings):
    """Settings of an archive: engine, workers and retries."""

    archive: bool = option(
        False,
        "Treat the scenes as an archive: record the status of each in OUT/archive.jsonl, resume, retry, and write all "
        "ships to the GeoParquet data set OUT/dataset. A manifest and the engine ray imply it.",
        Effect.NONE,
        flag="--archive",
    )
    engine: Literal["local", "ray"] = option(
        "local",
        "Run an archive in processes on this machine (local), or in Ray workers (ray).",
        Effect.NONE,
        metavar="local|ray",
    )
    workers: Count | None = option(
        None,
        "Number of processes that work on scenes in parallel.",
        Effect.NONE,
        default_text="1, or one per core for many small scenes; Ray: one per GPU, else per core",
    )
    address: str | None = option(
        None,
        "Address of a running Ray cluster.",
        Effect.NONE,
        metavar="HOST:PORT|auto",
        default_text="start Ray on this machine",
    )
    retries: Whole | None = option(
        None,
        "For an archive: further attempts after a failure that may be temporary.",
        Effect.NONE,
        default_text=f"{RETRIES}",
    )

    def __post_init__(self) -> None:
        check(self.address is None or self.engine == "ray", "address", 'none without `engine="ray"`', self.address)

    def is_archive(self, *, listed: bool) -> bool:
        """True if the scenes of a call are an archive; `listed`: a manifest lists them.

        Raises:
            InputError: they are not, but an option is set that applies only to an archive.
        """
        if self.archive or listed or self.engine == "ray":
            return True
        if self.retries is not None:
            raise InputError(f"expected an archive for `retries`, found {self.retries} without one; add `archive`")
        return False
