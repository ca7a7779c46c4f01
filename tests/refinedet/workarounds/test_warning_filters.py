"""Filters of warnings that two threads change are as before in the end."""

from __future__ import annotations

import warnings
from threading import Event, Thread

from refinedet.workarounds.warning_filters import changing_filters


def test_the_filters_of_two_threads_do_not_mix() -> None:
    before, inside, waiting = list(warnings.filters), Event(), Event()

    def other() -> None:
        waiting.set()
        with changing_filters():
            inside.set()
            warnings.simplefilter("ignore", UserWarning)

    thread = Thread(target=other)
    with changing_filters():
        thread.start()
        waiting.wait()
        warnings.simplefilter("ignore", RuntimeWarning)
        with changing_filters():  # a block within a block of the same thread does not wait
            assert not inside.wait(0.05)
    thread.join()
    assert inside.is_set()
    assert warnings.filters == before
