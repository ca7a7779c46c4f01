"""Further kinds of rasters, made from the same simulated scene: unusual numbers, lines, colours, areas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from cases_kinds import SIDE_PX, Kind, Make, Plain, picture, squeezed, tiff
from numpy.typing import NDArray
from scipy import ndimage

_LINE = 3
"""First missing line."""


def more_kinds(plain: Plain) -> list[Kind]:
    """All further kinds, of one scene."""
    groups = (_numbers, _inverted, _processed, _lines, _bands, _others, _places)
    return [kind for group in groups for kind in group(plain)]


def _sixteen(values: NDArray[Any]) -> NDArray[np.uint16]:
    return np.asarray(np.clip(np.rint(values), 0, 65535), np.uint16)


def _eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _numbers(plain: Plain) -> list[Kind]:
    power = plain.amplitude.astype(np.float64) ** 2
    hundredths = np.rint(100 * plain.decibel).astype(np.int16)
    below = np.minimum(hundredths, -1)
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, power.shape)
    real, imaginary = (np.rint(plain.counts * part(phase)) for part in (np.cos, np.sin))
    signed = (part.astype(np.int16).view(np.uint16) for part in (real, imaginary))
    return [
        Kind("uint16 power x 10,000", tiff(_sixteen(1e4 * power), nodata=0)),
        Kind("int16 power x 10,000", tiff(np.minimum(_sixteen(1e4 * power), 32767).astype(np.int16), nodata=0)),
        Kind("8 bits, power x 1,000", tiff(_eight(1e3 * power))),
        Kind("uint16 I and Q about 32768", tiff(_sixteen(real + 32768), _sixteen(imaginary + 32768))),
        Kind(
            "I and Q, int16 stored as uint16",
            tiff(*signed),
        ),
        Kind("dB in hundredths, int16 stored as uint16", tiff(hundredths.view(np.uint16))),
        Kind("8 bits, low byte of uint16", tiff(np.asarray(plain.counts % 256, np.uint8))),
        Kind("8 bits, power, scaled to the brightest pixel", tiff(_eight(255 * power / power.max()))),
        Kind("uint16 dB in hundredths, cut off below 0 dB", tiff(_sixteen(100 * plain.decibel))),
        Kind("int16 dB in hundredths, all below 0, stored as uint16", tiff(below.view(np.uint16))),
        Kind("int32 dB in millionths", tiff(np.rint(1e6 * plain.decibel).astype(np.int32))),
    ]


def _inverted(plain: Plain) -> list[Kind]:
    linear = _eight(plain.counts / 450.0 * 255)
    made = [
        Kind("uint16, inverted", tiff(65535 - plain.counts)),
        Kind("float32 dB without their sign", tiff(-plain.decibel)),
        Kind("8 bits, amplitude, inverted", tiff(255 - linear)),
        Kind("8 bits, -25 to 5 dB, inverted", tiff(255 - squeezed(plain.decibel, -25, 5))),
    ]
    stated = [replace(kind, name=f"{kind.name}, --inverted on", choice={"inverted": "on"}) for kind in made]
    return [kind for both in zip(made, stated, strict=True) for kind in both]


def _processed(plain: Plain) -> list[Kind]:
    power = plain.counts.astype(np.float64) ** 2 / 4.9e5
    filtered = squeezed((10 * np.log10(np.maximum(_lee(power), 1e-6))).astype(np.float32), -25, 5)
    gamma = _eight(255 * np.clip(plain.counts / 900.0, 0, 1) ** (1 / 2.2))
    made = [Kind("8 bits, dB after a Lee filter of 7 x 7", tiff(filtered)), Kind("8 bits, gamma 2.2", tiff(gamma))]
    stated = [replace(kind, name=f"{kind.name}, --values db", choice={"values": "db"}) for kind in made]
    return [kind for both in zip(made, stated, strict=True) for kind in both]


def _lee(power: NDArray[np.float64], side: int = 7, looks: float = 4.4) -> NDArray[np.float64]:
    """Power after the filter of Lee (1980)."""
    mean = ndimage.uniform_filter(power, side)
    variance = np.maximum(ndimage.uniform_filter(power**2, side) - mean**2, 1e-12)
    signal = np.maximum((variance - mean**2 / looks) / (1 + 1 / looks), 0)
    return np.asarray(mean + signal / variance * (power - mean))


def _lines(plain: Plain) -> list[Kind]:
    rows, columns, declared = plain.counts.copy(), plain.counts.copy(), plain.amplitude.copy()
    rows[_LINE::8] = columns[:, _LINE::5] = 0
    declared[_LINE::2] = -9999
    return [
        Kind("every eighth row is missing", tiff(rows)),
        Kind("every fifth column is missing", tiff(columns)),
        Kind("every second row is -9999, declared", tiff(declared, nodata=-9999)),
        *_holes(plain),
    ]


def _holes(plain: Plain) -> list[Kind]:
    """Single pixels that were lost, in ships as in the sea."""
    draws = np.random.default_rng(6).random(plain.counts.shape)
    few, many = (np.where(draws < share, np.float32(np.nan), plain.amplitude) for share in (0.05, 0.3))
    return [
        Kind("5 % of the pixels lost, NaN", tiff(few)),
        Kind("30 % of the pixels lost, NaN", tiff(many)),
        Kind("30 % of the pixels lost, 0 in uint16", tiff(np.where(draws < 0.3, 0, plain.counts).astype(np.uint16))),
    ]


def _bands(plain: Plain) -> list[Kind]:
    power = plain.amplitude**2
    noise = np.random.default_rng(5)
    cross = (plain.decibel.clip(-60, -8) - 9 + noise.normal(0, 1.5, power.shape)).astype(np.float32)
    coherence = noise.beta(2, 3, power.shape).astype(np.float32)
    colours = (squeezed(plain.decibel, -25, 0), squeezed(cross, -32, -5), squeezed(plain.decibel - cross, 0, 20))
    return [
        Kind("power and coherence, nameless", tiff(power, coherence)),
        Kind("coherence and power, nameless", tiff(coherence, power)),
        Kind("HHHH, HVHV, as of NISAR", tiff(power, (10 ** (cross / 10)).astype(np.float32), names=("HHHH", "HVHV"))),
        Kind("VV, VH and VV/VH as colours, 8 bits of dB", tiff(*colours, photometric="RGB")),
        Kind("PNG, VV, VH and VV/VH as colours", picture(np.dstack(colours), "png")),
    ]


def _others(plain: Plain) -> list[Kind]:
    t, hidden = plain.transform, plain.counts == 0
    mixed = plain.amplitude.copy()
    mixed[:200], mixed[-150:], mixed[:, -100:] = np.nan, -9999, 0

    def seen(boxes: NDArray[Any]) -> NDArray[np.bool_]:
        low, right = SIDE_PX - 150, SIDE_PX - 100
        return np.asarray((boxes[:, 1] >= 200) & (boxes[:, 3] < low) & (boxes[:, 2] < right))

    declared = np.where(hidden, np.float32(-32768), plain.amplitude**2)
    repeated = plain.counts.repeat(2, 0).repeat(2, 1)
    degrees = rasterio.Affine(10 / 111_320, 0, 359.9, 0, -10 / 111_320, 0.05)
    return [
        Kind("NaN, -9999 and 0 are missing", tiff(mixed), shown=seen),
        Kind("8 bits of 0.2 dB from -45, scale in the file", _scaled(_eight((plain.decibel + 45) / 0.2), 0.2, -45.0)),
        Kind("uint16 power, scale in the file", _scaled(_sixteen(1e4 * plain.amplitude.astype(float) ** 2), 1e-4, 0.0)),
        Kind(
            "power, -32768 declared, as of Planetary Computer",
            tiff(declared, nodata=-32768),
        ),
        Kind(
            "pixels of 5 m, each repeated",
            tiff(repeated, transform=t * t.scale(0.5)),
            0.5,
        ),
        Kind("longitudes from 0 to 360", tiff(plain.counts, crs="EPSG:4326", transform=degrees, nodata=0)),
    ]


def _places(plain: Plain) -> list[Kind]:
    degree, local = 10 / 111_320, 'LOCAL_CS["site",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    by_degrees, by_latitude = (rasterio.Affine(*m) for m in (_across(8.0, 54.0, degree), _along(8.0, 54.0, degree)))

    def with_commas(scene: Plain, folder: Path) -> Path:
        path = tiff(scene.counts, crs=None, transform=rasterio.Affine.identity())(scene, folder)
        t = scene.transform
        lines = "\n".join(f"{n:.3f}" for n in (t.a, t.d, t.b, t.e, t.c + t.a / 2, t.f + t.e / 2))
        path.with_suffix(".tfw").write_text(lines.replace(".", ","), encoding="ascii")
        return path

    return [
        Kind("no reference system", tiff(plain.counts, crs=None)),
        Kind("reference system of a local site", tiff(plain.counts, crs=local)),
        Kind("metres as EPSG:4326", tiff(plain.counts, crs="EPSG:4326")),
        Kind("degrees as UTM", tiff(plain.counts, transform=by_degrees)),
        Kind("degrees, latitude first", tiff(plain.counts, crs="EPSG:4326", transform=by_latitude)),
        Kind("world file with decimal commas, --crs EPSG:32632", with_commas, choice={"crs": "EPSG:32632"}),
        Kind("on a pole, in degrees", tiff(plain.counts, crs="EPSG:4326", transform=_pole(degree))),
        Kind("--gsd-m 40", tiff(plain.counts), choice={"gsd_m": 40.0}),
    ]


def _across(lon: float, lat: float, degree: float) -> tuple[float, ...]:
    return degree, 0.0, lon, 0.0, -degree, lat


def _along(lon: float, lat: float, degree: float) -> tuple[float, ...]:
    """Transform with latitude in the place of longitude."""
    return 0.0, -degree, lat, degree, 0.0, lon


def _pole(degree: float) -> rasterio.Affine:
    return rasterio.Affine(*_across(8.0, 90.05, degree))


def _scaled(stored: NDArray[Any], scale: float, offset: float) -> Make:
    """Writer of a GeoTIFF whose header has a scale and an offset."""

    def make(plain: Plain, folder: Path) -> Path:
        path = tiff(stored)(plain, folder)
        with rasterio.open(path, "r+") as file:
            file.scales, file.offsets = (scale,), (offset,)
        return path

    return make
