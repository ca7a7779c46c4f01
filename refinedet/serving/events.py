"""Server-sent events of a job: its state at each change, until it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from refinedet.serving.jobs import Job

_ALIVE_S = 15.0
_AT_MOST_EVERY_S = 0.1


async def of(job: Job) -> AsyncIterator[str]:
    """Yield one event `state` for each change, with the job as JSON; the last event reports its end."""
    while True:
        ended, change = job.ended, job.next_change
        yield f"event: state\ndata: {json.dumps(job.to_dict())}\n\n"
        if ended:
            return
        while not await _set_within(change, _ALIVE_S):
            yield ": still here\n\n"  # or proxies would close the connection, and a lost client would go unnoticed
        if not job.ended:
            await asyncio.sleep(_AT_MOST_EVERY_S)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
