"""Load of the machine during a training: processor, memory, disk, network and GPU, beside the losses of the run.

MLflow's own monitors measure, under the names that its UI shows on the page "System metrics"; a thread of ours tells
the spool, since MLflow's own would talk to the server. MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL sets the seconds between
two samples, MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false turns them off.
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
"""Between two samples."""

Tell = Callable[[Mapping[str, float], int], None]


@contextmanager
def sampled(tell: Tell) -> Iterator[None]:
    """Give `tell` a sample (name -> value, number of the sample) now and then, as long as this lasts."""
    if os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true").lower() == "false":
        yield
        return
    seconds = _interval()
    done = threading.Event()
    thread = threading.Thread(target=_sample, args=(tell, seconds, done), name="system metrics", daemon=True)
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


def _sample(tell: Tell, seconds: float, done: threading.Event) -> None:
    step = 0
    try:
        monitors = _monitors()
        while not done.wait(seconds):
            found: dict[str, float] = {}
            for monitor in monitors:
                monitor.collect_metrics()
                found |= {f"system/{name}": float(value) for name, value in monitor.aggregate_metrics().items()}
                monitor.clear_metrics()
            tell(found, step)
            step += 1
    except Exception as error:  # noqa: BLE001 - a sensor that fails must not end a training
        logger.warning("no more system metrics: %s: %s", type(error).__name__, error)


def _monitors() -> list[Any]:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor]  # MLflow's are not annotated
    gpu: Any = GPUMonitor
    monitors = [kind() for kind in kinds]
    try:
        monitors.append(gpu())
    except (ImportError, RuntimeError):  # no NVIDIA library, or no such GPU
        return monitors
    return monitors
