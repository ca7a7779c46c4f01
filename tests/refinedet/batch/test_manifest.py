"""Names, patterns and lists of scenes."""

from __future__ import annotations

import pickle
from glob import glob
from pathlib import Path
from typing import Any

import pytest

from refinedet.batch.manifest import scenes_named
from refinedet.errors import FileError, InputError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in ("b.tif", "a.tif", "sub/c.tif", "odd[1].tif"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_names_stay_as_they_are_and_come_once(archive: Path) -> None:
    names = [archive / "b.tif", archive / "missing.tif", archive / "b.tif"]
    assert scenes_named(names) == [archive / "b.tif", archive / "missing.tif"]


def test_patterns_are_expanded_in_order_and_a_file_is_no_pattern(archive: Path) -> None:
    assert scenes_named([archive / "?.tif"]) == [archive / "a.tif", archive / "b.tif"]
    assert scenes_named([archive / "**/*.tif"]) == [
        archive / name for name in ("a.tif", "b.tif", "odd[1].tif", "sub/c.tif")
    ]
    assert scenes_named([archive / "**/sub/c.*"]) == scenes_named([archive / "s*/c.tif"]) == [archive / "sub/c.tif"]
    assert scenes_named([archive / "odd[1].tif"]) == [archive / "odd[1].tif"]


def test_the_folders_of_a_pattern_are_walked_once(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []

    def watched(name: str, **options: Any) -> list[str]:
        walks.append(name)
        return glob(name, **options)  # noqa: PTH207 - as the code under test

    monkeypatch.setattr("refinedet.batch.manifest.glob", watched)
    scenes_named([archive / "**/*.tif"])
    assert sum("**" in name for name in walks) == 1


def test_a_manifest_has_comments_empty_lines_patterns_and_paths_of_its_own(archive: Path) -> None:
    manifest = archive / "scenes.txt"
    manifest.write_bytes("\ufeff# what to look at\r\n\r\n  b.tif  \r\nsub/*.tif\r\n/elsewhere/d.tif\r\n".encode())
    assert scenes_named([], manifest) == [archive / "b.tif", archive / "sub/c.tif", Path("/elsewhere/d.tif")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_manifest_may_be_as_windows_writes_lists(archive: Path, encoding: str) -> None:
    (archive / "scenes.txt").write_bytes('"b.tif"\r\nsub/c.tif\r\n'.encode(encoding))
    assert scenes_named([], archive / "scenes.txt") == [archive / "b.tif", archive / "sub/c.tif"]


def test_a_file_that_differs_from_a_pattern_in_its_case_is_named(archive: Path) -> None:
    with pytest.raises(InputError, match=r"check the pattern, since .*b\.tif differs from it in upper and lower case"):
        scenes_named([archive / "b*.TIF"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"# nothing\n\n", "expected scenes in the manifest", id="empty"),
        pytest.param(b"\xff\xfe\x00", "expected a manifest of UTF-8 text", id="other bytes"),
        pytest.param(b"a\0b\n", "found a zero byte in line 1", id="a zero byte"),
        pytest.param(b"a.tif\nx*.tif\n", "scenes.txt, line 2", id="a pattern like nothing"),
    ],
)
def test_a_wrong_manifest_is_one_sentence(archive: Path, content: bytes, sentence: str) -> None:
    (archive / "scenes.txt").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        scenes_named([], archive / "scenes.txt")


def test_a_missing_manifest_and_a_pattern_like_nothing_are_told(archive: Path) -> None:
    with pytest.raises(FileError, match="expected a manifest at"):
        scenes_named([], archive / "missing.txt")
    with pytest.raises(InputError, match="the command line"):
        scenes_named([archive / "z*.tif"])


def test_a_line_of_a_manifest_may_be_an_address(archive: Path) -> None:
    manifest = archive / "scenes.txt"
    manifest.write_text("a.tif\nhttps://a.org/x[1].tif?sig=secret\ns3://bucket/b.tif\n")
    named = scenes_named(["http://127.0.0.1:1/c.tif"], manifest)
    assert [str(one) for one in named] == [
        "http://127.0.0.1:1/c.tif",
        str(archive / "a.tif"),
        "https://a.org/x[1].tif",
        "s3://bucket/b.tif",
    ]
    assert named == pickle.loads(pickle.dumps(named))  # noqa: S301 - our own: as scenes go to workers
    manifest.write_text("http://a.org/x.tif\n")
    with pytest.raises(InputError, match="expected https"):
        scenes_named([], manifest)


def test_a_folder_that_cannot_be_read_is_told(
    archive: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed = archive / "sub"
    monkeypatch.setattr("os.access", lambda folder, _: Path(folder) != closed)  # permissions do not bind root
    for pattern in ("**/*.tif", "*/*.tif", "sub/*.tif"):
        caplog.clear()
        scenes_named([archive / pattern])
        assert f"in {closed} are left out, since the folder cannot be read" in caplog.text
    caplog.clear()
    scenes_named([archive / "*.tif"])
    assert not caplog.text
