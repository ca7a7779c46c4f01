"""Hostile requests to a server, each with the outcomes that are right."""

from __future__ import annotations

import http.client
import io
import json
import socket
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

_TIMEOUT_S = 120
_EXTRA = 500


@dataclass(frozen=True)
class Target:
    """A server by its address, HOST:PORT."""

    address: str

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; returns status, headers and body."""
        connection = http.client.HTTPConnection(self.address, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def raw(self, request: bytes, *, close: bool = False) -> bytes:
        """Send bytes as they are; returns all that comes back."""
        host, _, port = self.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as line:
            line.sendall(request)
            if close:
                line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))


def form(scene: bytes, name: str = "scene.tif", part: str = "scene") -> tuple[bytes, str]:
    """Body and content type of a form with one file."""
    head = f'--line\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'
    return head.encode() + scene + b"\r\n--line--\r\n", "multipart/form-data; boundary=line"


def asked(
    method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Callable[[Target], str]:
    """Case of one request; its outcome is the status, with a word if the answer is not one sentence."""

    def send(target: Target) -> str:
        status, _, content = target.ask(method, path, body, headers)
        return outcome(status, content)

    return send


def uploaded(scene: bytes, name: str = "scene.tif", query: str = "", part: str = "scene") -> Callable[[Target], str]:
    """Case of one upload."""
    body, kind = form(scene, name, part)
    return asked("POST", f"/detect{query}", body, {"Content-Type": kind})


def outcome(status: int, content: bytes) -> str:
    """Status as text, with a word if an error is not one sentence, or shows a folder of the server."""
    if status < 400:
        return str(status)
    try:
        sentence = json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{status} bare"
    if "\n" in sentence or "refinedet-serve" in sentence or "Traceback" in sentence:
        return f"{status} odd"
    return str(status)


def _raw(request: bytes, target: Target, *, close: bool = False) -> str:
    answer = target.raw(request, close=close)
    return answer.split(b" ", 2)[1].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"


def _left(target: Target) -> str:
    """Leave in the middle of an upload."""
    body, kind = form(b"x" * 5000)
    head = f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    host, _, port = target.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as line:
        line.sendall(head.encode() + body[:900])
    return "left"


def _slow(target: Target) -> str:
    """Stop in the middle of an upload, and wait."""
    body, kind = form(b"x" * 5000)
    head = f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return _raw(f"{head}Connection: close\r\n\r\n".encode() + body[:900], target)


def zip_bomb() -> bytes:
    """An archive of a product whose raster is 300 MB of zeros, in 300 kB."""
    stream = io.BytesIO()
    name = "S1A_IW_GRDH_1SDV_20221002T205126_20221002T205156_045268_056950_1234.SAFE"
    raster = "s1a-iw-grd-vv-20221002t205126-20221002t205156-045268-056950-001.tiff"
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/manifest.safe", b"<a/>")
        with archive.open(f"{name}/measurement/{raster}", "w") as file:
            for _ in range(300):
                file.write(bytes(1 << 20))
    return stream.getvalue()


def huge_tiff() -> bytes:
    """A TIFF of a few bytes that says it has 10^10 pixels."""
    side = 100_000
    tags = [(256, 4, side), (257, 4, side), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, side), (279, 4, 100)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)


def _lying(length: int, *, close: bool) -> Callable[[Target], str]:
    body, kind = form(b"x" * 100)
    head = f"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return partial(_raw, f"{head}Content-Length: {len(body) + length}\r\n\r\n".encode() + body, close=close)


CASES: dict[str, tuple[Callable[[Target], str], tuple[str, ...]]] = {
    "garbage as a scene": (uploaded(b"garbage" * 1000), ("422",)),
    "half of a TIFF": (uploaded(huge_tiff()[:60]), ("422",)),
    "a TIFF of 10^10 pixels": (uploaded(huge_tiff()), ("422",)),
    "a zip bomb": (uploaded(zip_bomb(), "p.zip"), ("422",)),
    "a VRT that reads other files": (uploaded(b"<VRTDataset><SourceFilename>/etc/passwd", "a.vrt"), ("422",)),
    "an empty file": (uploaded(b""), ("422",)),
    "a name with folders": (uploaded(b"x", "../../../../tmp/evil.tif"), ("422",)),
    "a part of another name": (uploaded(b"x", part="other"), ("422",)),
    "no form": (asked("POST", "/detect", b"x" * 1000), ("415",)),
    "a form that is none": (asked("POST", "/jobs", b"x" * 9000, {"Content-Type": form(b"")[1]}), ("422",)),
    "more than an upload may have": (uploaded(b"x" * 4_500_000), ("413",)),
    "a length that is too long": (_lying(_EXTRA, close=True), ("closed", "422")),
    "a length that is too short": (_lying(-50, close=False), ("422",)),
    "a client that leaves": (_left, ("left",)),
    "a body that stops": (_slow, ("408",)),
    "a path out of the folder": (asked("POST", "/detect?path=../../etc/passwd"), ("404",)),
    "a path from the root": (asked("POST", "/detect?path=/etc/passwd"), ("404",)),
    "a path with a zero": (asked("POST", "/detect?path=a%00b"), ("422",)),
    "an option out of range": (uploaded(b"x", query="?score_min=7"), ("422",)),
    "an option of the server": (uploaded(b"x", query="?weights=/etc/passwd"), ("422",)),
    "1000 options": (uploaded(b"x", query="?" + "&".join(f"a{n}=1" for n in range(1000))), ("422",)),
    "a long query": (uploaded(b"x", query="?a=" + "b" * 12_000), ("422",)),
    "a query of 100 kB": (
        partial(_raw, b"GET /?" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("400", "414"),
    ),
    "headers of 60 kB": (asked("GET", "/health", headers={"X-Long": "a" * 60_000}), ("400 bare", "431")),
    "an unknown job": (asked("GET", "/jobs/" + "0" * 32), ("404",)),
    "an unknown job's map": (asked("GET", "/jobs/..%2f..%2fetc/passwd"), ("404",)),
    "another host": (asked("GET", "/health", headers={"Host": "evil.example"}), ("421",)),
    "another site": (asked("POST", "/jobs", headers={"Origin": "https://evil.example"}), ("403",)),
    "another method": (asked("PUT", "/detect"), ("405",)),
    "no HTTP": (partial(_raw, b"\x16\x03\x01\x02\x00\r\n\r\n"), ("400",)),
}
"""Title -> how it is sent, and its right outcomes."""
