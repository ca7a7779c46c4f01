"""Mean of the weights of several checkpoints of one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import Header, read_header, save_checkpoint

_EQUAL = ("model", "classes", "radiometry", "postprocess", "trained_on")
"""Parts of the headers that must agree: the meaning of the weights, and their use."""


def average_checkpoints(paths: Sequence[Path], target: Path) -> Header:
    """Write the mean of the weights of checkpoints to `target`; returns its header.

    The provenance keeps the entries that all have in common, and lists the SHA-256, `train` and `val` of each as
    `averaged`. The operating score and its slope are means, too. Counters (whole numbers) are those of the first.

    Raises:
        FileError: a file is missing or damaged.
        InputError: fewer than two different checkpoints, or checkpoints of other networks or uses.
    """
    headers, sums = [read_header(path) for path in paths], [sha256_file(path) for path in paths]
    if len(set(sums)) < max(2, len(paths)):
        raise InputError(
            f"expected two or more different checkpoints to average, found {len(set(sums))} in {len(paths)} files"
        )
    for path, header in zip(paths[1:], headers[1:], strict=True):
        for name in _EQUAL:
            ours, theirs = getattr(headers[0], name), getattr(header, name)
            if ours != theirs:
                raise InputError(
                    f"expected checkpoints that agree in `{name}`, found another one in {path} than in {paths[0]}; "
                    "average checkpoints of one recipe"
                )
    header = _header(headers, sums)
    save_checkpoint(target, _mean([load_file(path) for path in paths], paths), header)
    return header


def _mean(weights: Sequence[dict[str, Tensor]], paths: Sequence[Path]) -> dict[str, Tensor]:
    first = weights[0]
    for path, other in zip(paths[1:], weights[1:], strict=True):
        if [(n, t.shape, t.dtype) for n, t in sorted(other.items())] != [
            (n, t.shape, t.dtype) for n, t in sorted(first.items())
        ]:
            raise InputError(
                f"expected the tensors of {paths[0]} in {path}, found others in name, shape or type; "
                "average checkpoints before one of them is packaged"
            )
    return {
        name: torch.stack([one[name].double() for one in weights]).mean(dim=0).to(tensor.dtype)
        if tensor.dtype.is_floating_point
        else tensor
        for name, tensor in first.items()
    }


def _header(headers: Sequence[Header], sums: Sequence[str]) -> Header:
    first = headers[0].provenance
    common = {k: v for k, v in first.items() if all(h.provenance.get(k) == v for h in headers)}
    each = [
        {"sha256": own, **{k: h.provenance[k] for k in ("train", "val") if k in h.provenance}}
        for own, h in zip(sums, headers, strict=True)
    ]
    told = {**common, "weights": f"mean of {len(headers)} checkpoints", "averaged": each}
    return replace(
        headers[0],
        provenance=told,
        operating_score=round(sum(h.operating_score for h in headers) / len(headers), 3),
        size_slope=round(sum(h.size_slope for h in headers) / len(headers), 3),
    )
