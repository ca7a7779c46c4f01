"""Parallel processes on one machine, each with its share of the processor cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Thread

from refinedet.errors import RefineDetError
from refinedet.system.concurrency import THREADS, usable_cores


@contextmanager
def worker_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of `count` new processes; each computes on its share of the processor cores.

    At the end, also after an error, calls that have not started are dropped; the pool waits for running calls.

    Raises:
        RefineDetError: a process ended on its own, for example for lack of memory.
    """
    pool = new_pool(count, count)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise RefineDetError(
            f"expected {count} processes that work side by side, but one of them died; is there memory for them? fewer "
            "`workers` take less"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def new_pool(count: int, beside: int) -> ProcessPoolExecutor:
    """Make a pool of `count` new processes, each for one of `beside` equal shares of the processors.

    Ctrl-C only reaches this process, so no worker stops within a call. Workers end with this process.
    """
    return ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),  # a fork would copy locks without the threads that hold them
        initializer=_begin,
        initargs=(max(1, usable_cores() // beside),),
    )


def _begin(threads: int) -> None:
    """Prepare a new process before it loads numeric libraries: limit its threads, and end it with its parent."""
    os.environ[THREADS] = os.environ["OMP_NUM_THREADS"] = str(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # no caller waits for a result
