"""The file that ships: half the size, the same network, and what it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline import package_weights as module
from pipeline.package_weights import ship, ship_graphs
from refinedet.config import ModelConfig, PixelSizes, Radiometry, TrainedOn
from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import Header, load_model, read_header, save_checkpoint
from refinedet.model.network import RefineDet
from refinedet.runtimes.graphs import open_graph
from refinedet.runtimes.int8 import Limits


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8, tcb_norm="batch"))
    save_checkpoint(
        tmp_path / "full.safetensors",
        model.state_dict(),
        Header(model.config, ("ship",), Radiometry(), {"seed": 1}, 0.4),
    )
    return tmp_path / "full.safetensors"


def test_convolutions_are_halved_and_norms_are_not(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "shipped.safetensors"
    ship(trained, target)
    full, halved = load_file(trained), load_file(target)
    assert {t.dtype for t in halved.values() if t.ndim > 1} == {torch.float16}
    assert all(torch.equal(full[name], tensor) for name, tensor in halved.items() if tensor.ndim <= 1)
    assert target.stat().st_size < 0.6 * trained.stat().st_size
    header = read_header(target)
    assert header.operating_score == 0.4
    assert header.provenance == {"seed": 1, "float32_sha256": sha256_file(trained)}
    images = torch.rand(1, 3, 64, 64) * 255
    with torch.inference_mode():
        outputs = [load_model(path)[0](images).odm_logits for path in (trained, target)]
    torch.testing.assert_close(outputs[1], outputs[0], atol=2e-2, rtol=0)


def test_its_graph_lies_beside_it_and_8_bits_of_earlier_weights_go(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "shipped.safetensors"
    for name in ("shipped_int8.xml", "shipped_int8.bin"):
        (tmp_path / name).write_bytes(b"of earlier weights")
    ship(trained, target)
    assert ship_graphs(target) == [target, tmp_path / "shipped.onnx"]
    assert open_graph(tmp_path / "shipped.onnx", runtime="openvino").exported.weights_sha256 == sha256_file(target)
    assert not list(tmp_path.glob("*_int8*"))


@pytest.mark.slow
def test_the_graph_in_8_bits_must_hold_three_limits(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, Limits]] = []

    def export_in_8_bits(_: Path, small: Path, folder: Path, limits: Limits) -> dict[str, float]:
        asked.append((folder, limits))
        for path in (small, small.with_suffix(".bin")):
            path.write_bytes(b"8 bits")
        return {"AP_val_int8": 39.0}

    monkeypatch.setattr(module, "export_in_8_bits", export_in_8_bits)
    target = tmp_path / "shipped.safetensors"
    ship(trained, target)
    files = ship_graphs(target, tmp_path / "tiles")
    assert [path.name for path in files[2:]] == ["shipped_int8.xml", "shipped_int8.bin"]
    assert asked == [(tmp_path / "tiles", Limits(0.3, 0.005, 0.5))]
    monkeypatch.setattr(module, "_LARGEST_TOGETHER_MB", 1.0)
    with pytest.raises(InputError, match="at most 1 MB of files"):
        ship_graphs(target, tmp_path / "tiles")


def test_a_graph_that_is_far_from_torch_is_not_shipped(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "shipped.safetensors"
    ship(trained, target)
    monkeypatch.setattr(module, "parity", lambda *_: {"px_max": 1.0, "score_max": 0.0})
    with pytest.raises(InputError, match="to compute what torch does"):
        ship_graphs(target)
    assert not target.with_suffix(".onnx").exists()


def test_the_pixel_sizes_that_it_knows_can_be_said(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "shipped.safetensors"
    ship(trained, target)
    assert read_header(target).trained_on == TrainedOn()
    ship(trained, target, PixelSizes(7.0, 14.0, 10.0))
    assert read_header(target).trained_on == TrainedOn(gsd_m=PixelSizes(7.0, 14.0, 10.0))


def test_what_is_too_large_is_not_shipped(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST_MB", 1.0)
    with pytest.raises(InputError, match="at most 1 MB"):
        ship(trained, tmp_path / "shipped.safetensors")
    assert not (tmp_path / "shipped.safetensors").exists()
