"""Words and order of the parts of a test split."""

from __future__ import annotations

from pipeline.report.labels import in_order, part


def test_parts_of_a_multi_scale_test_come_after_those_of_one_scale() -> None:
    rows: dict[str, dict[str, float]] = {
        name: {} for name in ("test", "test_inshore", "test_multiscale", "test_multiscale_inshore", "test_offshore")
    }
    assert [part(name) for name in in_order(rows)] == [
        "Test",
        "Test, inshore",
        "Test, offshore",
        "Test, multiscale",
        "Test, multiscale inshore",
    ]
