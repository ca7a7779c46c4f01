"""From a mirror, a cache or a server to a verified folder; simulated scenes; the sentence when that fails."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.catalogue import CATALOGUE, ArchiveFile, Source
from pipeline.stages import download as module
from pipeline.stages.download import SOURCE_FILE, download
from refinedet.downloads.fetch import Access, fetch
from refinedet.errors import FileError
from refinedet.files import md5_file, read_json, sha256_tree
from refinedet.system.retrying import RetryPolicy
from tests.pipeline.stages.downloading import Zip, names, params_of


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def soon(url: str, target: Path, access: Access) -> None:
        fetch(url, target, RetryPolicy(2, 5, 0), access)

    monkeypatch.setattr("pipeline.stages.download.fetch", soon)


def test_a_mirror_folder_is_unpacked_and_verified(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, out: Path, cache: Path
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    download(params_of("tiny"), out, mirror=str(archive.parent), cache=cache)
    assert names(out) == sorted([*names(tiny_folder), SOURCE_FILE])
    origin = read_json(out / SOURCE_FILE)
    assert origin["sha256"] == tiny.files[0].sha256
    assert origin["licence"] == tiny.licence
    assert not cache.exists()


def test_equal_content_gives_equal_bytes_whatever_the_archive(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, out: Path, cache: Path, tmp_path: Path
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    download(params_of("tiny"), out, mirror=str(archive.parent), cache=cache)
    first = sha256_tree(out)
    archive.unlink()
    packed = shutil.make_archive(str(tmp_path / "again"), "gztar", tiny_folder.parent, tiny_folder.name)
    shutil.move(packed, archive)
    again = replace(tiny, files=(replace(tiny.files[0], folder=tiny_folder.name),))
    CATALOGUE["tiny"] = again  # type: ignore[index]  # a dict at run time
    download(params_of("tiny"), out, mirror=archive.parent.as_uri(), cache=cache)
    assert sha256_tree(out) == first


def test_other_content_is_refused_and_the_old_output_stays(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, out: Path, cache: Path
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    download(params_of("tiny"), out, mirror=str(archive.parent), cache=cache)
    before = sha256_tree(out)
    (tiny_folder / "train" / "000.png").write_bytes(b"something else")
    zip_folder(tiny_folder, tiny.files[0].folder)
    with pytest.raises(FileError, match="damaged or another version") as caught:
        download(params_of("tiny"), out, mirror=str(archive.parent), cache=cache)
    assert "\n" not in str(caught.value)
    assert sha256_tree(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["download"]
    assert archive.exists(), "a mirror is the user's: nothing is deleted there"


@pytest.mark.usefixtures("tiny")
def test_a_mirror_without_the_archive_is_named(out: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"expected tiny\.zip in the mirror, found no .*tiny\.zip"):
        download(params_of("tiny"), out, mirror=str(tmp_path), cache=cache)


@pytest.fixture
def served(tiny: Source, tiny_folder: Path, zip_folder: Zip, server: Any) -> Any:
    server.content = zip_folder(tiny_folder, tiny.files[0].folder).read_bytes()
    return server


@pytest.mark.usefixtures("tiny")
def test_a_server_is_asked_once_then_the_cache(served: Any, out: Path, cache: Path) -> None:
    for _ in range(2):
        download(params_of("tiny"), out, mirror=served.url, cache=cache)
    assert len(served.asked) == 1
    assert names(cache) == ["tiny.zip"]


@pytest.mark.usefixtures("tiny")
def test_a_damaged_cached_archive_is_fetched_again(served: Any, out: Path, cache: Path) -> None:
    download(params_of("tiny"), out, mirror=served.url, cache=cache)
    whole = sha256_tree(out)
    data = bytearray((cache / "tiny.zip").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (cache / "tiny.zip").write_bytes(data)
    download(params_of("tiny"), out, mirror=served.url, cache=cache)
    assert sha256_tree(out) == whole
    assert len(served.asked) == 2


@pytest.mark.usefixtures("tiny")
def test_a_server_with_a_bad_archive_is_reported_and_nothing_bad_is_kept(served: Any, out: Path, cache: Path) -> None:
    served.content = served.content[: len(served.content) // 2]
    with pytest.raises(FileError, match="damaged, cut off"):
        download(params_of("tiny"), out, mirror=served.url, cache=cache)
    assert names(cache) == []
    assert not out.exists()


@pytest.mark.usefixtures("tiny")
def test_without_a_network_a_whole_cache_is_enough(served: Any, out: Path, cache: Path, tmp_path: Path) -> None:
    download(params_of("tiny"), out, mirror=served.url, cache=cache)
    whole = sha256_tree(out)
    download(params_of("tiny"), out, mirror=None, cache=cache)  # the public address of `tiny` is a closed port
    assert sha256_tree(out) == whole
    with pytest.raises(FileError, match="check the network, or name a mirror"):
        download(params_of("tiny"), out, mirror=None, cache=tmp_path / "empty")


FIRST_SUM = sha256(b"list.txt\0" + sha256(b"one").hexdigest().encode() + b"\n").hexdigest()
PARTS = {"first": b"one", "second": b"two"}


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Function (checksums by archive) -> mirror of data set `parted`: two tar files whose content has one name."""

    def make(**sums: dict[str, str]) -> Path:
        folder = tmp_path / "parts"
        folder.mkdir()
        for name, content in PARTS.items():
            with tarfile.open(folder / f"{name}.tar", "w") as archive:
                member = tarfile.TarInfo("kit/list.txt")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        archives = tuple(ArchiveFile(f"{n}.tar", None, folder="kit", into=n, **sums.get(n, {})) for n in PARTS)
        monkeypatch.setitem(CATALOGUE, "parted", Source(archives, licence="none", citation="none", splits={}))
        return folder

    return make


def test_several_archives_land_side_by_side(parted: Callable[..., Path], out: Path, cache: Path) -> None:
    download(params_of("parted"), out, mirror=str(parted()), cache=cache)
    assert names(out) == ["first/list.txt", "second/list.txt", SOURCE_FILE]
    assert {name: (out / name / "list.txt").read_bytes() for name in PARTS} == PARTS
    origins = read_json(out / SOURCE_FILE)["archives"]
    assert [(entry["archive"], entry["sha256"]) for entry in origins] == [
        (f"{name}.tar", sha256_tree(out / name)) for name in PARTS
    ]


@pytest.mark.parametrize("key", ["md5", "sha256"])
def test_each_archive_is_verified_on_its_own(parted: Callable[..., Path], out: Path, cache: Path, key: str) -> None:
    mirror = parted(second={key: "0" * 32})
    with pytest.raises(FileError, match=rf"second\.tar to have {key.upper()[:3]}.* 0{{32}}, found .*another version"):
        download(params_of("parted"), out, mirror=str(mirror), cache=cache)
    assert not out.exists()


def test_the_sum_of_the_archive_itself_is_enough(
    parted: Callable[..., Path], out: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mirror = parted()
    CATALOGUE["parted"] = replace(  # type: ignore[index]  # a dict at run time
        CATALOGUE["parted"],
        files=tuple(replace(a, md5=md5_file(mirror / a.name)) for a in CATALOGUE["parted"].files),
    )
    download(params_of("parted"), out, mirror=str(mirror), cache=cache)
    assert not caplog.records


def test_content_that_nobody_verified_is_taken_with_a_warning(
    parted: Callable[..., Path], out: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    download(params_of("parted"), out, mirror=str(parted(first={"sha256": FIRST_SUM})), cache=cache)
    (warning,) = caplog.messages
    assert warning.startswith("second.tar: no checksum is known")
    assert sha256_tree(out / "second") in warning


def test_a_set_without_a_public_place_asks_for_a_mirror(out: Path, cache: Path) -> None:
    with pytest.raises(FileError, match=r"a mirror that holds VOC2007-mini-trainval\.tar, .* REFINEDET_MIRROR"):
        download(params_of("voc2007-mini"), out, mirror=None, cache=cache)
    assert not out.exists()


def test_the_environment_names_the_mirror_over_params(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    text = "recipe: tiny\ndownload: {mirror: /nowhere}\nrecipes: {tiny: {dataset: tiny}}\n"
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REFINEDET_MIRROR", raising=False)
    with pytest.raises(FileError, match="/nowhere"):
        module.main()
    monkeypatch.setenv("REFINEDET_MIRROR", str(archive.parent))
    module.main()
    assert (tmp_path / "outputs" / "download" / "train" / "000.png").is_file()


def test_real_ssdd_has_the_content_of_the_catalogue(ssdd_archive: Path, out: Path, cache: Path) -> None:
    download(params_of("ssdd"), out, mirror=str(ssdd_archive.parent), cache=cache)
    assert len(list((out / "train").iterdir())) == 928
    assert len(list((out / "test").iterdir())) == 232


def test_real_voc_samples_have_the_content_of_the_catalogue(voc_archives: Path, out: Path, cache: Path) -> None:
    download(params_of("voc2007-mini"), out, mirror=str(voc_archives), cache=cache)
    assert len(list((out / "trainval2007/VOC2007/JPEGImages").iterdir())) == 300
    assert len(list((out / "test2007/VOC2007/Annotations").iterdir())) == 150
