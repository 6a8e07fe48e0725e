"""The open-loop client sees what a client that waits for its answers never does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.open_loop import Order, arrivals, measure, packed, run, unpacked

Answer = Callable[[int, bytes], tuple[int, float]]
"""Of the number of a request and its body: status and seconds to wait."""


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """A server of one thread per connection on a port of its own; `answer` is asked under a lock."""
    lock, counted = threading.Lock(), iter(range(10**9))
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:

        def one(connection: socket.socket) -> None:
            with connection, connection.makefile("rb") as read:
                while line := read.readline():
                    assert line.startswith(b"POST /api/v1/score HTTP/1.1")
                    length = 0
                    while (header := read.readline()) != b"\r\n":
                        if header.lower().startswith(b"content-length:"):
                            length = int(header.split(b":")[1])
                    body = read.read(length)
                    with lock:
                        status, seconds = answer(next(counted), body)
                        time.sleep(seconds)
                    if status == 0:
                        return
                    said = b'{"server_ms":%.1f,"x":1}' % (seconds * 1e3)
                    connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(said), said))

        def accepting() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accepting, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def bodies(tmp_path: Path) -> str:
    packed((b'{"application_id":"A%d"}' % number for number in range(5_000)), tmp_path / "bodies")
    return str(tmp_path / "bodies")


@pytest.mark.parametrize("most", [16, 800])
def test_a_server_that_stalls_for_a_second_shows_in_the_tail(
    bodies: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of 4 is a quarter of all requests, with 0 to 1 s of waiting: half of them wait longer than 0.5 s.
    Whoever waits for the answer before sending again sees one slow request. Where connections suffice all are sent on
    time; where they do not, the wait for one counts."""
    monkeypatch.setattr("benchmarks.open_loop.MOST_CONNECTIONS", most)
    stall_from = time.perf_counter() + 2
    stalled = False

    def once(_: int, __: bytes) -> tuple[int, float]:
        nonlocal stalled
        if not stalled and time.perf_counter() > stall_from:
            stalled = True
            return 200, 1.0
        return 200, 0.0

    with serving(once) as port:
        seen = run(Order(port=port, bodies=bodies, stages=[(100, 4)]))
    assert seen.answered.all()
    assert 0.1 < np.mean(seen.latency > 0.1) < 0.35
    assert 0.07 < np.mean(seen.latency > 0.5) < 0.2
    assert np.median(seen.latency) < 0.05
    assert (np.percentile(seen.sent - seen.intended, 99) > 0.3) == (most == 16)


def test_latency_counts_from_the_intended_time_where_nobody_is_free(bodies: str) -> None:
    """A server that takes 20 ms of each under a lock, 100 times a second: a second behind each second."""
    with serving(lambda *_: (200, 0.02)) as port:
        seen = run(Order(port=port, bodies=bodies, stages=[(100, 2)]))
    assert seen.answered.all()
    assert seen.latency[-1] == pytest.approx(0.02 * len(seen.latency) - seen.intended[-1], rel=0.3)
    assert seen.server_ms == pytest.approx(20.0)


def test_each_body_is_sent_once_and_in_order(bodies: str) -> None:
    got: list[bytes] = []

    def note(_: int, body: bytes) -> tuple[int, float]:
        got.append(body)
        return 200, 0.0

    with serving(note) as port:
        seen = run(Order(port=port, bodies=bodies, stages=[(300, 1)], skip=10))
    assert sorted(got) == sorted(b'{"application_id":"A%d"}' % number for number in seen.body)
    assert seen.body.tolist() == list(range(10, 10 + len(got)))


def test_what_is_refused_or_cut_off_is_told_apart(bodies: str) -> None:
    with serving(lambda number, _: ((200, 503, 0)[number % 3], 0.0)) as port:
        seen = run(Order(port=port, bodies=bodies, stages=[(150, 1)]))
    counts = [int((seen.status == each).sum()) for each in (200, 503, 0)]
    assert sum(counts) == len(seen.status)
    assert max(counts) - min(counts) <= 1
    assert not np.isnan(seen.latency).any()


def test_a_closed_loop_never_has_more_under_way_than_connections(bodies: str) -> None:
    """Five at 10 ms under one lock: a hundred a second."""
    with serving(lambda *_: (200, 0.01)) as port:
        seen = run(Order(port=port, bodies=bodies, stages=[(0, 2)], closed=5))
    assert 120 < len(seen.status) <= 205
    ends = seen.intended + seen.latency
    under_way = [(seen.sent <= each).sum() - (ends < each).sum() for each in seen.sent]
    assert max(under_way) <= 5


def test_it_measures_from_a_process_of_its_own(bodies: str) -> None:
    with serving(lambda *_: (200, 0.0)) as port:
        seen = measure(Order(port=port, bodies=bodies, stages=[(50, 0.5)], key="k"))
    assert seen.answered.all()
    assert np.percentile(seen.sent - seen.intended, 50) < 0.002


def test_arrivals_are_a_poisson_process_whose_rate_changes() -> None:
    times = arrivals([(200, 50), (20, 50)], seed=3)
    assert (np.diff(times) >= 0).all()
    early = times[times < 50]
    assert len(early) == pytest.approx(10_000, rel=0.05)
    assert len(times) - len(early) == pytest.approx(1_000, rel=0.15)
    gaps = np.diff(early)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert (arrivals([(200, 50)], seed=3) == arrivals([(200, 50)], seed=3)).all()


def test_what_is_packed_comes_out_again(tmp_path: Path) -> None:
    bodies = [b"", b"x" * 100_000, "张".encode()]
    assert packed(bodies, tmp_path / "bodies") == 3
    with (tmp_path / "bodies").open("rb") as file:
        assert list(unpacked(file)) == bodies
