"""Graphs compiled by OpenVINO, kept in the user's cache folder; loading takes a third of the time of compiling.

The metadata of the exported file are kept beside them. So a file with kept graphs is hashed, but not opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from refinedet.errors import RefineDetError
from refinedet.files import atomic_path, sha256_file
from refinedet.runtimes.exported import weights_of
from refinedet.system.user_cache import cache_folder

_DEVICE = "CPU"
_SUM = hashlib.sha256
_SUM_BYTES = _SUM().digest_size


class CompiledModels:
    """Models of one exported file, compiled for the processor.

    The cache key is the file's content, OpenVINO's version, its settings and the processor. If the cache cannot be
    written, models are compiled each time, without a message.

    Args:
        vino: the module openvino.
        core: its Core.
        path: the file, with its weights beside it.
        settings: settings of OpenVINO.
        keep: use the cache; without it, nothing is read from or written to it.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, vino: Any, core: Any, path: Path, settings: Mapping[str, str], *, keep: bool) -> None:
        self._core, self._path, self._settings, self._keeps = core, path, dict(settings), keep
        processor = [core.get_property(_DEVICE, name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
        self._made_by = [vino.get_version(), *processor, self._settings]
        self._content = self._hashes() if keep else []
        self._read: Any = None
        self._reading = Lock()

    def metadata(self, where: Sequence[str]) -> str:
        """Text under the path `where` of the file's runtime information; empty if there is none.

        Raises:
            RuntimeError: OpenVINO cannot read the file.
        """
        name = self._name({"metadata": list(where)}, "txt")
        kept = _content(name) if self._keeps else None
        if kept is not None:
            return kept.decode()
        model = self._model()
        text = str(model.get_rt_info(where).astype(str)) if model.has_rt_info(where) else ""
        self._keep(name, text.encode)
        return text

    def get(self, side_px: int | None) -> Any:
        """Load or compile the model for square canvases of side `side_px`, or for any canvas if it is None.

        Raises:
            RuntimeError: OpenVINO cannot read or compile the model.
        """
        name = self._name({"side_px": side_px}, "blob")
        blob = _content(name) if self._keeps else None
        if blob is not None:
            with suppress(RuntimeError):
                return self._core.import_model(blob, _DEVICE, self._settings)
        model = self._model().clone()
        if side_px is not None:
            model.reshape([1, 3, side_px, side_px])
        made = self._core.compile_model(model, _DEVICE, self._settings)
        self._keep(name, lambda: _exported(made))
        return made

    def _model(self) -> Any:
        """Model of the file, read at first use."""
        with self._reading:
            if self._read is None:
                self._read = self._core.read_model(self._path)
            return self._read

    def _name(self, what: Mapping[str, Any], suffix: str) -> str:
        """Name of a kept file."""
        key = json.dumps([self._content, *self._made_by, what], sort_keys=True)
        return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.{suffix}"

    def _keep(self, name: str, content: Callable[[], bytes]) -> None:
        """Write content to the cache, if it is used and writable, and the file has not changed since it was opened."""
        if self._keeps:
            with suppress(OSError, RuntimeError, RefineDetError):
                data = content()
                if self._hashes() == self._content:
                    _keep(name, data)

    def _hashes(self) -> list[str]:
        return [sha256_file(path) for path in (self._path, weights_of(self._path))]


def _exported(model: Any) -> bytes:
    stream = BytesIO()
    model.export_model(stream)
    return stream.getvalue()


def _content(name: str) -> bytes | None:
    """Content of a kept file; None if the file is missing or damaged."""
    try:
        data = (cache_folder("compiled") / name).read_bytes()
    except OSError:
        return None
    content = data[_SUM_BYTES:]
    return content if _SUM(content).digest() == data[:_SUM_BYTES] else None


def _keep(name: str, data: bytes) -> None:
    with atomic_path(cache_folder("compiled") / name) as temporary:
        temporary.write_bytes(_SUM(data).digest() + data)
