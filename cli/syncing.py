"""`refinedet sync`: what MLflow was not told yet."""

from __future__ import annotations

from cli.console import out, say
from refinedet.errors import FileError


def sync(target: str | None) -> None:
    """Send all that waits, and say how much; `target` takes the runs that have not reached any store.

    Raises:
        FileError: something still waits, or the spool cannot be opened.
    """
    from pipeline.tracking.delivery import RUN, Unsent, deliver
    from pipeline.tracking.runs import open_spool
    from pipeline.tracking.store import shown

    spool = open_spool()
    if target is not None:
        for store in spool.stores():
            spool.move_unborn(store, RUN, target)
    stores = spool.stores()
    if not stores:
        out.print("nothing waits: MLflow has been told everything")
    failures = []
    for store in stores:
        runs, entries = len(spool.runs(store)), spool.waiting(store)
        try:
            busy = not deliver(spool, store)
        except Unsent as error:
            failures.append(f"{shown(store)} does not take everything ({error})")
            continue
        if busy:
            say(f"another process is sending to {shown(store)}")
        else:
            out.print(f"{entries} entries of {runs} run{'s' * (runs != 1)} sent to {shown(store)}", markup=False)
    if failures:
        left = sum(map(spool.waiting, spool.stores()))
        raise FileError(f"expected a store for what waits, but {'; '.join(failures)}; {left} entries still wait")
