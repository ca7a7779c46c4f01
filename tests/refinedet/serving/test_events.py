"""Events of a job: none is lost, however soon the job ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from refinedet.config.options.settings import DetectSettings
from refinedet.serving import events
from refinedet.serving.jobs import Job


def test_a_job_that_ends_as_its_state_is_sent_is_told_to_have_ended() -> None:
    async def watched() -> list[str]:
        job = Job("1", Path("folder"), Path("scene.tif"), DetectSettings())
        told = events.of(job)
        sent = [await anext(told)]
        job.tell(state="done")  # before anything else of the server runs
        sent.append(await asyncio.wait_for(anext(told), 5))
        return [*sent, *[one async for one in told]]

    first, last = asyncio.run(watched())
    assert '"state": "waiting"' in first
    assert '"state": "done"' in last
