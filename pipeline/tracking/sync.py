"""Sending of all entries that wait for MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.tracking.delivery import RUN, Unsent, deliver
from pipeline.tracking.runs import open_spool
from pipeline.tracking.store import shown
from refinedet.errors import FileError


@dataclass(frozen=True, slots=True)
class Sent:
    """Result of sending the entries that waited for one store."""

    store: str
    """Address of the store, without a password."""
    runs: int
    entries: int
    busy: bool
    """True if another process is sending to this store."""


def send_waiting(target: str | None = None) -> Iterator[Sent]:
    """Send all waiting entries, one store after the other; a store that fails does not stop the others.

    Args:
        target: address of a store for the runs that have not reached any store; None: their original store.

    Raises:
        FileError: entries still wait, or the spool cannot be opened.
    """
    spool = open_spool()
    if target is not None:
        for store in spool.stores():
            spool.move_unborn(store, RUN, target)
    failures = []
    for store in spool.stores():
        runs, entries = len(spool.runs(store)), spool.waiting(store)
        try:
            yield Sent(shown(store), runs, entries, busy=not deliver(spool, store))
        except Unsent as error:
            failures.append(f"{shown(store)} does not take everything ({error})")
    if failures:
        left = sum(map(spool.waiting, spool.stores()))
        raise FileError(f"expected a store for what waits, but {'; '.join(failures)}; {left} entries still wait")
