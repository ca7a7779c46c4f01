"""A detector whose export cannot be kept anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinedet.detection.detector import Detector
from refinedet.errors import FileError


def test_auto_falls_back_to_torch_where_no_export_can_be_kept_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path / "a file"))
    monkeypatch.setattr("refinedet.runtimes.choice.gpu_for_torch", lambda: False)
    with Detector.load() as detector:
        assert detector.runtime == "torch"
    (record,) = caplog.records
    assert record.getMessage().startswith("torch runs the network instead of ")
    assert "name another folder with REFINEDET_CACHE" in record.getMessage()
    with pytest.raises(FileError, match="expected to keep an export"):
        Detector.load(runtime="onnx")
