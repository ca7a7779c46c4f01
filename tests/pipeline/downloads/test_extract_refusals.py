"""Archives that mean harm are refused before anything is written."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pipeline.downloads.extract import Limits, extract
from refinedet.errors import FileError
from tests.pipeline.downloads.packing import PACKS, Pack, content, pack_tar, pack_tar_gz, pack_zip


@PACKS
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../evil", id="climbs"),
        pytest.param("set/../../evil", id="climbs later"),
        pytest.param("/evil", id="absolute"),
        pytest.param("C:evil", id="drive"),
        pytest.param("..\\evil", id="backslashes, for Windows"),
        pytest.param("set/new\nline", id="control character"),
    ],
)
def test_unsafe_names_are_refused_before_anything_is_written(
    pack: Pack, tmp_path: Path, folder: Path, name: str
) -> None:
    archive = pack(tmp_path / "archive", [("set/good", b"good"), (name, b"evil")])
    with pytest.raises(FileError, match="unsafe name"):
        extract(archive, folder)
    assert content(tmp_path / "outer") == {}


def test_a_name_with_a_nul_is_not_cut_there(tmp_path: Path, folder: Path) -> None:
    archive = pack_zip(tmp_path / "a.zip", [("set/aXb", b"evil")])
    archive.write_bytes(archive.read_bytes().replace(b"set/aXb", b"set/a\0b"))
    with pytest.raises(FileError, match="unsafe name"):
        extract(archive, folder)


@PACKS
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a", "a"], id="one name twice"),
        pytest.param(["Set/a", "set/A"], id="but for capitals"),
        pytest.param(["a/b", "a//b"], id="two spellings of one path"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_repeated_name_is_refused(pack: Pack, tmp_path: Path, folder: Path, names: list[str]) -> None:
    with pytest.raises(FileError, match="twice"):
        extract(pack(tmp_path / "archive", [(name, b"x") for name in names]), folder)


@PACKS
def test_a_file_below_a_file_is_refused(pack: Pack, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FileError, match="below a name that is a file"):
        extract(pack(tmp_path / "archive", [("a", b"x"), ("a/b", b"y")]), folder)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, folder: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("set/link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(FileError, match="a link or device named 'set/link'"):
        extract(tmp_path / "a.tar", folder)


def test_a_sparse_file_in_a_tar_is_refused(tmp_path: Path, folder: Path) -> None:
    """Five bytes in the archive would be a gigabyte on disk."""
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("set/sparse")
        member.size = 5
        member.pax_headers = {"GNU.sparse.map": "0,5", "GNU.sparse.size": str(10**9)}
        archive.addfile(member, io.BytesIO(b"12345"))
    with pytest.raises(FileError, match="a sparse file named 'set/sparse'"):
        extract(tmp_path / "a.tar", folder)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, folder: Path, kind: int) -> None:
    info = zipfile.ZipInfo("set/link")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(FileError, match="a link or device"):
        extract(tmp_path / "a.zip", folder)


def test_an_encrypted_zip_is_refused(tmp_path: Path, folder: Path) -> None:
    archive = pack_zip(tmp_path / "a.zip", [("a", b"x")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(FileError, match="an encrypted file"):
        extract(archive, folder)


@PACKS
def test_too_many_entries_or_bytes_are_refused(pack: Pack, tmp_path: Path, folder: Path) -> None:
    archive = pack(tmp_path / "archive", [(f"f{i}", bytes(1000)) for i in range(20)])
    with pytest.raises(FileError, match=r"entries, more than the 5 allowed|a directory of at most 640 bytes"):
        extract(archive, folder, limits=Limits(entries=5))
    with pytest.raises(FileError, match="bytes of content, more than the 9999 allowed"):
        extract(archive, folder, limits=Limits(total_bytes=9999))
    assert content(folder) == {}
    extract(archive, folder, limits=Limits(entries=20, total_bytes=20_000))


def test_a_compressed_tar_is_listed_no_further_than_the_limit(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack_tar_gz(tmp_path / "bomb.tar.gz", [(f"f{i}", bytes(100)) for i in range(500)])
    listed = []
    original = tarfile.TarFile.next

    def counted(self: tarfile.TarFile) -> tarfile.TarInfo | None:
        listed.append(1)
        return original(self)

    monkeypatch.setattr(tarfile.TarFile, "next", counted)
    with pytest.raises(FileError, match="entries"):
        extract(archive, folder, limits=Limits(entries=10))
    assert len(listed) < 20


def test_a_zip_that_understates_a_size_is_stopped(tmp_path: Path, folder: Path) -> None:
    """A header that claims 10 bytes for a megabyte must not put a megabyte on disk."""
    archive = pack_zip(tmp_path / "a.zip", [("a", bytes(1 << 20))])
    data = archive.read_bytes().replace((1 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(data)
    with pytest.raises(FileError):
        extract(archive, folder)
    assert sum(len(data) for data in content(folder).values()) <= 10


def test_what_packs_too_well_is_refused_and_little_is_not(tmp_path: Path, folder: Path) -> None:
    archive = pack_zip(tmp_path / "a.zip", [("zeros", bytes(1 << 20))])
    with pytest.raises(FileError, match="1048576 bytes of content, more than the"):
        extract(archive, folder, limits=Limits(harmless_bytes=1000))
    extract(archive, folder)
    assert (folder / "zeros").stat().st_size == 1 << 20


def test_files_of_a_zip_that_share_their_bytes_are_a_bomb(tmp_path: Path, folder: Path) -> None:
    """Many entries of one central directory that point at the same packed zeros."""
    archive = pack_zip(tmp_path / "a.zip", [("a0", bytes(1 << 20))])
    data = archive.read_bytes()
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    rows = b"".join(data[start:end].replace(b"a0", f"{i:02d}".encode()) for i in range(99))
    tail = bytearray(data[end:])
    tail[8:10] = tail[10:12] = (99).to_bytes(2, "little")
    tail[12:16] = len(rows).to_bytes(4, "little")
    archive.write_bytes(data[:start] + rows + tail)
    with pytest.raises(FileError, match=f"{99 << 20} bytes of content"):
        extract(archive, folder, limits=Limits(harmless_bytes=1000))


def with_zip64(data: bytes, told: int) -> bytes:
    """A zip with its directory in the records of ZIP64, and another size of it in the old record behind them."""
    end = data.rindex(b"PK\5\6")
    count, size, start = struct.unpack("<10xHLL", data[end : end + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    return data[:end] + record + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, told, start, 0)


@pytest.mark.parametrize("told", [46, 0, 0xFFFFFFFF])
def test_the_directory_of_zip64_counts_whatever_the_old_record_says(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    archive = pack_zip(tmp_path / "a.zip", [(f"{i:0200d}", b"") for i in range(50)])
    archive.write_bytes(with_zip64(archive.read_bytes(), told))
    extract(archive, folder, limits=Limits(entries=100))
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("listed"))
    with pytest.raises(FileError, match=r"a directory of at most 6400 bytes in .*a\.zip, found 12300"):
        extract(archive, folder, limits=Limits(entries=50))


def test_a_directory_that_would_fill_the_memory_is_not_listed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack_zip(tmp_path / "a.zip", [(f"{i:0200d}", b"") for i in range(50)])
    extract(archive, folder, limits=Limits(entries=100))
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("listed"))
    with pytest.raises(FileError, match=r"a directory of at most 6400 bytes in .*a\.zip, found 12300"):
        extract(archive, folder, limits=Limits(entries=50))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_unpacks_to_a_gigabyte_is_never_read_whole(tmp_path: Path, folder: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("././@Header")
    header.type, header.size = kind, 1 << 30
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as stream:
        stream.write(header.tobuf(tarfile.USTAR_FORMAT))
        stream.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(FileError, match="a header of 1073741824 bytes"):
        extract(tmp_path / "a.tar.gz", folder)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def test_accents_in_two_spellings_are_one_name(tmp_path: Path, folder: Path) -> None:
    archive = pack_tar(tmp_path / "a.tar", [("caf\u00e9", b"x"), ("cafe\u0301", b"y")])
    with pytest.raises(FileError, match="twice but for capitals or accents"):
        extract(archive, folder)


@pytest.mark.parametrize("name", ["n" * 256, "d/" * 600 + "x"], ids=["a long part", "a long path"])
def test_names_that_no_disk_takes_are_unsafe(tmp_path: Path, folder: Path, name: str) -> None:
    with pytest.raises(FileError, match="unsafe name"):
        extract(pack_tar(tmp_path / "a.tar", [(name, b"x")]), folder)
