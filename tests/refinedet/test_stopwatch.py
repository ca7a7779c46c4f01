"""Every part is counted, whoever works on it and however it ends."""

from __future__ import annotations

import time
from threading import Thread

import pytest

from refinedet.stopwatch import Stopwatch


def test_parts_add_up_over_threads_in_the_order_in_which_they_began() -> None:
    watch = Stopwatch()

    def work() -> None:
        with watch.part("read"):
            time.sleep(0.02)

    with watch.part("land"):
        pass
    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(watch.seconds) == ["land", "read"]
    assert watch.seconds["read"] >= 0.06 > watch.seconds["land"]


def test_what_fails_has_taken_its_time_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.part("read"):
        time.sleep(0.01)
        raise ValueError("broken")
    assert watch.seconds["read"] >= 0.01
