"""system_metrics.py: samples come while it lasts, cost next to nothing, and never end a training."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from pipeline.tracking.system_metrics import _monitors, sampled

Samples = list[tuple[Mapping[str, float], int]]


def gathered(monkeypatch: pytest.MonkeyPatch, seconds: str, lasting: float) -> Samples:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", seconds)
    found: Samples = []
    with sampled(lambda values, step: found.append((values, step))):
        time.sleep(lasting)
    return found


def test_samples_have_the_names_of_mlflow_and_count_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gathered(monkeypatch, "1", 2.5)
    assert [step for _, step in found] == [0, 1]
    names = {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"}
    assert all(names <= set(values) for values, _ in found)


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    assert gathered(monkeypatch, "1", 1.2) == []


def test_a_sample_costs_milliseconds() -> None:
    monitors = _monitors()
    started = time.thread_time()
    for _ in range(20):
        for monitor in monitors:
            monitor.collect_metrics()
    assert (time.thread_time() - started) / 20 < 0.02, "a thousandth of the 30 seconds between two"


@pytest.mark.parametrize("seconds", ["soon", "1"])
def test_what_goes_wrong_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: str
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", seconds)

    def failing(*_: object) -> None:
        raise RuntimeError("the sensor is gone")

    with sampled(failing):
        time.sleep(1.3 if seconds == "1" else 0)
    assert ("the sensor is gone" if seconds == "1" else "expected seconds") in caplog.text
