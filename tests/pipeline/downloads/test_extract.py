"""Archives arrive whole, and one that is damaged is one sentence; nothing lands outside the folder."""

from __future__ import annotations

import contextlib
import stat
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.downloads.extract import Limits, extract
from refinedet.downloads.disk import SPARE_BYTES
from refinedet.errors import DiskError, FileError
from tests.pipeline.downloads.packing import FILES, PACKS, Pack, content, pack_tar, pack_tar_gz, pack_zip


@PACKS
def test_everything_arrives(pack: Pack, tmp_path: Path, folder: Path) -> None:
    extract(pack(tmp_path / "archive", FILES), folder)
    assert content(folder) == dict(FILES)


@PACKS
def test_only_what_is_below_a_folder(pack: Pack, tmp_path: Path, folder: Path) -> None:
    archive = pack(tmp_path / "archive", [*FILES, ("other/c", b"no"), ("settle/d", b"no"), ("set.txt", b"no")])
    extract(archive, folder, below="set")
    assert content(folder) == {name.removeprefix("set/"): data for name, data in FILES}


def test_permissions_in_the_archive_are_not_taken_over(tmp_path: Path, folder: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("program")
        member.mode = 0o6777
        archive.addfile(member)
    extract(tmp_path / "a.tar", folder)
    assert stat.S_IMODE((folder / "program").stat().st_mode) == 0o644


def test_folder_entries_and_a_leading_dot_are_harmless(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "source"
    (source / "set").mkdir(parents=True)
    (source / "set" / "a").write_bytes(b"x")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(source, arcname=".")
    extract(tmp_path / "a.tar", folder, below="set")
    assert content(folder) == {"a": b"x"}


def test_a_tar_whose_last_file_is_a_zip_is_a_tar(tmp_path: Path, folder: Path) -> None:
    inner = pack_zip(tmp_path / "inner.zip", [("a", b"x")]).read_bytes()
    extract(pack_tar(tmp_path / "a.tar", [("first", b"1"), ("inner.zip", inner)]), folder)
    assert sorted(content(folder)) == ["first", "inner.zip"]


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", bytes(99)], ids=["empty", "web page", "zeros"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, folder: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(FileError, match="whole zip or tar archive") as caught:
        extract(tmp_path / "a.zip", folder)
    assert "\n" not in str(caught.value)


def test_a_missing_archive_is_said_to_be_missing(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        extract(tmp_path / "none.zip", folder)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("pack", [pack_zip, pack_tar_gz])
def test_an_archive_that_is_cut_off_is_said_to_be_damaged(
    pack: Pack, tmp_path: Path, folder: Path, share: float
) -> None:
    whole = pack(tmp_path / "whole", FILES).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FileError, match="damaged, cut off"):
        extract(tmp_path / "cut", folder)


@PACKS
def test_an_archive_without_the_folder_is_not_taken_for_an_empty_one(pack: Pack, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileError, match="below 'other', found none"):
        extract(pack(tmp_path / "archive", FILES), folder, below="other")


def test_a_full_disk_is_not_called_damage(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: str = "r") -> IO[bytes]:
        if mode == "xb":
            raise OSError(28, "No space left on device")
        return original(path, mode)

    original = Path.open
    archive = pack_zip(tmp_path / "a.zip", FILES)
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DiskError, match=r"room on the disk for the content of .*a\.zip, found it full"):
        extract(archive, folder)


def test_a_folder_that_cannot_be_written_is_told_by_its_reason(tmp_path: Path, folder: Path) -> None:
    archive = pack_zip(tmp_path / "a.zip", [("a", b"x")])
    (folder / "a").mkdir()
    with pytest.raises(DiskError, match=r"expected to write the content of .*a\.zip, .* in the way: move it"):
        extract(archive, folder)


@PACKS
def test_only_some_files_and_folders(pack: Pack, tmp_path: Path, folder: Path) -> None:
    extract(pack(tmp_path / "archive", [*FILES, ("set/deeper/c", b"no")]), folder, below="set", only=("a.txt", "deep"))
    assert sorted(content(folder)) == ["a.txt", "deep/b.bin"]


@pytest.mark.parametrize("mode", ["w:bz2", "w:xz"])
def test_other_compressions_of_a_tar(tmp_path: Path, folder: Path, mode: str) -> None:
    extract(pack_tar(tmp_path / "a", FILES, mode), folder)
    assert content(folder) == dict(FILES)


def test_content_that_does_not_fit_is_not_begun(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "refinedet.downloads.disk.shutil.disk_usage", lambda _: SimpleNamespace(free=SPARE_BYTES + 9000)
    )
    with pytest.raises(DiskError, match=r"for the content of a\.zip"):
        extract(pack_zip(tmp_path / "a.zip", FILES), folder)
    assert content(folder) == {}


@settings(max_examples=150, deadline=None)
@given(
    pack=st.sampled_from([pack_zip, pack_tar, pack_tar_gz]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
@example(pack=pack_zip, changes=[(0.794921875, 0)])  # a file name that begins with a zero byte
def test_damage_anywhere_gives_our_error_or_stays_within_the_folder(
    pack: Pack, changes: list[tuple[float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    outer = tmp_path_factory.mktemp("fuzz")
    data = bytearray(pack(outer / "archive", FILES).read_bytes())
    for place, value in changes:
        data[int(place * len(data))] = value
    (outer / "archive").write_bytes(data)
    (outer / "folder").mkdir()
    with contextlib.suppress(FileError):
        extract(outer / "archive", outer / "folder", limits=Limits(total_bytes=1 << 20))
    assert sorted(path.name for path in outer.iterdir()) == ["archive", "folder"]
