"""Work in other threads: items prepared ahead of their use, and jobs shared by several workers.

`prefetch` and `map_unordered` are generators that own threads. They hold few items at a time. Close them
(`contextlib.closing`) before the objects that their threads use.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import Empty, Queue, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

THREADS = "REFINEDET_THREADS"
"""Environment variable: most threads that compute in this process, for several processes on one machine."""

_WAITING_FOR_EACH = 2
"""Jobs handed out per worker: one in progress, and one waiting."""


def prefetch(items: Iterable[T], depth: int) -> Generator[T]:
    """Yield the items in their order, made in one other thread while the caller works on earlier ones.

    The generator raises an error of that thread after the items before it. When the generator is closed, the thread
    finishes its current item and ends.

    Args:
        items: iterated in the other thread only.
        depth: number of items that may wait ready, at least 1; the thread makes one more meanwhile.
    """
    ready: Queue[tuple[T] | BaseException | None] = Queue(depth)
    stop = Event()

    def make() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                if stop.is_set():
                    return
                ready.put((item,))
        except BaseException as error:  # noqa: BLE001 - the caller gets every error
            end = error
        if not stop.is_set():
            ready.put(end)

    thread = Thread(target=make, name="prefetch", daemon=True)
    thread.start()
    try:
        while isinstance(item := ready.get(), tuple):
            yield item[0]
        if item is not None:
            raise item
    finally:
        stop.set()
        _drain(ready)  # a put that waits for room succeeds; the next one is never started
        thread.join()


def start_thread(work: Callable[[], T]) -> Future[T]:
    """Start `work` in its own thread and return its future; the caller need not wait for its end or its error."""
    answer: Future[T] = Future()

    def do() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - `result()` raises every error
            answer.set_exception(error)

    Thread(target=do, name="start_thread", daemon=True).start()
    return answer


def map_unordered(jobs: Iterable[T], workers: Sequence[Callable[[T], R]]) -> Generator[R]:
    """Yield the results of the jobs; an idle worker takes the next job. A single worker runs in the caller's thread.

    Results of one worker come in the order of the jobs, those of several in the order in which they finish. An error of
    a worker is raised here, and jobs that were not started are then dropped.
    """
    if len(workers) == 1:
        yield from map(workers[0], jobs)
        return
    idle: SimpleQueue[Callable[[T], R]] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def work(job: T) -> R:
        worker = idle.get()
        try:
            return worker(job)
        finally:
            idle.put(worker)

    running: set[Future[R]] = set()
    pool = ThreadPoolExecutor(len(workers), thread_name_prefix="map_unordered")
    try:
        for job in jobs:
            room = len(running) < _WAITING_FOR_EACH * len(workers)
            done, running = wait(running, timeout=0 if room else None, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            running.add(pool.submit(work, job))
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        pool.shutdown(cancel_futures=True)


def usable_cores() -> int:
    """Number of processor cores that this process may use: those from the system, at most THREADS."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = thread_limit()
    return given if asked is None else min(given, asked)


def thread_limit() -> int | None:
    """Value of THREADS; None if it is not a whole number above 0."""
    text = os.environ.get(THREADS, "")
    return int(text) if text.isdecimal() and int(text) else None


def _drain(queue: Queue[T]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
