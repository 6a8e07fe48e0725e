"""A decision engine that does not wait: requests leave when a Poisson process says so, whatever became of those before.

Latency counts from the intended time of sending. A client that waits for an answer before it sends again stands still
together with the server, and never measures the requests that it did not send ("coordinated omission").

`python -m benchmarks.open_loop ORDER.json` runs in a process of its own, on keep-alive connections with HTTP/1.1
written by hand: 60 µs of processor time a request, so that it disturbs the machine it measures as little as it can.
Requests are ready bodies in a file (`packed`). Timers are exact to microseconds, which epoll's are not: they count in
milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

CONNECTIONS = 16
MOST_CONNECTIONS = 800
"""select() knows a thousand."""

PATIENCE_SECONDS = 10.0
"""Who has no answer by then gets status 0, and that latency."""

AHEAD_SECONDS = 0.3
LENGTH = struct.Struct("<I")
SERVER_MS = b'"server_ms":'
NOT_SENT = -1


@dataclass(frozen=True)
class Order:
    """`stages` are (requests a second, seconds), one after the other. `closed` connections instead of them each send
    again as soon as they are answered, for the seconds of the first stage. `skip` bodies were sent before."""

    port: int
    bodies: str
    stages: Sequence[tuple[float, float]]
    key: str = ""
    path: str = "/api/v1/score"
    closed: int = 0
    skip: int = 0
    seed: int = 7


@dataclass(frozen=True)
class Seen:
    """One row per request, in the order of sending. Seconds since the start; `body` counts in the file."""

    intended: Floats
    sent: Floats
    latency: Floats
    status: Whole
    server_ms: Floats
    body: Whole

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == 200)

    def between(self, begin: float, end: float) -> Seen:
        chosen = (self.intended >= begin) & (self.intended < end)
        return Seen(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def millis(self, *shares: float) -> list[float]:
        """Percentiles of the latency of what was answered."""
        if not self.answered.any():
            return [float("nan")] * len(shares)
        return [float(each) for each in np.percentile(self.latency[self.answered], shares) * 1e3]


def packed(bodies: Iterable[bytes], path: Path) -> int:
    """Each with its length before it; how many they are."""
    count = 0
    with path.open("wb") as file:
        for count, body in enumerate(bodies, 1):  # noqa: B007 - the last one counts
            file.write(LENGTH.pack(len(body)) + body)
    return count


def unpacked(file: BinaryIO) -> Iterator[bytes]:
    while head := file.read(LENGTH.size):
        yield file.read(LENGTH.unpack(head)[0])


def measure(order: Order) -> Seen:
    """In a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        told, found = Path(folder) / "order.json", Path(folder) / "seen.npz"
        told.write_text(json.dumps(asdict(order)), encoding="utf-8")
        told.chmod(0o600)
        subprocess.run([sys.executable, "-m", "benchmarks.open_loop", str(told), str(found)], check=True)
        with np.load(found) as arrays:
            return Seen(**arrays)


# The client ----------------------------------------------------------------------------------------------


def arrivals(stages: Sequence[tuple[float, float]], seed: int) -> Floats:
    """Seconds from the start at which requests are to leave: a Poisson process whose rate changes by stages."""
    chance, begin, found = np.random.default_rng(seed), 0.0, []
    for rate, seconds in stages:
        count = chance.poisson(rate * seconds)
        found.append(begin + np.sort(chance.random(count)) * seconds)
        begin += seconds
    return np.concatenate(found) if found else np.empty(0)


class _Request(NamedTuple):
    place: int
    intended: float
    body: bytes


@dataclass
class _Book:
    """What became of each request."""

    intended: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)

    def enter(self, intended: float) -> int:
        self.intended.append(intended)
        self.status.append(NOT_SENT)
        for column in (self.sent, self.latency, self.server_ms):
            column.append(np.nan)
        return len(self.intended) - 1

    def seen(self, skip: int) -> Seen:
        numbers = np.arange(len(self.intended)) + skip
        return Seen(
            np.array(self.intended, dtype=np.float64),
            np.array(self.sent, dtype=np.float64),
            np.array(self.latency, dtype=np.float64),
            np.array(self.status, dtype=np.int64),
            np.array(self.server_ms, dtype=np.float64),
            numbers,
        )


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, client: _Client) -> None:
        self.client = client
        self.request: _Request | None = None
        self._read, self._wanted, self._closes = b"", 0, False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.client.connections.add(self)
        self.client.free(self)

    def send(self, request: _Request) -> None:
        self.request, self._read, self._wanted = request, b"", 0
        self.client.book.sent[request.place] = self.client.now()
        head = self.client.head
        self.transport.write(b"%b%d\r\n\r\n%b" % (head, len(request.body), request.body))

    def data_received(self, data: bytes) -> None:
        self._read = read = self._read + data if self._read else data
        if not self._wanted:
            end = read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = read[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._wanted, self._closes = end + 4 + length, b"connection: close" in head
        if len(read) >= self._wanted:
            self._answered(read)

    def _answered(self, read: bytes) -> None:
        request, self.request = self.request, None
        if request is not None:
            self.client.answered(request, int(read[9:12]), _server_ms(read))
        if self._closes:
            self.transport.close()
        else:
            self.client.free(self)

    def connection_lost(self, _: Exception | None) -> None:
        request, self.request = self.request, None
        if request is not None:
            self.client.answered(request, 0, float("nan"))
        self.client.lost(self)


def _server_ms(read: bytes) -> float:
    at = read.rfind(SERVER_MS)
    if at < 0:
        return float("nan")
    return float(read[at + len(SERVER_MS) :].split(b",", 1)[0].rstrip(b"}"))


class _Client:
    """Takes the connection that has rested longest, opens one more where all are busy, and waits for none."""

    def __init__(self, order: Order, bodies: Iterator[bytes]) -> None:
        self.order, self.bodies, self.book = order, bodies, _Book()
        self.loop = asyncio.get_running_loop()
        self.begin = 0.0
        key = f"Authorization: Bearer {order.key}\r\n" if order.key else ""
        self.head = (
            f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n{key}"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[_Request] = deque()
        self.connections: set[_Connection] = set()
        self._opening = self._pending = 0
        self._ended, self._all_sent = self.loop.create_future(), False
        self.again: Callable[[], None] | None = None

    def now(self) -> float:
        return time.perf_counter() - self.begin

    async def connect(self, many: int) -> None:
        self._opening += many
        await asyncio.gather(*(self._connect() for _ in range(many)))

    async def _connect(self) -> None:
        try:
            await self.loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.order.port)
        except OSError:
            if self._waiting:
                self.answered(self._waiting.popleft(), 0, float("nan"))
        finally:
            self._opening -= 1

    def request(self, intended: float) -> None:
        body = next(self.bodies, None)
        if body is None:
            raise RuntimeError("the file of bodies holds fewer than are to be sent")
        request = _Request(self.book.enter(intended), intended, body)
        self._pending += 1
        if self._idle:
            self._idle.popleft().send(request)
            return
        self._waiting.append(request)
        if self._opening < len(self._waiting) and len(self.connections) + self._opening < MOST_CONNECTIONS:
            self._opening += 1
            self._task = self.loop.create_task(self._connect())

    def free(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        self.connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def answered(self, request: _Request, status: int, server_ms: float) -> None:
        book, place = self.book, request.place
        book.latency[place] = self.now() - request.intended
        book.status[place], book.server_ms[place] = status, server_ms
        self._pending -= 1
        if self.again is not None:
            self.loop.call_soon(self.again)
        elif self._all_sent and not self._pending and not self._ended.done():
            self._ended.set_result(None)

    async def open_loop(self) -> None:
        due = arrivals(self.order.stages, self.order.seed).tolist()
        origin = self.loop.time() + AHEAD_SECONDS
        self.begin = time.perf_counter() + AHEAD_SECONDS
        position = 0

        def leave() -> None:
            nonlocal position
            now = self.now()
            while position < len(due) and due[position] <= now:
                self.request(due[position])
                position += 1
            if position < len(due):
                self.loop.call_at(origin + due[position], leave)
            else:
                self._all_sent = True

        self.loop.call_at(origin, leave)
        await asyncio.sleep(AHEAD_SECONDS + sum(seconds for _, seconds in self.order.stages))
        await self._rest()

    async def closed_loop(self) -> None:
        seconds = self.order.stages[0][1]
        self.begin = time.perf_counter()

        def again() -> None:
            if self.now() < seconds:
                self.request(self.now())

        self.again = again
        for _ in range(self.order.closed):
            again()
        await asyncio.sleep(seconds)
        self.again, self._all_sent = None, True
        await self._rest()

    async def _rest(self) -> None:
        """For the answers that are still to come; those that never do have status 0."""
        if self._pending:
            await asyncio.wait([self._ended], timeout=PATIENCE_SECONDS)
        for place, status in enumerate(self.book.status):
            if status == NOT_SENT:
                self.book.status[place], self.book.latency[place] = 0, self.now() - self.book.intended[place]
        for each in list(self.connections):
            each.transport.abort()
        await asyncio.sleep(0)


async def _run(order: Order) -> Seen:
    with Path(order.bodies).open("rb", buffering=1 << 20) as file:
        bodies = unpacked(file)
        for _ in range(order.skip):
            next(bodies)
        client = _Client(order, bodies)
        await client.connect(order.closed or CONNECTIONS)
        await (client.closed_loop() if order.closed else client.open_loop())
        return client.book.seen(order.skip)


def run(order: Order) -> Seen:
    """In this process."""
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        return loop.run_until_complete(_run(order))
    finally:
        loop.close()


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    seen = run(Order(**told))
    np.savez(sys.argv[2], **{name: getattr(seen, name) for name in Seen.__dataclass_fields__})


if __name__ == "__main__":
    main()
