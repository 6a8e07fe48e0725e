"""What all services of one process share: settings, casebook, store, vault, snapshot, the last run of rings.

Threads share it. A store is one connection, so every thread has its own; what is read from disk as a whole is read
again when it changed there.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from graph.errors import InputError, SnapshotError
from graph.settings import Settings
from graph.snapshot import Snapshot, refresh
from graph.store import GraphStore
from graph.vault import Vault
from workbench.casebook.opening import Casebook
from workbench.instance import EVERYTHING, Instance, open_casebook, open_graph, open_vault

Clock = Callable[[], datetime]

BEHIND = 30.0


def now() -> datetime:
    return datetime.now(UTC)


class Office:
    """`clock` tells the time of what is written; tests set it."""

    def __init__(self, settings: Settings, *, clock: Clock = now, store_url: str | None = None) -> None:
        self.settings, self.clock = settings.prepare(), clock
        self.casebook: Casebook = open_casebook(settings)
        self._store_url = store_url
        self._own = threading.local()
        self._lock = threading.Lock()
        self._vault: Vault | None = None
        self._snapshot: tuple[Snapshot, float] | None = None
        self._run: tuple[int, Mapping[str, Any]] | None = None

    @property
    def store(self) -> GraphStore:
        if not hasattr(self._own, "store"):
            self._own.store = open_graph(self.settings, self._store_url)
        store: GraphStore = self._own.store
        return store

    @property
    def vault(self) -> Vault:
        with self._lock:
            if self._vault is None:
                self._vault = open_vault(self.settings)
            return self._vault

    @property
    def here(self) -> Instance:
        """The same as commands have it."""
        return Instance(self.settings, self.store, None)

    def snapshot(self) -> Snapshot:
        """All facts as arrays: those on disk with what was loaded since, at most `BEHIND` seconds behind the store.

        Where there are none, or of another store, they are made, which takes a while once.
        """
        with self._lock:
            if self._snapshot is None or time.monotonic() - self._snapshot[1] > BEHIND:
                self._snapshot = (self._refreshed(), time.monotonic())
            return self._snapshot[0]

    def _refreshed(self) -> Snapshot:
        try:
            base, shown = self.here.earlier_snapshot()
        except SnapshotError:
            return self.here.snapshot()
        newest = self.here.marks()[-1].sequence
        if newest == shown.sequence:
            return base
        before = self._snapshot[0] if self._snapshot is not None else base
        return refresh(before, self.store, as_of=EVERYTHING)

    def last_run(self) -> Mapping[str, Any]:
        """`rings.json` of the last run: `as_of`, `overrides_as_of`, `rings`. Without a run: no rings, `as_of` None."""
        try:
            stamp = self.settings.rings_file.stat().st_mtime_ns
        except OSError:
            return {"as_of": None, "rings": []}
        with self._lock:
            if self._run is None or self._run[0] != stamp:
                try:
                    self._run = (stamp, json.loads(self.settings.rings_file.read_text(encoding="utf-8")))
                except ValueError:
                    raise InputError("the last run of rings cannot be read; run `ringroad rings` again") from None
            return self._run[1]

    # Life --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """What this thread opened, and what all share; a store of another thread ends with that thread."""
        if hasattr(self._own, "store"):
            self._own.store.close()
        if self._vault is not None:
            self._vault.close()
        self.casebook.close()

    def __enter__(self) -> Office:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
