"""Run record of one scene: scene, weights, settings, identity, counts and times.

Equal runs have equal run records, except for the entry `time`. No other result file holds a time.
"""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import refinedet
from refinedet.files import sha256_file, write_json
from refinedet.radiometry import StretchLimits
from refinedet.raster import RasterInfo
from refinedet.scene.identity import PACKAGES, package_version
from refinedet.scene.result import SceneResult

_ADAPTED = "torchvision"
"""Package that runs detectors of other make, whose identity the caller gives."""

RunRecord = dict[str, Any]
"""Content of the file `<stem>.run.json`, ready for JSON."""


def write_run_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a run record, atomically and with sorted keys."""
    write_json(path, record)


def run_record(
    result: SceneResult,
    *,
    weights: str | Path | None,
    settings: Mapping[str, Any],
    device: str,
    seconds: float,
    weights_sha256: str | None = None,
) -> RunRecord:
    """Make the run record of a scene.

    Args:
        result: ships of the scene, with the identity of the run if it kept a journal.
        weights: the checkpoint; None for other people's detectors.
        settings: settings as used, defaults resolved; paths become text.
        device: device that the network ran on.
        seconds: wall time from opening the scene to the last of the other files.
        weights_sha256: hex SHA-256 of `weights`; None: computed from the file.

    Raises:
        OSError: the weights cannot be read.
    """
    info = result.info
    checkpoint = None
    if weights is not None:
        checkpoint = {"name": Path(weights).name, "sha256": weights_sha256 or sha256_file(weights)}
    return {
        "scene": {
            "name": result.scene,
            "looked_at": result.label,
            "sha256": None if result.identity is None else result.identity.scene,
            "width_px": info.width,
            "height_px": info.height,
            "dtype": info.dtype,
            "nodata": _plain(info.nodata),
            "located": result.located,
            "control_points": _control_points(info),
            "scale": list(result.factors),
            "read_as": _plain(result.read_as),
        },
        "weights": checkpoint,
        "settings": _plain(settings),
        "identity": None if result.identity is None else result.identity.to_dict(),
        "stretch_limits": _stretch_limits(result),
        "notes": list(result.notes),
        "ais": None if result.ais is None else _plain(result.ais.record),
        "counts": _counts(result),
        "device": device,
        "versions": _versions(),
        "time": {"seconds": round(seconds, 2), **{part: round(spent, 2) for part, spent in result.seconds.items()}},
    }


def _stretch_limits(result: SceneResult) -> dict[str, Any] | None:
    """Limits of the stretch; for two polarisations, a mapping by their names."""
    if result.polarisations:
        return {seen.name: _limits(seen.stretch_limits) for seen in result.polarisations}
    return _limits(result.stretch_limits)


def _limits(limits: StretchLimits | None) -> dict[str, Any] | None:
    plain: dict[str, Any] | None = None if limits is None else _plain(limits.to_dict())
    return plain


def _control_points(info: RasterInfo) -> dict[str, Any] | None:
    """Ground control points that locate the scene: their count, the place of pixel 0, and the source of this place."""
    if not info.gcps:
        return None
    return {"count": len(info.gcps), "zero": info.gcp_zero, "evidence": info.gcp_evidence}


def _counts(result: SceneResult) -> dict[str, Any]:
    classes = Counter(result.class_name(i) for i in range(len(result.detections)))
    return {
        "windows": result.windows,
        "windows_skipped": result.windows_skipped,
        "ships": len(result.detections),
        "ships_flagged": result.flagged,
        "ships_by_class": dict(classes),
        "ships_by_outline": dict(Counter(result.outline_of(i) for i in range(len(result.detections)))),
        "ships_by_flag": dict(Counter(flag for flags in result.flags for flag in flags)),
        "dropped_by_reason": dict(result.dropped),
    }


def _versions() -> dict[str, str | None]:
    own = {"refinedet": refinedet.__version__, "python": platform.python_version(), "machine": platform.machine()}
    return {name: package_version(name) for name in (*PACKAGES, _ADAPTED)} | own


def _plain(value: Any) -> Any:
    """Convert a value for JSON: paths, NaN and infinity become text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value
