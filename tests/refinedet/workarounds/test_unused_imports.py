"""Packages whose reading is put off are whole when they are used, and scipy is as ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ARRAYS = """
import sys
from refinedet.workarounds.scipy_docstrings import import_ndimage
import_ndimage()
from scipy import ndimage
print("numpy.f2py.f2py2e" in sys.modules, "numpy.testing._private.utils" in sys.modules)
import numpy as np
np.testing.assert_array_equal(ndimage.label(np.eye(2))[0], np.diag([1, 2]))
import numpy.f2py
print(numpy.f2py is sys.modules["numpy.f2py"], numpy.f2py.get_include().endswith("src"))
print(np.testing.__name__, "structure" in ndimage.label.__doc__)
from scipy._lib._array_api import FunctionDoc
print(FunctionDoc.__module__)
"""
_BUCKETS = """
import sys
from refinedet.workarounds.unused_imports import read_boto3_when_used
read_boto3_when_used()
import rasterio.session
print("boto3.session" in sys.modules)
import boto3
print(boto3.Session is rasterio.session.boto3.Session is sys.modules["boto3"].Session)
from boto3.session import Session
print(Session is boto3.Session)
"""


def said(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_parts_of_numpy_are_read_when_they_are_used() -> None:
    assert said(_ARRAYS) == ["False False", "True True", "numpy.testing True", "scipy._lib._docscrape"]


def test_boto3_is_read_when_it_is_used() -> None:
    pytest.importorskip("boto3")
    assert said(_BUCKETS) == ["False", "True", "True"]


def test_a_package_that_is_missing_stays_missing() -> None:
    code = "import sys; from refinedet.workarounds.unused_imports import _read_when_used as later; later('nowhere'); "
    assert said(f"{code} print('nowhere' in sys.modules)") == ["False"]
