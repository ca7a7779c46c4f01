"""Every part is counted, whoever works on it and however it ends."""

from __future__ import annotations

import time
from threading import Barrier, Thread

import pytest

from refinedet.system.stopwatch import Stopwatch


def test_a_part_counts_once_whoever_works_on_it_and_parts_keep_the_order_in_which_they_began() -> None:
    watch, together = Stopwatch(), Barrier(3)

    def work() -> None:
        with watch.part("read"):
            together.wait()
            time.sleep(0.2)

    with watch.part("land"):
        pass
    began = time.perf_counter()
    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(watch.seconds) == ["land", "read"]
    assert 0.2 <= watch.seconds["read"] <= time.perf_counter() - began
    assert watch.seconds["land"] < 0.2


def test_a_part_adds_up_over_its_turns() -> None:
    watch = Stopwatch()
    for _ in range(3):
        with watch.part("read"):
            time.sleep(0.02)
    assert watch.seconds["read"] >= 0.06


def test_what_fails_has_taken_its_time_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.part("read"):
        time.sleep(0.01)
        raise ValueError("broken")
    assert watch.seconds["read"] >= 0.01
