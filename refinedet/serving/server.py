"""Server from start to shutdown: address, detector, temporary folder, and an orderly shutdown."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from refinedet.cloud.address import is_loopback
from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import FileError
from refinedet.serving.app import Service, make_app
from refinedet.serving.guard import Guard
from refinedet.serving.jobs import Jobs
from refinedet.serving.options import check_for_server, plain
from refinedet.serving.paths import usable_roots
from refinedet.serving.process import COMMAND, Worker

_LOGGER = logging.getLogger(__name__)
_CONNECTIONS = 128
"""Number of connections from which the server answers requests with 503."""
_HEADER_BYTES = 16_384
_PATIENCE_S = 5


@dataclass(frozen=True)
class Running:
    """Server that accepts requests."""

    address: str
    server: uvicorn.Server
    worker: Worker

    def stop(self) -> None:
        """Ask the server to shut down, from any thread."""
        self.server.should_exit = True


def serve(
    settings: DetectSettings,
    limits: ServeSettings,
    started: Callable[[Running], None],
    *,
    command: Sequence[str] = COMMAND,
) -> None:
    """Serve until the process is interrupted, or `Running.stop` is called.

    Args:
        settings: detector, and defaults of the options of requests.
        limits: address and limits.
        started: called once the detector is ready and the server accepts requests.
        command: program of the worker process.

    Raises:
        RefineDetError: an option does not fit, the address is taken, or the detector cannot be loaded.
    """
    check_for_server(settings)
    roots = usable_roots(limits.root or ())
    listener = _listening(limits.host, limits.port)
    with listener, tempfile.TemporaryDirectory(prefix="refinedet-serve-", ignore_cleanup_errors=True) as folder:
        if not is_loopback(limits.host):
            _LOGGER.warning(
                "the server listens on %s and asks nobody who they are: whoever reaches that may send scenes%s; "
                "`host` 127.0.0.1 keeps it to this machine",
                limits.host,
                " and read those of `root`" if roots else "",
            )
        worker = Worker(plain(settings), command)
        service = Service(settings, limits, Jobs(worker, limits, Path(folder)), roots)
        asyncio.run(_served(service, worker, listener, started))


async def _served(
    service: Service, worker: Worker, listener: socket.socket, started: Callable[[Running], None]
) -> None:
    config = uvicorn.Config(
        Guard(make_app(service), service.limits.allow_host or ()),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=_PATIENCE_S,
        timeout_graceful_shutdown=_PATIENCE_S,
    )
    server = _Server(config, service.jobs)
    try:
        await worker.start()
        working = asyncio.create_task(service.jobs.work())
        host, port = listener.getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        server.announce = lambda: started(Running(f"http://{named}:{port}", server, worker))
        await server.serve([listener])
        working.cancel()
    finally:
        await worker.end()


class _Server(uvicorn.Server):
    """Server that reports when it accepts requests, and cancels its jobs before it waits for its clients."""

    def __init__(self, config: uvicorn.Config, jobs: Jobs) -> None:
        super().__init__(config)
        self._jobs = jobs
        self.announce: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report it."""
        await super().startup(sockets)
        self.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the jobs, then the connections."""
        await self._jobs.close()
        await super().shutdown(sockets)


def _listening(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        FileError: the address is taken, or does not belong to this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            f"expected to listen on {host} at port {port}, but that failed ({reason}); choose another `host` or `port`"
        ) from error
