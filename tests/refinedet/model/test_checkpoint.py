"""A checkpoint carries all that it needs, and says so where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from refinedet.config import ModelConfig, PixelSizes, Radiometry, TileConfig, TrainedOn
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import Header, describe_checkpoint, load_model, read_header, save_checkpoint
from refinedet.model.initial import load_initial
from refinedet.model.network import RefineDet

CONFIG = ModelConfig(backbone_weights="none", tcb_channels=8)
TRAINED_ON = TrainedOn(TileConfig(128, 32), PixelSizes(5.0, 20.0, 10.0))
HEADER = Header(CONFIG, ("ship",), Radiometry(high_percentile=99.0), {"seed": 7}, trained_on=TRAINED_ON)


def with_header(path: Path, header: object) -> Path:
    """A safetensors file whose header is this text, or this as JSON."""
    text = header if isinstance(header, str) else json.dumps(header)
    save_file({"w": torch.ones(1)}, path, metadata={"refinedet": text})
    return path


def changed(dotted: str, value: object) -> dict[str, Any]:
    """The header with one entry changed."""
    content = HEADER.to_dict()
    *parents, last = dotted.split(".")
    at = content
    for name in parents:
        at = at[name]
    at[last] = value
    return content


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    model = RefineDet(CONFIG).eval()
    save_checkpoint(tmp_path / "a.safetensors", model.state_dict(), HEADER)
    again, header = load_model(tmp_path / "a.safetensors")
    assert header == HEADER
    image = torch.rand(1, 3, 64, 64) * 255
    with torch.inference_mode():
        torch.testing.assert_close(again(image).odm_logits, model(image).odm_logits, rtol=0, atol=0)


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    weights = RefineDet(CONFIG).state_dict()
    for name in ("a", "b"):
        save_checkpoint(tmp_path / f"{name}.safetensors", weights, HEADER)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_weights_that_are_not_finite_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="diverged"):
        save_checkpoint(tmp_path / "a.safetensors", {"w": torch.tensor([1.0, float("nan")])}, HEADER)
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_damaged_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8))
    save_checkpoint(path, model.state_dict(), Header(model.config, ("ship",), Radiometry(), {}))
    content = bytearray(path.read_bytes())
    content[-400:] = b"\xff" * 400
    path.write_bytes(content)
    with pytest.raises(FileError, match="found NaN or infinity in"):
        load_model(path)
    with pytest.raises(FileError, match="the file is damaged"):
        load_initial(model, path)


def test_reading_a_header_does_not_import_torch(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", {"w": torch.ones(1)}, HEADER)
    code = (
        "import sys; from refinedet.model.checkpoint import read_header; "
        "print(read_header(sys.argv[1]).classes, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.safetensors")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "('ship',) False"


def test_other_files_are_named_for_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("hello")
    save_file({"w": torch.ones(1)}, tmp_path / "other.safetensors")
    save_checkpoint(tmp_path / "whole.safetensors", {"w": torch.ones(100)}, HEADER)
    whole = (tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-40])
    for name, error, words in (
        ("missing", FileError, "found none"),
        ("text", FileError, "whole safetensors"),
        ("cut", FileError, "whole safetensors"),
        ("other", InputError, "other safetensors content"),
    ):
        with pytest.raises(error, match=words):
            read_header(tmp_path / f"{name}.safetensors")


def test_weights_must_fit_the_configuration(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.safetensors", {"w": torch.ones(1)}, HEADER)
    with pytest.raises(InputError, match="fit the configuration"):
        load_model(tmp_path / "a.safetensors")


def test_as_many_names_as_classes() -> None:
    with pytest.raises(InputError, match="1 class names"):
        Header(CONFIG, ("ship", "boat"), Radiometry(), {})


def test_a_description_has_the_header_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, RefineDet(CONFIG).state_dict(), HEADER)
    found = describe_checkpoint(path)
    assert found.items() >= HEADER.to_dict().items()
    assert (found["sha256"], found["bytes"]) == (sha256_file(path), path.stat().st_size)


@pytest.mark.parametrize(
    ("dotted", "value", "words"),
    [
        ("model", ["a"], "setting `model` in .*a.safetensors: expected a mapping of names to values, found"),
        ("model", None, "setting `model` in .*: expected a mapping of names to values, found None"),
        ("model.input_px", "512", "setting `model.input_px` in .*: expected a whole number, found '512'"),
        ("model.input_px", 64 * 10**12, "setting `model.input_px` in .*: expected a number of at most 16384"),
        ("model.anchor_scale", 10**400, "setting `model.anchor_scale` in .*: expected a finite number"),
        ("model.strides", {"a": 8}, "setting `model.strides` in .*: expected a list"),
        ("model.colour", 1, "unknown setting `model.colour` in .*a.safetensors"),
        ("classes", "ship", "setting `classes` in .*: expected a list, found 'ship'"),
        ("classes", [1], "setting `classes.0` in .*: expected text, found 1"),
        ("classes", [], r"setting `classes` in .*: expected 1 class names, found \[\]"),
        ("radiometry", 3, "setting `radiometry` in .*: expected a mapping"),
        ("radiometry.headroom", float("nan"), "setting `radiometry.headroom` in .*: expected a finite number"),
        ("provenance", [1], "setting `provenance` in .*: expected a mapping"),
        ("operating_score", None, "setting `operating_score` in .*: expected a number, found None"),
        ("operating_score", "0.5", "setting `operating_score` in .*: expected a number, found '0.5'"),
        ("postprocess", None, "setting `postprocess` in .*: expected a mapping"),
        ("postprocess.max_detections", 1e30, "setting `postprocess.max_detections` in .*: expected a whole number"),
        ("trained_on.windows", [64], "setting `trained_on.windows` in .*: expected a mapping"),
        ("trained_on.gsd_m.best_m", 99.0, "setting `trained_on.gsd_m.best_m` in .*: expected null, or a number from 5"),
        ("format", "1", "expected the header of a refinedet checkpoint in .*a.safetensors"),
        ("format", 99, "expected checkpoint format 2 or less in .*a.safetensors, found 99; upgrade refinedet"),
    ],
)
def test_a_header_of_wrong_values_is_one_sentence(dotted: str, value: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read_header(with_header(tmp_path / "a.safetensors", changed(dotted, value)))


@pytest.mark.parametrize("text", ["null", "[]", "3", '"text"', "{}", "{", f'{{"format": {"9" * 5000}}}', "[" * 100_000])
def test_a_header_that_is_none_is_one_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected (JSON|the header of a refinedet checkpoint) in .*a\.safetensors"):
        read_header(with_header(tmp_path / "a.safetensors", text))


def test_a_file_of_format_1_is_read(tmp_path: Path) -> None:
    """Windows were an entry of the provenance, and what was absent in the first files has its default."""
    old = {name: value for name, value in HEADER.to_dict().items() if name not in ("trained_on", "postprocess")}
    old |= {"format": 1, "provenance": {"seed": 7, "tile": {"tile_px": 128, "overlap_px": 32}}}
    found = read_header(with_header(tmp_path / "a.safetensors", old))
    assert found == replace(HEADER, trained_on=TrainedOn(TileConfig(128, 32)))
    old["provenance"] = {"seed": 7}
    assert read_header(with_header(tmp_path / "b.safetensors", old)).trained_on == TrainedOn()
    old["provenance"] = {"tile": {"tile_px": "128"}}
    with pytest.raises(InputError, match=r"setting `trained_on\.windows\.tile_px` in .*: expected a whole number"):
        read_header(with_header(tmp_path / "c.safetensors", old))


@pytest.mark.parametrize(
    ("classes", "from_ships", "finds"),
    [
        (("ship",), False, True),
        (("Ships ",), False, True),
        (("vessel",), False, False),
        (("vessel",), True, True),
        (("tanker", "ferry"), True, False),
    ],
)
def test_ships_are_known_by_name_or_by_the_weights_that_training_began_with(
    classes: tuple[str, ...], from_ships: bool, finds: bool
) -> None:
    model = replace(CONFIG, num_classes=len(classes))
    header = replace(HEADER, model=model, classes=classes, trained_on=replace(TRAINED_ON, ships=from_ships))
    assert header.finds_ships == finds
    assert Header.from_dict(header.to_dict()) == header


@pytest.mark.parametrize("name", ["best.pt", "model.PTH"])
def test_a_file_of_torch_is_told_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(FileError, match=r"found a file of torch, .* export your network to ONNX") as caught:
        read_header(tmp_path / name)
    assert "deserializing" not in str(caught.value)
