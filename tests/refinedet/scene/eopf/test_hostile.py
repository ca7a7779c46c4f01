"""Stores that are damaged, of another kind, or made to do harm: each ends in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from eopf_store import Layout

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import RefineDetError
from refinedet.scene.source import open_source
from refinedet.tiling import Window

Store = Callable[[Layout], Path]
Damage = Callable[[Path], None]
GRD = "*_VV/measurements/grd"


def metadata(pattern: str = f"{GRD}/.zarray", **changes: Any) -> Damage:
    """Change entries of a document of JSON."""

    def damage(path: Path) -> None:
        file = next(path.glob(pattern))
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return damage


def content(pattern: str, change: Callable[[bytes], bytes]) -> Damage:
    """Change the bytes of a file."""

    def damage(path: Path) -> None:
        file = next(path.glob(pattern))
        file.write_bytes(change(file.read_bytes()))

    return damage


def gone(pattern: str) -> Damage:
    """Take files or folders away."""

    def damage(path: Path) -> None:
        for one in path.glob(pattern):
            shutil.rmtree(one) if one.is_dir() else one.unlink()

    return damage


def linked(pattern: str) -> Damage:
    """Move a file or a folder out of the store, and put a link in its place."""

    def damage(path: Path) -> None:
        inside, outside = next(path.glob(pattern)), path.parent / "outside"
        inside.rename(outside)
        inside.symlink_to(outside)

    return damage


def claimed(content: bytes) -> bytes:
    """Chunk of Blosc that says that it becomes two gigabytes."""
    return content[:4] + (2**31 - 16).to_bytes(4, "little") + content[8:]


GZIP = {"id": "gzip", "level": 1}
DAMAGES: dict[str, tuple[Layout, Damage, str]] = {
    "objects": ("cpm2", metadata(dtype="|O"), "expected a plain type"),
    "records": ("cpm2", metadata(dtype=[["a", "<u2"]]), "expected a plain type"),
    "filters": ("cpm2", metadata(filters=[{"id": "pickle"}]), "expected no filters"),
    "other codec": ("cpm2", metadata(compressor=GZIP), "expected a compressor of blosc or zstd"),
    "huge chunks": ("cpm2", metadata(chunks=[100_000, 100_000]), "expected chunks of at most 256 MB"),
    "tiny chunks": ("cpm2", metadata(shape=[9000, 9000], chunks=[1, 1]), "expected at most 100,000 chunks"),
    "huge picture": ("cpm2", metadata(shape=[2**31 - 1] * 2, chunks=[4096, 30_000]), "expected at most"),
    "negative side": ("cpm2", metadata(shape=[-5, 640]), "whole numbers above 0 as shape"),
    "five sides": ("cpm2", metadata(shape=[1] * 5, chunks=[1] * 5), "expected at most 4 whole numbers"),
    "odd fill": ("cpm2", metadata(fill_value="x"), "expected a number as fill_value"),
    "float pixels": ("cpm2", metadata(dtype="<f8"), "expected pixels of uint8 or uint16 or float32"),
    "other version": ("cpm2", metadata(zarr_format=1), "expected zarr_format of 2 or 3"),
    "column order": ("cpm2", metadata(order="F"), "expected order of C"),
    "no json": ("cpm2", content(f"{GRD}/.zarray", lambda _: b"{"), "expected JSON in"),
    "nested json": ("cpm2", content("*_VV/.zattrs", lambda _: b"[" * 100_000), "expected JSON in"),
    "a list": ("cpm2", content("*_VV/.zattrs", lambda _: b"[]"), "expected an object of JSON"),
    "large json": ("cpm2", content("*_VV/.zattrs", lambda _: b" " * (17 << 20)), "expected at most 16,777,216 bytes"),
    "claimed size": ("cpm2", content(f"{GRD}/0.0", claimed), r"expected 102,400 bytes in chunk .*grd/0\.0"),
    "cut chunk": (
        "cpm2",
        content(f"{GRD}/0.0", lambda old: old[: len(old) // 2]),
        "found no size; the store is damaged",
    ),
    "empty chunk": ("cpm2", content(f"{GRD}/0.0", lambda _: b""), "found no size"),
    "large chunk": ("cpm2", content(f"{GRD}/0.0", lambda old: old + bytes(1 << 20)), "expected at most"),
    "cut zstd": ("cpm3", content("*/measurements/grd/c/1/0/0", lambda old: old[:-9]), "found no size"),
    "two frames": ("cpm3", content("*/measurements/grd/c/1/0/0", lambda old: old * 2), "found no size"),
    "other chain": (
        "cpm3",
        metadata("*/measurements/grd/zarr.json", codecs=[{"name": "bytes"}, {"name": "gzip"}]),
        "at most one of the codecs blosc or zstd",
    ),
    "linked chunk": ("cpm2", linked(f"{GRD}/0.0"), "inside the store"),
    "linked group": ("cpm2", linked("*_VV"), "inside the store"),
    "linked table": ("cpm2", linked("*_VV/conditions/gcp/latitude"), "inside the store"),
    "no chunks": ("cpm2", gone(f"{GRD}/[0-9]*"), "found 0; the store is not whole"),
    "no points": ("cpm2", gone("*_VV/conditions/gcp"), "found no control points"),
    "no orbit": ("cpm2", gone("*_VV/conditions/orbit"), "times of state vectors"),
    "no pixels": ("cpm2", gone("*/measurements"), "without measurements/grd; detection needs ground range data"),
    "no names": ("cpm3", gone("*/measurements/polarization"), "expected the names of the polarisations"),
    "large table": (
        "cpm2",
        metadata("*_VV/conditions/gcp/latitude/.zarray", shape=[9000, 9000], chunks=[900, 9000]),
        "expected a table of at most 64 MB",
    ),
    "other table": ("cpm2", gone("*_VV/conditions/gcp/height"), "found no table for each control point"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_store_ends_in_one_sentence(store: Store, tmp_path: Path, name: str) -> None:
    layout, damage, told = DAMAGES[name]
    path = Path(shutil.copytree(store(layout), tmp_path / "damaged.zarr"))
    damage(path)
    with pytest.raises(RefineDetError, match=told) as caught, open_source(path, SceneSettings(pol="vv")) as reader:
        reader.read(Window(0, 0, 50, 50))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a.txt"], r"found none of zarr.json, .zgroup, .zarray at its top"),
        (["a/.zgroup", "b/.zgroup"], "expected one Zarr store in .*, found 2: a, b"),
        ([".zgroup"], "found one of an unknown kind without measurements/grd"),
    ],
)
def test_an_archive_of_something_else_is_refused(tmp_path: Path, names: list[str], told: str) -> None:
    path = tmp_path / "other.zarr.zip"
    with ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    with pytest.raises(RefineDetError, match=told):
        open_source(path).__enter__()


def test_an_archive_that_is_cut_is_refused(store: Store, tmp_path: Path) -> None:
    path = store("cpm2")
    packed = Path(shutil.make_archive(str(tmp_path / "cut.zarr"), "zip", path.parent, path.name))
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2] + whole[-2000:])
    with pytest.raises(RefineDetError, match=r"^expected .*(again|whole)"):
        open_source(packed).__enter__()
