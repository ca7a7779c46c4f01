"""The weights that ship: small, whole, what their card says."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet import weights
from refinedet.config import ModelConfig, PixelSizes, TileConfig, TrainedOn
from refinedet.errors import FileError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import load_model, read_header

CARD = Path(weights.__file__).parent / "MODEL_CARD.md"


def test_they_are_small_and_find_ships_with_the_default_backbone() -> None:
    path = weights.shipped_weights()
    assert path.stat().st_size <= 10e6
    header = read_header(path)
    assert header.classes == ("ship",)
    assert header.model.backbone == ModelConfig().backbone
    assert header.model.input_px == 512
    assert header.trained_on == TrainedOn(TileConfig(512, 160), PixelSizes(7.0, 14.0, 10.0))
    load_model(path)


def test_the_card_names_the_very_file_and_its_own_figures() -> None:
    card, path = CARD.read_text(encoding="utf-8"), weights.shipped_weights()
    assert sha256_file(path) in card
    val = read_header(path).provenance["val"]
    assert f"{val['AP']:.1f}" in card


def test_an_installation_without_them_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_NAME", "none.safetensors")
    with pytest.raises(FileError, match="install refinedet again"):
        weights.shipped_weights()
