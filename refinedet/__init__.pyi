from refinedet.adapters.onnx import OnnxPredictor
from refinedet.adapters.onnx_layout import OnnxLayout
from refinedet.adapters.torchvision import TorchvisionPredictor
from refinedet.adapters.ultralytics import UltralyticsPredictor
from refinedet.config import (
    ModelConfig,
    MultiscaleConfig,
    PostprocessConfig,
    Radiometry,
    StretchChoice,
    TileConfig,
    TrainConfig,
)
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.detection.detector import Detector
from refinedet.detection.find_ships import find_ships
from refinedet.detection.outcome import DetectionRun
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError, MissingExtra, RefineDetError
from refinedet.evaluation.score import Score, match_boxes, score_files
from refinedet.predictors.multiscale import MultiscalePredictor
from refinedet.predictors.predictor import Predictor, TorchPredictor
from refinedet.raster import open_scene, write_scene
from refinedet.runtimes.cache import cached_export
from refinedet.runtimes.export import export
from refinedet.runtimes.predictor import ExportedPredictor
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.quicklook import write_quicklook
from refinedet.scene.output.record import run_record, write_run_record
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.output.webmap import write_map
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.search.journal import Journal
from refinedet.scene.search.stream import WindowDetections
from refinedet.weights import shipped_weights

__all__ = [
    "DetectSettings",
    "DetectionRun",
    "Detections",
    "Detector",
    "ExportedPredictor",
    "FileError",
    "InputError",
    "Journal",
    "LandSettings",
    "MissingExtra",
    "ModelConfig",
    "MultiscaleConfig",
    "MultiscalePredictor",
    "OnnxLayout",
    "OnnxPredictor",
    "PostprocessConfig",
    "Predictor",
    "Radiometry",
    "RefineDetError",
    "SceneResult",
    "SceneSettings",
    "Score",
    "StretchChoice",
    "TileConfig",
    "TorchPredictor",
    "TorchvisionPredictor",
    "TrainConfig",
    "UltralyticsPredictor",
    "WindowDetections",
    "cached_export",
    "detect_scene",
    "export",
    "find_ships",
    "match_boxes",
    "open_scene",
    "result_paths",
    "run_record",
    "score_files",
    "shipped_weights",
    "write_map",
    "write_quicklook",
    "write_results",
    "write_run_record",
    "write_scene",
]

__version__: str
