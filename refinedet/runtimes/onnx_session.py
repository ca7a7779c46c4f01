"""Sessions of ONNX Runtime on ONNX files, with limits for untrusted files.

An ONNX file is data, a graph of standard operators, and contains no code. No library of custom operators is loaded, and
a graph that needs one is refused. Weights beside the file are read only from its own folder (ONNX Runtime before 1.24
would read them from anywhere). A file may still need much memory or time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.extras import load_extra
from refinedet.system.concurrency import thread_limit

_OLDEST = (1, 24)


def open_session(path: Path, device: str) -> Any:
    """Open an ONNX Runtime session on a file.

    Args:
        path: the file.
        device: auto, cpu, cuda or cuda:N; cuda needs onnxruntime-gpu.

    Raises:
        MissingExtra: ONNX Runtime is not installed, or too old to be safe.
        FileError: there is no such file, or it is no ONNX graph that can be run.
        InputError: there is no such device.
    """
    runtime = _runtime()
    if not path.is_file():
        raise FileError(f"expected an ONNX file at {path}, found none; check the name")
    providers = _providers(runtime, device)
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # only fatal messages: errors are raised
    options.use_deterministic_compute = True
    options.intra_op_num_threads = thread_limit() or 0  # 0: a thread for each core
    try:
        return runtime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its errors have no common base class
        raise FileError(
            f"expected an ONNX graph of standard operators at {path}, but it cannot be run: {first_line(error)}"
        ) from error


def _runtime() -> Any:
    runtime = load_extra("onnxruntime", "ONNX files")
    version = tuple(int(part) for part in runtime.__version__.split(".")[:2])
    if version < _OLDEST:  # older versions follow paths in a file to any place
        raise MissingExtra(
            f"expected onnxruntime 1.24 or newer, found {runtime.__version__}; run: pip install -U 'refinedet[onnx]'"
        )
    return runtime


def _providers(runtime: Any, device: str) -> list[Any]:
    """Execution providers of a session: CPU, and CUDA if it is wanted, but no others, such as remote ones."""
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or not (number.isdecimal() or not number):
        raise InputError(f"expected device auto, cpu or cuda, found '{device}'")
    available = "CUDAExecutionProvider" in runtime.get_available_providers()
    if kind == "cuda" and not available:
        raise InputError(
            f"expected ONNX Runtime with CUDA for device '{device}', found none; "
            'pip install onnxruntime-gpu, or use `device="cpu"`'
        )
    on_gpu = [("CUDAExecutionProvider", {"device_id": int(number or 0)})] if available and kind != "cpu" else []
    return [*on_gpu, "CPUExecutionProvider"]


def first_line(error: Exception) -> str:
    """First line of an error of ONNX Runtime or OpenVINO, without its call stack."""
    return str(error).strip().split("\n", maxsplit=1)[0][:300]
