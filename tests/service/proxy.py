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
        self._there = set[socket.socket]()
        self._threads: list[threading.Thread] = []
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
        for each in self._threads:
            each.join(5)

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
            there = list(self._there)
        for each in there:
            with suppress(OSError):  # it may have ended by itself
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
        thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                near, _ = listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._join, args=(near,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _join(self, near: socket.socket) -> None:
        """Both ends of one connection, until one of them ends; then both are closed."""
        with near:
            self._keep(near)
            self._passing.wait()
            try:
                far = socket.create_connection(self.target, timeout=10)
            except OSError:
                return
            with far:
                far.settimeout(None)
                self._keep(far)
                back = threading.Thread(target=self._pump, args=(far, near))
                back.start()
                self._pump(near, far)
                back.join()

    def _keep(self, one: socket.socket) -> None:
        with self._lock:
            self._there = {each for each in self._there if each.fileno() >= 0} | {one}

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._passing.wait()
                sink.sendall(chunk)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
