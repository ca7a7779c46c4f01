"""Distance from OpenStreetMap's coastline to the one that `detect` uses (GSHHG), around twelve ports.

    python benchmarks/accuracy/coastlines.py

It prints the share of OpenStreetMap's coast that has GSHHG's coast within several distances. The default of
--land-buffer-m is based on these figures. The script takes 1.5 GB of memory.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from roaring_landmask import LandmaskProvider, Shapes

from refinedet.geo.position import local_plane
from refinedet.geo.reference import WGS84
from refinedet.scene.land.region import Region, coast_lines, cut_land

PORTS = {
    name: (float(lon), float(lat))
    for name, lon, lat in (
        line.rsplit(maxsplit=2)
        for line in """
        Rotterdam        4.1   51.95
        Bergen           5.2   60.3
        Gibraltar       -5.5   36.0
        Athens          23.6   37.9
        Lagos            3.4    6.4
        Mumbai          72.8   18.9
        Singapore      103.8    1.25
        Shanghai       122.0   31.0
        Busan          129.0   35.1
        Sydney         151.2  -33.9
        San Francisco -122.5   37.8
        Rio de Janeiro -43.1  -23.0
    """.strip().splitlines()
    )
}
RADIUS_M, MORE_M, STEP_M = 60_000.0, 20_000.0, 200.0
WITHIN_M = (100, 250, 500, 1000, 2000)


def main() -> None:
    """Print the table."""
    earths = {name: _earth(getattr(LandmaskProvider, name)) for name in ("Gshhg", "Osm")}
    print("port".ljust(16) + "median m  " + "  ".join(f"<= {within} m" for within in WITHIN_M))
    shares = []
    for port, place in PORTS.items():
        region = Region(*place, RADIUS_M)
        others = shapely.line_merge(shapely.multilinestrings(_coast(earths["Osm"], region, place)))
        points = [
            shapely.line_interpolate_point(line, np.arange(0, line.length, STEP_M))
            for line in shapely.get_parts(others)
        ]
        tree = shapely.STRtree(_coast(earths["Gshhg"], region.wider(MORE_M), place))
        metres = tree.query_nearest(np.concatenate(points), all_matches=False, return_distance=True)[1]
        shares.append([float((metres <= within).mean()) for within in WITHIN_M])
        print(_row(port.strip(), f"{np.median(metres):8.0f}", shares[-1]))
    print(_row("all ports alike", " " * 8, np.mean(shares, axis=0).tolist()))


def _earth(provider: LandmaskProvider) -> NDArray[np.object_]:
    return np.asarray(shapely.get_parts(shapely.from_wkb(Shapes.wkb(provider))), object)


def _coast(earth: NDArray[np.object_], region: Region, middle: tuple[float, float]) -> NDArray[np.object_]:
    """Edges of the coast as lines in metres."""
    edges = coast_lines(cut_land(earth, region.cut_at(WGS84), degrees=True), region.looked_at(WGS84), degrees=True)
    flat = np.stack(local_plane(np.array([middle])).transform(*edges.reshape(-1, 2).T), axis=1)
    return np.asarray(shapely.linestrings(flat.reshape(-1, 2, 2)), object)


def _row(name: str, median: str, shares: list[float]) -> str:
    columns = (f"{share:.2f}".rjust(len(f"<= {within} m")) for share, within in zip(shares, WITHIN_M, strict=True))
    return name.ljust(16) + median + "  " + "  ".join(columns)


if __name__ == "__main__":
    main()
