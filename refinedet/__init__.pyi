from refinedet.config import (
    ModelConfig,
    MultiscaleConfig,
    PostprocessConfig,
    Radiometry,
    StretchChoice,
    TileConfig,
    TrainConfig,
)
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError, MissingExtra, RefineDetError
from refinedet.multiscale import MultiscalePredictor
from refinedet.predictor import Predictor, TorchPredictor
from refinedet.raster import open_scene, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.outputs import result_paths, write_results
from refinedet.scene.quicklook import write_quicklook
from refinedet.scene.result import SceneResult
from refinedet.scene.score import Score, match_boxes, score_files
from refinedet.scene.source import SceneChoice
from refinedet.weights import shipped_weights

__all__ = [
    "Detections",
    "FileError",
    "InputError",
    "MissingExtra",
    "ModelConfig",
    "MultiscaleConfig",
    "MultiscalePredictor",
    "PostprocessConfig",
    "Predictor",
    "Radiometry",
    "RefineDetError",
    "SceneChoice",
    "SceneResult",
    "Score",
    "StretchChoice",
    "TileConfig",
    "TorchPredictor",
    "TrainConfig",
    "detect_scene",
    "match_boxes",
    "open_scene",
    "result_paths",
    "score_files",
    "shipped_weights",
    "write_quicklook",
    "write_results",
    "write_scene",
]

__version__: str
