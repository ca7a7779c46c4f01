"""Packed chips are the chips: same bytes by the same names, read at random, and plain tar to everybody else."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refinedet.data.shards import INDEX, ShardWriter, open_chip, read_chip
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_tree


def pack(root: Path, contents: dict[str, bytes], shard_bytes: int = 1 << 20) -> Path:
    (root / "train").mkdir(parents=True)
    with ShardWriter(root, "train", shard_bytes=shard_bytes) as writer:
        for name, content in contents.items():
            writer.write(f"train/{name}", content)
    return root


names = st.text(alphabet="abz09_-. é", min_size=1, max_size=150).filter(lambda n: n.strip(". ") != "")


@given(contents=st.dictionaries(names, st.binary(max_size=1500), max_size=12), limit=st.integers(1, 5000))
def test_every_file_is_read_back_and_any_tar_program_reads_it(
    contents: dict[str, bytes], limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = pack(tmp_path_factory.mktemp("packed"), contents, limit)
    for name, content in reversed(contents.items()):
        with open_chip(root / "train" / name) as stream:
            assert stream.read() == content
    members: dict[str, bytes] = {}
    for shard in sorted((root / "train").glob("*.tar")):
        with tarfile.open(shard) as opened:
            members |= {m.name: opened.extractfile(m).read() for m in opened}  # type: ignore[union-attr]  # plain files
    assert members == {f"train/{name}": content for name, content in contents.items()}


def test_equal_chips_give_equal_bytes_in_shards_of_limited_size(tmp_path: Path) -> None:
    contents = {f"{i}.png": bytes([i]) * 700 for i in range(20)}
    one, two = (pack(tmp_path / name, contents, 4096) for name in ("one", "two"))
    assert sha256_tree(one) == sha256_tree(two)
    sizes = [path.stat().st_size for path in sorted((one / "train").glob("*.tar"))]
    assert len(sizes) > 3
    assert max(sizes) <= 10240, "tar fills up to its record"


def test_a_chip_is_decoded_from_a_shard_as_from_a_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    root = pack(tmp_path / "packed", {"a.png": (tmp_path / "a.png").read_bytes()})
    np.testing.assert_array_equal(read_chip(root / "train/a.png"), pixels)
    (root / "train/a.png").write_bytes((tmp_path / "a.png").read_bytes())  # as after `tar -xf`
    np.testing.assert_array_equal(read_chip(root / "train/a.png"), pixels)


def test_what_no_shard_holds_and_what_is_cut_off_is_one_clear_error(tmp_path: Path) -> None:
    root = pack(tmp_path / "packed", {"a.png": b"x" * 3000})
    with pytest.raises(FileError, match=r"b\.png.*neither a file nor in"):
        read_chip(root / "train/b.png")
    shard = root / "train/000.tar"
    shard.write_bytes(shard.read_bytes()[:1000])
    with pytest.raises(FileError, match="cut off"):
        read_chip(root / "train/a.png")
    shard.unlink()
    with pytest.raises(FileError, match=r"000\.tar"):
        read_chip(root / "train/a.png")


def test_an_index_that_is_none_is_refused(tmp_path: Path) -> None:
    root = pack(tmp_path / "packed", {"a.png": b"x"})
    (root / "train" / INDEX).write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="an index of shards"):
        open_chip(root / "train/a.png")


def test_a_new_index_replaces_the_one_in_memory(tmp_path: Path) -> None:
    for content in (b"old", b"longer"):
        root = tmp_path / "packed"
        for path in root.glob("train/*"):
            path.unlink()
        (root / "train").mkdir(parents=True, exist_ok=True)
        with ShardWriter(root, "train") as writer:
            writer.write("train/a", content)
        with open_chip(root / "train/a") as stream:
            assert stream.read() == content
