"""Settings of a detection: what is looked at, by which detector, what is known of land, and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, Field

from refinedet.config.base import Count, Positive, Settings, Share, Whole, check, validated
from refinedet.config.inference import FloatPrecision, TorchMode
from refinedet.config.option import Effect, option
from refinedet.config.scene import StretchChoice, ValueKind
from refinedet.errors import InputError
from refinedet.utc import parse_utc, utc_text

Polarisation = Literal["vv", "vh", "hh", "hv"]
BOTH = "+"
"""Sign between two polarisations that are both looked at."""


def _in_order(value: Any) -> Any:
    """Two polarisations in one order, the one sent and received alike first: vh+vv is vv+vh."""
    parts = value.lower().split(BOTH) if isinstance(value, str) else []
    return BOTH.join(sorted(parts, key=lambda part: (len(set(part)), part))) if parts else value


PolarisationChoice = Annotated[Literal["vv", "vh", "hh", "hv", "vv+vh", "hh+hv"], BeforeValidator(_in_order)]
"""Polarisation that is looked at, or two: each is looked at on its own, and their detections are merged."""
Calibrate = Literal["sigma0", "sigma0-denoised"]
"""sigma0: as the calibration file says; sigma0-denoised: the thermal noise is taken off before."""
Values = Literal["auto", ValueKind]
NoData = Annotated[float, Field(allow_inf_nan=False)] | Literal["nan", "none"]
"""Stored value of pixels that were not measured; nan: NaN alone; none: every finite value was measured."""
LandMask = Literal["flag", "drop", "off"]
RuntimeChoice = Literal["auto", "torch", "onnx", "openvino"]
PrecisionChoice = Literal["auto", FloatPrecision, "int8"]
MultiscalePreset = Literal["light", "published", "published-voc", "published-coco"]

COAST_RANGE_M = 100_000.0
"""Coasts are looked for up to this distance."""
FRAGMENT_SHARE = 0.5
"""Detections down to this share of the wanted score enter the merge: a weak fragment may complete a strong ship."""
_MAX_PIXELS = 4_000_000_000
_Pixels = Annotated[int, Field(ge=1)]
_Reach = Annotated[float, Field(ge=0, le=COAST_RANGE_M)]


def parse_gsd(text: str) -> float | str:
    """Pixel size from text: metres, or native.

    Raises:
        InputError: it is neither.
    """
    try:
        return text if text == "native" else float(text)
    except ValueError:
        raise InputError(f"expected `gsd_m` in metres, or native, found {text!r}") from None


def parse_nodata(text: str) -> float | str:
    """Stored value of missing pixels from text: a number, nan, or none.

    Raises:
        InputError: it is none of these.
    """
    try:
        return text.lower() if text.lower() in ("nan", "none") else float(text)
    except ValueError:
        raise InputError(f"expected `nodata` as a number, nan, or none, found {text!r}") from None


def parse_time(text: str) -> str:
    """Time from text in ISO 8601, as text in UTC.

    Raises:
        InputError: it is no time.
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
    """Pixels of a scene that are looked at, and how."""

    pol: PolarisationChoice | None = option(
        None,
        "Polarisation: of a Sentinel-1 product, or of the band of a raster by its name. With vv+vh or hh+hv both are "
        "looked at and merged, in about twice the time.",
        metavar="vv|vh|hh|hv|vv+vh|hh+hv",
        default_text="vv, else hh, else the first",
        parse=str,
    )
    band: str | int | None = option(
        None,
        "Band of a raster, by number or description.",
        default_text="by polarisation, else the brightest image; or RGB",
    )
    values: Values = option(
        "auto",
        "Kind of a raster's values: amplitude, power, decibels, parts of them, or complex numbers in two bands; "
        "auto: by names, range and speckle.",
        metavar="auto|amplitude|power|db|db10|db100|db1000|iq",
    )
    calibrate: Calibrate | None = option(
        None,
        "Look at calibrated amplitudes of a Sentinel-1 product, thermal noise removed or not.",
        default_text="off: counts as they are",
    )
    nodata: NoData | None = option(
        None,
        "Value that a raster stores where nothing was measured; none: all of it was measured.",
        metavar="VALUE|nan|none",
        default_text="as the file says, else a value that fills areas, else 0 in areas",
        parse=parse_nodata,
    )
    stretch: StretchChoice = option(
        StretchChoice(),
        "How values become 8 bits; auto: as the weights were trained, 8-bit scenes as they are.",
        metavar="auto|percentile|decibel|fixed:LOW:HIGH|none",
        default_text="auto",
        parse=StretchChoice.parse,
    )
    scale: Positive | None = option(
        None, "Look at the scene in this many times its pixels along each side.", default_text="1"
    )
    gsd_m: Positive | Literal["native"] | None = option(
        None,
        "Look at the scene in pixels of this many metres, or in its native ones.",
        metavar="METRES|native",
        default_text="its own if the weights know that size, else the one that they know best",
        parse=parse_gsd,
    )
    crs: str | None = option(
        None,
        "Reference system of the scene's coordinates, or of x and y in the control points; overrules the file's own.",
        metavar="EPSG:n|WKT",
        default_text="that of the file, else of a .prj file beside it",
    )
    gcps: Path | None = option(
        None,
        "Control points that place the scene: CSV with columns pixel, line, lon, lat (or x, y and a reference system), "
        "or a .points file of QGIS. Pixels count from the outer edge of the first one.",
        metavar="FILE",
        default_text="the file's own coordinates",
    )
    time: str | None = option(
        None,
        "Time at which the scene was taken, in ISO 8601; UTC if it names no zone. Not for products with an annotation.",
        metavar="TIME",
        default_text="that of the annotation, the file's metadata or its name",
        parse=parse_time,
    )
    max_download_mb: Positive = option(
        20_000.0, "Move at most this many megabytes for a scene that lies at an address.", Effect.NONE
    )
    max_pixels: _Pixels = option(_MAX_PIXELS, "Refuse a larger scene before anything is read.", Effect.NONE)

    def __post_init__(self) -> None:
        check(self.scale is None or self.gsd_m is None, "scale", "none beside `gsd_m`", self.scale)
        check(self.time is None or _is_time(self.time), "time", "a time such as 2021-07-01T12:01:02Z", self.time)

    @property
    def polarisations(self) -> tuple[Polarisation, ...]:
        """Polarisations that are looked at, each on its own: two, one, or none where the file decides."""
        return cast("tuple[Polarisation, ...]", () if self.pol is None else tuple(self.pol.split(BOTH)))

    def one_by_one(self) -> tuple[Self, ...]:
        """Settings for each polarisation that is looked at: of two, one each; else these."""
        if len(self.polarisations) < 2:
            return (self,)
        return tuple(replace(self, pol=one) for one in self.polarisations)


@validated(frozen=True, slots=True)
class LandSettings(Settings):
    """Treatment of detections on land, and of places that are known to be no ship."""

    land_mask: LandMask | None = option(
        None,
        "What becomes of detections on land.",
        metavar="flag|drop|off",
        default_text="flag",
    )
    land: Path | None = option(
        None,
        "Land polygons of your own: GeoJSON, GeoPackage or Shapefile.",
        metavar="FILE",
        default_text="the coastline that comes with refinedet",
    )
    land_buffer_m: _Reach = option(500.0, "Nearer to the coast than this is shore; farther inside is land.")
    exclude: Path | None = option(
        None, "Points, lines or polygons of platforms and turbines; detections there are dropped.", metavar="FILE"
    )
    exclude_m: _Reach = option(100.0, "Detections up to this far from an excluded place are dropped too.")
    platforms: Path | None = option(
        None,
        "Points, lines or polygons of known platforms and turbines: detections there are flagged as platform, none is "
        "dropped. GeoJSON, GeoPackage or Shapefile.",
        metavar="FILE",
    )
    platforms_m: _Reach = option(100.0, "Detections up to this far from a known platform are flagged too.")
    fixed: Path | None = option(
        None,
        "Points, lines or polygons of what stands still, as `refinedet fixed` finds it in an archive: detections there "
        "are flagged as fixed, none is dropped.",
        metavar="FILE",
    )
    fixed_m: _Reach = option(100.0, "Detections up to this far from a fixed thing are flagged too.")

    def __post_init__(self) -> None:
        check(self.land is None or self.land_mask != "off", "land_mask", "flag or drop beside `land`", self.land_mask)

    @property
    def mask(self) -> LandMask:
        """The mask that holds: that asked for, else flag."""
        return self.land_mask or "flag"

    @property
    def insists(self) -> bool:
        """True where unknown land is an error: a mask or a file was asked for by name."""
        return self.land_mask in ("flag", "drop") or self.land is not None


@validated(frozen=True, slots=True)
class WindowSettings(Settings):
    """Windows of a scene, and the score from which a detection counts."""

    score_min: Share = option(0.5, "Lowest score of a ship.")
    tile_px: Annotated[int, Field(ge=64, le=2**20)] | None = option(
        None,
        "Side of a window, in pixels, scaled to the network's input.",
        default_text="that of training; without the prescreen twice that",
    )
    overlap_px: Whole | None = option(
        None,
        "Pixels by which windows overlap. A ship no longer than this is found whole, a longer one is joined.",
        default_text="as trained, less where that holds 500 m",
    )
    prescreen: Literal["on", "off"] | None = option(
        None,
        "Skip windows in which nothing stands out from the sea.",
        metavar="on|off",
        default_text="on for ship detectors of this project, else off",
    )


@validated(frozen=True, slots=True)
class DetectorSettings(Settings):
    """Weights, and what runs them."""

    weights: Path | None = option(
        None,
        "Checkpoint (.safetensors), an export of one (.onnx, .xml), or a detector of your own (.onnx).",
        default_text="the weights that come with the package",
    )
    multiscale: MultiscalePreset | None = option(
        None,
        "Look at other sizes and mirrored too: slower, more exact.",
        metavar="light|published|published-voc|published-coco",
        default_text="off",
    )
    batch_size: Count | None = option(
        None, "Windows per pass of the network.", Effect.NONE, default_text="2 on a CPU, 32 on a GPU"
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:N, or all: every GPU at once.", Effect.NONE)
    runtime: RuntimeChoice = option(
        "auto",
        "What runs the network; auto: torch on a GPU, else the first of openvino, onnx, torch that is installed.",
        metavar="auto|torch|onnx|openvino",
    )
    precision: PrecisionChoice = option(
        "auto",
        "Number format of the network; auto: that of the file, or int8 for the package's weights on a processor with "
        "VNNI or AMX, or fp32. bf16 is faster where the processor has it, and boxes move a little; not with onnx. fp16 "
        "is for torch alone. int8 is the graph in 8 bits of the package's weights, by openvino.",
        metavar="auto|fp32|bf16|fp16|int8",
    )
    torch_mode: TorchMode = option(
        "auto",
        "How torch runs the network: kernel by kernel, as CUDA graphs, or compiled, which takes a minute or more at "
        "first; auto: graph on a GPU, else eager.",
        Effect.NONE,
        metavar="auto|eager|graph|compile",
    )

    @property
    def float_precision(self) -> FloatPrecision:
        """Number format of a network in floats: that asked for, else fp32; a file in 8 bits has its own."""
        return self.precision if self.precision in ("bf16", "fp16") else "fp32"
