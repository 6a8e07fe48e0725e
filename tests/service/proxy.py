"""A TCP proxy on a loopback port, in front of something that is to be away: up, cut, or hanging."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

CHUNK = 65_536


class Proxy:
    """`up` passes on; `cut` refuses and ends what there is; `hang` takes connections and says nothing any more."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._passing, self._ended = threading.Event(), threading.Event()
        self._listening: socket.socket | None = None
        self._there: set[socket.socket] = set()
        self._lock = threading.Lock()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.cut()

    def up(self) -> None:
        self._passing.set()
        self._listen()

    def hang(self) -> None:
        self._passing.clear()
        self._listen()

    def cut(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            with suppress(OSError):  # whoever waits in accept wakes up
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        with self._lock:
            there, self._there = self._there, set()
        for each in there:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._passing.set()  # who hung ends

    def _listen(self) -> None:
        if self._listening is not None:
            return
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with self._lock:
            self._there.add(near)
        self._passing.wait()
        try:
            far = socket.create_connection(self.target, timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with self._lock:
            self._there.add(far)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._passing.wait()
                sink.sendall(chunk)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
