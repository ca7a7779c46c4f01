"""Options for running a trained network. Training options lie elsewhere, so a change here retrains nothing."""

from __future__ import annotations

from typing import Literal

FloatPrecision = Literal["fp32", "bf16", "fp16"]
"""Number format of the convolutions of a float network."""
TorchMode = Literal["auto", "eager", "graph", "compile"]
"""Mode of torch: kernel by kernel, as CUDA graphs, or compiled; auto: graph on a GPU, else eager."""
