"""Pictures of a scene for display: pixels stretched as for the network, in colours, whole or cut out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.cloud.scene import Scene
from refinedet.config.options.detect import SceneSettings
from refinedet.raster import Reader
from refinedet.scene.scene_ships import SceneShips
from refinedet.scene.source import open_polarisations
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

_SEA = ((5, 8, 14), (20, 48, 74), (77, 134, 168), (201, 226, 238), (255, 255, 255))
_BRIGHTEN = 0.7
"""Exponent of the curve that brightens dark pixels for display; the network does not need it."""
_CUTOUT_PX = 64
_CUTOUT_SIDES = 2.2
"""Width of a cut-out as a multiple of the size of its ship; it is at least `_CUTOUT_PX`."""
_CUTOUT_LIFT = 2.5
_CUTOUT_MOST = 512
"""Largest side of a cut-out in pixels; a larger one, such as a box around half a coast, is thinned."""


@dataclass(frozen=True, slots=True)
class Imagery:
    """Pictures of the whole scene and of its strongest ships, strongest first."""

    whole: Picture
    cutouts: list[tuple[Picture, Window]]


def picture(pixels: NDArray[Any], result: SceneShips, window: Window | None = None, lift: float = 1.0) -> Picture:
    """Picture of the pixels of a window in sea colours, black where nothing was measured; RGB keeps its colours.

    Args:
        pixels: pixels of the window, (H, W) or (H, W, 3); fewer than the window has if the picture is thinned.
        result: the ships of the scene.
        window: place of the pixels in the scene; None: the whole scene.
        lift: largest factor by which a dim picture is brightened, as far as its brightest pixel allows.
    """
    window = window or Window(0, 0, result.info.height, result.info.width)
    seen = Stretch(result.info, result.stretch_limits)(pixels, window)
    factor = min(lift, 255 / max(int(seen.max()), 1))
    lifted = seen if factor == 1 else (seen * factor).astype(np.uint8)
    return lifted if lifted.ndim == 3 else _shades().take(lifted, axis=0)


def cutout_square(result: SceneShips, ship: int) -> tuple[int, int, int]:
    """Left, top and side in pixels of the enlarged square around a ship; it may extend beyond the scene."""
    box = result.detections.boxes_xyxy[ship].astype(np.float64)
    side = max(_CUTOUT_PX, round(_CUTOUT_SIDES * float((box[2:] - box[:2]).max())))
    left, top = np.round((box[:2] + box[2:] - side) / 2).astype(int).tolist()
    return left, top, side


def read_imagery(scene_path: str | Scene, result: SceneShips, most: int, scene: SceneSettings | None = None) -> Imagery:
    """Make the picture of a scene from its preview, and read its cut-outs.

    Arguments and errors are those of `read_cutouts`.
    """
    return Imagery(picture(result.preview, result), read_cutouts(scene_path, result, most, scene))


def read_cutouts(
    scene_path: str | Scene, result: SceneShips, most: int, scene: SceneSettings | None = None
) -> list[tuple[Picture, Window]]:
    """Read the part of `cutout_square` within the scene, and its window, for each of the `most` strongest ships.

    With two polarisations, each ship is shown in the stronger one.

    Args:
        scene_path: the scene of `result`. It is read again from top to bottom, unless `result` has its readers.
        result: the ships of the scene.
        most: largest number of ships to show.
        scene: settings as for `detect_scene`.

    Raises:
        FileError: the scene cannot be read again.
    """
    shown = min(most, len(result.detections))
    order = np.argsort(result.detections.boxes_xyxy[:shown, 1], kind="stable").tolist()
    own = [replace(result, info=one.info, stretch_limits=one.stretch_limits) for one in result.polarisations]
    seen = own or [result]
    held = nullcontext(result.readers) if result.readers else open_polarisations(scene_path, scene or SceneSettings())
    with held as readers:
        found = {ship: _cutout(readers[k], seen[k], ship) for ship in order for k in [result.stronger(ship)]}
    return [found[ship] for ship in range(shown)]


def _cutout(reader: Reader, result: SceneShips, ship: int) -> tuple[Picture, Window]:
    left, top, side = cutout_square(result, ship)
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(result.info.width, left + side), min(result.info.height, top + side)
    window = Window(y1, x1, y2 - y1, x2 - x1)
    step = -(-side // _CUTOUT_MOST)
    return picture(reader.read(window)[::step, ::step], result, window, lift=_CUTOUT_LIFT), window


@cache
def _shades() -> Picture:
    """(256, 3) colour of each grey value."""
    greys = (np.arange(256) / 255) ** _BRIGHTEN
    stops = np.linspace(0, 1, len(_SEA))
    channels = [np.interp(greys, stops, channel) for channel in zip(*_SEA, strict=True)]
    return np.stack(channels, axis=1).round().astype(np.uint8)
