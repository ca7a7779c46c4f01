"""FlatGeobuf: the ships of a scene in one file with a spatial index, which programs can read in parts, also online."""

from __future__ import annotations

from pathlib import Path

from refinedet.files import atomic_path
from refinedet.scene.output.formats.layers import layer_bytes
from refinedet.scene.result import SceneResult
from refinedet.scene.views.columns import ship_shapes


def write_flatgeobuf(result: SceneResult, path: Path) -> None:
    """Write polygons in EPSG:4326, or in pixels (y down) without a reference system; equal results, equal bytes.

    The index orders the ships by place. If a ship has no outline, the file has no index.

    Raises:
        OSError: the file cannot be written.
        MissingExtra: pyogrio is not installed.
    """
    placed = all(shape is not None for shape in ship_shapes(result))
    content = layer_bytes(
        result, "FlatGeobuf", Path(result.scene).stem or "ships", SPATIAL_INDEX="YES" if placed else "NO"
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
