"""The cache folder: where it can be written, and said once if that is elsewhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs
import pytest

from refinedet.errors import FileError
from refinedet.system import user_cache
from refinedet.system.user_cache import cache_folder, write_error
from refinedet.workarounds.matplotlib_folder import name_a_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the system, and nothing known of earlier calls."""
    monkeypatch.delenv("REFINEDET_CACHE", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    user_cache._usable.cache_clear()
    return tmp_path


def home(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: folder / name)


def test_the_users_own_folder_is_taken_where_it_can_be_written(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home(monkeypatch, temporary / "home")
    assert cache_folder("a") == temporary / "home" / "refinedet" / "a"
    assert caplog.text == ""


@pytest.mark.parametrize("place", ["a file", "no home", "too long", "not there"])
def test_else_a_folder_of_the_user_in_the_temporary_one_and_it_is_said_once(
    temporary: Path, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (temporary / "a file").write_text("")
    places = {"a file": temporary / "a file", "no home": Path("~"), "too long": Path("/" + "x" * 5000)}
    home(monkeypatch, places.get(place, Path("/proc/none")))
    instead = temporary / f"refinedet-{os.getuid()}"
    assert cache_folder("a") == instead / "a"
    assert cache_folder("b") == instead / "b"
    assert instead.stat().st_mode & 0o777 == 0o700
    (record,) = caplog.records
    assert f"caches are kept in {instead}; REFINEDET_CACHE names another folder" in record.getMessage()
    assert not Path("~").exists()


def test_a_user_without_home_and_entry_has_a_folder_too(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_path", no_home)
    assert cache_folder("a") == temporary / f"refinedet-{os.getuid()}" / "a"


def test_a_folder_that_others_may_write_is_not_trusted(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home(monkeypatch, Path("/proc/none"))
    (temporary / f"refinedet-{os.getuid()}").mkdir()
    (temporary / f"refinedet-{os.getuid()}").chmod(0o777)
    with pytest.raises(FileError, match="expected a folder for caches that can be written, found none"):
        cache_folder("a")


def test_a_link_is_not_trusted_either(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home(monkeypatch, Path("/proc/none"))
    (temporary / "elsewhere").mkdir(mode=0o700)
    (temporary / f"refinedet-{os.getuid()}").symlink_to(temporary / "elsewhere")
    with pytest.raises(FileError, match="found none"):
        cache_folder("a")


def test_a_named_folder_is_taken_as_it_is(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFINEDET_CACHE", "/proc/none")
    assert cache_folder("a") == Path("/proc/none/a")
    assert write_error(Path("/proc/none/a")) is not None
    assert write_error(temporary / "new") is None


def test_matplotlib_gets_a_folder_only_if_its_own_cannot_be_written(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", "as it was")
    name_a_folder()
    assert os.environ["MPLCONFIGDIR"] == "as it was"
    monkeypatch.delenv("MPLCONFIGDIR")
    (temporary / "a file").write_text("")
    for folder, given in ((temporary / "home", False), (temporary / "a file" / "home", True)):
        home(monkeypatch, folder)
        monkeypatch.setattr(platformdirs, "user_config_path", lambda name, at=folder: at / name)
        name_a_folder()
        assert ("MPLCONFIGDIR" in os.environ) == given
    assert os.environ["MPLCONFIGDIR"] == str(temporary / f"refinedet-{os.getuid()}" / "matplotlib")
    monkeypatch.delenv("MPLCONFIGDIR")
