"""Sentinel-1 GRD product in ESA's EOPF Zarr format, made of the same product in SAFE format.

    python benchmarks/scenes/eopf_store.py S1A_IW_GRDH.SAFE out/S1A_IW_GRDH.zarr --layout cpm2

The layouts are those that ESA's software (EOPF CPM) writes: `cpm2`, one group a polarisation, Zarr version 2;
`cpm2-degraded`, as it comes out for newer satellites, without axes, noise and most attributes; and `cpm3`, all
polarisations in one group, Zarr version 3. Pixels are copied in bands of chunks, so memory does not grow with the
scene.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args
from xml.etree.ElementTree import Element

import numpy as np
import zarr
from eopf_parts import Annotated, Layout, StoreArrays, annotated, laid, numbers, padded, plain, rounded, snake

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, RefineDetError
from refinedet.scene.source import open_source
from refinedet.tiling import Window

_ROWS = {"cpm2": 2048, "cpm2-degraded": 5048, "cpm3": 4096}
"""Rows of a chunk of pixels."""
_COLUMNS = {"cpm2": 4096, "cpm2-degraded": 26587, "cpm3": 4096}
_AXES = ("azimuth_time", "ground_range")
_BOUNDS = ("firstAzimuthLine", "firstRangeSample", "lastAzimuthLine", "lastRangeSample")
_IN_CPM3 = ("azimuth_steering_rate", "platform_heading", "projection", "range_sampling_rate")
"""Product information that version 3 keeps."""


def main() -> int:
    """Write the store; returns 2 where an input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("product", type=Path, help=".SAFE folder with rasters")
    parser.add_argument("out", type=Path, help=".zarr folder to write")
    parser.add_argument("--layout", choices=get_args(Layout), default="cpm2")
    asked = parser.parse_args()
    try:
        write_store(asked.product, asked.out, asked.layout)
    except RefineDetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write_store(product: Path, out: Path, layout: Layout = "cpm2", chunks: tuple[int, int] | None = None) -> Path:
    """Write the store of all polarisations whose rasters a product has; `chunks` are the rows and columns of one.

    Raises:
        FileError: there is something at `out`, or the product has no rasters with annotation.
    """
    if out.exists():
        raise FileError(f"expected nothing at {out}, found something; name another folder")
    found = [annotated(product, path) for path in sorted(product.glob("measurement/*.tif*"))]
    if not found:
        raise FileError(f"expected rasters in {product}/measurement, found none; name a whole product")
    writer = _Writer(out, layout, chunks or (_ROWS[layout], _COLUMNS[layout]))
    writer.write(product, found)
    if writer.version == 2:  # version 3 has no such thing yet
        zarr.consolidate_metadata(out, zarr_format=2)
    return out


class _Writer(StoreArrays):
    """Store under construction."""

    def write(self, product: Path, found: Sequence[Annotated]) -> None:
        first = found[0]
        header = {name: first.annotation.findtext(f"adsHeader/{name}") or "" for name in ("mode", "missionId")}
        start, stop = (str(one.astype("datetime64[us]")) for one in (first.first, first.last))
        properties = {
            "datetime": "null",
            "platform": header["missionId"].lower().replace("s1", "sentinel-1"),
            "start_datetime": f"{start}Z",
            "end_datetime": f"{stop}Z",
            "product:type": f"S01S{header['mode']}GRH",
            "sar:instrument_mode": header["mode"],
            "sar:polarizations": [one.polarisation for one in found],
            "sat:orbit_state": (first.annotation.findtext(".//pass") or "").lower(),
            "processing:software": {"Sentinel-1 IPF": "003.52", "EOPF_CPM": "3.0.0" if self.version == 3 else "2.5.8"},
        }
        self.root.attrs.update({"stac_discovery": {"properties": properties}, "other_metadata": {"title": "S01SIWGRD"}})
        name = f"S01S{header['mode']}GRD_{re.sub('[-:]', '', start)[:15]}_0029_A258_0664_056950"
        groups = [found] if self.version == 3 else [[one] for one in found]
        for members in groups:
            group = self.root.create_group(name if self.version == 3 else f"{name}_{members[0].polarisation}")
            group.attrs.update(self._attributes(members))
            self._pixels(group, product, members)
            self._conditions(group, members)
            self._quality(group, members)

    def _attributes(self, members: Sequence[Annotated]) -> dict[str, Any]:
        if self.layout == "cpm2-degraded":
            placeholders = {
                "platform": "concat('sentinel-', //familyName)",
                "sat:absolute_orbit": 0,
                "datetime": "MISSING",
            }
            return {"stac_discovery": {"properties": placeholders}, "other_metadata": {"title": "S01SIWGRD"}}
        parts = ("generalAnnotation", "imageAnnotation", "swathMerging")
        kept = {one.polarisation: {snake(part): plain(one.annotation.find(part)) for part in parts} for one in members}
        if self.version == 2:
            return {"other_metadata": kept[members[0].polarisation]}
        for one in kept.values():
            about = one["general_annotation"]["product_information"]
            one["general_annotation"]["product_information"] = {key: about[key] for key in _IN_CPM3 if key in about}
            image = one["image_annotation"]["image_information"]
            for gone in ("range_pixel_spacing", "azimuth_pixel_spacing"):
                image.pop(gone)
        return {"other_metadata": kept}

    def _pixels(self, group: zarr.Group, product: Path, members: Sequence[Annotated]) -> None:
        lines, samples = (int(members[0].image(f"numberOf{what}")) for what in ("Lines", "Samples"))
        planes = (len(members),) if self.version == 3 else ()
        grd = self.create(
            group,
            "measurements/grd",
            np.dtype(np.uint16),
            (*planes, lines, samples),
            _AXES,
            (*planes[:0], *self.chunks),
        )
        for plane, one in enumerate(members):
            with open_source(product, SceneSettings(pol=one.polarisation.lower())) as reader:  # type: ignore[arg-type]
                for top in range(0, lines, self.chunks[0]):
                    high = min(self.chunks[0], lines - top)
                    band = (slice(top, top + high), slice(None))
                    grd[(plane, *band) if planes else band] = reader.read(Window(top, 0, high, samples))
        if self.layout == "cpm2-degraded":  # its times are no times
            self.put(group, "measurements/azimuth_time", np.arange(lines, dtype=np.uint16), _AXES[:1])
            return
        spacing = float(members[0].image("rangePixelSpacing"))
        last = members[0].last - members[0].first
        times = np.linspace(0, int(last.astype(np.int64)), lines).round().astype(np.int64)
        self.put_times(group, "measurements/azimuth_time", times, _AXES[:1], members[0].first)
        self.put(group, "measurements/ground_range", np.arange(samples) * spacing, _AXES[1:])
        if self.version == 2:
            self.put(group, "measurements/line", np.arange(lines), _AXES[:1])
            self.put(group, "measurements/pixel", np.arange(samples), _AXES[1:])
        else:
            self.put_names(group, "measurements", members)

    def _conditions(self, group: zarr.Group, members: Sequence[Annotated]) -> None:
        states = members[0].annotation.findall("generalAnnotation/orbitList/orbit")
        times = np.array([state.findtext("time") for state in states], "datetime64[ns]")
        micro = ((times - times[0]) // np.timedelta64(1, "us")).astype(np.int64)
        self.put_times(group, "conditions/orbit/azimuth_time", micro, _AXES[:1], times[0], "microseconds")
        for kind in ("position", "velocity"):
            vectors = np.array(
                [[float(state.findtext(f"{kind}/{axis}") or "nan") for axis in "xyz"] for state in states]
            )
            self.put(group, f"conditions/orbit/{kind}", vectors, ("azimuth_time", "axis"))
        self._control_points(group, members)

    def _control_points(self, group: zarr.Group, members: Sequence[Annotated]) -> None:
        path = "geolocationGrid/geolocationGridPointList/geolocationGridPoint"
        points = [one.annotation.findall(path) for one in members]
        line, pixel = (np.array([int(p.findtext(name) or 0) for p in points[0]]) for name in ("line", "pixel"))
        lines, pixels = np.unique(line), np.unique(pixel)
        shape = (len(points[0]),) if self.layout == "cpm2-degraded" else (len(lines), len(pixels))
        axes = _AXES[: len(shape)]
        slant = "slant_range_time" if self.layout == "cpm2-degraded" else "slant_range_time_gcp"
        named = {"latitude": "latitude", "longitude": "longitude", "height": "height", slant: "slantRangeTime"}
        named |= {"incidence_angle": "incidenceAngle", "elevation_angle": "elevationAngle"}
        for name, source in named.items():
            values = [np.array([float(p.findtext(source) or "nan") for p in some]).reshape(shape) for some in points]
            self.put_each(group, f"conditions/gcp/{name}", values, axes)
        own = [np.array([p.findtext("azimuthTime") for p in some], "datetime64[ns]").reshape(shape) for some in points]
        epoch = np.datetime64(0, "ns")
        whole = (
            np.stack([(one - epoch).astype(np.int64) for one in own]) if self.version == 3 else own[0].astype(np.int64)
        )
        planes = ("polarization",) if self.version == 3 else ()
        self.put_times(group, "conditions/gcp/azimuth_time_gcp", whole, (*planes, *axes), epoch)
        if self.layout == "cpm2-degraded":
            lines, pixels = line, pixel
        else:
            step, spacing = (float(members[0].image(name)) for name in ("azimuthTimeInterval", "rangePixelSpacing"))
            of_lines = (lines * step * 1e6).round().astype(np.int64)
            self.put_times(group, "conditions/gcp/azimuth_time", of_lines, axes[:1], members[0].first, "microseconds")
            self.put(group, "conditions/gcp/ground_range", pixels * spacing, axes[1:])
        if self.version == 2:
            self.put(group, "conditions/gcp/line", lines.astype(np.uint32), axes[:1])
            self.put(group, "conditions/gcp/pixel", pixels.astype(np.uint32), axes[-1:])

    def _quality(self, group: zarr.Group, members: Sequence[Annotated]) -> None:
        found = [one.calibration.findall("calibrationVectorList/calibrationVector") for one in members]
        self._vectors(group, "quality/calibration", members[0], found, ("sigma_nought", "sigmaNought"), "seconds")
        if self.layout == "cpm2-degraded":
            return
        found = [one.noise.findall("noiseRangeVectorList/noiseRangeVector") for one in members]
        self._vectors(
            group, "quality/noise_range", members[0], found, ("noise_range_lut", "noiseRangeLut"), "microseconds"
        )
        self._noise_blocks(group, members)

    def _vectors(  # vectors of each polarisation
        self,
        group: zarr.Group,
        folder: str,
        one: Annotated,
        found: Sequence[Sequence[Element]],
        named: tuple[str, str],
        unit: str,
    ) -> None:
        """Write vectors as a table; each has its own pixels in the noise of version 2, else all share one axis."""
        pixels = [numbers(vector, "pixel") for vector in found[0]]
        lines = np.array([int(vector.findtext("line") or 0) for vector in found[0]])
        axis = np.unique(np.concatenate(pixels))
        apart = self.version == 2 and folder.endswith("noise_range")
        tables = [
            padded([numbers(vector, named[1]) for vector in some], np.nan)
            if apart
            else np.stack([laid(axis, numbers(vector, "pixel"), numbers(vector, named[1])) for vector in some])
            for some in found
        ]
        self.put_each(group, f"{folder}/{named[0]}", [table.astype(np.float32) for table in tables], _AXES)
        spacing, step = float(one.image("rangePixelSpacing")), float(one.image("azimuthTimeInterval"))
        if self.version == 2:
            kind = np.int32 if apart else np.uint32
            self.put(group, f"{folder}/line", lines.astype(kind), _AXES[:1])
            places, axes = (padded(pixels, -1), _AXES) if apart else (axis, _AXES[1:])
            self.put(group, f"{folder}/pixel", places.astype(kind), axes)
            return
        self.put(group, f"{folder}/ground_range", axis * spacing, _AXES[1:])
        seconds = lines * step
        whole = unit == "seconds" and np.allclose(seconds, seconds.round(), atol=step / 2)
        unit, count = ("seconds", 1) if whole else ("microseconds", 10**6)
        self.put_times(group, f"{folder}/azimuth_time", rounded(seconds * count), _AXES[:1], one.first, unit)

    def _noise_blocks(self, group: zarr.Group, members: Sequence[Annotated]) -> None:
        folder = "quality/noise_azimuth"
        found = [one.noise.findall("noiseAzimuthVectorList/noiseAzimuthVector") for one in members]
        lines = [[numbers(block, "line") for block in some] for some in found]
        factors = [[numbers(block, "noiseAzimuthLut") for block in some] for some in found]
        if self.version == 3:
            axis = np.unique(np.concatenate([one for some in lines for one in some]))
            step = float(members[0].image("azimuthTimeInterval"))
            tables = [
                np.stack([laid(axis, *one) for one in zip(*some, strict=True)], axis=1)
                for some in zip(lines, factors, strict=True)
            ]
            self.put_each(group, f"{folder}/noise_azimuth_lut", tables, ("azimuth_time", "swath"))
            self.put_times(group, f"{folder}/azimuth_time", rounded(axis * step * 1e9), _AXES[:1], members[0].first)
        else:
            table = padded(factors[0], np.nan).astype(np.float32)
            self.put(group, f"{folder}/noise_azimuth_lut", table, ("swath", "azimuth_time"))
            places = padded(lines[0], -1)[:, : table.shape[1]].astype(np.int32)
            self.put(group, f"{folder}/line", places, ("swath", "azimuth_time"))
        for edge in _BOUNDS:
            name = snake(edge) if self.version == 3 else snake(edge).replace("azimuth_line", "azimuth_time")
            kind = np.float64 if self.version == 3 else np.int32
            bounds = [np.array([int(block.findtext(edge) or 0) for block in some]).astype(kind) for some in found]
            self.put_each(group, f"{folder}/{name}", bounds, ("swath",))


if __name__ == "__main__":
    sys.exit(main())
