"""Ship detection in radar images: RefineDet++ for large SAR scenes.

Names are imported when they are first used: `import refinedet` is quick and needs no torch. Types are in __init__.pyi.

>>> import refinedet
>>> run = refinedet.find_ships("scene.tif")  # doctest: +SKIP
>>> run.ships, run.files["geojson"]  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "DetectSettings": "refinedet.config.options.settings",
    "DetectionRun": "refinedet.detection.outcome",
    "Detections": "refinedet.detections",
    "Detector": "refinedet.detection.detector",
    "ExportedPredictor": "refinedet.runtimes.predictor",
    "FileError": "refinedet.errors",
    "InputError": "refinedet.errors",
    "Journal": "refinedet.scene.search.journal",
    "LandSettings": "refinedet.config.options.land",
    "MissingExtra": "refinedet.errors",
    "ModelConfig": "refinedet.config",
    "MultiscaleConfig": "refinedet.config",
    "MultiscalePredictor": "refinedet.predictors.multiscale",
    "OnnxLayout": "refinedet.adapters.onnx_layout",
    "OnnxPredictor": "refinedet.adapters.onnx",
    "PostprocessConfig": "refinedet.config",
    "Predictor": "refinedet.predictors.predictor",
    "Radiometry": "refinedet.config",
    "RefineDetError": "refinedet.errors",
    "SceneSettings": "refinedet.config.options.detect",
    "SceneResult": "refinedet.scene.result",
    "Score": "refinedet.evaluation.score",
    "StretchChoice": "refinedet.config",
    "TileConfig": "refinedet.config",
    "TorchPredictor": "refinedet.predictors.predictor",
    "TorchvisionPredictor": "refinedet.adapters.torchvision",
    "TrainConfig": "refinedet.config",
    "UltralyticsPredictor": "refinedet.adapters.ultralytics",
    "WindowDetections": "refinedet.scene.search.stream",
    "cached_export": "refinedet.runtimes.cache",
    "detect_scene": "refinedet.scene.detect",
    "export": "refinedet.runtimes.export",
    "find_ships": "refinedet.detection.find_ships",
    "match_boxes": "refinedet.evaluation.score",
    "open_scene": "refinedet.raster",
    "result_paths": "refinedet.scene.output.result_paths",
    "run_record": "refinedet.scene.output.record",
    "score_files": "refinedet.evaluation.score",
    "shipped_weights": "refinedet.weights",
    "write_map": "refinedet.scene.output.webmap",
    "write_quicklook": "refinedet.scene.output.quicklook",
    "write_run_record": "refinedet.scene.output.record",
    "write_results": "refinedet.scene.output.writers",
    "write_scene": "refinedet.raster",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - one list, kept equal to __init__.pyi by a test


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name == "__version__":
        return globals().setdefault(name, _version())
    if name not in _HOME:
        raise AttributeError(f"module 'refinedet' has no attribute '{name}'")
    try:
        value = getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from refinedet.extras import extra_missing_for

        missing = extra_missing_for(error, f"refinedet.{name}")
        if missing is None:
            raise
        raise missing from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, "__version__"})


def _version() -> str:
    from importlib import metadata  # slow, and rarely needed

    try:
        return metadata.version("refinedet")
    except metadata.PackageNotFoundError:
        return "0+unknown"
