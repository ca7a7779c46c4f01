"""Threads that make, and threads that work: same items, bounded, and over when they are told to be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from refinedet.system.concurrency import THREADS, map_unordered, prefetch, start_thread, thread_limit, usable_cores


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(("prefetch", "map_unordered"))}


def noted(taken: list[int], pause_s: float = 0) -> Iterator[int]:
    """A hundred numbers, each noted when it is asked for; the next one takes its time."""
    for number in range(100):
        taken.append(number)
        yield number
        time.sleep(pause_s)


def test_what_is_begun_goes_on_beside_the_caller_who_gets_its_answer_or_its_error() -> None:
    go, caller = threading.Event(), threading.get_ident()

    def work() -> int:
        go.wait(5)
        return threading.get_ident()

    answer = start_thread(work)
    assert not answer.done()
    go.set()
    assert answer.result(5) != caller
    with pytest.raises(ZeroDivisionError):
        start_thread(lambda: 1 / 0).result(5)


@pytest.mark.parametrize("depth", [1, 2, 50])
@pytest.mark.parametrize("count", [0, 1, 20])
def test_prefetched_items_are_the_same_in_the_same_order(depth: int, count: int) -> None:
    assert list(prefetch(range(count), depth)) == list(range(count))
    assert threads() == set()


def test_an_item_may_be_none_or_an_error() -> None:
    items = [None, ValueError("an item like any other"), ()]
    assert list(prefetch(items, 2)) == items


def test_items_are_made_ahead_but_no_further_than_asked() -> None:
    made: list[int] = []
    with closing(prefetch(noted(made), 3)) as items:
        assert next(items) == 0
        deadline = time.monotonic() + 10
        while len(made) < 5 and time.monotonic() < deadline:  # one used, three ready, one in the making
            time.sleep(0.001)
        time.sleep(0.05)
        assert len(made) == 5
    assert threads() == set()


def test_making_and_using_take_place_at_once() -> None:
    def make() -> Iterator[int]:
        for number in range(5):
            assert threading.current_thread() is not threading.main_thread()
            time.sleep(0.05)
            yield number

    began = time.monotonic()
    for _ in prefetch(make(), 1):
        time.sleep(0.05)
    assert time.monotonic() - began < 0.45  # one after the other: 0.5


def test_an_error_in_the_making_comes_after_the_items_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise KeyError("lost")

    items = prefetch(make(), 5)
    assert next(items) == 1
    with pytest.raises(KeyError, match="lost"):
        next(items)
    assert threads() == set()


@pytest.mark.parametrize("depth", [1, 4])
def test_closing_ends_the_thread_whatever_it_waits_for(depth: int) -> None:
    for used in (0, 1, 3):
        with closing(prefetch(iter(range(1000)), depth)) as items:
            for _ in range(used):
                next(items)
        assert threads() == set()


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_each_job_is_done_once_whoever_does_it(workers: int, count: int) -> None:
    assert sorted(map_unordered(range(count), [lambda job: 2 * job] * workers)) == [2 * job for job in range(count)]
    assert threads() == set()


def test_one_worker_works_in_the_thread_of_the_caller_and_only_on_demand() -> None:
    done: list[threading.Thread] = []
    results = map_unordered(range(10), [lambda _: done.append(threading.current_thread())])
    next(results)
    assert done == [threading.main_thread()]


def test_workers_work_at_once_and_a_slow_one_does_not_hold_up_the_other() -> None:
    done: dict[str, int] = {"slow": 0, "quick": 0}
    both = threading.Barrier(2, timeout=10)  # broken unless two jobs are in work at the same time

    def worker(name: str, seconds: float) -> object:
        def work(job: int) -> int:
            if not sum(done.values()):
                both.wait()
            time.sleep(seconds)
            done[name] += 1
            return job

        return work

    workers = [worker("slow", 0.1), worker("quick", 0.002)]
    assert sorted(map_unordered(range(30), workers)) == list(range(30))  # type: ignore[arg-type]  # object is callable
    assert done["quick"] > 5 * done["slow"] > 0


def test_no_worker_has_two_jobs_at_a_time() -> None:
    busy = [threading.Lock() for _ in range(3)]

    def work(number: int, job: int) -> int:
        assert busy[number].acquire(blocking=False)
        time.sleep(0.001)
        busy[number].release()
        return job

    workers = [lambda job, number=number: work(number, job) for number in range(3)]
    assert sorted(map_unordered(range(60), workers)) == list(range(60))


def test_jobs_are_taken_no_faster_than_they_are_done() -> None:
    taken: list[int] = []
    with closing(map_unordered(noted(taken), [lambda job: job] * 2)) as results:
        next(results)
        assert len(taken) <= 5  # two for each worker, and the one that waits
    assert threads() == set()


def test_what_is_done_is_handed_on_with_the_next_job_however_few_there_are() -> None:
    taken: list[int] = []
    slowly = noted(taken, pause_s=0.05)  # by when the worker is done
    with closing(map_unordered(slowly, [lambda job: job] * 4)) as results:
        assert next(results) == 0
        assert len(taken) <= 3


def test_an_error_of_a_worker_is_raised_and_the_rest_is_left() -> None:
    done: list[int] = []

    def work(job: int) -> int:
        if job == 3:
            raise ZeroDivisionError
        time.sleep(0.001)
        done.append(job)
        return job

    with pytest.raises(ZeroDivisionError):
        list(map_unordered(range(1000), [work, work]))
    assert len(done) < 50
    assert threads() == set()


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("100000", 100000), ("0", None), ("many", None), ("", None)])
def test_a_process_may_be_told_how_many_cores_are_its_own(
    monkeypatch: pytest.MonkeyPatch, text: str, limit: int | None
) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    given = usable_cores()
    monkeypatch.setenv(THREADS, text)
    assert thread_limit() == limit
    assert usable_cores() == min(given, limit or given)
