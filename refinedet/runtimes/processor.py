"""Instructions of the processor for numbers of 8 bits. Nothing here imports a runtime."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
"""Linux's list of what each core can do; all cores of a machine are alike."""
_FOR_8_BITS = ("amx_int8", "avx512_vnni", "avx_vnni")
"""Linux's names of instructions for products of 8 bits, the fastest first."""
_AVX2 = "avx2"
"""Linux's name of instructions with which 8 bits are faster than floats, but slower than with those above."""
_OF_NUMPY = {"AVX512VNNI": "avx512_vnni", "AVX2": _AVX2}
"""NumPy's names of the same, for systems without that list; it does not know the others."""


def instructions_for_8_bits() -> tuple[str, ...]:
    """Names of the processor's fastest instructions with which 8 bits are faster than floats: AMX and VNNI, or AVX2.

    It is empty on processors without them, and where nobody says what the processor can do.
    """
    known = _flags_of_linux() or _flags_of_numpy()
    return tuple(name for name in _FOR_8_BITS if name in known) or ((_AVX2,) if _AVX2 in known else ())


def _flags_of_linux() -> frozenset[str]:
    """Flags of the first core; empty on other systems, and on processors of other make."""
    try:
        with _CPUINFO.open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(flags.partition(":")[2].split())


def _flags_of_numpy() -> frozenset[str]:
    """Flags that NumPy found when it was imported, by Linux's names."""
    try:
        found = import_module("numpy._core._multiarray_umath").__cpu_features__
    except (ImportError, AttributeError):
        return frozenset()
    return frozenset(name for key, name in _OF_NUMPY.items() if found.get(key))
