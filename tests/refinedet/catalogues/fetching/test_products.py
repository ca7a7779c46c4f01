"""Names of products in the items of several catalogues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refinedet.catalogues.fetching.products import product_of
from refinedet.errors import InputError
from tests.refinedet.catalogues.fetching.fetching import NAME, WHOLE, change
from tests.stac_api import box, copernicus, planetary


def test_names_of_the_products_of_three_catalogues() -> None:
    geometry = box(1, 50, 4, 52)
    esa = product_of(copernicus(NAME, geometry), "vv")
    assert esa.folder == f"{NAME}_COG.SAFE"
    stem = "s1a-iw-grd-vv-20240305t054321-20240305t054346-052841-066543-001-cog"
    assert [one.name for one in esa.files] == [
        "manifest.safe",
        f"annotation/{stem}.xml",
        f"annotation/calibration/calibration-{stem}.xml",
        f"annotation/calibration/noise-{stem}.xml",
        f"measurement/{stem}.tiff",
    ]
    short = product_of(planetary(NAME, geometry))
    assert sorted(one.name for one in short.files) == sorted({*WHOLE, *(one.replace("vv", "vh") for one in WHOLE)})
    (annotation,) = [one.address for one in short.files if one.name == "annotation/iw-vv.xml"]
    assert annotation.endswith(f"{NAME}/annotation/iw-vv.xml")
    assert "the asset schema-product-vv is a report on interference" in short.notes[0]


def test_a_name_from_an_item_stays_in_its_folder(listed: Path) -> None:
    change(listed, "vv", href="https://scenes.example/..%2f..%2fevil.tiff?x=/../../evil")
    (file,) = (listed.parent / "items").iterdir()
    found = product_of(json.loads(file.read_text()), "vv")
    assert found.files[-1].name == "measurement/iw-vv.tiff"
    with pytest.raises(InputError, match="expected an item with a plain name as id"):
        product_of(json.loads(file.read_text()) | {"id": "../evil"})
