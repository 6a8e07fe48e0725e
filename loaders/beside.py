"""A second process for large loads: it judges half of the tables, then writes while the first one reads on.

Python runs one thread at a time, and a load is nearly all Python and SQLite. What passes between them is the path
of a staged chunk, which holds tokens only. The second process ends with the first,
even when that one is killed, because its end of the pipe closes.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graph.errors import StoreError
from graph.records import Batch
from graph.store import GraphStore
from graph.stores import open_store
from loaders import staging
from loaders.judge import Judged, judge, open_sources
from loaders.mapping import Mapping

LARGE = 64 << 20
"""Bytes of input from which a second process is worth the second it takes to start."""

WAITING = 3
"""Chunks that may be staged and not yet written: what bounds the room a load needs beside the store."""

ENDED = "the writing process ended (no memory left?); free some and run the load again, it goes on where it was"


class Beside:
    """Asks are answered in their order; an error in an answer is raised here."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._asked = 0

    def ask(self, work: Callable[..., Any], *given: Any) -> None:
        try:
            self._pipe.send((work, given))
        except OSError:
            raise StoreError(ENDED) from None
        self._asked += 1

    def answer(self) -> Any:
        try:
            done, result = self._pipe.recv()
        except (EOFError, OSError):
            raise StoreError(ENDED) from None
        self._asked -= 1
        if not done:
            raise result
        return result

    def write(self, folder: Path, id_: str, digest: str) -> None:
        self._queue(_write, folder, id_, digest)

    def mark(self, batch: Batch) -> None:
        self._queue(_mark, batch)

    def _queue(self, work: Callable[..., Any], *given: Any) -> None:
        self.ask(work, *given)
        while self._asked > WAITING:
            self.answer()

    def finish(self) -> None:
        self.ask(_settle)
        while self._asked:
            self.answer()

    def close(self) -> None:
        """What it is writing now it writes to the end."""
        self._pipe.close()
        self._process.join()


def judge_there(source: str, wanted: dict[str, str], mapping: Mapping) -> dict[str, Judged]:
    return {each.name: judge(each, mapping) for each in open_sources(source, wanted)}


def write_chunk(store: GraphStore, folder: Path, id_: str, digest: str) -> None:
    store.write(staging.batch(folder, id=id_, digest=digest))
    staging.drop(folder)


def halves(sizes: Sequence[int]) -> list[bool]:
    """Which ones to give away, so that both have about half: each in turn, the largest first, to who has less."""
    mine = theirs = 0
    given = [False] * len(sizes)
    for at in sorted(range(len(sizes)), key=lambda at: -sizes[at]):
        if theirs < mine:
            theirs, given[at] = theirs + sizes[at], True
        else:
            mine += sizes[at]
    return given


# In the second process -----------------------------------------------------------------------------------

_store: list[GraphStore] = []
_bulk = ExitStack()


def open_there(url: str, password: str | None) -> None:
    _store.append(_bulk.enter_context(open_store(url, password=password)))
    _bulk.enter_context(_store[0].bulk())


def _write(folder: Path, id_: str, digest: str) -> None:
    write_chunk(_store[0], folder, id_, digest)


def _mark(batch: Batch) -> None:
    _store[0].write(batch)


def _settle() -> None:
    _bulk.close()


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process; the pipe tells us
    while True:
        try:
            work, given = pipe.recv()
        except (EOFError, OSError):
            break
        try:
            answer = (True, work(*given))
        except Exception as error:  # noqa: BLE001 - raised again in the first process
            answer = (False, error)
        try:
            pipe.send(answer)
        except OSError:
            break
    _bulk.close()
