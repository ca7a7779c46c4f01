"""Room on a disk is looked at before it is needed."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.downloads.disk import need_room_to_keep
from refinedet.errors import DiskError


@pytest.mark.parametrize("free_bytes", [8_388_607 + 3, 8_388_608 + 3])
def test_an_output_is_handed_to_dvc_only_where_it_can_keep_it(
    free_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC needs as much again for its copy, and empties dvc.lock on a full disk."""
    out = tmp_path / "outputs" / "tile"
    (out / "train").mkdir(parents=True)
    (out / "train" / "a.png").write_bytes(b"abc")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free_bytes))
    if free_bytes >= 8_388_608 + 3:
        need_room_to_keep(out)
        return
    with pytest.raises(DiskError, match=r"expected 8\.4 MB of free disk for DVC to keep .*/tile, found 8\.4 MB; free"):
        need_room_to_keep(out)
