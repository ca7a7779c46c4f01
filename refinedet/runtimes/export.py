"""Export of a checkpoint to ONNX or OpenVINO: network, decode and scores in one graph, without suppression.

Batch, height and width are variable, because the graph computes the anchors. Of this folder, only this file and
parity.py import torch.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from refinedet.config import PostprocessConfig
from refinedet.errors import RefineDetError
from refinedet.extras import load_extra
from refinedet.files import atomic_path, sha256_file
from refinedet.model.checkpoint import Header, load_model
from refinedet.model.network import RefineDet
from refinedet.model.postprocess import decoded
from refinedet.runtimes.exported import INPUT, KEY, LAYERS, OUTPUTS, REFUSED, Exported, Format
from refinedet.runtimes.graphs import move_openvino, openvino
from refinedet.workarounds.torch_tracer import silent_tracer

_OPSET = 18
_ROOT = "/model/"
"""Prefix of the names of the network's modules in a traced graph, from the attribute of DecodedRefineDet."""
_AXES = {INPUT: {0: "batch", 2: "rows", 3: "columns"}, **{name: {0: "batch", 1: "anchors"} for name in OUTPUTS}}


class DecodedRefineDet(nn.Module):
    """Network with decoding: (B, 3, H, W) uint8 to boxes (B, N, 4) xyxy on the canvas and scores (B, N, K)."""

    def __init__(self, model: RefineDet, header: Header) -> None:
        super().__init__()
        self.model = model
        self.postprocess: PostprocessConfig = header.calibrated()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute boxes and scores of images; the score of background is 0."""
        return decoded(self.model(images), self.postprocess)


def export(weights: str | Path, path: str | Path, format: Format) -> Path:
    """Write a checkpoint as an exported file; the weights of an OpenVINO file lie beside it, as .bin.

    The file contains the checkpoint's header, so that it is enough for detection. It is written atomically. Equal
    checkpoints give equal bytes on one machine.

    Args:
        weights: path of the checkpoint.
        path: path of the .onnx or .xml file.
        format: onnx or openvino.

    Returns:
        The path of the file.

    Raises:
        FileError, InputError: as `model.checkpoint.load_model`.
        MissingExtra: the package onnx, which both formats need, or openvino is not installed.
    """
    model, header = load_model(weights)
    use_fused_heads(model)
    text = Exported(header, sha256_file(weights)).to_text()
    graph = onnx_graph(DecodedRefineDet(model, header).eval(), header.model.strides[-1])
    write = _write_onnx if format == "onnx" else _write_openvino
    write(graph, text, Path(path))
    return Path(path)


def use_fused_heads(model: RefineDet) -> None:
    """Make the detection heads compute in a form that a graph can hold, with equal results."""
    for head in model.odm:
        head.backend = "fused"  # type: ignore[assignment]  # torch types it as a tensor or module


def onnx_graph(network: nn.Module, stride: int, *, fold: bool = True) -> bytes:
    """ONNX file of a network, without metadata, traced on a batch of canvases that are not square.

    With `fold`, batch normalisation is part of the convolution before it.
    """
    load_extra("onnx", "an export")
    example = torch.zeros(2, 3, 2 * stride, 3 * stride, dtype=torch.uint8)
    stream = io.BytesIO()
    with silent_tracer(), torch.no_grad():
        torch.onnx.export(
            network,
            (example,),
            stream,  # type: ignore[arg-type]  # the tracer writes into streams
            dynamo=False,
            opset_version=_OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_axes=_AXES,
            training=torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE,
        )
    return stream.getvalue()


def _write_onnx(graph: bytes, text: str, path: Path) -> None:
    onnx = load_extra("onnx", "an export")
    model = onnx.load_from_string(graph)
    onnx.helper.set_model_props(model, {KEY: text})
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _write_openvino(graph: bytes, text: str, path: Path) -> None:
    vino = openvino()
    model = vino.Core().read_model(graph)
    for number, node in enumerate(model.get_ordered_ops()):  # the default names count all nodes of the process
        node.set_friendly_name(f"{_module(node)}{node.get_type_name()}_{number}")
    model.set_rt_info(text, [KEY])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder:
        made = Path(folder) / path.name
        vino.save_model(model, made, compress_to_fp16=False)
        move_openvino(made, path)


def _module(node: Any) -> str:
    """Path of a layer in the network, followed by a slash (`arm.0/`); empty for any other operation."""
    if node.get_type_name() not in LAYERS:
        return ""
    after = [user.get_node() for user in node.output(0).get_target_inputs()]  # a bias, which keeps the name of both
    names = [one.get_friendly_name() for one in (node, *after)]
    traced = next((name for name in names if name.startswith(_ROOT)), _ROOT)
    return traced.removeprefix(_ROOT).removesuffix("/WithoutBiases").rpartition("/")[0] + "/"


def main(weights: str, path: str, format: Format) -> int:
    """Export in a process of its own, for the cache; an error is the last line on stderr."""
    try:
        export(weights, path, format)
    except RefineDetError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))  # type: ignore[arg-type]  # the cache names a format
