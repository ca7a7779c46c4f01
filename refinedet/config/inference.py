"""Ways to run a network that finds ships. No other option is here, so that a change of one retrains nothing."""

from __future__ import annotations

from typing import Literal

FloatPrecision = Literal["fp32", "bf16", "fp16"]
"""Number format of the convolutions of a network in floats."""
TorchMode = Literal["auto", "eager", "graph", "compile"]
"""Mode of torch: kernel by kernel, as CUDA graphs, or compiled; auto: graph on a GPU, else eager."""
