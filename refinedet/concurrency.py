"""Work in other threads: items made ahead of their use, jobs spread over several workers. Bounded, and clean to stop.

The two are generators that own threads: close them (`contextlib.closing`) before what their threads use goes away.
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
"""Environment variable: most threads that compute in this process, for who runs several of them on one machine."""

_WAITING_FOR_EACH = 2
"""Jobs handed out for each worker: one in work, and one that is there when it is done."""


def prefetch(items: Iterable[T], depth: int) -> Generator[T]:
    """The same items in the same order, made in one thread of their own while the caller works on earlier ones.

    An error in that thread is raised here, after the items that came before it. When this generator is closed, the
    thread finishes the item it is at and ends.

    Args:
        items: iterated in the other thread, and nowhere else.
        depth: items that may lie ready, at least 1; one more is being made.
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
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
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
        _drain(ready)  # a put that waits for room goes through; the next one is never begun
        thread.join()


def start_thread(work: Callable[[], T]) -> Future[T]:
    """Something done in a thread of its own while the caller goes on; neither its error nor its end is waited for."""
    answer: Future[T] = Future()

    def do() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, who asks for the answer gets it
            answer.set_exception(error)

    Thread(target=do, name="start_thread", daemon=True).start()
    return answer


def map_unordered(jobs: Iterable[T], workers: Sequence[Callable[[T], R]]) -> Generator[R]:
    """What the workers make of the jobs, each job done by whichever is free; one worker works in the caller's thread.

    Results of one worker come in the order of the jobs, those of several as they are finished. An error of a worker is
    raised here, and jobs that nobody has begun are then left undone.
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
    """Processors that this process may use: those that the system gives it, at most as many as THREADS says."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = thread_limit()
    return given if asked is None else min(given, asked)


def thread_limit() -> int | None:
    """What THREADS says; None where it says nothing that is a number above 0."""
    text = os.environ.get(THREADS, "")
    return int(text) if text.isdecimal() and int(text) else None


def _drain(queue: Queue[T]) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
