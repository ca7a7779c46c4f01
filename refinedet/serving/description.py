"""Descriptions of the addresses for OpenAPI."""

from __future__ import annotations

from typing import Any

from refinedet.serving.options import parameters
from refinedet.serving.upload import PART

_ERROR = {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}
_STATE = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "scene": {"type": "string"},
                "state": {"enum": ["waiting", "running", "done", "failed", "cancelled"]},
                "windows_done": {"type": "integer"},
                "windows": {"type": "integer"},
                "ships": {"type": ["integer", "null"]},
                "notes": {"type": "array", "items": {"type": "string"}},
                "seconds": {"type": ["number", "null"]},
                "error": {"type": ["string", "null"]},
                "results": {"type": "array", "items": {"type": "string"}},
            },
        }
    }
}
_GEOJSON = {"application/geo+json": {"schema": {"type": "object"}}}
_BODY = {
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {PART: {"type": "string", "format": "binary"}}}
        }
    }
}
_PATH = {
    "name": "path",
    "in": "query",
    "description": "Scene by its path, in place of an upload; below a folder that the server may read.",
    "schema": {"type": "string"},
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _ERROR}
    for status, text in {
        408: "The upload is too slow.",
        413: "The upload is too large.",
        415: "The body is no form with a file.",
        422: "An option or the scene cannot be used; the sentence says why.",
        503: "The queue is full; Retry-After says when to ask again.",
    }.items()
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such job.", "content": _ERROR}}


def detect() -> dict[str, Any]:
    """Arguments of the address that returns ships."""
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "Ships, as the command writes them.", "content": _GEOJSON}
    }
    return _described("Find the ships of a scene, and wait for them.", found | _REFUSALS, views=False)


def jobs() -> dict[str, Any]:
    """Arguments of the address that starts a job."""
    found: dict[int | str, dict[str, Any]] = {
        202: {"description": "The job has a place in the queue.", "content": _STATE}
    }
    return _described("Start a job: ships, picture, map and record.", found | _REFUSALS, views=True)


def health() -> dict[str, Any]:
    """Arguments of the address that reports the health of the server."""
    return {"summary": "Tell that the server lives, and how much it has to do."}


def state() -> dict[str, Any]:
    """Arguments of the address of a job."""
    found: dict[int | str, dict[str, Any]] = {200: {"description": "The state of the job.", "content": _STATE}}
    return {"summary": "Tell the state of a job.", "responses": found | _UNKNOWN}


def events() -> dict[str, Any]:
    """Arguments of the address of a job's events."""
    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "An event `state` at each change.", "content": stream}
    }
    return {"summary": "Watch a job, by server-sent events.", "responses": found | _UNKNOWN}


def result() -> dict[str, Any]:
    """Arguments of the address of a result."""
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "ships.geojson, record.json, picture.png or map.html."},
        409: {"description": "The job is not done.", "content": _ERROR},
    }
    return {"summary": "Fetch a result of a job that is done.", "responses": found | _UNKNOWN}


def cancel() -> dict[str, Any]:
    """Arguments of the address that ends a job."""
    return {"summary": "Cancel a job, or remove the results of one that has ended.", "responses": _UNKNOWN}


def _described(summary: str, responses: dict[int | str, dict[str, Any]], *, views: bool) -> dict[str, Any]:
    extra = {"parameters": [_PATH, *parameters(views=views)], "requestBody": _BODY}
    return {"summary": summary, "responses": responses, "openapi_extra": extra}
