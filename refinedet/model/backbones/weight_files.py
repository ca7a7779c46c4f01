"""Weight files for backbones: read from a path or an address, checked against the layers they are meant for."""

from __future__ import annotations

import hashlib
import http.client
import logging
import pickle
import shutil
import urllib.parse
import urllib.request
from pathlib import Path, PurePosixPath
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from refinedet.errors import FileError, InputError
from refinedet.files import atomic_path

_LOG = logging.getLogger(__name__)
_TIMEOUT_S = 30.0


def read_weights(source: str) -> dict[str, Tensor]:
    """State dict of a weight file, on the CPU; tensors only, never code.

    Args:
        source: path, `file://` or `http(s)://` address of a .safetensors file or one that `torch.load` reads. A
            downloaded file is kept under `torch.hub.get_dir()`.

    Raises:
        FileError: no such file, or it cannot be downloaded.
        InputError: the file holds something else.
    """
    parts = urllib.parse.urlsplit(source)
    if parts.scheme in ("http", "https"):
        return _parse(_downloaded(source), source)
    path = Path(urllib.request.url2pathname(parts.path)) if parts.scheme == "file" else Path(source).expanduser()
    if not path.is_file():
        raise FileError(f"expected a weight file at {source}, found none; check backbone_weights")
    return _parse(path, source)


def check_shapes(expected: dict[str, torch.Size], found: dict[str, Tensor], source: str) -> None:
    """Check that every expected tensor exists and has its shape; surplus ones (a classifier) are no error.

    Raises:
        InputError: a tensor is missing or has another shape; the message names the first one.
    """
    for name, shape in expected.items():
        if name not in found:
            raise InputError(
                f"expected a tensor '{name}' of shape {tuple(shape)} in {source}, found none of that name; "
                "are these weights of another network?"
            )
        if found[name].shape != shape:
            raise InputError(
                f"expected '{name}' of shape {tuple(shape)} in {source}, found {tuple(found[name].shape)}; "
                "are these weights of another network?"
            )


def load_by_name(model: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Load a whole network's state dict into its feature extractor, which lacks the classifier.

    In a feature extractor, timm names `stages.0` of the network `stages_0`, so names are compared without dots.

    Raises:
        InputError: a tensor is missing or has another shape.
    """
    state = model.state_dict()
    wrapper = next((w for w in ("model.", "body.") if all(name.startswith(w) for name in state)), "")
    plain = {name.replace(".", "_"): tensor for name, tensor in tensors.items()}
    keys = {name.removeprefix(wrapper).replace(".", "_"): name for name in state}
    # old files have no batch counters, and nothing here reads them
    needed = {key: state[name].shape for key, name in keys.items() if not name.endswith("num_batches_tracked")}
    check_shapes(needed, plain, source)
    model.load_state_dict({keys[key]: plain[key] for key in needed}, strict=False)


def load_in_order(model: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Load tensors whose names differ but whose order and shapes agree; surplus (the classifier) is left out.

    Raises:
        InputError: too few tensors, or another shape.
    """
    target = {k: v.shape for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    found = [v for k, v in tensors.items() if not k.endswith("num_batches_tracked")]
    pairs = dict(zip(target, found, strict=False))
    check_shapes(target, pairs, source)
    model.load_state_dict(pairs, strict=False)


def _parse(path: Path, source: str) -> dict[str, Tensor]:
    try:
        if PurePosixPath(source).suffix.lower() == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise InputError(f"expected a file of tensors at {source}, found something else ({reason})") from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]  # training frameworks wrap the weights in this way
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(f"expected named tensors in {source}, found something else; save a model's state_dict()")
    return cast("dict[str, Tensor]", content)


def _downloaded(url: str) -> Path:
    """Download an address into the cache; returns the path of the file."""
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]  # two addresses may end in the same name
    name = PurePosixPath(urllib.parse.urlsplit(url).path).name
    cached = Path(torch.hub.get_dir()) / "refinedet" / f"{digest}-{name}"
    if not cached.is_file():
        _LOG.info("downloading %s to %s", url, cached)
        with atomic_path(cached) as temporary:
            _download(url, temporary)
            _parse(temporary, url)  # an error page must not stay in the cache
    return cached


def _download(url: str, target: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "refinedet"})  # noqa: S310 - only http(s) comes here
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response, target.open("wb") as stream:  # noqa: S310 - ditto
            shutil.copyfileobj(response, stream)
            length = response.headers.get("Content-Length", "")
            written = stream.tell()
    except (OSError, http.client.HTTPException) as error:
        raise FileError(
            f"expected to download weights from {url}, but that failed ({error}); check the address and the network, "
            "or download the file elsewhere and give its path as backbone_weights"
        ) from error
    if length.isdigit() and int(length) != written:
        raise FileError(f"expected {length} bytes from {url}, received {written}: the connection broke off; try again")
