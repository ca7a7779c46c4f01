"""Manifests of items, and fetching them in tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from refinedet.catalogues.fetching.fetch import Fetched, fetch_products
from refinedet.system.retrying import RetryPolicy
from tests.stac_api import product_id

NAME = product_id()

SIZE = 64

SOON = RetryPolicy(attempts=2, timeout_s=2, backoff_s=0)


def write(folder: Path, *items: dict[str, Any]) -> Path:
    (folder / "found" / "items").mkdir(parents=True, exist_ok=True)
    for one in items:
        (folder / "found" / "items" / f"{one['id']}.json").write_text(json.dumps(one))
    manifest = folder / "found" / "manifest.txt"
    manifest.write_text("# found\n" + "".join(f"items/{one['id']}.json\n" for one in items))
    return manifest


def change(manifest: Path, key: str, **told: Any) -> None:
    (file,) = (manifest.parent / "items").iterdir()
    content = json.loads(file.read_text())
    content["assets"][key] |= told
    file.write_text(json.dumps(content))


def fetched(manifest: Path, pol: Any = "vv") -> Fetched:
    return fetch_products([str(manifest)], manifest.parent.parent / "out", pol, retry=SOON)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


WHOLE = [
    "annotation/calibration/calibration-iw-vv.xml",
    "annotation/calibration/noise-iw-vv.xml",
    "annotation/iw-vv.xml",
    "manifest.safe",
    "measurement/iw-vv.tiff",
]
