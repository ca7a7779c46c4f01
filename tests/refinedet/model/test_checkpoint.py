"""A checkpoint carries all that it needs, and says so where it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from refinedet.config import ModelConfig, Radiometry
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import Header, describe_checkpoint, load_model, read_header, save_checkpoint
from refinedet.model.network import RefineDet

CONFIG = ModelConfig(backbone_weights="none", tcb_channels=8)
HEADER = Header(CONFIG, ("ship",), Radiometry(high_percentile=99.0), {"seed": 7})


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
