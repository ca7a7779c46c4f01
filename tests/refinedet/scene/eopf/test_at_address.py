"""Products in a Zarr store at an address: the same ships as in the folder, and only the files that are needed."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any, get_args

import numpy as np
import pytest
from eopf_store import Layout

from refinedet.cloud.address import Address
from refinedet.cloud.scene import CloudScene, scene_of
from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.scene.identity import scene_sha256
from refinedet.scene.naming import scene_stem
from refinedet.scene.source import open_source
from tests.web_server import Server

zarr = pytest.importorskip("zarr")

LINES, SAMPLES = 900, 640


class Files(SimpleHTTPRequestHandler):
    """Server of a folder that notes what is asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        """Note the request, and answer it."""
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of the folder `served` below the temporary one, and the paths that were asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = type("Noted", (Files,), {"asked": []})
    server = Server(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler.asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def put(tmp_path: Path, store: Callable[[Any], Path]) -> Callable[[str], Path]:
    """Function that copies the store of a layout to the served folder, with consolidated metadata."""

    def made(layout: str) -> Path:
        folder = tmp_path / "served" / "S1A_MADE_UP.zarr"
        shutil.copytree(store(layout), folder)
        version = 3 if (folder / "zarr.json").is_file() else 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # version 3 has consolidated metadata by convention alone
            zarr.consolidate_metadata(str(folder), zarr_format=version)
        return folder

    return made


@pytest.mark.parametrize("layout", get_args(Layout))
def test_the_pixels_and_places_are_those_of_the_folder(
    layout: str, put: Callable[[str], Path], served: tuple[str, list[str]]
) -> None:
    folder = put(layout)
    scene = scene_of(f"{served[0]}/{folder.name}")
    assert isinstance(scene, CloudScene)
    with open_source(folder, SceneSettings(pol="vh")) as one, open_source(scene, SceneSettings(pol="vh")) as other:
        assert np.array_equal(one.read_whole(), other.read_whole())
        assert other.info == one.info
        assert other.label == "vh"
        assert [note for note in one.notes if "unsearched" not in note] == [n for n in other.notes if n in one.notes]
        assert other.read_as["source"]["address"].startswith(f"{served[0]}/{folder.name}/")
    assert scene_stem(scene) == "S1A_MADE_UP"
    scene.close(keep=False)


def test_only_the_searched_polarisation_is_fetched(put: Callable[[str], Path], served: tuple[str, list[str]]) -> None:
    folder = put("cpm2")
    scene = CloudScene(Address(f"{served[0]}/{folder.name}"))
    with open_source(scene, SceneSettings(pol="vv")) as reader:
        reader.read_whole()
    chunks = {path for path in served[1] if "/grd/" in path}
    assert chunks
    assert all("_VV/" in path for path in chunks)
    assert sum(path.endswith(".zmetadata") for path in set(served[1])) == 1
    scene.close(keep=False)


def test_an_item_leads_to_its_store(put: Callable[[str], Path], served: tuple[str, list[str]], tmp_path: Path) -> None:
    folder = put("cpm2")
    group = next(path.name for path in folder.iterdir() if path.name.endswith("_VV"))
    asset = {"href": f"{served[0]}/{folder.name}/{group}/measurements"}
    item = {"type": "Feature", "id": "S1A_ITEM", "assets": {"vv": asset}}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item))
    scene = scene_of(path)
    with open_source(scene, SceneSettings(pol="vv")) as reader:
        assert (reader.info.width, reader.info.height) == (SAMPLES, LINES)
    assert scene_stem(scene) == "S1A_ITEM"


def test_the_identity_follows_the_metadata(put: Callable[[str], Path], served: tuple[str, list[str]]) -> None:
    folder = put("cpm3")
    url = f"{served[0]}/{folder.name}"
    before = scene_sha256(scene_of(url), "vv")
    assert scene_sha256(scene_of(url), "vv") == before
    document = json.loads((folder / "zarr.json").read_text())
    document["attributes"]["note"] = "changed"
    (folder / "zarr.json").write_text(json.dumps(document))
    assert scene_sha256(scene_of(url), "vv") != before


def test_a_chunk_that_is_not_stored_is_not_measured(put: Callable[[str], Path], served: tuple[str, list[str]]) -> None:
    folder = put("cpm2")
    chunk = next(path for path in folder.rglob("*_VV/measurements/grd/*") if path.name == "0.0")
    chunk.unlink()
    with open_source(f"{served[0]}/{folder.name}", SceneSettings(pol="vv")) as reader:
        assert not reader.read_whole()[:200, :150].any()
        assert any("chunks of pixels are not in the store" in note for note in reader.notes)


def test_a_store_without_consolidated_metadata_is_refused(
    put: Callable[[str], Path], served: tuple[str, list[str]]
) -> None:
    folder = put("cpm2")
    (folder / ".zmetadata").unlink()
    with pytest.raises(FileError, match=r"consolidated metadata at .*, found neither \.zmetadata nor zarr\.json"):
        open_source(f"{served[0]}/{folder.name}").__enter__()


@pytest.mark.parametrize("content", ["{}", "[]", '{"zarr_format": 3}', '{"metadata": {"../a/.zarray": {}}}', "no"])
def test_other_metadata_are_refused(content: str, put: Callable[[str], Path], served: tuple[str, list[str]]) -> None:
    folder = put("cpm2")
    (folder / ".zmetadata").write_text(content)
    with pytest.raises(InputError):
        open_source(f"{served[0]}/{folder.name}").__enter__()


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        ("https://a.org/x.zarr", "b/0.0", "https://a.org/x.zarr/b/0.0"),
        ("https://a.org/x.zarr/", "b/0.0", "https://a.org/x.zarr/b/0.0"),
        ("https://a.org/x.zarr?sig=1", "b c/.zarray", "https://a.org/x.zarr/b%20c/.zarray?sig=1"),
        ("s3://bucket/x.zarr", "b c/0.0", "s3://bucket/x.zarr/b c/0.0"),
    ],
)
def test_addresses_of_files_inside(url: str, name: str, expected: str) -> None:
    if " " in expected:  # an address has no spaces
        with pytest.raises(InputError):
            Address(url).inside(name)
    else:
        assert Address(url).inside(name).url == expected
