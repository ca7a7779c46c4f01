"""Common kinds of rasters, all made from one simulated scene: values, bands, fills, sizes, places, land."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.transform import Affine
from scipy import ndimage

from refinedet.boxes import Boxes
from refinedet.data.simulation.files import read_truth
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec

SIDE_PX, SHIPS, SEED = 1536, 40, 771
_COUNTS_PER_UNIT = 700.0
"""Counts of amplitude 1 in the kinds that are calibrated."""
_FILL_LEFT, _FILL_TOP = 450, 300

Make = Callable[["Plain", Path], Path]


@dataclass(frozen=True, slots=True)
class Plain:
    """The simulated scene that all kinds are made from."""

    path: Path
    counts: NDArray[np.uint16]
    truth: Boxes
    transform: Affine
    crs: str

    @property
    def amplitude(self) -> NDArray[np.float32]:
        """Calibrated amplitude."""
        return np.asarray(self.counts / np.float32(_COUNTS_PER_UNIT), np.float32)

    @property
    def decibel(self) -> NDArray[np.float32]:
        """The amplitude in decibels."""
        return np.asarray(20 * np.log10(np.maximum(self.amplitude, 1e-3)), np.float32)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of raster."""

    name: str
    make: Make
    pixels_per_own: float = 1.0
    """Pixels of the plain scene per pixel of this one."""
    origin: tuple[int, int] = (0, 0)
    """Pixel (x, y) of the plain scene where this one begins."""
    shown: Callable[[Boxes], NDArray[np.bool_]] = lambda boxes: np.ones(len(boxes), np.bool_)
    """Ships of the plain scene that this one shows."""
    choice: dict[str, Any] = field(default_factory=dict)
    """Settings of `find_ships`."""


def plain_scene(folder: Path) -> Plain:
    """Simulate the scene."""
    path = folder / "plain.tif"
    write_simulated(SceneSpec(width_px=SIDE_PX, height_px=SIDE_PX, ships=SHIPS, seed=SEED), path)
    with rasterio.open(path) as scene:
        counts, transform, crs = scene.read(1), scene.transform, scene.crs.to_wkt()
    return Plain(path, counts, read_truth(path.with_suffix(".truth.geojson")), transform, crs)


def tiff(*bands: NDArray[Any], names: tuple[str, ...] = (), **more: Any) -> Make:
    """Writer of a GeoTIFF of these bands where the plain scene lies."""

    def make(plain: Plain, folder: Path) -> Path:
        height, width = bands[0].shape
        profile = {"driver": "GTiff", "count": len(bands), "height": height, "width": width}
        place = {"dtype": bands[0].dtype.name, "crs": plain.crs, "transform": plain.transform, "tiled": True}
        with rasterio.open(folder / "scene.tif", "w", **(profile | place | more)) as file:
            file.write(np.stack(bands))
            if names:
                file.descriptions = names
        return folder / "scene.tif"

    return make


def picture(pixels: NDArray[np.uint8], suffix: str, **more: Any) -> Make:
    """Writer of a PNG or JPEG without a position."""

    def make(_: Plain, folder: Path) -> Path:
        Image.fromarray(pixels).save(folder / f"scene.{suffix}", **more)
        return folder / f"scene.{suffix}"

    return make


def squeezed(decibel: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Decibels from `low` to `high` in 8 bits."""
    return np.asarray(np.rint(255 * (np.clip(decibel, low, high) - low) / (high - low)), np.uint8)


def kinds(plain: Plain) -> list[Kind]:
    """All kinds, of one scene."""
    groups = (_values, _bands, _missing, _eight_bits, _sizes, _places, _land)
    return [kind for group in groups for kind in group(plain)]


def _values(plain: Plain) -> list[Kind]:
    amplitude, decibel = plain.amplitude, plain.decibel
    power = plain.counts.astype(np.float64) ** 2
    middle = np.median(power[power > 0])
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, amplitude.shape)
    scaled = np.rint(1310 * (decibel.clip(-35, 15) + 35)).astype(np.uint16)
    real, imaginary = ((plain.counts * part(phase)).round().astype(np.int16) for part in (np.cos, np.sin))
    return [
        Kind("uint16 amplitude", tiff(plain.counts, nodata=0)),
        Kind("float32 amplitude", tiff(amplitude, nodata=0)),
        Kind("float32 power", tiff(amplitude**2, nodata=0)),
        Kind("float32 power in counts", tiff(power.astype(np.float32), nodata=0)),
        Kind("float32 power, noise subtracted, half below zero", tiff(((power - middle) / 4e5).astype(np.float32))),
        Kind("float32 power, named Sigma0_VV, 10 dB brighter", tiff(10 * amplitude**2, names=("Sigma0_VV",), nodata=0)),
        Kind("uint32 power, named Intensity_VV", tiff(power.astype(np.uint32), names=("Intensity_VV",), nodata=0)),
        Kind("float32 dB", tiff(decibel)),
        Kind("float32 dB, clipped to -25 to 0", tiff(np.where(plain.counts == 0, 0, decibel.clip(-25, 0)))),
        Kind("float64 dB, 0 is declared nodata", tiff(decibel.astype(np.float64), nodata=0)),
        Kind("int16 dB in hundredths, no scale in the file", tiff(np.rint(100 * decibel).astype(np.int16))),
        Kind("int16 dB in tenths", tiff(np.rint(10 * decibel).astype(np.int16))),
        Kind("uint16 dB, scaled from -35 to 15 dB", tiff(scaled)),
        Kind("float32 dB plus 60", tiff(decibel + np.float32(60))),
        Kind("int16 I and Q, named", tiff(real, imaginary, names=("I", "Q"))),
        Kind("int16 I and Q, nameless", tiff(real, imaginary)),
        Kind("complex64", tiff((plain.counts * np.exp(1j * phase)).astype(np.complex64))),
        Kind("int16 real part alone", tiff(real)),
    ]


def _bands(plain: Plain) -> list[Kind]:
    decibel = plain.decibel
    noise = np.random.default_rng(1).normal(0, 1, decibel.shape)
    cross = (decibel.clip(-60, -14) - 9 + noise).astype(np.float32)
    angle = np.tile(np.linspace(30, 46, decibel.shape[1], dtype=np.float32), (decibel.shape[0], 1))
    names = ("angle", "VH", "VV")
    speckled = np.random.default_rng(2).random(decibel.shape, np.float32)
    return [
        Kind("angle, VH, VV, named", tiff(angle, cross, decibel, names=names)),
        Kind("angle, VH, VV, nameless", tiff(angle, cross, decibel)),
        Kind("angle, VH, VV, --pol vh", tiff(angle, cross, decibel, names=names), choice={"pol": "vh"}),
        Kind("VH, VV, nameless", tiff(cross, decibel)),
        Kind("VV, VH and their difference, nameless", tiff(decibel, cross, decibel - cross)),
        Kind("coh_VV, Sigma0_VV_db", tiff(speckled, decibel, names=("coh_VV", "Sigma0_VV_db"))),
    ]


def _missing(plain: Plain) -> list[Kind]:
    hidden = np.zeros(plain.counts.shape, np.bool_)
    hidden[:, :_FILL_LEFT] = hidden[:_FILL_TOP] = True

    def shown(boxes: Boxes) -> NDArray[np.bool_]:
        return np.asarray((boxes[:, 0] >= _FILL_LEFT) & (boxes[:, 1] >= _FILL_TOP))

    def filled(name: str, values: NDArray[Any], fill: float, **choice: Any) -> Kind:
        pixels = values.copy()
        pixels[hidden] = fill
        return Kind(name, tiff(pixels), shown=shown, choice=choice)

    hundredths = np.rint(100 * plain.decibel).astype(np.int16)
    power = plain.counts.astype(np.float64) ** 2
    denoised = {
        share: np.sqrt(np.maximum(power - np.percentile(power[power > 0], share), 0) / 4e5).astype(np.float32)
        for share in (49, 62, 74)
    }
    return [
        filled("fill -9999, amplitude", plain.amplitude, -9999),
        filled("fill 1e20, amplitude", plain.amplitude, 1e20),
        filled("fill 0, dB", plain.decibel, 0),
        filled("fill -9999, dB", plain.decibel, -9999),
        filled("fill 65535, uint16", plain.counts, 65535),
        filled("fill -32768, dB in hundredths", hundredths, -32768),
        filled("fill 7, --nodata 7", plain.counts, 7, nodata="7"),
        *(Kind(f"noise removed, {share} % exact zeros", tiff(pixels)) for share, pixels in denoised.items()),
        Kind("noise removed, dB, 49 % NaN", tiff(_decibel(denoised[49], np.nan))),
        Kind("noise removed, dB, 49 % -9999, declared", tiff(_decibel(denoised[49], -9999), nodata=-9999)),
    ]


def _decibel(amplitude: NDArray[np.float32], of_zero: float) -> NDArray[np.float32]:
    """Decibels of amplitudes, with a value for those that are zero."""
    zero = amplitude == 0
    return np.where(zero, np.float32(of_zero), 20 * np.log10(np.where(zero, 1, amplitude))).astype(np.float32)


def _eight_bits(plain: Plain) -> list[Kind]:
    low, high = (float(v) for v in np.percentile(plain.decibel[plain.counts > 0], (2, 98)))
    grey = squeezed(plain.decibel, -25, 5)
    linear = np.asarray(np.clip(plain.counts / 450.0 * 255, 0, 255), np.uint8)
    dark = np.asarray(np.rint(plain.counts * (255.0 / plain.counts.max())), np.uint8)
    alpha = np.dstack([linear, linear, linear, np.full_like(linear, 255)])
    return [
        Kind("8 bits, amplitude", tiff(linear)),
        Kind("8 bits, amplitude, 255 is declared nodata", tiff(linear, nodata=255)),
        Kind("8 bits, amplitude, scaled to the brightest pixel", tiff(dark)),
        Kind("8 bits, -25 to 5 dB", tiff(grey)),
        Kind("8 bits, -35 to 10 dB", tiff(squeezed(plain.decibel, -35, 10))),
        Kind("8 bits, dB from 2 to 98 %", tiff(squeezed(plain.decibel, low, high))),
        Kind("8 bits, white is the lowest value", tiff(255 - linear, photometric="MINISWHITE")),
        Kind("PNG, amplitude", picture(linear, "png")),
        Kind("PNG, -25 to 5 dB", picture(grey, "png")),
        Kind("PNG, RGBA", picture(alpha, "png")),
        Kind("JPEG, -25 to 5 dB", picture(grey, "jpg", quality=90)),
    ]


def _sizes(plain: Plain) -> list[Kind]:
    t = plain.transform

    def averaged(factor: int) -> Kind:
        side = SIDE_PX // factor
        cut = plain.counts[: side * factor, : side * factor].astype(np.float64) ** 2
        mean = np.sqrt(cut.reshape(side, factor, side, factor).mean((1, 3))).clip(1, 65535).astype(np.uint16)
        place = Affine(10 * factor, 0, t.c, 0, -10 * factor, t.f)
        return Kind(f"pixels of {10 * factor} m", tiff(mean, transform=place, nodata=0), pixels_per_own=factor)

    left, top, side, finer = 880, 380, 240, 8
    power = ndimage.zoom(plain.counts[top : top + side, left : left + side].astype(np.float64) ** 2, finer, order=1)
    speckle = np.random.default_rng(3).gamma(4, 0.25, power.shape)
    fine = np.sqrt(np.maximum(power, 1) * speckle).clip(1, 65535).astype(np.uint16)

    def inside(boxes: Boxes) -> NDArray[np.bool_]:
        low, high = np.array([left, top]), np.array([left + side, top + side])
        return np.asarray((boxes[:, :2] >= low).all(axis=1) & (boxes[:, 2:] <= high).all(axis=1))

    place = Affine(10 / finer, 0, t.c + 10 * left, 0, -10 / finer, t.f - 10 * top)
    spotlight = Kind("pixels of 1.25 m", tiff(fine, transform=place), 1 / finer, (left, top), inside)
    return [averaged(2), averaged(3), averaged(4), spotlight]


def _places(plain: Plain) -> list[Kind]:
    identity = Affine.identity()

    def with_world_file(scene: Plain, folder: Path) -> Path:
        path = tiff(scene.counts, crs=None, transform=identity)(scene, folder)
        t = scene.transform
        lines = (t.a, t.d, t.b, t.e, t.c + t.a / 2, t.f + t.e / 2)
        path.with_suffix(".tfw").write_text("\n".join(map(str, lines)), encoding="ascii")
        return path

    return [
        Kind("EPSG:4326 without a transform", tiff(plain.counts, crs="EPSG:4326", transform=identity)),
        Kind("UTM without a transform", tiff(plain.counts, transform=identity)),
        Kind("world file, --crs EPSG:32632", with_world_file, choice={"crs": "EPSG:32632"}),
    ]


def _land(plain: Plain) -> list[Kind]:
    rng = np.random.default_rng(4)
    land = 180 * np.sqrt(rng.gamma(4, 0.25, plain.counts.shape))
    city = rng.random(plain.counts.shape) < 0.06
    land[city] *= rng.lognormal(2.2, 0.8, int(city.sum()))

    def port(share: int) -> Kind:
        edge = SIDE_PX - SIDE_PX * share // 100
        pixels = plain.counts.astype(np.float64)
        pixels[edge:] = land[edge:]
        shown = lambda boxes: np.asarray(boxes[:, 3] < edge)  # noqa: E731 - one for each share
        return Kind(f"{share} % city", tiff(pixels.clip(1, 65535).astype(np.uint16)), shown=shown)

    trend = 10 ** (np.linspace(3, -3, SIDE_PX) / 20)
    fading = (plain.counts * trend).clip(1, 65535).astype(np.uint16)
    return [port(30), port(60), port(80), Kind("level falls by 6 dB across the scene", tiff(fading, nodata=0))]


def own_boxes(kind: Kind, plain: Plain) -> Boxes:
    """Boxes (N, 4) of the ships that a kind shows, in its own pixels."""
    boxes = plain.truth[kind.shown(plain.truth)]
    return np.asarray((boxes - np.array(kind.origin * 2, np.float32)) / np.float32(kind.pixels_per_own), np.float32)
