"""The record of one run of detection: what was looked at, by which weights, how, and what came of it.

All of it is equal between equal runs but the entry `time`, and no other result file holds a time.
"""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import refinedet
from refinedet.errors import InputError
from refinedet.files import sha256_file, write_json
from refinedet.raster import RasterInfo
from refinedet.scene.identity import package_version
from refinedet.scene.result import SceneResult

_PACKAGES = (
    *("numpy", "onnxruntime", "openvino", "pillow", "pyproj", "rasterio", "scipy", "shapely", "torch", "torchvision"),
)
"""Packages whose version may show in a result."""
_NO_DIFFERENCE = ("batch_size", "max_pixels", "formats", "quicklook", "web_map")
"""Settings that do not change what is found."""


def write_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write what `run_record` returned, atomically and with sorted keys."""
    write_json(path, record)


def run_record(
    result: SceneResult,
    *,
    scene_sha256: str | None,
    weights: str | Path | None,
    settings: Mapping[str, Any],
    device: str,
    seconds: float,
) -> dict[str, Any]:
    """The record of a run, ready for JSON.

    Args:
        result: what was found.
        scene_sha256: hash of the scene's content: `result.sha256`, or else `identity.scene_sha256`.
        weights: the checkpoint; None where the detector is none of ours.
        settings: what was asked for; paths become text.
        device: what the network ran on.
        seconds: wall time from opening the scene to the last of the other files.

    Raises:
        OSError: the weights cannot be read.
    """
    info, levels = result.info, result.levels
    return {
        "scene": {
            "name": result.scene,
            "looked_at": result.label,
            "sha256": scene_sha256,
            "width_px": info.width,
            "height_px": info.height,
            "dtype": info.dtype,
            "nodata": _plain(info.nodata),
            "located": result.located,
            "control_points": _control_points(info),
        },
        "weights": None if weights is None else {"name": Path(weights).name, "sha256": sha256_file(weights)},
        "settings": _plain(settings),
        "levels": _plain(asdict(levels)) if is_dataclass(levels) else None,
        "counts": _counts(result),
        "device": device,
        "versions": _versions(),
        "time": {"seconds": round(seconds, 2), **{part: round(spent, 2) for part, spent in result.seconds.items()}},
    }


def differences(
    record: Mapping[str, Any], *, scene_sha256: str, weights: str | Path, settings: Mapping[str, Any]
) -> list[str]:
    """What made the record of an earlier run and is another thing now; empty where a new run would find the same.

    Args:
        record: what `run_record` returned, read back.
        scene_sha256: as `run_record` would get it now.
        weights: likewise.
        settings: likewise.

    Raises:
        InputError: it is no such record.
    """
    try:
        then: dict[str, Any] = {
            "the scene": record["scene"]["sha256"],
            "the weights": record["weights"]["sha256"],
            "the version of refinedet": record["versions"]["refinedet"],
            **record["settings"],
        }
    except (KeyError, TypeError) as error:
        raise InputError(f"expected the record of a run, found other JSON ({error!r})") from error
    now = {
        "the scene": scene_sha256,
        "the weights": sha256_file(weights),
        "the version of refinedet": refinedet.__version__,
        **_plain(settings),
    }
    names = [name for name in now if name not in _NO_DIFFERENCE]
    return [name for name in names if then.get(name) != now[name]]  # an option that there was not yet was not used


def _control_points(info: RasterInfo) -> dict[str, Any] | None:
    """How many ground control points locate the scene, which place has pixel 0 in them, and what says so."""
    if not info.gcps:
        return None
    return {"count": len(info.gcps), "zero": info.gcp_zero, "evidence": info.gcp_evidence}


def _counts(result: SceneResult) -> dict[str, Any]:
    classes = Counter(result.class_name(i) for i in range(len(result.detections)))
    return {
        "windows": result.windows,
        "windows_skipped": result.windows_skipped,
        "ships": len(result.detections),
        "ships_by_class": dict(classes),
        "ships_by_flag": dict(Counter(flag for flags in result.flags for flag in flags)),
        "dropped_by_reason": dict(result.dropped),
    }


def _versions() -> dict[str, str | None]:
    own = {"refinedet": refinedet.__version__, "python": platform.python_version(), "machine": platform.machine()}
    return own | {name: package_version(name) for name in _PACKAGES}


def _plain(value: Any) -> Any:
    """As JSON can hold it: paths and numbers that are none as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Path) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value
