"""What several test files share: where the sample data is, if it is here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from scipy import ndimage

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry, TileConfig, TrainedOn
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip
from refinedet.scene.land import survey as land
from tests.web_server import Misbehaviour, misbehaving

MadeUpProduct = Callable[..., Path]

_CHECKOUT = Path(__file__).resolve().parent.parent

# width and colours of messages must not depend on the terminal that the tests run from; rich reads these on import
os.environ["TERM"] = "xterm"
for _variable in ("COLUMNS", "LINES", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(_variable, None)

# a deadline measures how busy the machine is; a property that hangs meets pytest's own timeout
settings.register_profile("refinedet", deadline=None)
settings.load_profile("refinedet")


class BrightBlobs:
    """A predictor without a network: each blob of pixels of at least `threshold` is a ship, boxed exactly."""

    classes = ("ship",)
    radiometry = Radiometry(high_percentile=100, headroom=1)
    input_px = 512
    postprocess = PostprocessConfig()

    def __init__(self, threshold: int = 200, score: float = 0.9) -> None:
        self.threshold, self.score = threshold, score
        self.chips: list[Chip] = []
        """What it was shown, in order."""
        self.batches: list[int] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes of the bright blobs of each chip."""
        self.chips += chips
        self.batches.append(len(chips))
        return [self._blobs(chip) for chip in chips]

    def predict_at(
        self, chips: Sequence[Chip], long_sides_px: Sequence[int], postprocess: PostprocessConfig
    ) -> list[Detections]:
        """The same, whatever the size it is looked at."""
        del long_sides_px, postprocess
        return self.predict(chips)

    def _blobs(self, chip: Chip) -> Detections:
        bright = (chip if chip.ndim == 2 else chip.max(axis=2)) >= self.threshold
        places = ndimage.find_objects(ndimage.label(bright)[0])
        boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in places]
        return Detections.of(boxes, np.full(len(boxes), self.score), np.zeros(len(boxes)))


@pytest.fixture
def bright_blobs() -> BrightBlobs:
    """A predictor that sees bright blobs."""
    return BrightBlobs()


@pytest.fixture(autouse=True)
def open_sea(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No land anywhere, so that a test of something else does not depend on where its scene lies.

    Those that want the coastline of the package ask for `real_coastline`.
    """
    if "real_coastline" not in request.fixturenames:
        monkeypatch.setattr(land, "coastline", lambda _boxes: np.zeros(0, object))


@pytest.fixture(autouse=True)
def own_loggers() -> Iterator[None]:
    """Undo what a command or a stage that runs in this process does to the loggers of the project."""
    loggers = [logging.getLogger(name) for name in ("refinedet", "pipeline")]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session", autouse=True)
def own_exports(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Exports of this session in a folder of its own, also those of child processes: never in the user's cache."""
    os.environ["REFINEDET_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def real_coastline() -> None:
    """Land as the package has it, instead of the open sea of `open_sea`."""


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Folder of the sample data: REFINEDET_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("REFINEDET_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"sample data not found at {folder}; set REFINEDET_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder of data-set archives: REFINEDET_MIRROR, or the folder `mirror` of the sample data."""
    default = Path(os.environ.get("REFINEDET_DATA", _CHECKOUT.parent / "shared" / "data")) / "mirror"
    folder = Path(os.environ.get("REFINEDET_MIRROR", default))
    if not folder.is_dir():
        pytest.skip(f"data-set archives not found at {folder}; set REFINEDET_MIRROR to their folder")
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaviour]:
    """A web server on loopback that gives `content` at every address, after its fashion."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with misbehaving() as behaviour:
        yield behaviour


@pytest.fixture
def made_up_product(tmp_path: Path) -> MadeUpProduct:
    """Write the metadata of a Sentinel-1 GRD product that never was, in vv: `make(lines, samples, processor="003.52")`.

    A circular orbit over the equator, eastwards and fixed to the earth; the swath lies to the right, in the south. It
    has no raster. `steering` in degrees a second, 0 for stripmap.
    """

    def make(lines: int, samples: int, processor: str = "003.52", steering: float = 1.59) -> Path:
        product = tmp_path / "S1A_IW_GRDH_MADE_UP.SAFE"
        (product / "annotation" / "calibration").mkdir(parents=True, exist_ok=True)
        stem = "s1a-iw-grd-vv-20200101t000000-20200101t000030-000001-000001-001"
        (product / "manifest.safe").write_text(
            f'<XFDU><software name="Sentinel-1 IPF" version="{processor}"/><dataObject'
            f' repID="s1Level1MeasurementSchema"><fileLocation href="./measurement/{stem}.tiff"/></dataObject></XFDU>'
        )
        files = {
            f"annotation/{stem}.xml": _annotation(lines, samples, steering),
            f"annotation/calibration/calibration-{stem}.xml": "<calibration>"
            + _vectors("calibration", "calibrationVector", "sigmaNought", lines, samples, (400.0, 500.0))
            + "</calibration>",
            f"annotation/calibration/noise-{stem}.xml": "<noise>"
            + _vectors("noiseRange", "noiseRangeVector", "noiseRangeLut", lines, samples, (900.0, 300.0))
            + _azimuth_noise(lines, samples)
            + "</noise>",
        }
        for name, text in files.items():
            (product / name).write_text(text)
        return product

    return make


_FIRST = datetime.fromisoformat("2020-01-01T00:00:00")
_LINE_S, _SPACING_M, _ORBIT_M, _RATE = 1.5e-3, 10.0, 7.07e6, 1.05e-3
"""Seconds a line, metres a pixel, radius and angular rate (radians a second) of the orbit."""


def _elements(**values: object) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


def _time(seconds: float) -> str:
    return (_FIRST + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def _orbit() -> str:
    orbit = ""
    for second in range(-60, 121, 10):
        turn = _RATE * second
        at = {"x": _ORBIT_M * np.cos(turn), "y": _ORBIT_M * np.sin(turn), "z": 0.0}
        speed = {"x": -_RATE * at["y"], "y": _RATE * at["x"], "z": 0.0}
        orbit += (
            f"<orbit>{_elements(time=_time(second), position=_elements(**at), velocity=_elements(**speed))}</orbit>"
        )
    return orbit


def _annotation(lines: int, samples: int, steering: float) -> str:
    points = ""
    for line in sorted({*range(0, lines, max(1, lines // 8)), lines - 1}):
        for pixel in sorted({*range(0, samples, max(1, samples // 12)), samples - 1}):
            south = np.radians(4.5) + pixel * _SPACING_M / 6.3781e6
            turn = _RATE * line * _LINE_S
            slant = np.sqrt(_ORBIT_M**2 + 6.3781e6**2 - 2 * _ORBIT_M * 6.3781e6 * np.cos(south))
            incidence = np.degrees(np.arcsin(_ORBIT_M * np.sin(south) / slant))
            values = {"azimuthTime": _time(line * _LINE_S), "slantRangeTime": 2 * slant / 299_792_458.0, "line": line}
            values |= {"pixel": pixel, "latitude": -np.degrees(south), "longitude": np.degrees(turn), "height": 0.0}
            points += f"<geolocationGridPoint>{_elements(**values, incidenceAngle=incidence)}</geolocationGridPoint>"
    half = samples // 2
    swaths = {"IW1": (1700.0, 0, half - 1), "IW2": (1450.0, half, samples - 1)}
    downlinks = "".join(
        f"<downlinkInformation>{_elements(swath=name, prf=prf)}</downlinkInformation>"
        for name, (prf, _, _) in swaths.items()
    )
    edges = ("firstAzimuthLine", "firstRangeSample", "lastAzimuthLine", "lastRangeSample")
    merges = "".join(
        f"<swathMerge><swath>{name}</swath><swathBoundsList><swathBounds>"
        f"{_elements(**dict(zip(edges, (0, left, lines - 1, right), strict=True)))}"
        "</swathBounds></swathBoundsList></swathMerge>"
        for name, (_, left, right) in swaths.items()
    )
    general = _elements(
        productInformation=_elements(
            **{"pass": "Ascending"},
            platformHeading=90,
            rangeSamplingRate=6.4e7,
            radarFrequency=5.405e9,
            azimuthSteeringRate=steering,
        ),
        downlinkInformationList=downlinks,
        orbitList=_orbit(),
    )
    image = _elements(
        productFirstLineUtcTime=_time(0),
        slantRangeTime=5.3e-3,
        rangePixelSpacing=_SPACING_M,
        azimuthPixelSpacing=_SPACING_M,
        azimuthTimeInterval=_LINE_S,
        numberOfSamples=samples,
        numberOfLines=lines,
        incidenceAngleMidSwath=38.0,
    )
    return (
        "<product>"
        + _elements(
            adsHeader=_elements(missionId="S1A", productType="GRD", polarisation="VV", mode="IW"),
            generalAnnotation=general,
            imageAnnotation=_elements(imageInformation=image),
            geolocationGrid=_elements(geolocationGridPointList=points),
            swathMerging=_elements(swathMergeList=merges),
        )
        + "</product>"
    )


def _vectors(family: str, kind: str, name: str, lines: int, samples: int, ends: tuple[float, float]) -> str:
    """A table of a calibration or noise file: from the first of `ends` to the last along pixels, more with the line."""
    text = ""
    for line in sorted({*range(0, lines, max(1, lines // 3)), lines + 5}):
        pixels = [*range(0, samples, 40), samples + line % 7]
        values = np.linspace(*ends, len(pixels)) + 0.01 * line
        text += (
            f"<{kind}><line>{line}</line><pixel>{' '.join(map(str, pixels))}</pixel>"
            f"<{name}>{' '.join(f'{value:.6e}' for value in values)}</{name}></{kind}>"
        )
    return f"<{family}VectorList>{text}</{family}VectorList>"


def _azimuth_noise(lines: int, samples: int) -> str:
    half, text = samples // 2, ""
    for left, right, factor in ((0, half - 1, 1.0), (half, samples - 1, 1.2)):
        at = [0, lines // 2, lines - 1]
        values = " ".join(f"{factor + 0.1 * (k % 2)}" for k in range(3))
        block = _elements(firstAzimuthLine=0, firstRangeSample=left, lastAzimuthLine=lines - 1, lastRangeSample=right)
        text += f"<noiseAzimuthVector>{block}<line>{' '.join(map(str, at))}</line>"
        text += f"<noiseAzimuthLut>{values}</noiseAzimuthLut></noiseAzimuthVector>"
    return f"<noiseAzimuthVectorList>{text}</noiseAzimuthVectorList>"


@pytest.fixture(scope="session")
def tiny_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small, untrained network of ships."""
    import torch  # not above: importing torch is the business of few tests

    from refinedet.model import checkpoint
    from refinedet.model.network import RefineDet

    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8))
    header = checkpoint.Header(model.config, ("ship",), Radiometry(), {}, trained_on=TrainedOn(TileConfig(64, 16)))
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    checkpoint.save_checkpoint(path, model.state_dict(), header)
    return path
