"""Harmful and damaged archives, made by hand: title -> (expected outcome, maker)."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

UNPACKED, REFUSED = "unpacked", "refused"
Make = Callable[[Path], None]
_MEGA = 1 << 20


def _zip(*files: tuple[str, bytes], attributes: int = 0) -> Make:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                info = zipfile.ZipInfo(name)
                info.external_attr = attributes << 16
                archive.writestr(info, content, zipfile.ZIP_DEFLATED)

    return make


def _tar(*files: tuple[str, bytes], mode: str = "w", permissions: int = 0o644) -> Make:
    def make(path: Path) -> None:
        with tarfile.open(path, mode) as archive:
            for name, content in files:
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), permissions
                archive.addfile(member, io.BytesIO(content))

    return make


def _special(kind: bytes, target: str = "/etc/passwd") -> Make:
    def make(path: Path) -> None:
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo("set/link")
            member.type, member.linkname = kind, target
            archive.addfile(member)

    return make


def _through_a_link(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("set")
        link.type, link.linkname = tarfile.SYMTYPE, ".."
        archive.addfile(link)
        member = tarfile.TarInfo("set/evil")
        archive.addfile(member)


def _sparse(path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("set/sparse")
        member.size = 5
        member.pax_headers = {"GNU.sparse.map": "0,5", "GNU.sparse.size": str(10**12)}
        archive.addfile(member, io.BytesIO(b"12345"))


def _header_of_gigabytes(kind: bytes) -> Make:
    def make(path: Path) -> None:
        header = tarfile.TarInfo("././@Header")
        header.type, header.size = kind, 4 << 30
        with gzip.open(path, "wb", compresslevel=1) as stream:
            stream.write(header.tobuf(tarfile.GNU_FORMAT))
            stream.write(bytes(_MEGA))

    return make


def _zeros(path: Path) -> None:
    member = tarfile.TarInfo("set/zeros")
    member.size = 300 * _MEGA
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(member.tobuf())
        for _ in range(300):
            stream.write(bytes(_MEGA))


def _shared_bytes(count: int, size: int) -> Make:
    """Many entries of the directory of a zip that point at the same packed zeros."""

    def make(path: Path) -> None:
        _zip(("000000", bytes(size)))(path)
        data = path.read_bytes()
        start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
        rows = b"".join(data[start:end].replace(b"000000", b"%06d" % i) for i in range(count))
        tail = bytearray(data[end:])
        tail[8:10] = tail[10:12] = (count % 65536).to_bytes(2, "little")
        tail[12:16] = len(rows).to_bytes(4, "little")
        path.write_bytes(data[:start] + rows + tail)

    return make


def _small_in_32_bits(make: Make) -> Make:
    """Zip with the true size of its directory in the ZIP64 records, and a small one in the old record after them."""

    def made(path: Path) -> None:
        make(path)
        data = path.read_bytes()
        end = data.rindex(b"PK\x05\x06")
        old = struct.unpack("<4s4H2LH", data[end : end + 22])
        size, start = old[5:7]
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, size // 52, size // 52, size, start)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        small = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 46, start, 0)
        path.write_bytes(data[:end] + record + locator + small)

    return made


def _patched(make: Make, change: Callable[[bytes], bytes]) -> Make:
    def patched(path: Path) -> None:
        make(path)
        path.write_bytes(change(path.read_bytes()))

    return patched


def _encrypt(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def _understate(data: bytes) -> bytes:
    return data.replace(_MEGA.to_bytes(4, "little"), (10).to_bytes(4, "little"))


_GOOD = ("set/good.txt", b"good")
_NESTED = io.BytesIO()
with zipfile.ZipFile(_NESTED, "w", zipfile.ZIP_DEFLATED) as _inner:
    _inner.writestr("zeros", bytes(50 * _MEGA))

ARCHIVES: Mapping[str, tuple[str, Make]] = {
    "a good zip": (UNPACKED, _zip(_GOOD)),
    "a good tar.xz": (UNPACKED, _tar(_GOOD, mode="w:xz")),
    "zip, ../evil": (REFUSED, _zip(_GOOD, ("../evil", b"x"))),
    "tar, set/../../evil": (REFUSED, _tar(_GOOD, ("set/../../evil", b"x"))),
    "tar, /etc/evil": (REFUSED, _tar(_GOOD, ("/etc/evil", b"x"))),
    "zip, C:evil": (REFUSED, _zip(_GOOD, ("C:evil", b"x"))),
    "zip, ..\\evil": (REFUSED, _zip(_GOOD, ("..\\evil", b"x"))),
    "zip, a zero byte in a name": (REFUSED, _patched(_zip(("set/aXb", b"x")), lambda d: d.replace(b"aXb", b"a\0b"))),
    "tar, a line end in a name": (REFUSED, _tar(("set/a\nb", b"x"))),
    "tar, a name of 300 bytes": (REFUSED, _tar(("n" * 300, b"x"))),
    "tar, 2000 folders deep": (REFUSED, _tar(("d/" * 2000 + "x", b"x"))),
    "tar, symbolic link": (REFUSED, _special(tarfile.SYMTYPE)),
    "tar, hard link": (REFUSED, _special(tarfile.LNKTYPE)),
    "tar, file below a symbolic link": (REFUSED, _through_a_link),
    "tar, character device": (REFUSED, _special(tarfile.CHRTYPE)),
    "tar, block device": (REFUSED, _special(tarfile.BLKTYPE)),
    "tar, pipe": (REFUSED, _special(tarfile.FIFOTYPE)),
    "zip, symbolic link": (REFUSED, _zip(("set/link", b"/etc/passwd"), attributes=stat.S_IFLNK | 0o777)),
    "tar, sparse file of 1 TB": (REFUSED, _sparse),
    "tar, one name twice": (REFUSED, _tar(("a", b"x"), ("a", b"y"))),
    "zip, names equal but for capitals": (REFUSED, _zip(("Set/a", b"x"), ("set/A", b"y"))),
    "tar, names equal but for how accents are spelt": (REFUSED, _tar(("caf\u00e9", b"x"), ("cafe\u0301", b"y"))),
    "tar, a/b and a//b": (REFUSED, _tar(("a/b", b"x"), ("a//b", b"y"))),
    "zip, a file below a file": (REFUSED, _zip(("a", b"x"), ("a/b", b"y"))),
    "zip, encrypted": (REFUSED, _patched(_zip(_GOOD), _encrypt)),
    "zip, 300 MB of zeros": (REFUSED, _zip(("set/zeros", bytes(300 * _MEGA)))),
    "tar.gz, 300 MB of zeros": (REFUSED, _zeros),
    "zip, 10,000 files that share 1 MB of zeros": (REFUSED, _shared_bytes(10_000, _MEGA)),
    "zip, a directory of 600,000 files": (REFUSED, _shared_bytes(600_000, 1)),
    "zip, the same in ZIP64, 46 bytes in 32 bits": (REFUSED, _small_in_32_bits(_shared_bytes(600_000, 1))),
    "zip, a good one in ZIP64": (UNPACKED, _small_in_32_bits(_zip(_GOOD))),
    "zip, 10 bytes said, 1 MB packed": (REFUSED, _patched(_zip(("a", bytes(_MEGA))), _understate)),
    "tar.gz, extended header of 4 GB": (REFUSED, _header_of_gigabytes(tarfile.XHDTYPE)),
    "tar.gz, long name of 4 GB": (REFUSED, _header_of_gigabytes(tarfile.GNUTYPE_LONGNAME)),
    "zip in a zip": (UNPACKED, _zip(("set/inner.zip", _NESTED.getvalue()))),
    "tar, set-user-id program": (UNPACKED, _tar(("set/program", b"x"), permissions=0o6777)),
    "zip, cut off": (REFUSED, _patched(_zip(_GOOD, ("b", bytes(range(256)) * 50)), lambda d: d[: len(d) // 2])),
    "tar.gz, cut off": (
        REFUSED,
        _patched(_tar(_GOOD, ("b", bytes(range(256)) * 50), mode="w:gz"), lambda d: d[: len(d) // 2]),
    ),
    "a web page": (REFUSED, lambda path: path.write_bytes(b"<html>404</html>") and None),
    "nothing": (REFUSED, lambda path: path.write_bytes(b"") and None),
}
