"""Initial weights of a training in few bytes, without those that its seed draws again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from refinedet.model.network import RefineDet
from refinedet.training.recipe import Training


def weights_to_pack(training: Training, model: RefineDet, *, all_weights: bool) -> dict[str, Tensor]:
    """Tensors of `model`, without those that equal the tensors of a fresh network of the training."""
    drawn = {} if all_weights else drawn_weights(training)
    own = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    return {name: tensor for name, tensor in own.items() if name not in drawn or not torch.equal(tensor, drawn[name])}


def drawn_weights(training: Training) -> dict[str, Tensor]:
    """Weights of a fresh network, drawn from the seed of the training, without those of a pretrained backbone."""
    torch.manual_seed(training.config.seed)
    return RefineDet(replace(training.header.model, backbone_weights="none")).state_dict()


def planes(content: bytes) -> bytes:
    """Bytes of 4-byte numbers, sorted by their place in the number: the exponents lie together and compress well."""
    padded = content + b"\0" * (-len(content) % 4)
    return len(content).to_bytes(8, "little") + np.frombuffer(padded, np.uint8).reshape(-1, 4).T.tobytes()


def joined(planes: bytes) -> bytes:
    """Undo `planes`."""
    size = int.from_bytes(planes[:8], "little")
    return np.frombuffer(planes, np.uint8, offset=8).reshape(4, -1).T.tobytes()[:size]


def sha256_of_weights(weights: Mapping[str, Tensor]) -> str:
    """Hex SHA-256 over names, shapes, types and numbers of weights."""
    digest = sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\0".encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
