"""simulate_files(): writes one simulated scene or a series, with truth and AIS reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from refinedet.data.simulation.ais import FIRST_MMSI, AisSpec
from refinedet.data.simulation.files import SceneFiles, check_free, scene_files, settings_of, write_scene_files
from refinedet.data.simulation.reports import FIRST_TIME, acquisition_of, reports_of, truth_rows, write_reports
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.series import SeriesPass, SeriesSpec, pass_time, simulate_series
from refinedet.data.simulation.settings import SimulationSettings
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec

_NUMBERS = 100_000
"""Number of MMSIs reserved for each pass of a series: a ship that comes again has another number."""


def simulate_files(path: Path, settings: SimulationSettings) -> list[SceneFiles]:
    """Simulate a scene, or the passes of a series, and write them.

    Each pass of a series is written as `<stem>_<time>.tif` beside `path`. Scenes of a series and scenes with AIS state
    their time and the view of the radar in a tag.

    Raises:
        InputError: the ships do not fit, or the name is not that of a GeoTIFF.
        FileError: a file exists and must not be replaced, or cannot be written.
    """
    if settings.series is not None:
        return _series(path, settings, settings.series)
    files = scene_files(path, reports=settings.ais)
    check_free([files], overwrite=settings.overwrite)
    spec = SceneSpec(
        settings.width_px, settings.height_px, settings.ships, settings.seed, kind=settings.kind or "plain"
    )
    scene = simulate(spec)
    if settings.ais:
        _write(scene, settings_of(spec), files, FIRST_TIME, _ais_spec(settings, 0))
    else:
        write_scene_files(scene, settings_of(spec), files)
    return [files]


def _series(path: Path, settings: SimulationSettings, passes: int) -> list[SceneFiles]:
    asked = {name: getattr(settings, name) for name in ("platforms", "turbines")}
    more = {name: value for name, value in asked.items() if value is not None}
    spec = SeriesSpec(settings.width_px, settings.height_px, passes, settings.ships, settings.seed, **more)
    named = [
        scene_files(_named(scene_files(path).scene, pass_time(spec, number)), reports=settings.ais)
        for number in range(passes)
    ]
    check_free(named, overwrite=settings.overwrite)
    for one, files in zip(simulate_series(spec), named, strict=True):
        ais = _ais_spec(settings, one.number) if settings.ais else None
        _write(one.scene, spec.settings(), files, one.time, ais, one)
    return named


def _write(
    scene: SimulatedScene,
    settings: dict[str, Any],
    files: SceneFiles,
    start: datetime,
    ais: AisSpec | None,
    of_series: SeriesPass | None = None,
) -> None:
    """Write a scene that states its time and view, its truth, and its reports if there are any."""
    pixel_m, seed = float(settings["pixel_m"]), int(settings["seed"])
    acquired = acquisition_of(scene, pixel_m, seed, start)
    rows: list[dict[str, Any]] = [{} for _ in scene.ships]
    if of_series is not None:
        rows = [{"anchored": anchored} for anchored in of_series.anchored]
    reports = None if ais is None else reports_of(scene, pixel_m, acquired, ais)
    if reports is not None:
        told = truth_rows(scene, pixel_m, reports, seed)
        rows = [row | more for row, more in zip(rows, told, strict=True)]
    write_scene_files(scene, settings, files, acquired.tags(), rows)
    if reports is not None and files.reports is not None:
        write_reports(files.reports, reports.ais)


def _ais_spec(settings: SimulationSettings, number: int) -> AisSpec:
    spec = AisSpec(seed=settings.seed + number, first_mmsi=FIRST_MMSI + number % 9 * _NUMBERS)
    if settings.reporting is not None:
        spec = replace(spec, reporting=settings.reporting)
    return spec if settings.gap_min is None else replace(spec, gap_s=60 * settings.gap_min)


def _named(path: Path, time: datetime) -> Path:
    return path.with_name(f"{path.stem}_{time:%Y%m%dT%H%M%S}{path.suffix}")
