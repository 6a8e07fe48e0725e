"""Deliveries to a real server on this machine: signed, tried again, never held up by one that hangs, at least once."""
# ruff: noqa: PLR0917 - pytest hands over fixtures by name

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from graph.errors import InputError, NodeNotFound
from graph.keyring import Keyring
from tests.workbench.receiver import Receiver, Request, running
from tests.workbench.test_webhooks import MAY, NAME, PHONE, label, ring, run
from workbench import cli
from workbench.casebook import tables
from workbench.casebook.opening import Casebook
from workbench.webhooks import addresses, deliver, events, hooks, replays
from workbench.webhooks import courier as sending
from workbench.webhooks.addresses import Policy, Way
from workbench.webhooks.courier import Courier
from workbench.webhooks.deliver import PAUSES, TRIES, Summary, deliver_due

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOOPBACK = Policy(loopback=True)

LONG = 60.0
"""Patience of a call that comes back as soon as everything has ended."""


class Clock:
    """Stands still until it is told to go."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running() as server:
        yield server


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "vault.key")


@contextmanager
def sending_to(receiver: Receiver, keyring: Keyring, way: Way | None = None) -> Iterator[Courier]:
    """Nothing is under way at its end: anyio leaves warnings behind when it is broken off while it connects."""
    with Courier(keyring, way or Way(LOOPBACK)) as made:
        yield made
        if made.under_way:
            receiver.gate.set()
        while made.under_way:
            made.finished(sending.TOTAL_SECONDS)


@pytest.fixture
def courier(keyring: Keyring, receiver: Receiver) -> Iterator[Courier]:
    with sending_to(receiver, keyring) as made:
        yield made


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits a hundredth of what they are, but for connecting."""
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.6)


def add(casebook: Casebook, keyring: Keyring, url: str) -> hooks.Made:
    with casebook.writing() as db:
        return hooks.add(db, url, hooks.KINDS, keyring=keyring, policy=LOOPBACK, author="ann", now=MAY)


def tell(casebook: Casebook, number: int = 1, *, now: datetime = NOW) -> None:
    """So many events for everybody."""
    with casebook.reading() as db:
        known = db.execute(select(func.count()).select_from(tables.webhook_events)).scalar_one()
    with casebook.writing() as db:
        for each in range(known, known + number):
            assert events.degraded(db, f"v{each}", "psi", {"psi": 0.3}, now)


def state(casebook: Casebook, event: int = 1, webhook: int = 1, *, now: datetime = NOW) -> replays.Delivery:
    with casebook.reading() as db:
        return replays.delivery(db, event, webhook, now=now)


def rows(casebook: Casebook) -> Sequence[Any]:
    with casebook.reading() as db:
        return db.execute(select(tables.webhook_deliveries)).all()


def wait(true: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def verified(request: Request, secret: str) -> bool:
    """As the specification of Standard Webhooks says it, apart from our own code."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    text = b".".join(
        [request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body]
    )
    ours = hmac.new(key, text, hashlib.sha256).digest()
    told = [each.split(",") for each in request.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and base64.b64decode(each) == ours for version, each in told)


# Arriving ---------------------------------------------------------------------------------------------


def test_what_arrives_is_signed_and_canonical(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    made = add(casebook, keyring, receiver.url("/ok?key=1"))
    run(casebook, "abc", as_of=MAY)
    events.publish(casebook, now=NOW)
    assert deliver_due(casebook, clock, courier) == Summary(delivered=1)
    [request] = receiver.requests
    assert request.path == "/ok?key=1"
    assert verified(request, made.secret)
    assert not verified(replace(request, body=request.body + b" "), made.secret)
    assert not verified(replace(request, headers=request.headers | {"webhook-id": "evt_2"}), made.secret)
    told = json.loads(request.body)
    assert (told["type"], told["timestamp"]) == ("ring.born", "2026-01-01T00:00:00.000Z")
    assert (told["data"]["ring_id"], told["data"]["application_ids"]) == ("RNa", ["a", "b", "c"])
    assert request.body == json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    assert request.headers["webhook-id"] == "evt_" + told["data"]["trace_id"]
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert request.headers["content-type"] == "application/json"
    found = state(casebook)
    assert (found.state, found.tries, found.last_status, found.delivered_at) == ("delivered", 1, 200, NOW)
    assert deliver_due(casebook, clock, courier) == Summary()
    assert len(receiver.requests) == 1


def test_both_secrets_sign_while_they_are_changed(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    first = add(casebook, keyring, receiver.url("/ok"))
    with casebook.writing() as db:
        second = hooks.rotate(db, 1, keyring=keyring, author="ann", now=NOW)
    for day in range(2):
        clock.now = NOW + timedelta(days=day)
        tell(casebook, now=clock.now)
        assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=1)
    both, later = receiver.requests
    assert verified(both, first.secret)
    assert verified(both, second.secret)
    assert not verified(later, first.secret)
    assert verified(later, second.secret)


@pytest.mark.parametrize("path", ["/200", "/204", "/299", "/drip-body", "/huge"])
def test_any_2xx_is_delivered_whatever_its_body(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver, path: str
) -> None:
    """Nothing is read after the head: neither a body without end nor one that drips holds us."""
    add(casebook, keyring, receiver.url(path))
    tell(casebook)
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=1)


# Not arriving -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "trouble"),
    [
        ("/500", 500, "status 500"),
        ("/404", 404, "status 404"),
        ("/redirect", 302, "status 302"),
        ("/redirect-here", 307, "status 307"),
        ("/reset", None, "no connection, or it broke"),
        ("/hang", None, "no answer in time"),
        ("/drip", None, "no answer in time"),
        ("/huge-head", None, "no connection, or it broke"),
    ],
)
def test_what_does_not_arrive_is_tried_again(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver, path: str,
    status: int | None, trouble: str, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if trouble == "no answer in time":
        request.getfixturevalue("brief")
    add(casebook, keyring, receiver.url(path))
    tell(casebook)
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(failed=1)
    found = state(casebook)
    assert (found.state, found.tries, found.last_status, found.last_trouble) == ("waiting", 1, status, trouble)
    assert found.next_at is not None
    assert timedelta(seconds=30) <= found.next_at - NOW <= timedelta(seconds=36)
    assert [each.path for each in receiver.requests] == [path]


def test_an_address_that_turned_private_is_not_connected(
    casebook: Casebook, keyring: Keyring, clock: Clock, receiver: Receiver
) -> None:
    made = add(casebook, keyring, f"https://hooks.example:{receiver.port}/ok")
    tell(casebook)
    policy = Policy(ports=frozenset({receiver.port}))
    with Courier(keyring, Way(policy, lambda _host, _port: ["127.0.0.1"])) as courier:
        assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(failed=1)
    assert state(casebook).last_trouble == "its address is not allowed"
    assert receiver.requests == []
    assert made.hook.id == 1


@pytest.mark.parametrize(("limit", "path"), [("READ_SECONDS", "/hang"), ("CONNECT_SECONDS", "/ok")])
def test_each_step_has_a_limit_of_its_own(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver, limit: str, path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(addresses, limit, 0.3)
    url = receiver.url(path)
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        if limit == "CONNECT_SECONDS":  # a queue that is full lets nobody in
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            for each in (first, second):
                each.setblocking(False)
                each.connect_ex(deaf.getsockname())
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        add(casebook, keyring, url)
        tell(casebook)
        begun = time.monotonic()
        assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(failed=1)
        assert time.monotonic() - begun < sending.TOTAL_SECONDS
    assert state(casebook).last_trouble == "no answer in time"


def test_nobody_listening_is_tried_again(casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock) -> None:
    with running() as gone:
        url = gone.url("/ok")
    add(casebook, keyring, url)
    tell(casebook)
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(failed=1)


def test_the_limits_are_those_that_were_promised() -> None:
    limits = addresses._limits()
    assert (limits.connect, limits.read, limits.write, sending.TOTAL_SECONDS) == (3.0, 5.0, 5.0, 10.0)
    assert deliver.LEASE.total_seconds() > 2 * sending.TOTAL_SECONDS


def test_twelve_tries_take_a_day_and_then_it_is_given_up(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/500"))
    tell(casebook)
    pauses = []
    for number in range(1, TRIES + 1):
        last = number == TRIES
        assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(failed=1, given_up=int(last))
        found = state(casebook)
        assert found.tries == number
        if not last:
            assert found.next_at is not None
            pauses.append(found.next_at - clock.now)
            clock.now = found.next_at - timedelta(milliseconds=1)
            assert deliver_due(casebook, clock, courier) == Summary(), "not before its time"
            clock.now = found.next_at
    assert found.state == "given up"
    assert len(receiver.requests) == TRIES == 12
    for asked, took in zip(PAUSES, pauses, strict=True):
        assert asked <= took <= asked * 1.2
    assert (PAUSES[0], PAUSES[-1]) == (timedelta(seconds=30), timedelta(hours=12))
    assert list(PAUSES) == sorted(PAUSES)
    assert timedelta(hours=23) < sum(PAUSES, timedelta()) < timedelta(hours=25)
    clock.go(timedelta(days=30))
    assert deliver_due(casebook, clock, courier) == Summary()
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 1
    assert len({each.body for each in receiver.requests}) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.requests}) == 12


def test_pauses_differ_between_deliveries_and_are_the_same_for_whoever_asks() -> None:
    assert len({deliver.pause(event, 1, 1) for event in range(100)}) == 100
    assert deliver.pause(17, 3, 5) == deliver.pause(17, 3, 5)


def test_410_ends_the_subscription(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/410"))
    add(casebook, keyring, receiver.url("/ok"))
    tell(casebook, 10)
    summary = deliver_due(casebook, clock, courier, patience=LONG)
    assert (summary.delivered, summary.ended) == (10, 1)
    with casebook.reading() as db:
        ended = hooks.get(db, 1)
    assert (ended.ended_at, ended.ended_by) == (NOW, "its receiver (410)")
    assert len(receiver.to("/410")) <= deliver.AT_ONCE
    clock.go(timedelta(days=1))
    tell(casebook, now=clock.now)
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=1)
    assert len(receiver.to("/410")) <= deliver.AT_ONCE


# One does not hold up the others ----------------------------------------------------------------------


def test_those_that_hang_hold_up_nobody(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    """Ten that hang, with more to deliver than they may have under way, and one that answers."""
    for each in range(10):
        add(casebook, keyring, receiver.url(f"/hang?{each}"))
    add(casebook, keyring, receiver.url("/ok"))
    for number in (20, 1):
        tell(casebook, number)
        seen = Summary()
        while seen.delivered < number:
            seen += deliver_due(casebook, clock, courier, patience=0.1)
        assert (seen.delivered, courier.under_way) == (number, 10 * deliver.AT_ONCE)
    assert (len(receiver.to("/ok")), len(receiver.to("/hang"))) == (21, 10 * deliver.AT_ONCE)


def test_a_call_comes_back_although_one_hangs_and_the_next_writes_its_end(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook)
    assert deliver_due(casebook, clock, courier, patience=0.1) == Summary(under_way=1)
    assert state(casebook).state == "under way"
    receiver.gate.set()
    wait(lambda: deliver_due(casebook, clock, courier, patience=0.1) == Summary(failed=1))
    assert state(casebook).state == "waiting"


def test_no_more_are_under_way_to_one_than_it_may_have(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    """Not from later calls either, nor from another process."""
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook, 20)
    with sending_to(receiver, keyring) as other:
        for each in (courier, other, courier, other):
            deliver_due(casebook, clock, each, patience=0.1)
    assert sum(row.leased_until is not None for row in rows(casebook)) == deliver.AT_ONCE


def test_closing_breaks_off_what_hangs(casebook: Casebook, keyring: Keyring, clock: Clock, receiver: Receiver) -> None:
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook)
    with Courier(keyring, Way(LOOPBACK)) as courier:
        deliver_due(casebook, clock, courier, patience=0.1)
        wait(lambda: len(receiver.requests) == 1)
        begun = time.monotonic()
    assert time.monotonic() - begun < sending.TOTAL_SECONDS
    assert state(casebook).state == "under way", "its lease runs out"


def test_settling_waits_for_what_is_under_way_and_sends_nothing_new(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook, 10)
    assert deliver_due(casebook, clock, courier, patience=0.1).under_way == deliver.AT_ONCE
    threading.Timer(0.3, receiver.gate.set).start()
    assert deliver.settle(casebook, clock, courier) == Summary(failed=deliver.AT_ONCE)
    assert len(receiver.requests) == deliver.AT_ONCE


# Processes --------------------------------------------------------------------------------------------

SENDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from graph.keyring import Keyring
from workbench.casebook.opening import Casebook
from workbench.webhooks.addresses import Policy, Way
from workbench.webhooks.deliver import Courier, deliver_due
NOW = datetime(2026, 1, 1, tzinfo=UTC)
courier = Courier(Keyring.open(Path(sys.argv[2])), Way(Policy(loopback=True)))
with Casebook.open(sys.argv[1]) as casebook:
    print("ready", flush=True)
    sys.stdin.readline()
    total = sum(deliver_due(casebook, lambda: NOW, courier).delivered for _ in range(int(sys.argv[3])))
    print(total)
courier.close()
"""


def sender(casebook: Casebook, keyring: Keyring, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SENDER, casebook.url.render_as_string(), str(keyring.path), str(times)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout
    assert started.stdout.readline() == "ready\n"
    return started


def test_two_processes_send_everything_once(casebook: Casebook, keyring: Keyring, receiver: Receiver) -> None:
    add(casebook, keyring, receiver.url("/ok"))
    tell(casebook, 60)
    both = [sender(casebook, keyring, 40) for _ in range(2)]
    for each in both:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    sent = [int(each.communicate(timeout=120)[0]) for each in both]
    assert sum(sent) == 60
    names = [each.headers["webhook-id"] for each in receiver.requests]
    assert len(names) == len(set(names)) == 60


def test_killed_while_sending_it_is_sent_again_under_the_same_id(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    made = add(casebook, keyring, receiver.url("/hang"))
    tell(casebook)
    victim = sender(casebook, keyring, 1000)
    assert victim.stdin
    victim.stdin.write("go\n")
    victim.stdin.flush()
    wait(lambda: len(receiver.requests) == 1)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    receiver.answers["/hang"] = [200]
    clock.go(deliver.LEASE - timedelta(seconds=1))
    assert deliver_due(casebook, clock, courier) == Summary(), "the lease still runs"
    clock.go(timedelta(seconds=1))
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=1)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert verified(second, made.secret)
    assert state(casebook).tries == 2


def test_who_lost_its_lease_writes_nothing(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook)
    deliver_due(casebook, clock, courier, patience=0.1)
    clock.go(deliver.LEASE)
    receiver.answers["/hang"] = [200]
    with sending_to(receiver, keyring) as other:
        assert deliver_due(casebook, clock, other, patience=LONG) == Summary(delivered=1)
    before = rows(casebook)
    receiver.gate.set()
    wait(lambda: deliver_due(casebook, clock, courier, patience=0.1).under_way == 0)
    assert rows(casebook) == before


def test_a_letter_that_kills_its_sender_each_time_ends(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/ok"))
    tell(casebook)
    for _ in range(TRIES):
        assert len(deliver._claim(casebook, clock(), keyring)) == 1  # claimed, and its sender dies
        clock.go(deliver.LEASE)
    assert deliver_due(casebook, clock, courier) == Summary(failed=1, given_up=1)
    assert state(casebook).last_trouble == "its sender died in the last try"
    assert receiver.requests == []


def test_one_without_its_key_does_not_stop_the_others(
    casebook: Casebook, keyring: Keyring, clock: Clock, receiver: Receiver, tmp_path: Path
) -> None:
    add(casebook, keyring, receiver.url("/ok"))
    old = Keyring(keyring.keys, None)
    keyring.add_seal_version()
    add(casebook, keyring, receiver.url("/new"))
    tell(casebook)
    with Courier(old, Way(LOOPBACK)) as courier:
        assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=1, failed=1)
    assert state(casebook, webhook=2).last_trouble == "the key file does not hold its key"


# Replays ----------------------------------------------------------------------------------------------


def test_a_delivery_is_replayed_under_its_id(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/ok"))
    tell(casebook)
    deliver_due(casebook, clock, courier)
    with casebook.writing() as db:
        replays.replay(db, 1, 1, now=clock())
    assert deliver_due(casebook, clock, courier) == Summary(delivered=1)
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 1
    assert len(receiver.requests) == 2
    with casebook.writing() as db:
        with pytest.raises(NodeNotFound, match="event 9"):
            replays.replay(db, 9, 1, now=clock())
        hooks.end(db, 1, author="ann", now=NOW)
        with pytest.raises(InputError, match="webhook 1 has ended"):
            replays.replay(db, 1, 1, now=clock())


def test_what_is_under_way_is_not_replayed(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/hang"))
    tell(casebook)
    deliver_due(casebook, clock, courier, patience=0.1)
    with casebook.writing() as db:
        with pytest.raises(InputError, match="being sent"):
            replays.replay(db, 1, 1, now=clock())
        assert replays.replay_failed(db, NOW, now=clock()) == 0


def test_all_that_failed_since_a_time_is_replayed_and_nothing_else(
    casebook: Casebook, keyring: Keyring, courier: Courier, clock: Clock, receiver: Receiver
) -> None:
    add(casebook, keyring, receiver.url("/x"))
    add(casebook, keyring, receiver.url("/ended"))
    receiver.answers = {"/x": [200, 500, 500, 500], "/ended": [500] * 9}
    for day in range(4):
        tell(casebook, now=NOW + timedelta(days=day))
        clock.now = NOW + timedelta(days=day)
        with casebook.writing() as db:  # the others wait for later
            later = tables.webhook_deliveries.c.event_id <= day
            db.execute(tables.webhook_deliveries.update().where(later).values(next_at=None))
        deliver_due(casebook, clock, courier, patience=LONG)
    with casebook.writing() as db:
        hooks.end(db, 2, author="ann", now=clock())
        assert replays.replay_failed(db, NOW + timedelta(days=2), now=clock()) == 2
    assert deliver_due(casebook, clock, courier, patience=LONG) == Summary(delivered=2)
    assert [state(casebook, event, now=clock()).state for event in (1, 2, 3, 4)] == [
        "delivered", "given up", "delivered", "delivered",
    ]  # fmt: skip
    with casebook.reading() as db:
        assert [each.event for each in replays.listed(db, now=clock(), webhook=1, failed=True)] == [2]
        assert [each.event for each in replays.listed(db, now=clock(), webhook=1, limit=2)] == [4, 3]


# What nobody should see -------------------------------------------------------------------------------


def test_nothing_that_people_wrote_leaves_in_a_body_a_log_or_a_trouble(
    casebook: Casebook, keyring: Keyring, clock: Clock, receiver: Receiver, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    paths = ("/ok?token=canary-of-the-url", "/500", "/reset", "/redirect", "/huge-head")
    with caplog.at_level(logging.DEBUG), sending_to(receiver, keyring) as courier:
        secrets = [add(casebook, keyring, receiver.url(path)).secret for path in paths]
        run(casebook, "abc", as_of=MAY)
        run(casebook, ring(1, "abcd"), as_of=MAY + timedelta(days=1))
        label(casebook, "one", note=f"{NAME}, his mobile ends in 8000")
        assert events.publish(casebook, now=NOW) == 3
        deliver_due(casebook, clock, courier, patience=LONG)
    assert len(receiver.requests) == 15
    wrote = capfd.readouterr()
    said = caplog.text + wrote.out + wrote.err + "".join(str(each.last_trouble) for each in rows(casebook))
    sent = b"".join(each.body for each in receiver.requests).decode()
    for canary in (PHONE, NAME, "mobile", "8000,", '"ann"', '"bob"', *secrets):
        assert canary not in sent, canary
        assert canary not in said, canary
    assert "canary-of-the-url" not in said
    assert "a fault of ours" not in said


# Commands ---------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RINGROAD_WEBHOOK_LOOPBACK", "1")
    for name in ("RINGROAD_CASEBOOK", "RINGROAD_DEMO", "RINGROAD_WEBHOOK_PORTS", "RINGROAD_WEBHOOK_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def ringroad(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = 0
    try:
        cli.app(["webhooks", *words], standalone_mode=False)
    except (InputError, NodeNotFound, cli.StoreError) as error:
        code = error.exit_code
        return code, capsys.readouterr().out, str(error)
    return code, *capsys.readouterr()


def test_a_webhook_from_the_command_line(home: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ringroad(capsys, "add", receiver.url("/ok"), "--author", "ann", "--json")
    made = json.loads(out)
    assert (code, made["id"], made["kinds"]) == (0, 1, list(hooks.KINDS))
    assert ringroad(capsys, "test", "1")[:2] == (0, "webhook 1 answered 200\n")
    assert verified(receiver.requests[0], made["secret"])
    assert json.loads(receiver.requests[0].body)["type"] == "webhook.test"
    rotated = json.loads(ringroad(capsys, "rotate", "1", "--author", "ann", "--json")[1])
    assert ringroad(capsys, "replay", "1", "--webhook", "1")[1] == "1 delivery goes out again\n"
    assert ringroad(capsys, "test", "1")[0] == 0
    assert [verified(receiver.requests[-1], each) for each in (made["secret"], rotated["secret"])] == [True, True]
    listed = json.loads(ringroad(capsys, "deliveries", "--json")[1])
    assert [(each["event"], each["state"]) for each in listed] == [(2, "delivered"), (1, "delivered")]
    assert "127.0.0.1" in ringroad(capsys, "list")[1]
    assert ringroad(capsys, "end", "1", "--author", "bob")[0] == 0
    assert "no webhooks" in ringroad(capsys, "list")[1]
    [ended] = json.loads(ringroad(capsys, "list", "--all", "--json")[1])
    assert ended["ended_by"] == "bob"
    assert "whsec_" not in json.dumps(ended)


def test_a_command_that_cannot_be_done_says_why(
    home: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ringroad(capsys, "add", "https://10.0.0.1/x")[0::2] == (2, "10.0.0.1 leads to an address that is not public")
    assert ringroad(capsys, "add", receiver.url("/500"), "--kind", "ring.born", "--author", "ann")[0] == 0
    code, _, said = ringroad(capsys, "test", "1")
    assert (code, said) == (4, "webhook 1: status 500; it is tried again later")
    assert ringroad(capsys, "replay", "1")[0] == 2
    assert ringroad(capsys, "replay", "--failed-since", "2020-01-01")[1] == "1 delivery goes out again\n"
    assert ringroad(capsys, "end", "9", "--author", "ann")[0] == 6
