"""Who is let in, in what order they are served, and what those are told who are not."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn

from graph.errors import StoreError
from tests.service.conftest import API, Asking, free_port, new_key
from tests.service.places import in_process
from workbench.api.admission import LONG_PATIENCE, MOVE_SECONDS, Clerk
from workbench.api.app import create
from workbench.api.callers import Rates
from workbench.api.door import BODY_BYTES
from workbench.api.schemas import BatchAnswer, Problem
from workbench.online.refusals import Draining, Overloaded, Refused, TooManyRequests

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def asked(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with in_process(trained, tmp_path_factory) as one:
        yield one


def refused(answer: httpx.Response, status: int, code: str) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    told = Problem.model_validate_json(answer.content)
    assert (told.status, told.code) == (status, code)
    assert told.trace_id == answer.headers["x-trace-id"]
    return told


# Bodies --------------------------------------------------------------------------------------------------


def long(asked: Asking, size: int) -> bytes:
    """A valid application, padded with white space."""
    body = orjson.dumps(asked.application())
    return body + b" " * (size - len(body))


def test_a_body_of_64_kb_is_taken_and_a_longer_one_is_not(asked: Asking) -> None:
    assert asked.post("/score", long(asked, BODY_BYTES)).status_code == 200
    refused(asked.post("/score", long(asked, BODY_BYTES + 1)), 413, "too-large")


def test_a_longer_body_without_a_stated_length_is_refused_too(asked: Asking) -> None:
    body = long(asked, BODY_BYTES + 1)
    pieces = (body[at : at + 4096] for at in range(0, len(body), 4096))
    headers = {"Authorization": f"Bearer {asked.key}", "Content-Type": "application/json"}
    answer = asked.http.post(f"{API}/score", content=pieces, headers=headers)
    assert "content-length" not in answer.request.headers
    refused(answer, 413, "too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30_000 + b"]" * 30_000,
        b'{"applicant":' * 4_000 + b"1" + b"}" * 4_000,
        b'{"documents":[{"meta":' + b"[" * 900 + b"]" * 900 + b"}]}",
        b"{",
        b"",
        b"\xff\xfe\x00",
        b"null",
        b'"text"',
    ],
    ids=["lists", "objects", "within", "half", "empty", "bytes", "null", "text"],
)
@pytest.mark.parametrize("path", ["/score", "/score/batch", "/labels", "/applications/none/events"])
def test_a_body_that_is_no_application_is_a_problem(asked: Asking, path: str, body: bytes) -> None:
    refused(asked.post(path, body, Idempotency_Key="bomb"), 422, "bad-request")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_only_json_is_read(asked: Asking, kind: str) -> None:
    refused(asked.post("/score", asked.application(), Content_Type=kind), 415, "not-json")
    refused(asked.post("/labels", {}, Content_Type=kind, Idempotency_Key="k"), 415, "not-json")


def test_json_with_a_charset_is_json(asked: Asking) -> None:
    answer = asked.post("/score", asked.application(), Content_Type="Application/JSON; charset=utf-8")
    assert answer.status_code == 200


# Batches -------------------------------------------------------------------------------------------------


def test_a_thousand_are_taken_in_their_order(asked: Asking) -> None:
    given = [asked.application() for _ in range(1_000)]
    given[500] = given[500] | {"amount": "much"}
    answer = asked.post("/score/batch", {"applications": given})
    told = BatchAnswer.model_validate_json(answer.content)
    assert [each.application_id for each in told.results] == [each["application_id"] for each in given]
    bad = told.results.pop(500)
    assert (bad.status, bad.answer) == (422, None)
    assert bad.problem is not None
    assert [(each.field, each.problem) for each in bad.problem.errors] == [("amount", "is no number")]
    places = [each.answer.sequence for each in told.results if each.answer and each.answer.sequence]
    assert places == list(range(places[0], places[0] + 999))


@pytest.mark.parametrize("number", [0, 1_001])
def test_no_other_number_is_taken(asked: Asking, number: int) -> None:
    before = asked.service.journal.last()
    refused(asked.post("/score/batch", {"applications": [{}] * number}), 422, "bad-request")
    assert asked.service.journal.last() == before


def nested(depth: int) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = {"a": made}
    return made


def test_one_that_is_bad_harms_no_other(asked: Asking) -> None:
    """Whatever is bad about it: not even an object, nested too deep to be written, longer than one alone may be."""
    good = [asked.application() for _ in range(6)]
    bad = [17, nested(400), good[0] | {"purpose": "x" * BODY_BYTES}, None, [], good[1] | {"amount": 10**40}]
    given = [each for pair in zip(good, bad, strict=True) for each in pair]
    answer = asked.post("/score/batch", repr_of(given))
    told = BatchAnswer.model_validate_json(answer.content).results
    assert [each.status for each in told[::2]] == [200] * 6
    assert [each.status for each in told[1::2]] == [422, 422, 413, 422, 422, 422]
    assert all(each.answer is None and each.problem for each in told[1::2])


def repr_of(given: Sequence[Any]) -> bytes:
    """JSON with numbers that orjson would not write."""
    return json.dumps({"applications": given}).encode()


def test_the_same_number_twice_in_a_batch_is_answered_twice(asked: Asking) -> None:
    one = asked.application()
    first, other, again = asked.post(
        "/score/batch", {"applications": [one, one | {"amount": one["amount"] + 1}, one]}
    ).json()["results"]  # fmt: skip
    assert other["status"] == 422
    assert again["answer"] == first["answer"] | {"replayed": True}


# Rates ---------------------------------------------------------------------------------------------------


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_may_save_up_two_seconds_and_no_more() -> None:
    clock = Seconds()
    rates = Rates(processes=1, clock=clock)
    clock.now += 3600
    for _ in range(20):
        rates.take("a", 10.0)
    with pytest.raises(TooManyRequests) as told:
        rates.take("a", 10.0)
    assert told.value.retry_after == pytest.approx(0.1)


def test_after_the_time_that_was_told_there_is_one_again() -> None:
    clock = Seconds()
    rates = Rates(processes=1, clock=clock)
    for _ in range(3):
        while True:
            try:
                rates.take("a", 4.0)
            except TooManyRequests as error:
                clock.now += error.retry_after or 0
                break
        rates.take("a", 4.0)


def test_over_a_long_time_it_is_the_rate_that_was_given() -> None:
    clock, taken = Seconds(), 0
    rates = Rates(processes=1, clock=clock)
    for _ in range(10_000):
        clock.now += 0.01
        try:
            rates.take("a", 7.0)
            taken += 1
        except TooManyRequests:
            continue
    assert taken == pytest.approx(700 + 14, abs=2)


def test_each_key_has_its_own() -> None:
    rates = Rates(processes=1, clock=Seconds())
    for _ in range(2):
        rates.take("a", 1.0)
    with pytest.raises(TooManyRequests):
        rates.take("a", 1.0)
    rates.take("b", 1.0)


def test_each_process_holds_its_share() -> None:
    rates = Rates(processes=2, clock=Seconds())
    for _ in range(10):
        rates.take("a", 10.0)
    with pytest.raises(TooManyRequests):
        rates.take("a", 10.0)


def test_a_rate_below_one_still_lets_one_in() -> None:
    clock = Seconds()
    rates = Rates(processes=2, clock=clock)
    rates.take("a", 0.1)
    with pytest.raises(TooManyRequests) as told:
        rates.take("a", 0.1)
    assert told.value.retry_after == pytest.approx(20)


def test_who_asks_too_often_is_told_when_to_come_again(asked: Asking) -> None:
    slow = new_key(asked.home, per_second=0.5)
    asked.service.keys.refresh()
    asked.post("/score", asked.application(), Authorization=f"Bearer {slow}")
    answer = asked.post("/score", asked.application(), Authorization=f"Bearer {slow}")
    refused(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "2"
    assert asked.post("/score", asked.application()).status_code == 200, "another key's"


# The clerk -----------------------------------------------------------------------------------------------


class Counter:
    """Serves strings, each by itself after `seconds`; remembers who was served together."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.rounds = seconds, list[list[str]]()

    def __call__(self, asks: Sequence[str]) -> list[str | BaseException]:
        time.sleep(self.seconds * len(asks))
        self.rounds.append(list(asks))
        return [f"{each}!" for each in asks]

    @property
    def served(self) -> list[str]:
        return [each for some in self.rounds for each in some]


@asynccontextmanager
async def working(serve: Callable[[Sequence[str]], Sequence[Any]], **more: Any) -> AsyncIterator[Clerk[str, Any]]:
    clerk: Clerk[str, Any] = Clerk(serve, **more)
    clerk.start()
    yield clerk
    await clerk.stop()


def test_everybody_gets_their_own_answer() -> None:
    async def go() -> None:
        async with working(Counter()) as clerk:
            told = await asyncio.gather(*(clerk.ask(str(each), deadline=5) for each in range(50)))
        assert told == [f"{each}!" for each in range(50)]

    asyncio.run(go())


def test_so_many_at_once_and_no_more() -> None:
    async def go() -> None:
        counter = Counter()
        async with working(counter, together=8) as clerk:
            await asyncio.gather(*(clerk.ask(str(each), deadline=5) for each in range(20)))
        assert [len(each) for each in counter.rounds] == [8, 8, 4]

    asyncio.run(go())


def test_a_single_request_overtakes_a_batch() -> None:
    async def go() -> None:
        counter = Counter(0.001)
        async with working(counter) as clerk:
            batch = [asyncio.ensure_future(clerk.ask(f"b{each}", deadline=5, urgent=False)) for each in range(40)]
            await asyncio.sleep(0.02)
            await clerk.ask("single", deadline=5)
            assert not batch[-1].done()
            await asyncio.gather(*batch)
        at = next(number for number, some in enumerate(counter.rounds) if "single" in some)
        assert counter.rounds[at] == ["single"], "it waits for no batch, and shares its turn with none"
        assert at <= 4

    asyncio.run(go())


def test_who_went_away_is_passed_by() -> None:
    async def go() -> None:
        counter = Counter(0.001)
        async with working(counter, together=1) as clerk:
            tasks = [asyncio.ensure_future(clerk.ask(each, deadline=5)) for each in "abc"]
            await asyncio.sleep(0)
            tasks[1].cancel()
            told = await asyncio.gather(*tasks, return_exceptions=True)
        assert [told[0], told[2]] == ["a!", "c!"]
        assert isinstance(told[1], asyncio.CancelledError)
        assert counter.served == ["a", "c"]

    asyncio.run(go())


def test_whose_time_is_over_is_refused_and_not_served() -> None:
    async def go() -> None:
        counter = Counter(0.03)
        async with working(counter, together=1) as clerk:
            told = await asyncio.gather(
                clerk.ask("a", deadline=5), clerk.ask("b", deadline=0.01), clerk.ask("c", deadline=5),
                return_exceptions=True,
            )  # fmt: skip
        assert isinstance(told[1], Overloaded)
        assert told[1].retry_after == 1
        assert counter.served == ["a", "c"]

    asyncio.run(go())


@pytest.mark.parametrize("wrong", [RuntimeError("no"), StoreError("no")])
def test_a_fault_is_told_to_each_and_the_next_are_served(wrong: Exception) -> None:
    faults: list[Exception | None] = [wrong, None]

    def serve(asks: Sequence[str]) -> list[str]:
        if fault := faults.pop(0):
            raise fault
        return list(asks)

    async def go() -> None:
        async with working(serve) as clerk:
            told = await asyncio.gather(*(clerk.ask(each, deadline=1) for each in "ab"), return_exceptions=True)
            assert told == [wrong, wrong]
            assert await clerk.ask("c", deadline=1) == "c"

    asyncio.run(go())


def test_an_answer_too_few_is_a_fault_and_not_the_end() -> None:
    short = [True, False]

    async def go() -> None:
        async with working(lambda asks: list(asks)[short.pop(0) :]) as clerk:
            async with asyncio.timeout(2):
                told = await asyncio.gather(*(clerk.ask(each, deadline=1) for each in "ab"), return_exceptions=True)
                assert all(isinstance(each, ValueError) for each in told)
                assert await clerk.ask("c", deadline=1) == "c"

    asyncio.run(go())


def test_one_fault_among_several_is_told_to_its_own() -> None:
    def serve(asks: Sequence[str]) -> list[Any]:
        return [Overloaded("b") if each == "b" else each for each in asks]

    async def go() -> None:
        async with working(serve) as clerk:
            told = await asyncio.gather(*(clerk.ask(each, deadline=1) for each in "abc"), return_exceptions=True)
        assert (told[0], told[2]) == ("a", "c")
        assert isinstance(told[1], Overloaded)

    asyncio.run(go())


def test_nobody_is_let_in_whose_wait_would_be_too_long() -> None:
    async def go() -> None:
        clerk = Clerk[str, Any](Counter(), patience=0.030)
        clerk.each = 0.003
        waiting = [asyncio.ensure_future(clerk.ask(str(each), deadline=5)) for each in range(10)]
        await asyncio.sleep(0)
        clerk.admit()
        waiting.append(asyncio.ensure_future(clerk.ask("11", deadline=5)))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as told:
            clerk.admit()
        assert told.value.retry_after == 1
        clerk.admit(urgent=False)
        clerk.start()
        await asyncio.gather(*waiting)
        clerk.admit()
        await clerk.stop()

    asyncio.run(go())


def test_one_stall_refuses_nobody_and_slowness_that_stays_is_learnt() -> None:
    async def go() -> None:
        counter = Counter()
        async with working(counter, together=1, patience=0.030) as clerk:
            await clerk.ask("quick", deadline=5)
            usual, counter.seconds = clerk.each, 0.2
            await clerk.ask("stalled", deadline=5)
            assert clerk.each <= 1.26 * usual
            counter.seconds = 4 * usual
            for each in range(20):
                await clerk.ask(str(each), deadline=5)
            assert clerk.each > 3 * usual

    asyncio.run(go())


def test_a_crowded_process_lets_go_of_a_connection_now_and_then() -> None:
    async def go() -> None:
        clerk = Clerk[str, Any](Counter(), patience=0.030)
        clerk.each = 0.003
        assert not clerk.admit()
        waiting = [asyncio.ensure_future(clerk.ask(str(each), deadline=5)) for each in range(3)]
        await asyncio.sleep(0)
        assert [clerk.admit() for _ in range(5)] == [True, False, False, False, False]
        await asyncio.sleep(MOVE_SECONDS)
        assert clerk.admit()
        waiting += [asyncio.ensure_future(clerk.ask(str(each), deadline=5)) for each in range(10)]
        await asyncio.sleep(MOVE_SECONDS)
        with pytest.raises(Overloaded) as told:
            clerk.admit()
        assert not told.value.elsewhere, "an overload of all is none of connecting"
        for each in waiting:
            each.cancel()

    asyncio.run(go())


@pytest.mark.parametrize("moves", [True, False])
def test_a_connection_that_is_let_go_of_is_told_so(asked: Asking, monkeypatch: pytest.MonkeyPatch, moves: bool) -> None:
    monkeypatch.setattr(Clerk, "admit", lambda *_, **__: moves)
    answer = asked.post("/score", asked.application())
    assert answer.status_code == 200
    assert (answer.headers.get("connection") == "close") is moves
    monkeypatch.setattr(Clerk, "admit", partial(_refuses, Draining if moves else Overloaded))
    answer = asked.post("/score", asked.application())
    assert answer.status_code == 503
    assert (answer.headers.get("connection") == "close") is moves


def _refuses(how: type[Refused], *_: Any, **__: Any) -> None:
    raise how("not now", retry_after=1)


def test_batches_do_not_pile_up_without_end() -> None:
    async def go() -> None:
        clerk = Clerk[str, Any](Counter())
        many = int(LONG_PATIENCE / clerk.each) + 1
        waiting = [asyncio.ensure_future(clerk.ask(str(at), deadline=60, urgent=False)) for at in range(many)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            clerk.admit(urgent=False)
        clerk.admit()
        for each in waiting:
            each.cancel()

    asyncio.run(go())


def test_the_end_serves_who_waits_and_lets_nobody_in() -> None:
    async def go() -> None:
        counter = Counter(0.002)
        async with working(counter, together=2) as clerk:
            waiting = [asyncio.ensure_future(clerk.ask(str(each), deadline=5)) for each in range(9)]
            await asyncio.sleep(0)
            ending = asyncio.ensure_future(clerk.stop())
            await asyncio.sleep(0)
            for urgent in (True, False):
                with pytest.raises(Draining):
                    clerk.admit(urgent=urgent)
            await ending
            assert all(each.done() for each in waiting)
        assert len(counter.served) == 9

    asyncio.run(go())


# Overload ------------------------------------------------------------------------------------------------


async def open_still() -> bool:
    """The service of this file outlives these routes."""
    return False


@contextmanager
def slowly(asked: Asking, monkeypatch: pytest.MonkeyPatch, each: float) -> Iterator[str]:
    """The real routes behind a real socket, over an engine that takes `each` seconds for a score."""

    def answer(asks: Sequence[Any]) -> list[bytes]:
        time.sleep(each * len(asks))
        return [b"{}" for _ in asks]

    monkeypatch.setattr(asked.service, "answer", answer)
    monkeypatch.setattr(asked.service, "rest", open_still)
    app, port = create(asked.service), free_port()
    app.state.clerk.patience = 0.030
    server = uvicorn.Server(uvicorn.Config(app, port=port, loop="uvloop", http="httptools", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}{API}"
    finally:
        server.should_exit = True
        thread.join(20)


def calling(address: str, asked: Asking) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {asked.key}", "Content-Type": "application/json"}
    limits = httpx.Limits(max_connections=500)
    return httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=20, trust_env=False)


async def posted(address: str, key: str, body: bytes) -> tuple[int, dict[str, str]]:
    """(status, headers) over a connection of its own: a client that takes next to no time of the same processor."""
    url = httpx.URL(f"{address}/score")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    await reader.read()
    writer.close()
    return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def at_rate(address: str, key: str, body: bytes, per_second: float, seconds: float) -> list[tuple[int, float]]:
    """(status, seconds from when it was meant to be sent), of an open loop: it waits for no answer."""
    loop, begin = asyncio.get_running_loop(), time.perf_counter()

    async def one(meant: float) -> tuple[int, float]:
        status, headers = await posted(address, key, body)
        spent = time.perf_counter() - meant
        if status == 503:
            assert (headers["content-type"], headers["retry-after"]) == (PROBLEM, "1")
        return status, spent

    tasks = []
    for number in range(int(per_second * seconds)):
        meant = begin + number / per_second
        if (pause := meant - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        tasks.append(loop.create_task(one(meant)))
    return list(await asyncio.gather(*tasks))


def test_overload_is_shed_and_those_let_in_keep_their_deadline(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: an engine of 66 scores a second at most, asked 200 times a second, then 20 times."""
    body = orjson.dumps(asked.application())

    async def go(address: str) -> None:
        await at_rate(address, asked.key, body, 20, 0.3)
        told = await at_rate(address, asked.key, body, 200, 1.5)
        then = await at_rate(address, asked.key, body, 20, 1)
        taken = sorted(spent for status, spent in told if status == 200)
        shed = sorted(spent for status, spent in told if status == 503)
        assert len(taken) + len(shed) == len(told) == 300
        assert len(taken) > 10, "it goes on with what it can"
        assert len(shed) > 30
        assert taken[-1] < asked.service.settings.deadline_ms / 1000 + 2
        assert shed[len(shed) // 2] < taken[len(taken) // 2], "who is refused hears it before others have their answer"
        assert [status for status, _ in then[-5:]] == [200] * 5, "and recovers"

    with slowly(asked, monkeypatch, 0.015) as address:
        asyncio.run(go(address))


def test_single_requests_go_before_a_batch_over_the_routes(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    one, many = orjson.dumps(asked.application()), [asked.application() for _ in range(100)]

    async def go(address: str) -> None:
        async with calling(address, asked) as http:
            content = orjson.dumps({"applications": many})
            batch = asyncio.ensure_future(http.post("/score/batch", content=content))
            await asyncio.sleep(0.2)
            assert (await http.post("/score", content=one)).status_code == 200
            assert not batch.done()
            results = (await batch).json()["results"]
            assert [each["status"] for each in results] == [200] * 100

    with slowly(asked, monkeypatch, 0.020) as address:
        asyncio.run(go(address))


def test_an_ending_process_refuses_and_says_so(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.http.app.state.clerk, "_open", False)  # type: ignore[attr-defined]
    answer = asked.post("/score", asked.application())
    refused(answer, 503, "draining")
    assert answer.headers["retry-after"] == "1"
