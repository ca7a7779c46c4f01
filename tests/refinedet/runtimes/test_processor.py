"""Instructions for 8 bits: read from Linux's list, else from NumPy; nobody says so, none."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from refinedet.runtimes import processor
from refinedet.runtimes.processor import instructions_for_8_bits


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu sse2 fma", ()),
        ("fpu sse2 avx2 fma", ("avx2",)),
        ("fpu avx2 avx_vnni", ("avx_vnni",)),
        ("fpu avx512f avx512_vnni amx_tile amx_int8", ("amx_int8", "avx512_vnni")),
        ("fpu avx512f amx_bf16 avx512_vnnix", ()),
    ],
)
def test_linux_lists_them(flags: str, found: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: avx512_vnni in a name\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    monkeypatch.setattr(processor, "_CPUINFO", info)
    assert instructions_for_8_bits() == found


@pytest.mark.parametrize(("has", "found"), [(True, ("avx512_vnni",)), (False, ("avx2",))])
def test_elsewhere_numpy_knows(
    has: bool, found: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    features = SimpleNamespace(__cpu_features__={"AVX512VNNI": has, "AVX2": True})
    monkeypatch.setitem(sys.modules, "numpy._core._multiarray_umath", features)
    assert instructions_for_8_bits() == found


def test_another_numpy_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "numpy._core._multiarray_umath", SimpleNamespace())
    assert instructions_for_8_bits() == ()
