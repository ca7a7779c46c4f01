"""Data set of an archive on disk: read into tables, and what is asked of it as files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import shapely

from refinedet import raster
from refinedet.batch.paths import archive_files
from refinedet.config.options.output import OutputSettings
from refinedet.errors import FileError, InputError
from refinedet.evaluation.xview3.things import read_found
from refinedet.geo.vectors import read_layers
from refinedet.scene.input.acquisition import Acquisition
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.traffic.dataset import read_archive
from refinedet.traffic.finding import fixed_places
from refinedet.traffic.mapping import density_map
from refinedet.traffic.settings import DensitySettings, FixedSettings

MakeResult = Callable[..., SceneResult]
START = datetime(2024, 1, 20, 17, 0, tzinfo=UTC)


@pytest.fixture
def archive(make_result: MakeResult, tmp_path: Path) -> Path:
    """An archive of four passes, six days apart, that show two things at one place each; the first has a third ship."""
    for number in range(4):
        time = Acquisition("file", once=START + timedelta(days=6 * number))
        result = make_result(3 if number == 0 else 2, scene=f"scene{number}.tif")
        result = replace(result, acquired=time, preview=np.ones((10, 20), np.uint16))
        write(result, tmp_path)
    return tmp_path


def write(result: SceneResult, folder: Path) -> dict[str, Path]:
    files = archive_files(Path(result.scene), OutputSettings(), folder)
    write_results(result, {name: path for name, path in files.items() if name in {"seen", "dataset"}})
    return files


def test_an_archive_is_read_by_its_folder_or_that_of_its_data_set(archive: Path) -> None:
    for path in (archive, archive / "dataset"):
        found = read_archive(path)
        assert (len(found.scenes), len(found.ships), found.notes) == (4, 9, ())
    assert found.scenes.names == tuple(f"scene{number}.tif" for number in range(4))
    assert found.ships.scene.tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3]
    assert found.ships.lonlat[0] == pytest.approx([10.014, 49.993])


def test_scenes_without_time_or_position_are_told_and_ships_on_land_left_out(
    archive: Path, make_result: MakeResult
) -> None:
    write(make_result(2, scene="nowhere.tif", located=False), archive)
    flagged = replace(make_result(2, scene="other.tif"), flags=(("land",), ("edge",)))
    write(replace(flagged, preview=np.ones((10, 20), np.uint16)), archive)
    found = read_archive(archive)
    assert len(found.ships) == 10
    assert "1 of 6 scenes have no position" in found.notes[0]
    assert "scenes of unknown time: 2" in found.notes[1]
    assert len(read_archive(archive, without=frozenset({"edge"})).ships) == 5


def test_a_ship_in_two_slices_of_one_pass_counts_once(archive: Path, make_result: MakeResult) -> None:
    later = Acquisition("file", once=START + timedelta(seconds=25))
    slice_ = replace(make_result(2, scene="slice.tif"), acquired=later)
    write(replace(slice_, preview=np.ones((10, 20), np.uint16)), archive)
    assert len(read_archive(archive).ships) == 9
    assert density_map(archive, DensitySettings(cell_deg=0.05)).layers["all"].passes.max() == 4


def test_a_data_set_without_seen_areas_is_refused(archive: Path, tmp_path: Path) -> None:
    next((archive / "footprints").rglob("*.parquet")).unlink()
    with pytest.raises(InputError, match=r"none of 1 of 4 scenes.*detect them again"):
        read_archive(archive)
    with pytest.raises(FileError, match="expected the results of an archive"):
        read_archive(tmp_path / "elsewhere")


def test_ships_of_a_state_need_the_column_of_ais(archive: Path) -> None:
    with pytest.raises(InputError, match="expected the column ais"):
        read_archive(archive, ais_state="dark")
    path = next((archive / "dataset").rglob("*.parquet"))
    table = pyarrow.parquet.read_table(path)
    states = pyarrow.array(["dark", *["matched"] * (len(table) - 1)])
    pyarrow.parquet.write_table(table.append_column("ais", states), path)
    assert len(read_archive(archive, ais_state="dark").ships) == 1
    assert len(read_archive(archive, ais_state="matched").ships) == len(table) - 1


def test_damaged_and_missing_files_are_told(archive: Path, tmp_path: Path) -> None:
    next((archive / "dataset").rglob("*.parquet")).write_bytes(b"PAR1 no more")
    with pytest.raises(FileError, match="expected GeoParquet files of an archive"):
        read_archive(archive)
    (tmp_path / "empty" / "dataset").mkdir(parents=True)
    with pytest.raises(FileError, match="found none; detect some first"):
        read_archive(tmp_path / "empty")


def test_what_a_killed_process_left_is_not_read(archive: Path) -> None:
    path = next((archive / "dataset").rglob("*.parquet"))
    path.with_name(f".{path.name}").write_bytes(b"")
    path.with_name(".part-x").mkdir()
    (path.with_name(".part-x") / path.name).write_bytes(b"PAR1 no more")
    assert len(read_archive(archive).ships) == 9
    assert len(read_found(archive, 0.0).things) == 9


def test_cells_larger_than_the_scenes_are_refused(archive: Path) -> None:
    with pytest.raises(InputError, match="smaller `cell_deg`"):
        density_map(archive, DensitySettings(cell_deg=0.5))


def test_fixed_places_are_points_that_detect_takes(archive: Path) -> None:
    found = fixed_places(archive)
    assert (len(found.things), found.path) == (2, archive / "fixed.geojson")
    (first, second) = json.loads(found.path.read_text())["features"]
    assert first["properties"] | {"score": 0} == {
        "lon": 10.014,
        "lat": 49.993,
        "persistence": 1.0,
        "seen": 4,
        "passes": 4,
        "first": "2024-01-20T17:00:00.000Z",
        "last": "2024-02-07T17:00:00.000Z",
        "length_m": first["properties"]["length_m"],
        "score": 0,
        "spread_m": 0.0,
    }
    assert second["geometry"]["type"] == "Point"
    ((shapes, _),) = read_layers(found.path, lambda _crs: [(9.0, 49.0, 11.0, 51.0)])
    assert len(shapes) == 2
    with pytest.raises(FileError, match="set `overwrite`"):
        fixed_places(archive)
    assert len(fixed_places(archive, FixedSettings(passes_min=5, overwrite=True)).things) == 0


@pytest.mark.parametrize("out", ["found.csv", "found"])
def test_fixed_places_and_densities_have_one_format_each(archive: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(InputError, match=r"ends in \.geojson"):
        fixed_places(archive, FixedSettings(out=tmp_path / out))
    with pytest.raises(InputError, match=r"ends in \.tif"):
        density_map(archive, DensitySettings(out=tmp_path / out))


def test_density_is_ships_per_pass_and_nothing_where_nobody_looked(archive: Path) -> None:
    settings = DensitySettings(cell_deg=0.02, by="month")
    found = density_map(archive, settings)
    assert list(found.layers) == ["2024-01", "2024-02"]
    with raster.open_scene(found.files[0]) as reader:
        assert reader.info.count == 4
        assert reader.info.crs is not None
        assert reader.info.transform is not None
    january = found.layers["2024-01"]
    assert np.nansum(january.ships) == 5
    assert np.nanmax(january.passes) == 2
    assert found.files[1].read_bytes().startswith(b"\x89PNG")
    whole = density_map(archive, DensitySettings(cell_deg=0.02, fixed=fixed_places(archive).path))
    assert "8 detections at fixed objects are left out" in whole.notes
    assert np.nansum(whole.layers["all"].per_pass) == pytest.approx(1 / 4)


def test_ships_in_cells_that_no_scene_covers_are_told(archive: Path) -> None:
    found = density_map(archive, DensitySettings(cell_deg=0.06))
    assert found.ships == found.layers["all"].ships.sum() == 0
    assert found.notes[-1].startswith("9 of 9 ships are in cells whose centre no scene covers")
    assert density_map(archive, DensitySettings(cell_deg=0.02, overwrite=True)).notes == ()


def test_a_distance_from_fixed_objects_needs_their_file() -> None:
    with pytest.raises(InputError, match="`fixed_m`: expected a file in `fixed` beside it"):
        DensitySettings(fixed_m=50)


def test_a_file_of_other_shapes_is_no_file_of_fixed_things(archive: Path, tmp_path: Path) -> None:
    shape: dict[str, Any] = json.loads(shapely.to_geojson(shapely.box(9, 49, 11, 51)))
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": shape, "properties": {}}))
    with pytest.raises(InputError, match="expected points in degrees"):
        density_map(archive, DensitySettings(fixed=path))
