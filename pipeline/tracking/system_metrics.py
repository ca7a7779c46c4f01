"""Load of the machine during a training: processor, memory, disk, network and GPU.

MLflow's own monitors measure, under the names of the page "System metrics" of its UI. A thread of this project writes
the samples to the spool, because MLflow's own thread would call the server. MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL
sets the seconds between two samples; MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false turns them off.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger(__name__)

SECONDS = 30.0
"""Seconds between two samples."""

Report = Callable[[Mapping[str, float], int], None]


@contextmanager
def sampled(report: Report) -> Iterator[None]:
    """Call `report` with a sample (name -> value, number of the sample) at each interval, within the block."""
    if os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true").lower() == "false":
        yield
        return
    seconds = _interval()
    done = threading.Event()
    thread = threading.Thread(target=_sample, args=(report, seconds, done), name="system metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _interval() -> float:
    given = os.environ.get("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "")
    try:
        return max(1.0, float(given)) if given else SECONDS
    except ValueError:
        logger.warning(
            "expected seconds in MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL, found %r; using %g", given, SECONDS
        )
        return SECONDS


def _sample(report: Report, seconds: float, done: threading.Event) -> None:
    step = 0
    try:
        monitors = _monitors()
        while not done.wait(seconds):
            found: dict[str, float] = {}
            for monitor in monitors:
                monitor.collect_metrics()
                found |= {f"system/{name}": float(value) for name, value in monitor.aggregate_metrics().items()}
                monitor.clear_metrics()
            report(found, step)
            step += 1
    except Exception as error:  # noqa: BLE001 - a sensor that fails must not end a training
        logger.warning("no more system metrics: %s: %s", type(error).__name__, error)


def _monitors() -> list[Any]:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor]  # MLflow's monitors have no annotations
    gpu: Any = GPUMonitor
    monitors = [kind() for kind in kinds]
    try:
        monitors.append(gpu())
    except (ImportError, RuntimeError):  # no NVIDIA library, or no such GPU
        return monitors
    return monitors
