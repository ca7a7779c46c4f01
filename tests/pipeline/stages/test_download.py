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
from pipeline.params import Params, parse_params
from pipeline.stages import download as module
from pipeline.stages.download import SOURCE_FILE, download, scene_specs
from refinedet.downloads.fetch import Access, fetch
from refinedet.errors import FileError, InputError
from refinedet.files import md5_file, read_json, sha256_file, sha256_tree
from refinedet.system.retrying import RetryPolicy

Zip = Callable[[Path, str], Path]


def params_of(name: str, **recipe: Any) -> Params:
    return parse_params({"recipe": name, "recipes": {name: {"dataset": name, **recipe}}})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def soon(url: str, target: Path, access: Access) -> None:
        fetch(url, target, RetryPolicy(2, 5, 0), access)

    monkeypatch.setattr("pipeline.stages.download.fetch", soon)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "download"


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


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


def test_simulated_scenes_differ_and_repeat(tmp_path: Path, cache: Path) -> None:
    scenes = {"train": 2, "val": 1, "test": 1, "width_px": 256, "height_px": 224, "ships": 1, "seed": 5}
    params = params_of("simulated", scenes=scenes)
    for name in ("a", "b"):
        download(params, tmp_path / name, mirror=None, cache=cache)
    assert names(tmp_path / "a") == [
        f"simulated/{split}/scene_{i:03d}.{end}"
        for split, i in (("test", 0), ("train", 0), ("train", 1), ("val", 0))
        for end in ("tif", "truth.geojson")
    ]
    assert sha256_tree(tmp_path / "a") == sha256_tree(tmp_path / "b")
    assert len({sha256_file(path) for path in (tmp_path / "a").rglob("*.tif")}) == 4


def test_kinds_of_simulated_scenes_take_turns(out: Path, cache: Path) -> None:
    scenes = {"train": 3, "val": 1, "test": 1, "width_px": 256, "height_px": 224, "ships": 1, "seed": 5}
    download(params_of("simulated", scenes=scenes | {"kinds": ["plain", "sentinel1"]}), out, mirror=None, cache=cache)
    truths = [read_json(path) for path in sorted((out / "simulated" / "train").glob("*.geojson"))]
    assert ["non_ships" in truth for truth in truths] == [False, True, False]


def test_numbers_of_ships_take_turns_beside_the_kinds() -> None:
    scenes = params_of("s", scenes={"train": 4, "kinds": ["plain", "sentinel1"], "ships": [9, 9, 0, 0]}).scenes
    assert scenes is not None
    specs = [spec for name, spec in scene_specs(scenes).items() if name.startswith("train/")]
    assert [(spec.kind, spec.ships) for spec in specs] == [
        *(("plain", 9), ("sentinel1", 9)),
        *(("plain", 0), ("sentinel1", 0)),
    ]


def test_no_number_of_ships_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one number of ships"):
        params_of("s", scenes={"ships": []})


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        pytest.param({}, "found 'sdd' without scenes", id="neither in the catalogue nor simulated"),
        pytest.param({"scenes": {"val": 0}}, "found 0 and 4", id="nothing to validate on"),
        pytest.param({"scenes": {"test": 0}}, "found 4 and 0", id="nothing to test on"),
    ],
)
def test_simulated_data_must_be_complete(recipe: dict[str, Any], message: str, out: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=message):
        download(params_of("sdd", **recipe), out, mirror=None, cache=cache)


def test_scenes_are_simulated_beside_a_published_set(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, out: Path, cache: Path
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    scenes = {"train": 1, "val": 1, "test": 0, "width_px": 256, "height_px": 224, "ships": 1}
    download(params_of("tiny", scenes=scenes), out, mirror=str(archive.parent), cache=cache)
    assert (out / "train" / "000.png").is_file()
    assert names(out / "simulated") == [
        f"{s}/scene_000.{end}" for s in ("train", "val") for end in ("tif", "truth.geojson")
    ]


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
