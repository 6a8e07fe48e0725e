"""A receiver of webhooks on this machine, which answers as its paths say; it keeps every request as it came."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

METADATA = "http://169.254.169.254/latest/meta-data/"
NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` overrules by path what is answered; `gate` is what `/hang` and the drips wait for."""

    port: int
    requests: list[Request] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    names: list[str | None] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    secure: bool = False

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http{'s' if self.secure else ''}://{host}:{self.port}{path}"

    def to(self, path: str) -> list[Request]:
        return [each for each in self.requests if each.path.partition("?")[0] == path]


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """`names`: what TLS clients asked for (SNI)."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        receiver = server.receiver = Receiver(server.server_address[1], secure=context is not None)
        server.context = context
        if context is not None:
            context.sni_callback = lambda _sock, name, _context: receiver.names.append(name)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.gate.set()
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    receiver: Receiver
    context: ssl.SSLContext | None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is what some tests are about."""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        sock: socket.socket = self.request
        context = self.server.context  # type: ignore[attr-defined]
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        try:
            self._answer(sock, self.server.receiver)  # type: ignore[attr-defined]
        finally:
            with suppress(OSError):
                sock.close()

    def _answer(self, sock: socket.socket, receiver: Receiver) -> None:
        request = _read(sock)
        if request is None:
            return
        receiver.requests.append(request)
        path = request.path.partition("?")[0]
        if receiver.answers.get(path):
            sock.sendall(_head(receiver.answers[path].pop(0)))
        elif path in ODD:
            with suppress(OSError):  # the client left
                ODD[path](sock, receiver)
        else:
            sock.sendall(_head(int(path[1:]) if path[1:].isdecimal() else 200))


def _flood(sock: socket.socket, receiver: Receiver, begin: bytes, more: bytes) -> None:
    sock.sendall(begin)
    while not receiver.gate.is_set():
        sock.sendall(more)


def _drip(sock: socket.socket, receiver: Receiver, begin: bytes) -> None:
    sock.sendall(begin)
    while not receiver.gate.wait(0.05):
        sock.sendall(b"a")


ODD: dict[str, Callable[[socket.socket, Receiver], object]] = {
    "/hang": lambda _, receiver: receiver.gate.wait(60),
    "/drip": lambda sock, receiver: _drip(sock, receiver, b"HTTP/1.1 200 OK\r\nx: "),  # a head that never ends
    "/drip-body": lambda sock, receiver: _drip(sock, receiver, _head(200, "content-length: 1000000")),
    "/redirect": lambda sock, _: sock.sendall(_head(302, f"location: {METADATA}")),
    "/redirect-here": lambda sock, receiver: sock.sendall(_head(307, f"location: {receiver.url('/ok')}")),
    "/reset": lambda sock, _: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER),
    "/huge": lambda sock, receiver: _flood(sock, receiver, _head(200, "content-length: 1000000000"), b"x" * 65536),
    "/huge-head": lambda sock, receiver: _flood(sock, receiver, b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 8192 + b"\r\n"),
}


def _read(sock: socket.socket) -> Request | None:
    told = b""
    while b"\r\n\r\n" not in told:
        more = sock.recv(65536)
        if not more:
            return None
        told += more
    head, _, body = told.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += sock.recv(65536)
    return Request(first.split(" ")[1], headers, body)


def _head(status: int, *lines: str) -> bytes:
    told = lines or ("content-length: 0",)
    return "\r\n".join((f"HTTP/1.1 {status} Said", *told, "", "")).encode()
