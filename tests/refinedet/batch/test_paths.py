"""Names of results in an archive: those of products, wherever their files lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.batch.paths import DATASET, FOOTPRINTS, archive_files, check_apart, drop_undated, named_alike
from refinedet.config.options.output import OutputSettings
from refinedet.errors import InputError

NAMES = (
    "S1A_IW_GRDH_1SDV_20230131T170605_20230131T170630_046551_059438_9A2F",
    "S1A_IW_GRDH_1SDV_20230201T170605_20230201T170630_046565_0594AA_0B1C",
)


@pytest.fixture
def products(tmp_path: Path) -> list[Path]:
    """Two products as Earth Search lays them out."""
    folders = [tmp_path / "GRD" / name for name in NAMES]
    for folder in folders:
        (folder / "measurement").mkdir(parents=True)
        (folder / "manifest.safe").write_text("<xfdu/>")
        for polarisation in ("vv", "vh"):
            (folder / "measurement" / f"iw-{polarisation}.tiff").write_bytes(b"II*\0")
    return folders


@pytest.mark.parametrize(("inside", "end"), [("manifest.safe", ""), ("measurement/iw-vh.tiff", "_vh"), (".", "")])
def test_results_of_products_have_their_names_and_days(products: list[Path], inside: str, end: str) -> None:
    scenes = [product / inside for product in products]
    assert named_alike(scenes) == {}
    files = [archive_files(scene, OutputSettings(format=("csv",)), Path("out")) for scene in scenes]
    assert [one["csv"] for one in files] == [
        Path(f"out/scenes/2023-01-31/{NAMES[0]}{end}.csv"),
        Path(f"out/scenes/2023-02-01/{NAMES[1]}{end}.csv"),
    ]
    assert files[0]["dataset"] == Path(f"out/dataset/date=2023-01-31/{NAMES[0]}{end}.parquet")


def test_both_polarisations_by_their_rasters_are_not_alike_and_a_product_named_twice_is(products: list[Path]) -> None:
    assert named_alike([products[0] / "measurement" / f"iw-{one}.tiff" for one in ("vv", "vh")]) == {}
    alike = named_alike([products[0], *products, products[0] / "manifest.safe"])
    assert list(alike) == [products[0] / "manifest.safe"]
    assert f"results would both be named {NAMES[0]}" in str(alike[products[0] / "manifest.safe"])


def test_a_scene_among_the_results_is_refused(tmp_path: Path) -> None:
    check_apart([tmp_path / "a.tif"], tmp_path)
    with pytest.raises(InputError, match="expected results apart from the scenes"):
        check_apart([tmp_path / "scenes/2023-01-31/a.tif"], tmp_path)


def test_a_part_that_was_filed_without_its_day_goes_when_the_scene_is_made_again(tmp_path: Path) -> None:
    old = [tmp_path / part / "date=unknown" / "a_20230131T170605.parquet" for part in (DATASET, FOOTPRINTS)]
    new = [path.parent.parent / "date=2023-01-31" / path.name for path in old]
    undated = tmp_path / DATASET / "date=unknown" / "b.parquet"
    for path in (*old, *new, undated):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    drop_undated(tmp_path / "a_20230131T170605.tif", tmp_path)
    drop_undated(tmp_path / "b.tif", tmp_path)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in (*new, undated))
