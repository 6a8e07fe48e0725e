"""What a user is told when Neo4j fails, and what a failure leaves behind. No driver text, no password, no key."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from graph.digest import digest
from graph.errors import InputError, StoreError
from graph.records import Batch, EdgeRows, NodeRef, NodeRows
from graph.store import GraphStore
from graph.stores import open_store
from tests.contracts.facts import A1, LATE, node, write

pytestmark = pytest.mark.neo4j

SECRET = "wrong-horse-battery"
PASSWORD = "for-the-tests-only"
BRIEF = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def told(attempt: Callable[[], object]) -> str:
    """The message of a StoreError, which is one line and quotes nothing secret."""
    with pytest.raises(StoreError) as failed:
        attempt()
    message = str(failed.value)
    assert "\n" not in message
    assert SECRET not in message
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    return message


def test_a_wrong_password(neo4j_server: object) -> None:
    url = neo4j_server.url  # type: ignore[attr-defined]
    assert "RINGROAD_STORE_PASSWORD" in told(lambda: open_store(url, password=SECRET))


def test_no_password_and_no_address() -> None:
    with pytest.raises(InputError, match="RINGROAD_STORE_PASSWORD"):
        open_store("neo4j://neo4j@127.0.0.1:7687", password=None)
    with pytest.raises(InputError, match="neo4j://USER@HOST"):
        open_store("neo4j://", password=SECRET)
    with pytest.raises((InputError, StoreError)):
        open_store("neo4j://host:notaport", password=SECRET)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for each in held:
        each.close()


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_nothing_listens(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    started = time.monotonic()
    assert "does not answer" in told(lambda: open_store(f"{scheme}://neo4j@127.0.0.1:{port}", password=SECRET))
    assert time.monotonic() - started < 40


def test_a_server_that_hangs(deaf: int) -> None:
    started = time.monotonic()
    assert "does not answer" in told(lambda: open_store(f"bolt://neo4j@127.0.0.1:{deaf}", password=SECRET))
    assert time.monotonic() - started < 40


def test_a_fault_inside_names_no_value(neo4j_server: object) -> None:
    dealer = NodeRef("Dealer", "dealer-1")
    with neo4j_server.open() as store:  # type: ignore[attr-defined]
        write(store, node(A1), node(dealer))
        message = told(lambda: store.rekey([(A1.type, A1.key, "B1"), (dealer.type, dealer.key, "x" * 40_000)]))
        assert "B1" not in message
        assert dealer.key not in message
        assert store.node(A1, as_of=LATE).ref == A1
    neo4j_server.clear()  # type: ignore[attr-defined]


# A power cut ---------------------------------------------------------------------------------------


def batches(count: int = 8, rows: int = 1500) -> list[Batch]:
    """Applications that share devices across batches, so that later batches touch what earlier ones wrote."""
    made = []
    for number in range(count):
        apps = [f"app-{number}-{each}" for each in range(rows)]
        devices = [f"device-{each % 400}" for each in range(rows)]
        at = np.arange(rows, dtype=np.int64) + 1_000 * number
        zero, one = np.zeros(rows, dtype=np.int64), np.ones(rows)
        nodes = NodeRows("Application", apps, at, [""] * rows, at, [{"amount": float(each)} for each in range(rows)])
        edges = EdgeRows("USED_DEVICE", apps, devices, [""] * rows, at, at, zero, one, "app")
        made.append(Batch(f"batch-{number}", "x", [nodes], [edges]))
    return made


def load(store: GraphStore, parts: list[Batch]) -> int:
    return sum(store.write(each) for each in parts)


def test_a_load_cut_by_a_dying_server_ends_the_same_when_run_again(serve: ModuleType, tmp_path: Path) -> None:
    parts = batches()
    with open_store(f"sqlite:///{tmp_path / 'whole.sqlite'}") as whole:
        load(whole, parts)
        expected = digest(whole)
    start = partial(serve.start, tmp_path / "neo4j", password=PASSWORD, heap="512m", options=BRIEF)
    running = start()
    with open_store(running.url, password=PASSWORD) as store:
        assert load(store, parts[:2]) == 2
        killer = threading.Timer(0.15, running.kill)  # in the middle of the third batch, or of one soon after
        killer.start()
        assert "run again" in told(lambda: load(store, parts[2:]))
        killer.join()
        running = start(port=int(running.url.rpartition(":")[2]))
        kept = store.batches()  # the same handle finds the server again
        assert [each.id for each in kept] == [each.id for each in parts[: len(kept)]]
        assert 2 <= len(kept) < len(parts)
        assert load(store, parts) == len(parts) - len(kept)
        assert digest(store) == expected
        assert store.size().edges == {"USED_DEVICE": 12_000}
        assert load(store, parts) == 0
    running.stop()
