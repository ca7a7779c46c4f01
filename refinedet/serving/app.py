"""Addresses of the server, with their requests and responses. `jobs.py` does the work, `guard.py` checks requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

import refinedet
from refinedet.cloud.scene import CloudScene, scene_of
from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import RefineDetError
from refinedet.serving import description, events
from refinedet.serving.guard import MAP_POLICY, PAGE_POLICY
from refinedet.serving.jobs import RESULTS, UPLOAD, Job, Jobs
from refinedet.serving.options import request_settings
from refinedet.serving.paths import scene_below
from refinedet.serving.refusal import UNUSABLE, Refusal, status_of
from refinedet.serving.upload import receive, too_large

WEB = Path(__file__).with_name("web")
PAGE = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
TYPES = {
    "ships.geojson": "application/geo+json",
    "record.json": "application/json",
    "picture.png": "image/png",
    "map.html": "text/html",
}
_ACCEPTED, _NO_CONTENT, _ABSENT, _TOO_EARLY, _STOPPED = 202, 204, 404, 409, 503
_MOST_OPTIONS = 40
_WATCH_S = 0.5


@dataclass(frozen=True)
class Service:
    """Parts that the addresses share."""

    settings: DetectSettings
    limits: ServeSettings
    jobs: Jobs
    roots: tuple[Path, ...] = ()


def make_app(service: Service) -> FastAPI:
    """Make the application of a service."""
    app = FastAPI(
        title="refinedet",
        summary="Finds ships in radar images.",
        version=refinedet.__version__,
        docs_url=None,  # these pages load scripts from other servers
        redoc_url=None,
    )
    app.add_exception_handler(RefineDetError, _on_refusal)
    app.add_exception_handler(HTTPException, _on_unknown_address)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    _add_page(app)
    _add_detection(app, service)
    _add_jobs(app, service)
    return app


def _add_page(app: FastAPI) -> None:
    async def page(request: Request) -> Response:
        name, kind = PAGE[request.url.path]
        return FileResponse(WEB / name, media_type=kind, headers={"Content-Security-Policy": PAGE_POLICY})

    for path in PAGE:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False, response_model=None)


def _add_detection(app: FastAPI, service: Service) -> None:
    @app.post("/detect", **description.detect())
    async def detect(request: Request) -> Response:
        job = await _queued_job(service, request, views=False)
        try:
            await _wait_for_end(job, request)
            if job.state != "done":
                raise _failure(job)
            content = await asyncio.to_thread(job.files["ships.geojson"].read_bytes)
        finally:
            if not job.ended:
                service.jobs.remove(job)  # the client has left, so detection in the scene stops
            else:
                with suppress(RefineDetError):
                    service.jobs.remove(service.jobs.get(job.id))
        return Response(content, media_type=TYPES["ships.geojson"])

    @app.post("/jobs", status_code=_ACCEPTED, **description.jobs())
    async def start(request: Request) -> Response:
        job = await _queued_job(service, request, views=True)
        return JSONResponse(job.to_dict(), _ACCEPTED, {"Location": f"/jobs/{job.id}"})


def _add_jobs(app: FastAPI, service: Service) -> None:
    @app.get("/health", **description.health())
    async def health() -> Response:
        limits = {"upload_bytes": service.limits.upload_bytes, "queue": service.limits.queue}
        return JSONResponse({"status": "ok", "version": refinedet.__version__, **service.jobs.counts(), **limits})

    @app.get("/jobs/{job_id}", **description.state())
    async def state(job_id: str) -> Response:
        return JSONResponse(service.jobs.get(job_id).to_dict())

    @app.get("/jobs/{job_id}/events", **description.events())
    async def watch(job_id: str) -> Response:
        return StreamingResponse(events.of(service.jobs.get(job_id)), media_type="text/event-stream")

    @app.get("/jobs/{job_id}/{result}", **description.result())
    async def result(job_id: str, result: str) -> Response:
        job = service.jobs.get(job_id)
        if result not in RESULTS:
            raise Refusal(_ABSENT, f"expected one of {', '.join(RESULTS)}, found another name")
        if job.state != "done":
            raise Refusal(_TOO_EARLY, f"expected a job that is done, found one that is {job.state}")
        if result not in job.files:
            raise Refusal(_ABSENT, f"expected a result that the request asked for, found {result}, which it did not")
        headers = {"Content-Security-Policy": MAP_POLICY} if result == "map.html" else {}
        return FileResponse(job.folder / result, media_type=TYPES[result], headers=headers)

    @app.delete("/jobs/{job_id}", status_code=_NO_CONTENT, **description.cancel())
    async def cancel(job_id: str) -> Response:
        service.jobs.remove(service.jobs.get(job_id))
        return Response(status_code=_NO_CONTENT)


async def _queued_job(service: Service, request: Request, *, views: bool) -> Job:
    """Put the scene of a request, by upload or by path, into the queue."""
    told = request.query_params.multi_items()
    if len(told) > _MOST_OPTIONS:
        raise Refusal(UNUSABLE, f"expected at most {_MOST_OPTIONS} options, found {len(told)}")
    paths = [value for name, value in told if name == "path"]
    settings = request_settings(service.settings, [pair for pair in told if pair[0] != "path"], views=views)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > service.limits.upload_bytes + 10_000:  # overhead of a form
        raise too_large(service.limits.upload_bytes)
    if paths and (len(paths) > 1 or "transfer-encoding" in request.headers or length not in {"", "0"}):
        raise Refusal(UNUSABLE, "expected one scene, found more: send an upload or one `path`")
    scene = await asyncio.to_thread(scene_below, service.roots, paths[0]) if paths else None
    with service.jobs.place() as folder:
        if scene is None:
            upload = folder / UPLOAD
            upload.mkdir()
            content_type = request.headers.get("content-type", "")
            scene = await receive(request.stream(), content_type, upload, service.limits.upload_bytes)
        _refuse_item(scene)
        return service.jobs.add(folder, scene, settings)


def _refuse_item(scene: Path) -> None:
    """Refuse a STAC item, because it would make this server fetch any address with its own rights."""
    if isinstance(scene_of(scene), CloudScene):
        raise Refusal(UNUSABLE, "expected pixels, found a STAC item; this server fetches nothing: send the scene")


async def _wait_for_end(job: Job, request: Request) -> None:
    """Wait for the end of a job.

    Raises:
        ClientDisconnect: the client has left.
    """
    while not job.ended:
        with suppress(TimeoutError):
            await asyncio.wait_for(job.next_change.wait(), _WATCH_S)
        if not job.ended and await request.is_disconnected():
            raise ClientDisconnect


def _failure(job: Job) -> Refusal:
    if job.error is None:
        return Refusal(_STOPPED, "expected ships, but the job was cancelled; ask again later")
    return Refusal(job.status, job.error)


def _error_response(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, headers)


async def _on_refusal(_request: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, Refusal) else {}
    status = status_of(error) if isinstance(error, RefineDetError) else UNUSABLE
    return _error_response(status, " ".join(str(error).split()), headers)


async def _on_unknown_address(_request: Request, error: Exception) -> Response:
    """Answer a request for an unknown address with one sentence."""
    status = error.status_code if isinstance(error, HTTPException) else _ABSENT
    return _error_response(
        status, f"expected an address and a method that /openapi.json lists, found others (status {status})"
    )


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """Answer a client that has left; nobody reads the response."""
    return _error_response(UNUSABLE, "expected a client that waits, found that it has left")
