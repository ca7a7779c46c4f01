"""Settings of an archive: many scenes in one call."""

from __future__ import annotations

from typing import Literal

from refinedet.config.base import Count, Settings, Whole, check, validated
from refinedet.config.option import Effect, option


@validated(frozen=True, slots=True)
class ArchiveSettings(Settings):
    """Settings of an archive: engine, workers and retries."""

    archive: bool = option(
        False,
        "Many scenes: keep the status of each in OUT/archive.jsonl, go on from it, try again where that may help, "
        "and write the ships of all to the GeoParquet data set OUT/dataset. A manifest means it too, and so does Ray.",
        Effect.NONE,
        flag="--archive",
    )
    engine: Literal["local", "ray"] = option(
        "local",
        "What works on an archive: processes of this machine, or workers on Ray.",
        Effect.NONE,
        metavar="local|ray",
    )
    workers: Count | None = option(
        None,
        "Number of processes that work on several scenes side by side.",
        Effect.NONE,
        default_text="1, of many small scenes one for each core; on Ray one for each GPU, else for each core",
    )
    address: str | None = option(
        None,
        "Address of a running Ray cluster.",
        Effect.NONE,
        metavar="HOST:PORT|auto",
        default_text="this machine alone",
    )
    retries: Whole = option(
        2,
        "Further attempts at a scene of an archive that failed for no fault of its own.",
        Effect.NONE,
    )

    def __post_init__(self) -> None:
        check(self.address is None or self.engine == "ray", "address", 'none without `engine="ray"`', self.address)
