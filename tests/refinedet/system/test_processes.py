"""Worker processes: their share of the processors, their end with the parent, and a death among them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refinedet.errors import RefineDetError
from refinedet.system.concurrency import THREADS, usable_cores
from refinedet.system.processes import worker_processes


def settings_of_a_worker() -> tuple[str, int, bool]:
    """Limit of threads, usable processors, and whether Ctrl-C is ignored."""
    return os.environ[THREADS], usable_cores(), signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def die() -> None:
    """End this process as the system does when memory is short."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def test_a_worker_has_its_share_and_leaves_interruptions_to_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, str(min(2, usable_cores())))
    with worker_processes(2) as pool:
        assert pool.submit(settings_of_a_worker).result() == ("1", 1, True)


def test_the_death_of_a_worker_is_one_sentence() -> None:
    with pytest.raises(RefineDetError, match="one of them died"), worker_processes(1) as pool:
        pool.submit(die).result()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")
def test_a_worker_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, time\n"
        "from refinedet.system.processes import worker_processes\n"
        "if __name__ == '__main__':\n"
        "    with worker_processes(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = Path(f"/proc/{int(parent.stdout.readline())}")
        assert worker.exists()
        parent.kill()
    until = time.monotonic() + 20
    while worker.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not worker.exists()
