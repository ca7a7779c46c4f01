"""Backbones: their levels, where their weights come from, and what is said where a name or a file does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from refinedet.config import ModelConfig
from refinedet.errors import FileError, InputError
from refinedet.model.backbones.build import INPUT_MEAN, INPUT_STD, _lite0_file, build_backbone
from refinedet.model.backbones.vgg import REDUCED_FC, Vgg16
from refinedet.model.backbones.weight_files import load_in_order, read_weights

NONE = ModelConfig(backbone_weights="none")
VGG16 = replace(NONE, backbone="vgg16")
RESNET18 = replace(NONE, backbone="timm/resnet18")


@pytest.mark.parametrize("strides", [(8, 16, 32, 64), (4, 8, 16, 32), (16, 32, 64, 128)])
@pytest.mark.parametrize("name", ["efficientnet_lite0", "vgg16", "timm/resnet18", "timm/mobilenetv3_small_050"])
def test_levels_have_their_strides_and_channels(name: str, strides: tuple[int, ...]) -> None:
    backbone = build_backbone(replace(NONE, backbone=name, strides=strides)).eval()
    with torch.no_grad():
        levels = backbone(torch.randn(1, 3, 128, 256))
    wanted = [(c, 128 // s, 256 // s) for c, s in zip(backbone.channels, strides, strict=True)]
    assert [tuple(level.shape[1:]) for level in levels] == wanted


def test_a_level_comes_from_the_stage_of_its_stride() -> None:
    backbone = build_backbone(RESNET18).eval()
    assert backbone.channels == (128, 256, 512, 192)
    torch.manual_seed(0)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        whole = timm.create_model("resnet18", features_only=True).eval()
        whole.load_state_dict({k.removeprefix("body."): v for k, v in backbone.state_dict().items() if "body" in k})
        for level, oracle in zip(backbone(images), whole(images)[2:], strict=False):
            torch.testing.assert_close(level, oracle)


def test_maps_with_channels_last_are_turned() -> None:
    backbone = build_backbone(replace(NONE, backbone="timm/mambaout_femto")).eval()
    with torch.no_grad():
        assert [level.shape[1] for level in backbone(torch.randn(1, 3, 64, 64))] == list(backbone.channels)


def test_resnext152_has_blocks_3_8_36_3_of_32_groups_of_4() -> None:
    backbone = build_backbone(replace(NONE, backbone="resnext152_32x4d"))
    body = backbone.get_submodule("body")
    assert [len(list(body.get_submodule(f"layer{n}").children())) for n in (1, 2, 3, 4)] == [3, 8, 36, 3]
    conv = body.get_submodule("layer1.0.conv2")
    assert isinstance(conv, nn.Conv2d)
    assert (conv.groups, conv.out_channels) == (32, 128)
    assert backbone.channels == (512, 1024, 2048, 192)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm/resnet19", r"timm/resnet19.*did you mean .*resnet18"),
        ("timm/zzz", r"timm\.list_models"),
        ("timm/vit_tiny_patch16_224", r"strides \(8, 16, 32, 64\).*found \[16, 16, 16\]"),
        ("timm/swin_tiny_patch4_window7_224", "image of any size"),
    ],
)
def test_a_timm_model_that_does_not_fit_is_named(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build_backbone(replace(NONE, backbone=name))


def test_packaged_weights_land_in_the_right_layers() -> None:
    backbone = build_backbone(ModelConfig()).eval()
    torch.manual_seed(0)
    levels = backbone(torch.randn(1, 3, 64, 64))
    assert [tuple(level.shape[1:]) for level in levels] == [(40, 8, 8), (112, 4, 4), (320, 2, 2), (192, 1, 1)]
    # trained batch norms keep features near unit scale; weights in the wrong place explode or vanish
    assert all(0.05 < float(level.detach().std()) < 20 for level in levels[:3])


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "timm/resnet18"])
def test_package_weights_exist_for_lite0_only(name: str) -> None:
    with pytest.raises(InputError, match="only efficientnet_lite0"):
        build_backbone(replace(NONE, backbone=name, backbone_weights="package"))


def test_the_hub_has_no_resnext152() -> None:
    with pytest.raises(InputError, match="'hub', which has none"):
        build_backbone(replace(NONE, backbone="resnext152_32x4d", backbone_weights="hub"))


@pytest.mark.parametrize("name", ["resnet50", "vgg16_bn"])
def test_a_hub_that_cannot_be_reached_is_one_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> nn.Module:
        raise FileNotFoundError("offline")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(FileError, match=r"timm's hub.*offline.*path of a weight file"):
        build_backbone(replace(NONE, backbone=name, backbone_weights="hub"))


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
def test_hub_weights_of_vgg_land_in_its_thirteen_convolutions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = timm.create_model(name, features_only=True)
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: source)
    backbone = build_backbone(replace(VGG16, backbone=name, backbone_weights="hub"))
    state = source.state_dict()
    copied = [k for k, v in backbone.layers.state_dict().items() if torch.equal(v, state.get(f"features_{k}", v + 1))]
    assert copied == [k.removeprefix("features_") for k in state]
    assert sum(state[f"features_{k}"].ndim == 4 for k in copied) == 13


def reduced_fc() -> dict[str, Tensor]:
    """Tensors with the names and shapes of vgg16_reducedfc.pth; each is one number, stored once."""
    convolutions = [layer for layer in Vgg16(batch_norm=False, strides=(8, 16, 32)).layers if hasattr(layer, "weight")]
    tensors = {}
    for place, (number, layer) in enumerate(zip(REDUCED_FC, convolutions, strict=True)):
        for sign, part in ((1, "weight"), (-1, "bias")):
            shape = layer.get_parameter(part).shape
            tensors[f"{number}.{part}"] = torch.tensor(sign * (place + 1), dtype=torch.float16).expand(shape)
    assert len(tensors) == 30
    return tensors


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "the public file's old format"])
def test_reduced_fc_weights_land_in_the_convolutions_in_order(tmp_path: Path, name: str, new_format: bool) -> None:
    file = tmp_path / "vgg16_reducedfc.pth"
    torch.save(reduced_fc(), file, _use_new_zipfile_serialization=new_format)
    backbone = build_backbone(replace(VGG16, backbone=name, backbone_weights=str(file)))
    assert isinstance(backbone, Vgg16)
    found = [layer for layer in backbone.layers if isinstance(layer, nn.Conv2d)]
    assert [float(layer.weight.detach().flatten()[-1]) for layer in found[1:]] == list(range(2, 16))
    assert [float(layer.get_parameter("bias").detach()[-1]) for layer in found[1:]] == [-n for n in range(2, 16)]
    assert all(p.is_contiguous() and p.requires_grad for p in backbone.parameters())
    norms = [layer for layer in backbone.layers if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == (15 if name == "vgg16_bn" else 0)
    assert all(float(norm.weight.detach().min()) == 1 for norm in norms)


def test_reduced_fc_weights_see_what_they_were_trained_on(tmp_path: Path) -> None:
    """The public network, fed RGB of 0..255 less its mean, is the oracle for ours on what this project feeds."""
    torch.manual_seed(0)
    tensors = {name: torch.randn(value.shape) * 0.02 for name, value in reduced_fc().items()}
    torch.save(tensors, tmp_path / "vgg.pth")
    ours = build_backbone(replace(VGG16, backbone_weights=str(tmp_path / "vgg.pth"))).eval()
    oracle = build_backbone(VGG16).eval()
    assert isinstance(oracle, Vgg16)
    oracle.load_reduced_fc(tensors, "made")
    rgb = torch.randint(0, 256, (1, 3, 64, 64)).float()
    fed = (rgb / 255 - torch.tensor(INPUT_MEAN)[:, None, None]) / torch.tensor(INPUT_STD)[:, None, None]
    with torch.no_grad():
        first = oracle.layers[0](rgb - torch.tensor([123.0, 117.0, 104.0])[:, None, None])
        found = ours.layers[0](fed)  # type: ignore[operator, index]
    torch.testing.assert_close(found[..., 1:-1, 1:-1], first[..., 1:-1, 1:-1], rtol=1e-4, atol=1e-3)


def test_the_weights_of_the_package_see_what_they_were_trained_on() -> None:
    """Its stem was trained on (RGB - 0.5) / 0.5; both see one picture, but for the means and the rim."""
    package = build_backbone(ModelConfig()).body.conv_stem.weight  # type: ignore[union-attr]
    body = timm.create_model("tf_efficientnet_lite0", features_only=True)
    load_in_order(body, read_weights(str(_lite0_file())), "package")
    factor = torch.tensor(INPUT_STD)[:, None, None] / 0.5
    torch.testing.assert_close(package, body.conv_stem.weight * factor)


def test_vgg_has_the_layout_of_the_public_reduced_weights() -> None:
    names = {n for n in build_backbone(VGG16).state_dict() if n.startswith("layers.")}
    assert names == {f"layers.{n}.{part}" for n in REDUCED_FC for part in ("weight", "bias")}


def test_vgg_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    file = tmp_path / "vgg.pth"
    short = reduced_fc()
    del short["33.bias"]
    torch.save(short, file)
    with pytest.raises(InputError, match=r"'33\.bias'.*found none.*another network"):
        build_backbone(replace(VGG16, backbone_weights=str(file)))
    torch.save(reduced_fc() | {"31.weight": torch.zeros(1)}, file)
    with pytest.raises(InputError, match=r"'31\.weight' of shape \(1024, 512, 3, 3\).*found \(1,\)"):
        build_backbone(replace(VGG16, backbone_weights=str(file)))


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_050", "convnext_atto"])
def test_a_state_dict_of_the_whole_network_loads_into_its_features(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    whole = timm.create_model(name).eval()
    save_file({k: v for k, v in whole.state_dict().items() if "num_batches" not in k}, tmp_path / "a.safetensors")
    config = replace(NONE, backbone=f"timm/{name}", backbone_weights=str(tmp_path / "a.safetensors"))
    backbone = build_backbone(config).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        oracle = whole.forward_intermediates(images, intermediates_only=True)
        for level in backbone(images)[:3]:
            assert any(level.shape == o.shape and torch.allclose(level, o, atol=1e-5) for o in oracle)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(timm.create_model("mobilenetv3_small_050").state_dict(), tmp_path / "a.pth")
    with pytest.raises(InputError, match="another network"):
        build_backbone(replace(RESNET18, backbone_weights=str(tmp_path / "a.pth")))
