"""Settings of the server: its address, its limits, and the folders that it may read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, Whole, check, validated
from refinedet.config.options.option import Effect, option

_Port = Annotated[int, Field(ge=0, le=65535)]
MB = 1_000_000


@validated(frozen=True, slots=True)
class ServeSettings(Settings):
    """Address and limits of the server."""

    host: str = option(
        "127.0.0.1",
        "Address to listen on. There is no login: every address but loopback opens the server to the network.",
        Effect.NONE,
        metavar="ADDRESS",
    )
    port: _Port = option(8000, "Port to listen on; 0: a free one.", Effect.NONE)
    allow_host: tuple[str, ...] | None = option(
        None,
        "Accepted host name, besides localhost and IP addresses; repeat for several.",
        Effect.NONE,
        metavar="NAME",
        default_text="none",
    )
    root: tuple[Path, ...] | None = option(
        None,
        "Folder with scenes that requests may name by path; repeat for several.",
        Effect.NONE,
        metavar="DIR",
        default_text="none: uploads only",
    )
    upload_mb: Positive = option(2048, "Maximum size of an upload in megabytes.", Effect.NONE)
    queue: Whole = option(16, "Maximum number of scenes that wait or upload during a detection.", Effect.NONE)
    job_s: Positive = option(600, "Maximum time for one scene in seconds.", Effect.NONE)
    keep: Count = option(32, "Maximum number of kept results; the oldest are removed first.", Effect.NONE)
    keep_mb: Positive = option(512, "Maximum size of the kept results in megabytes.", Effect.NONE)

    def __post_init__(self) -> None:
        for name in self.allow_host or ():
            plain = name.replace("-", "").replace(".", "").isalnum()
            check(plain, "allow_host", "the name of a machine, without scheme and port", name)

    @property
    def upload_bytes(self) -> int:
        """Largest upload in bytes."""
        return int(self.upload_mb * MB)

    @property
    def keep_bytes(self) -> int:
        """Most bytes of results that are kept."""
        return int(self.keep_mb * MB)
