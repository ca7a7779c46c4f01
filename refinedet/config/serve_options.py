"""Settings of the server: its address, its limits, and the folders that it may read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, Whole, check, validated
from refinedet.config.option import Effect, option

_Port = Annotated[int, Field(ge=0, le=65535)]
MB = 1_000_000


@validated(frozen=True, slots=True)
class ServeSettings(Settings):
    """Address and limits of the server."""

    host: str = option(
        "127.0.0.1",
        "Address to listen on. The server asks nobody who they are: any address but loopback lets the network in.",
        Effect.NONE,
        metavar="ADDRESS",
    )
    port: _Port = option(8000, "Port to listen on; 0: a free one.", Effect.NONE)
    allow_host: tuple[str, ...] | None = option(
        None,
        "Name by which the server may be called, beside localhost and addresses in numbers; repeat for several.",
        Effect.NONE,
        metavar="NAME",
        default_text="none",
    )
    root: tuple[Path, ...] | None = option(
        None,
        "Folder whose scenes may be named by their path in a request; repeat for several.",
        Effect.NONE,
        metavar="DIR",
        default_text="none: scenes come as uploads",
    )
    upload_mb: Positive = option(2048, "Largest upload, in megabytes.", Effect.NONE)
    queue: Whole = option(16, "Most scenes that wait or arrive while another one is looked at.", Effect.NONE)
    job_s: Positive = option(600, "Longest time for one scene, in seconds.", Effect.NONE)
    keep: Count = option(32, "Most results that are kept; the oldest go first.", Effect.NONE)
    keep_mb: Positive = option(512, "Most megabytes of results that are kept.", Effect.NONE)

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
