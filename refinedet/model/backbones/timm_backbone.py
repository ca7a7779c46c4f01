"""Backbones from any `features_only` network of timm: levels picked by their stride, deeper ones added."""

from __future__ import annotations

import difflib
from typing import cast

import timm
import torch
from timm.models import FeatureListNet
from timm.models.resnet import Bottleneck, ResNet
from torch import Tensor, nn

from refinedet.errors import FileError, InputError

_SQUEEZED, _ADDED = 128, 192
"""Widths of the 1x1 and the strided 3x3 convolution that make an added level."""
_BLOCK = 6
"""Number of layers of an added level: twice convolution, batch norm, ReLU."""
_NO_FEATURES = (AssertionError, AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError)
"""Errors of timm's networks without feature maps, or without maps of the wanted size."""


class TimmBackbone(nn.Module):
    """Feature extractor of timm, with one strided convolution for each level deeper than its own.

    Args:
        body: result of `timm.create_model(..., features_only=True)`.
        strides: strides of the levels, consecutive powers of two.
        name: name of the network, for errors.

    Raises:
        InputError: the network has no level of one of the shallower strides.
    """

    def __init__(self, body: nn.Module, strides: tuple[int, ...], name: str) -> None:
        super().__init__()
        self.body = body
        reductions = body.feature_info.reduction()  # type: ignore[operator, union-attr]  # timm sets it
        channels = body.feature_info.channels()  # type: ignore[operator, union-attr]  # ditto
        places = {reduction: place for place, reduction in enumerate(reductions)}  # the deepest of each stride
        native = [stride for stride in strides if stride in places]
        if not native or native != list(strides[: len(native)]):
            raise InputError(
                f"expected levels of strides {strides} in backbone {name}, found {reductions}; "
                "choose strides that start at one of these, or another backbone"
            )
        self._picked = tuple(places[stride] for stride in native)
        self._cells_last = "NHWC" in str(getattr(body, "output_fmt", ""))
        added = len(strides) - len(native)
        self.channels = (*(channels[place] for place in self._picked), *[_ADDED] * added)
        inputs = self.channels[len(native) - 1 : -1] if added else ()
        self.extra = nn.Sequential(*(layer for width in inputs for layer in _strided(width)))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute one feature map for each stride from images (B, 3, H, W)."""
        found = cast("list[Tensor]", self.body(images))
        levels = [found[place].movedim(-1, 1) if self._cells_last else found[place] for place in self._picked]
        for start in range(0, len(self.extra), _BLOCK):
            levels.append(self.extra[start : start + _BLOCK](levels[-1]))
        return levels

    def check_levels(self, strides: tuple[int, ...], name: str) -> None:
        """Run one blank image, to refuse a network that does not fit before any training.

        Raises:
            InputError: the network needs another size of image, or its maps have other sizes than it declares.
        """
        side = strides[-1]
        training = self.training
        try:
            with torch.no_grad():
                levels = self.eval()(torch.zeros(1, 3, side, 2 * side))
        except _NO_FEATURES as error:
            raise InputError(
                f"expected backbone {name} to take an image of any size, found that it cannot ({error}); "
                "choose a convolutional one"
            ) from error
        self.train(training)
        shapes = [tuple(level.shape[1:]) for level in levels]
        wanted = [(c, side // s, 2 * side // s) for c, s in zip(self.channels, strides, strict=True)]
        if shapes != wanted:
            raise InputError(f"expected feature maps {wanted} from backbone {name}, found {shapes}; choose another one")


def create_body(name: str, *, pretrained: bool = False) -> nn.Module:
    """Create the feature extractor that timm has under that name.

    Raises:
        InputError: timm has no such model, or it has no feature maps.
        FileError: its weights cannot be downloaded.
    """
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; timm.list_models() names them"
        raise InputError(f"expected the name of a timm model in backbone 'timm/{name}', found none{hint}")
    try:
        return timm.create_model(name, features_only=True, pretrained=pretrained)
    except OSError as error:
        raise FileError(
            f"expected to download the weights of {name} from timm's hub, but that failed ({error}); "
            "check the network, or give the path of a weight file as backbone_weights"
        ) from error
    except _NO_FEATURES as error:
        raise InputError(
            f"expected feature maps{' and weights on the hub' if pretrained else ''} from timm model {name}, "
            f"found that it has none ({error}); choose another backbone"
        ) from error


def resnext152_32x4d() -> nn.Module:
    """Create ResNeXt-152 32x4d (Xie et al. 2017; blocks 3-8-36-3), for which timm has the parts but no name."""
    # timm's annotation asks for instances, but it takes the class itself
    network = ResNet(Bottleneck, (3, 8, 36, 3), num_classes=0, cardinality=32, base_width=4)  # type: ignore[arg-type]
    return cast("nn.Module", FeatureListNet(network))


def _strided(channels: int) -> list[nn.Module]:
    squeeze = nn.Conv2d(channels, _SQUEEZED, 1, bias=False)
    stride = nn.Conv2d(_SQUEEZED, _ADDED, 3, stride=2, padding=1, bias=False)
    return [
        *(squeeze, nn.BatchNorm2d(_SQUEEZED), nn.ReLU(inplace=True)),
        *(stride, nn.BatchNorm2d(_ADDED), nn.ReLU(inplace=True)),
    ]
