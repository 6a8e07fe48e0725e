"""What takes long to make, kept in the process: made once however many ask, and beside them when asked so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Kept(Generic[K, T]):
    """The last few things made, by key. `make` runs in the thread that asks first, or in one of its own."""

    def __init__(self, make: Callable[[K], T], *, size: int) -> None:
        self._make, self._size = make, size
        self._lock = threading.Lock()
        self._made: dict[K, T] = {}
        self._making: dict[K, threading.Event] = {}
        self._failed: dict[K, BaseException] = {}

    def get(self, key: K) -> T:
        """Waits. What cannot be made raises for everybody who waits, and is tried again by the next one."""
        while True:
            with self._lock:
                if key in self._made:
                    self._made[key] = self._made.pop(key)
                    return self._made[key]
                if (error := self._failed.pop(key, None)) is not None:
                    raise error
                waiting = self._making.get(key)
                if waiting is None:
                    self._making[key] = mine = threading.Event()
            if waiting is None:
                self._run(key, mine)
            else:
                waiting.wait()

    def ready(self, key: K) -> bool:
        """Begins beside when nobody has; raises what went wrong."""
        with self._lock:
            if key in self._made:
                return True
            if (error := self._failed.pop(key, None)) is not None:
                raise error
        self._beside(key)
        return False

    def renew(self, key: K) -> None:
        """Makes it anew beside; until then the old one stands."""
        self._beside(key)

    def _beside(self, key: K) -> None:
        with self._lock:
            if key in self._making:
                return
            self._making[key] = mine = threading.Event()
        threading.Thread(target=self._run, args=(key, mine), name="ledger", daemon=True).start()

    def _run(self, key: K, mine: threading.Event) -> None:
        try:
            made = self._make(key)
            with self._lock:
                self._made.pop(key, None)
                self._made[key] = made
                while len(self._made) > self._size:
                    self._made.pop(next(iter(self._made)))
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
            with self._lock:
                self._failed[key] = error
        finally:
            with self._lock:
                del self._making[key]
            mine.set()
