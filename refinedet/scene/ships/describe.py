"""Description of the merged detections of a scene: the ones that are ships, and the attributes of each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo, Reader
from refinedet.scene.land.survey import Surroundings
from refinedet.scene.sentinel1.ambiguity import find_ambiguities
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.borders import invalid_share
from refinedet.scene.sentinel1.land_ghosts import find_land_ghosts
from refinedet.scene.ships.attributes import AMBIGUITY, NODATA, Places, flags, named, places, united
from refinedet.scene.ships.doubts.lattice import LONGEST_M, TURBINE, grid_members
from refinedet.scene.ships.doubts.plausible import IMPLAUSIBLE
from refinedet.scene.ships.doubts.plausible import LONGEST_M as LONGEST_SHIP_M
from refinedet.scene.ships.doubts.suspects import suspects
from refinedet.scene.ships.doubts.wakes import WAKE, find_wakes
from refinedet.scene.ships.measuring.blocks import read_blocks
from refinedet.scene.ships.measuring.crop import Box
from refinedet.scene.ships.measuring.resolution import Pair, Sensor, resolution_px, speckle_correlation
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape, away_from, measure_all, surroundings
from refinedet.scene.ships.measuring.stack import Around
from refinedet.scene.windows.merge import Merged
from refinedet.scene.windows.pixel_size import Factors, has_pixel_size, pixel_size_m, to_scene_pixels

T = TypeVar("T", bound=np.generic)

_LOGGER = logging.getLogger(__name__)
_SEAS = 24
"""Most ships around which the speckle of the sea is looked at, spread over the scene."""
_TOGETHER_PX = 1 << 19
"""Pixels around ships that are measured together, at least."""
_MOST_RATIO = 16.0
"""Largest ratio of the sides of a pixel with which ships are measured, so that memory does not grow with it."""
_MOSTLY = 0.5
"""Largest share of pixels without data in a ship; a detection with more is the border of the scene."""


@dataclass(frozen=True, slots=True)
class SceneAsRead:
    """Scene as the file holds it, and as the network saw it."""

    readers: Sequence[Reader]
    """Reader of each polarisation that was looked at: one, or two of one size."""
    seen: Reader
    """Reader of the scene in the pixel size that the network saw."""
    factors: Factors
    """Pixels of `seen` per pixel of the scene."""


@dataclass(frozen=True, slots=True)
class Ships:
    """N ships of a scene, in its pixels."""

    detections: Detections
    places: Places
    flags: tuple[tuple[str, ...], ...]
    dropped: dict[str, int]
    """Number of detections that are no ships, by reason."""
    by_polarisation: NDArray[np.float32] | None = None
    """(N, 2) score in each polarisation, as in `Merged`."""


def describe_ships(scene: SceneAsRead, merged: Merged, known: Surroundings, annotation: Annotation | None) -> Ships:
    """Ships among merged detections, with all attributes; land, excluded places and missing pixels drop some.

    Args:
        scene: the scene, and the reader that the network saw. Size and contrast of a ship are those in its stronger
            polarisation.
        merged: merged detections, in pixels of `scene.seen`.
        known: land and exclusions around the scene.
        annotation: annotation of a Sentinel-1 raster, which locates ambiguities; None for other scenes.

    Raises:
        FileError: pixels cannot be read.
    """
    marks = flags(merged, scene.seen.info.width, scene.seen.info.height)
    merged = to_scene_pixels(merged, scene.factors)
    verdict = known.judge(merged.detections.boxes_xyxy)
    merged, marks = merged.only(verdict.keep), tuple(compress(marks, verdict.keep))
    looks = [_shapes(reader, merged.detections.boxes_xyxy) for reader in scene.readers]
    invalid = _of_stronger(merged, [share for _, share in looks])
    measured = invalid <= _MOSTLY
    merged = merged.only(measured)
    shapes = [list(compress(shape, measured)) for shape, _ in looks]
    boxes, info = merged.detections.boxes_xyxy, scene.readers[0].info
    own = [shapes[k][i] for i, k in enumerate(merged.stronger.tolist())]
    there = places(boxes, locate(info), own)
    # a ghost is compared with ships as its own polarisation shows them
    looks_at = zip(scene.readers, shapes, strict=True)
    ghosts = _of_stronger(merged, [_ghosts(annotation, reader, boxes, _contrasts(s), known) for reader, s in looks_at])
    doubted = suspects(scene.readers[0], scene.seen, boxes, known.settings)
    lost = int((~measured).sum())
    return Ships(
        merged.detections,
        replace(there, coast_m=verdict.coast_m[measured]),
        united(
            tuple(compress(marks, measured)),
            tuple(compress(verdict.flags, measured)),
            doubted,
            named(
                {
                    NODATA: invalid[measured] > 0,
                    AMBIGUITY: ghosts,
                    IMPLAUSIBLE: there.length_m_low > LONGEST_SHIP_M,
                    **_by_neighbours(boxes, own, there, info),
                }
            ),
        ),
        verdict.dropped | ({NODATA: lost} if lost else {}),
        merged.by_polarisation,
    )


def _by_neighbours(
    boxes_xyxy: Boxes, shapes: Sequence[Shape], there: Places, info: RasterInfo
) -> dict[str, NDArray[np.bool_]]:
    """Masks (N,) of the flags that follow from where the other ships lie, by flag; wind farms need a pixel size."""
    known = has_pixel_size(info)
    pixel_m = pixel_size_m(info) if known else (1.0, 1.0)
    middles = (boxes_xyxy[:, :2].astype(np.float64) + boxes_xyxy[:, 2:]) / 2
    point_like = known & ~(there.length_m > LONGEST_M)  # also where the length is unknown
    return {TURBINE: grid_members(middles * pixel_m, point_like), WAKE: find_wakes(shapes, pixel_m)}


def _of_stronger(merged: Merged, values: Sequence[NDArray[T]]) -> NDArray[T]:
    """(N,) value of each ship in its stronger polarisation, from values (N,) of each polarisation."""
    return np.asarray(np.stack(values)[merged.stronger, np.arange(len(merged))])


def _contrasts(shapes: Sequence[Shape]) -> NDArray[np.float64]:
    return np.array([shape.contrast_db for shape in shapes], np.float64)


def _shapes(reader: Reader, boxes_xyxy: Boxes) -> tuple[list[Shape], NDArray[np.float64]]:
    """Shape of each ship from its pixels, and the share (N,) of pixels without data."""
    shapes, invalid = [UNKNOWN] * len(boxes_xyxy), np.zeros(len(boxes_xyxy))
    boxes = boxes_xyxy.astype(np.float64)
    sensor = _sensor(reader, boxes)
    for some in _batches(_nearby(reader, boxes)):
        found = measure_all([near.pixels for _, near in some], sensor)
        for (index, near), shape in zip(some, found, strict=True):
            shapes[index] = shape.moved(*near.corner_xy)
            invalid[index] = invalid_share(near.pixels.valid, near.pixels.place)
    return shapes, invalid


def _batches(nearby: Iterable[tuple[int, _Near]]) -> Iterator[list[tuple[int, _Near]]]:
    """Yield what is measured together; the pixels are copies, so that no block is held for them."""
    batch: list[tuple[int, _Near]] = []
    held = 0
    for index, (pixels, corner) in nearby:
        batch.append((index, _Near(Around(pixels.power.copy(), pixels.valid.copy(), pixels.place), corner)))
        held += pixels.power.size
        if held >= _TOGETHER_PX:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _sensor(reader: Reader, boxes: NDArray[np.float64]) -> Sensor:
    """Pixels and resolution of a scene, the latter from the sea around some of its ships; told to the reader."""
    if not len(boxes):
        return Sensor()
    order = np.argsort(boxes[:, 1], kind="stable")
    some = sorted({round(i) for i in np.linspace(0, len(order) - 1, _SEAS)})
    found: list[Pair] = []
    for _, near in _nearby(reader, boxes[order[some]]):
        power, valid, place = near.pixels
        correlation = speckle_correlation(power, valid & away_from(valid.shape, place))
        if correlation is not None:
            found.append(correlation)
    width = resolution_px(found)
    reader.tell(resolution_px={"xy": [round(w, 2) for w in width], "from": "speckle" if found else "usual products"})
    if not has_pixel_size(reader.info):
        return Sensor((1.0, 1.0), width)
    wide, high = pixel_size_m(reader.info)
    least = max(wide, high) / _MOST_RATIO  # beside a pole, pixels in degrees have any ratio
    return Sensor((max(wide, least), max(high, least)), width)


class _Near(NamedTuple):
    """Pixels of a box and of the water around."""

    pixels: Around
    corner_xy: tuple[int, int]
    """First pixel in the scene."""


def _nearby(reader: Reader, boxes: NDArray[np.float64]) -> Iterator[tuple[int, _Near]]:
    """Yield the index and the surroundings of each box, those that lie close together one after the other."""
    places: list[Box] = [(x1, y1, x2, y2) for x1, y1, x2, y2 in boxes.tolist()]
    windows = [surroundings(place, reader.info.width, reader.info.height) for place in places]
    for block, members in read_blocks(reader, windows):
        for index in members:
            (x1, y1, x2, y2), (x, y) = places[index], (windows[index].x, windows[index].y)
            span = block.span(windows[index])
            place = (x1 - x, y1 - y, x2 - x, y2 - y)
            yield index, _Near(Around(block.power[span], block.valid[span], place), (x, y))


def _ghosts(
    annotation: Annotation | None,
    reader: Reader,
    boxes_xyxy: Boxes,
    contrast_db: NDArray[np.float64],
    known: Surroundings,
) -> NDArray[np.bool_]:
    """(N,) true for azimuth ambiguities of ships and land; none without a Sentinel-1 annotation that places them."""
    if annotation is None or not annotation.swaths or not len(boxes_xyxy):
        return np.zeros(len(boxes_xyxy), np.bool_)
    boxes = boxes_xyxy.astype(np.float64)
    geometry = annotation.geometry((boxes[:, :2] + boxes[:, 2:]) / 2)
    of_ships = find_ambiguities(boxes_xyxy, contrast_db, geometry)
    return of_ships | find_land_ghosts(reader, boxes_xyxy, contrast_db, geometry, known.on_land)
