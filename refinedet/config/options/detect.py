"""Settings of a detection: the pixels, the windows and the detector."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, Field

from refinedet.config.base import Count, Positive, Settings, Share, Whole, check, validated
from refinedet.config.inference import FloatPrecision, TorchMode
from refinedet.config.options.option import Effect, option
from refinedet.config.scene import StretchChoice, ValueKind
from refinedet.errors import InputError
from refinedet.utc import parse_utc, utc_text

Polarisation = Literal["vv", "vh", "hh", "hv"]
BOTH = "+"
"""Sign between two polarisations that are searched together."""


def _in_order(value: Any) -> Any:
    """Two polarisations in a fixed order, co-polarised first: vh+vv becomes vv+vh."""
    parts = value.lower().split(BOTH) if isinstance(value, str) else []
    return BOTH.join(sorted(parts, key=lambda part: (len(set(part)), part))) if parts else value


PolarisationChoice = Annotated[Literal["vv", "vh", "hh", "hv", "vv+vh", "hh+hv"], BeforeValidator(_in_order)]
"""Polarisation to search, or two: each is searched separately, and their detections are merged."""
Calibrate = Literal["sigma0", "sigma0-denoised"]
"""sigma0: by the calibration file; sigma0-denoised: the thermal noise is subtracted first."""
Values = Literal["auto", ValueKind]
NoData = Annotated[float, Field(allow_inf_nan=False)] | Literal["nan", "none"]
"""Stored value of pixels that were not measured; nan: NaN alone; none: every finite value was measured."""
RuntimeChoice = Literal["auto", "torch", "onnx", "openvino"]
PrecisionChoice = Literal["auto", FloatPrecision, "int8"]
MultiscalePreset = Literal["light", "published", "published-voc", "published-coco"]

FRAGMENT_SHARE = 0.5
"""Detections down to this share of the wanted score enter the merge: a weak fragment may complete a strong ship."""
_MAX_PIXELS = 4_000_000_000
MOST_DOWNLOAD_MB = 20_000.0
"""Limit of the download for one scene by default."""
_Pixels = Annotated[int, Field(ge=1)]


def parse_gsd(text: str) -> float | str:
    """Parse a pixel size: metres, or native.

    Raises:
        InputError: it is neither.
    """
    try:
        return text if text == "native" else float(text)
    except ValueError:
        raise InputError(f"expected `gsd_m` in metres, or native, found {text!r}") from None


def parse_nodata(text: str) -> float | str:
    """Parse the stored value of missing pixels: a number, nan, or none.

    Raises:
        InputError: it is none of these.
    """
    try:
        return text.lower() if text.lower() in ("nan", "none") else float(text)
    except ValueError:
        raise InputError(f"expected `nodata` as a number, nan, or none, found {text!r}") from None


def parse_time(text: str) -> str:
    """Convert a time in ISO 8601 to text in UTC.

    Raises:
        InputError: the text is no time.
    """
    return utc_text(parse_utc(text))


def _is_time(text: str) -> bool:
    try:
        parse_utc(text)
    except InputError:
        return False
    return True


@validated(frozen=True, slots=True)
class SceneSettings(Settings):
    """Settings for reading the pixels of a scene."""

    pol: PolarisationChoice | None = option(
        None,
        "Polarisation to search, of a Sentinel-1 product or of a raster with named bands. vv+vh and hh+hv search both "
        "and merge the detections, which finds more ships in about twice the time. One of them may be in a file beside "
        "the scene, as in scene_VV.tif and scene_VH.tif.",
        metavar="vv|vh|hh|hv|vv+vh|hh+hv",
        default_text="vv and vh together, or hh and hv; else the only one",
        parse=str,
    )
    band: str | int | None = option(
        None,
        "Band of a raster to use, by number or description.",
        default_text="by polarisation, else the brightest band; or RGB",
    )
    values: Values = option(
        "auto",
        "Kind of a raster's values: amplitude, power, decibels (db), parts of decibels (db10: tenths, db100, db1000), "
        "or complex numbers in two bands (iq). auto: guess from names, range and speckle.",
        metavar="auto|amplitude|power|db|db10|db100|db1000|iq",
    )
    calibrate: Calibrate | None = option(
        None,
        "Calibrate a Sentinel-1 product to sigma nought, with or without removal of thermal noise.",
        metavar="sigma0|sigma0-denoised",
        default_text="off: digital numbers as stored",
    )
    nodata: NoData | None = option(
        None,
        "Value of missing pixels. nan: only NaN is missing; none: no pixel is missing.",
        metavar="VALUE|nan|none",
        default_text="as the file says, else guessed: a value that fills areas, or 0",
        parse=parse_nodata,
    )
    inverted: Literal["on", "off"] | None = option(
        None,
        "Inverted greys of a raster: low values are bright. Decibels whose sign was lost count as inverted.",
        metavar="on|off",
        default_text="as the file says",
    )
    stretch: StretchChoice = option(
        StretchChoice(),
        "How values are converted to 8 bits. auto: as in training, and no conversion of 8-bit scenes.",
        metavar="auto|percentile|decibel|fixed:LOW:HIGH|none",
        default_text="auto",
        parse=StretchChoice.parse,
    )
    scale: Positive | None = option(None, "Resample the scene by this factor along each side.", default_text="1")
    gsd_m: Positive | Literal["native"] | None = option(
        None,
        "Resample the scene to this pixel size in metres; native: do not resample.",
        metavar="METRES|native",
        default_text="native if the weights were trained on that size, else the best size for the weights",
        parse=parse_gsd,
    )
    crs: str | None = option(
        None,
        "Coordinate reference system of the scene, or of x and y in the control points. Overrides that of the file.",
        metavar="EPSG:n|WKT",
        default_text="from the file, else from a .prj file beside it",
    )
    gcps: Path | None = option(
        None,
        "Ground control points of the scene: CSV with columns pixel, line, lon, lat (or x, y and a reference system), "
        "or a .points file of QGIS. Pixel 0 is the outer edge of the first pixel.",
        metavar="FILE",
        default_text="the coordinates in the file",
    )
    time: str | None = option(
        None,
        "Acquisition time in ISO 8601, in UTC if it has no time zone. Not for products with an annotation.",
        metavar="TIME",
        default_text="from the annotation, the file's metadata or its name",
        parse=parse_time,
    )
    max_download_mb: Positive | None = option(
        None,
        "Limit of the download for a scene at an address, in megabytes.",
        Effect.NONE,
        default_text=f"{MOST_DOWNLOAD_MB:.0f}",
    )
    max_pixels: _Pixels = option(
        _MAX_PIXELS, "Limit of the number of pixels of a scene; larger scenes are an error.", Effect.NONE
    )

    def __post_init__(self) -> None:
        check(self.scale is None or self.gsd_m is None, "scale", "none beside `gsd_m`", self.scale)
        check(self.time is None or _is_time(self.time), "time", "a time such as 2021-07-01T12:01:02Z", self.time)

    @property
    def polarisations(self) -> tuple[Polarisation, ...]:
        """Polarisations to search, each separately: two, one, or none if the file decides."""
        return cast("tuple[Polarisation, ...]", () if self.pol is None else tuple(self.pol.split(BOTH)))

    def one_by_one(self) -> tuple[Self, ...]:
        """Settings for each polarisation to search: for two, one each; else only these."""
        if len(self.polarisations) < 2:
            return (self,)
        return tuple(replace(self, pol=one) for one in self.polarisations)


@validated(frozen=True, slots=True)
class WindowSettings(Settings):
    """Windows of a scene, and the score from which a detection counts."""

    score_min: Share = option(0.5, "Leave out detections below this score.")
    tile_px: Annotated[int, Field(ge=64, le=2**20)] | None = option(
        None,
        "Side of a window in pixels; windows are scaled to the input size of the network.",
        default_text="as in training; twice that without the prescreen",
    )
    overlap_px: Whole | None = option(
        None,
        "Overlap of windows in pixels. Shorter ships are found whole; longer ships are joined from parts.",
        default_text="that of training or 500 m, whichever is smaller",
    )
    prescreen: Literal["on", "off"] | None = option(
        None,
        "Skip windows where nothing stands out from the sea.",
        metavar="on|off",
        default_text="on for ship detectors of refinedet, else off",
    )


@validated(frozen=True, slots=True)
class DetectorSettings(Settings):
    """Weights, and the runtime that computes them."""

    weights: Path | None = option(
        None,
        "Checkpoint (.safetensors), exported checkpoint (.onnx, .xml), or your own detector (.onnx).",
        default_text="the shipped weights",
    )
    multiscale: MultiscalePreset | None = option(
        None,
        "Test-time augmentation: also search scaled and mirrored windows. Slower, more accurate.",
        metavar="light|published|published-voc|published-coco",
        default_text="off",
    )
    batch_size: Count | None = option(
        None, "Windows per call of the network.", Effect.NONE, default_text="2 on a CPU, 32 on a GPU"
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:N, or all (every GPU).", Effect.NONE)
    runtime: RuntimeChoice = option(
        "auto",
        "Library that runs the network. auto: torch on a GPU, else the first of openvino, onnx, torch that is "
        "installed.",
        metavar="auto|torch|onnx|openvino",
    )
    precision: PrecisionChoice = option(
        "auto",
        "Number format of the network. auto: int8 for the shipped weights on a processor with AVX2, VNNI or AMX, else "
        "that of the file, else fp32. bf16: faster where the processor supports it, boxes change a little; not with "
        "onnx. fp16: torch only. int8: shipped weights with openvino only.",
        metavar="auto|fp32|bf16|fp16|int8",
    )
    torch_mode: TorchMode = option(
        "auto",
        "How torch runs the network: kernel by kernel (eager), as CUDA graphs (graph), or compiled, which needs a "
        "minute or more at the start. auto: graph on a GPU, else eager.",
        Effect.NONE,
        metavar="auto|eager|graph|compile",
    )

    @property
    def float_precision(self) -> FloatPrecision:
        """Number format of a float network: the option if it is given, else fp32; a file in 8 bits has its own."""
        return self.precision if self.precision in ("bf16", "fp16") else "fp32"
