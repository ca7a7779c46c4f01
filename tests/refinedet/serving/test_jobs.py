"""The queue, what is cancelled, and what is kept, with a worker of a few lines."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.refinedet.serving.clients import Serve


def test_eight_clients_at_once_all_get_their_own_answer(stub: Serve) -> None:
    with stub() as client, ThreadPoolExecutor(8) as clients:
        names = [f"{n}.tif" for n in range(40)]
        answers = list(clients.map(lambda name: client.send("/detect", name.encode() * 3000, name), names))
    assert [answer.status for answer in answers] == [200] * 40
    assert all(answer.body.startswith(name.encode() + b" ") for name, answer in zip(names, answers, strict=True))
    assert len({answer.body.split()[-1] for answer in answers}) == 1, "one worker"


def test_a_full_queue_says_when_to_ask_again(stub: Serve) -> None:
    with stub(queue=1) as client:
        first = client.send("/jobs", b"slow").json["id"]
        client.wait(first, ("running",))
        second = client.send("/jobs", b"two").json["id"]
        full = client.send("/detect", b"three")
        assert full.status == 503
        assert 1 <= int(full.headers["retry-after"]) <= 60
        assert "queue" in full.json["error"]
        assert client.ask("DELETE", f"/jobs/{second}").status == 204
        assert client.wait(second)["state"] == "cancelled"
        assert client.send("/jobs", b"four").status == 202
        assert client.ask("DELETE", f"/jobs/{first}").status == 204
        assert client.wait(first)["state"] == "cancelled"


def test_a_queue_of_none_takes_one_scene_at_a_time(stub: Serve) -> None:
    with stub(queue=0) as client:
        job = client.send("/jobs", b"slow").json["id"]
        client.wait(job, ("running",))
        assert client.send("/jobs", b"x").status == 503
        client.ask("DELETE", f"/jobs/{job}")
        client.wait(job)
        assert client.send("/detect", b"x").status == 200


def test_a_scene_takes_no_longer_than_it_may(stub: Serve) -> None:
    with stub(job_s=0.3) as client:
        answer = client.send("/detect", b"slow")
        assert (answer.status, "at most 0.3 s" in answer.json["error"]) == (504, True)
        assert client.send("/detect", b"x").status == 200


def test_a_worker_that_does_not_listen_or_has_ended_is_replaced(stub: Serve) -> None:
    with stub(job_s=0.2) as client:
        before = client.running.worker.pid
        answer = client.send("/detect", b"crash")
        assert (answer.status, "has ended" in answer.json["error"]) == (500, True)
        assert client.send("/detect", b"x").status == 200
        between = client.running.worker.pid
        assert client.send("/detect", b"deaf").status == 504
        assert client.send("/detect", b"x").status == 200
        assert len({before, between, client.running.worker.pid}) == 3


def test_a_worker_of_too_much_memory_is_replaced(stub: Serve) -> None:
    with stub() as client:
        answers = [client.send("/detect", way).body.split() for way in (b"x", b"x", b"swell", b"x")]
        pids = [words[-1] for words in answers]
        assert pids[0] == pids[1] == pids[2] != pids[3]


def test_the_oldest_results_go_first(stub: Serve, tmp_path: Path) -> None:
    with stub(keep=3) as client:
        jobs = [client.send("/jobs", b"x").json["id"] for _ in range(6)]
        client.wait(jobs[-1])
        time.sleep(0.1)
        assert [client.ask("GET", f"/jobs/{job}").status for job in jobs] == [404] * 3 + [200] * 3
        (folder,) = (tmp_path / "temporary").iterdir()
        assert {one.name for one in folder.iterdir()} == set(jobs[3:])
        assert not list(folder.rglob("upload")), "uploads go with their job"
        assert client.ask("GET", "/health").json["kept"] == 3


def test_results_take_no_more_room_than_they_may(stub: Serve) -> None:
    with stub(keep_mb=0.000_4) as client:  # four files of some 20 bytes
        jobs = [client.send("/jobs", b"x" * 50).json["id"] for _ in range(3)]
        client.wait(jobs[-1])
        assert [client.ask("GET", f"/jobs/{job}").status for job in jobs] == [404, 404, 200]
