"""Graphs compiled by OpenVINO, kept in the user's cache folder; loading one takes a third of the work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from refinedet.errors import RefineDetError
from refinedet.files import atomic_path, sha256_file
from refinedet.runtimes.exported import weights_of
from refinedet.user_cache import cache_folder

_DEVICE = "CPU"
_SUM = hashlib.sha256
_SUM_BYTES = _SUM().digest_size


class CompiledModels:
    """Models of one exported file, compiled for the processor.

    The key of a kept model is the file's content, OpenVINO's version, its settings and the processor. If the cache
    cannot be written, models are compiled each time, without a message.

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

    def get(self, model: Any) -> Any:
        """Compile a model of this file, reshaped or not, or load it compiled.

        Raises:
            RuntimeError: OpenVINO cannot compile the model.
        """
        if not self._keeps:
            return self._core.compile_model(model, _DEVICE, self._settings)
        key = json.dumps([self._content, *self._made_by, str(model.input().partial_shape)], sort_keys=True)
        name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.blob"
        blob = _content(name)
        if blob is not None:
            with suppress(RuntimeError):
                return self._core.import_model(blob, _DEVICE, self._settings)
        made = self._core.compile_model(model, _DEVICE, self._settings)
        with suppress(OSError, RuntimeError, RefineDetError):
            stream = BytesIO()
            made.export_model(stream)
            if self._hashes() == self._content:  # or the file was replaced while it was opened
                _keep(name, stream.getvalue())
        return made

    def _hashes(self) -> list[str]:
        return [sha256_file(path) for path in (self._path, weights_of(self._path))]


def _content(name: str) -> bytes | None:
    """Content of a kept file; None if the file is missing or damaged."""
    try:
        data = (cache_folder("compiled") / name).read_bytes()
    except OSError:
        return None
    blob = data[_SUM_BYTES:]
    return blob if _SUM(blob).digest() == data[:_SUM_BYTES] else None


def _keep(name: str, blob: bytes) -> None:
    with atomic_path(cache_folder("compiled") / name) as temporary:
        temporary.write_bytes(_SUM(blob).digest() + blob)
