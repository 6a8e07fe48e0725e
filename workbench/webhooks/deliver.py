"""Getting events to their subscribers: signed, again and again while nobody answers, each at least once.

A delivery is claimed in the casebook (a lease, under the writers' lock), sent outside of any transaction, and its
outcome is written when it is known. A process that dies in between leaves the lease: another try follows when it has
run out, under the same `webhook-id`, by which the receiver knows it again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from graph.errors import InputError, NodeNotFound
from graph.keyring import KeyFileError, Keyring
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import webhook_deliveries as deliveries
from workbench.casebook.tables import webhook_events, webhooks
from workbench.webhooks import hooks
from workbench.webhooks.addresses import Refused, Way
from workbench.webhooks.hooks import Hook

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PAUSES = (
    30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE,
    90 * MINUTE, 3 * HOUR, 6 * HOUR, 12 * HOUR,
)  # fmt: skip
"""Between two tries. Twelve tries take a day: a receiver that is down over night loses nothing."""

TRIES = len(PAUSES) + 1
JITTER = 0.2
"""A pause is up to this share longer, so that what failed together does not come back together."""

TOTAL_SECONDS = 10.0
"""Of one try, from the name's resolution to the status, however slowly the other side talks."""

LEASE = timedelta(seconds=60)
"""Much longer than a try may take."""

AT_ONCE = 4
"""Deliveries under way to one subscription: one that hangs holds up its own, never those of others."""

PATIENCE = 0.5
"""Seconds that a call of `deliver_due` waits for answers; those that come later are written by the next call."""

MANY = 100

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Letter:
    """One claimed try."""

    event: int
    hook: int
    tries: int
    lease: datetime
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """A status, or in our own words why there is none; what the other side says is not kept."""

    status: int | None
    trouble: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver asks never to be told again."""
        return self.status == 410


@dataclass(frozen=True)
class Summary:
    """What a call saw end. `given_up`: after the last try; `ended`: subscriptions whose receiver said 410."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    ended: int = 0
    under_way: int = 0

    def __add__(self, other: Summary) -> Summary:
        return Summary(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Delivery:
    """For a screen: whether and when an event reached a subscription."""

    event: int
    webhook: int
    kind: str
    subject: str
    created_at: datetime
    state: str
    tries: int
    next_at: datetime | None
    delivered_at: datetime | None
    last_status: int | None
    last_trouble: str


class Courier:
    """Sends letters from a thread of its own and hands back how they ended. Belongs to one process and thread."""

    def __init__(self, keyring: Keyring, way: Way) -> None:
        self.keyring, self._way = keyring, way
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._thread.start()
        self._under_way: dict[futures.Future[Outcome], Letter] = {}

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def send(self, letter: Letter) -> None:
        self._under_way[asyncio.run_coroutine_threadsafe(self._sent(letter), self._loop)] = letter

    def finished(self, seconds: float) -> list[tuple[Letter, Outcome]]:
        """Those that have ended, at the latest after so many seconds; each is handed over once."""
        done, _ = futures.wait(self._under_way, max(seconds, 0.0), futures.FIRST_COMPLETED)
        return [(self._under_way.pop(each), each.result()) for each in done]

    def close(self) -> None:
        """What is under way is broken off; its leases run out, and it is sent again."""
        asyncio.run_coroutine_threadsafe(self._break_off(), self._loop).result(TOTAL_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TOTAL_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def __enter__(self) -> Courier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _break_off(self) -> None:
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _sent(self, letter: Letter) -> Outcome:
        """Never raises: a fault of one must not stop the others, nor keep its lease."""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return Outcome(await self._way.post(letter.url, letter.headers, letter.body))
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(None, "no answer in time")
        except Refused:
            return Outcome(None, "its address is not allowed")
        except httpx.TransportError:
            return Outcome(None, "no connection, or it broke")
        except Exception as error:  # noqa: BLE001 - whatever it is, its words may hold what nobody should see
            return Outcome(None, f"a fault of ours: {type(error).__name__}")


# Delivering --------------------------------------------------------------------------------------------


def deliver_due(casebook: Casebook, clock: Clock, client: Courier, *, patience: float = PATIENCE) -> Summary:
    """Send what is due; write down how it ended. Called every second.

    Comes back after `patience` seconds: what hangs goes on without it.
    """
    summary, end = Summary(), time.monotonic() + patience
    while True:
        fresh = _claim(casebook, clock(), client.keyring)
        for letter, refused in fresh:
            if refused is None:
                client.send(letter)
        ended = [(letter, refused) for letter, refused in fresh if refused is not None]
        ended += client.finished(end - time.monotonic())
        if ended:
            summary += _write(casebook, ended, clock())
        if not (fresh or ended or client.under_way) or time.monotonic() >= end:
            return replace(summary, under_way=client.under_way)


def settle(casebook: Casebook, clock: Clock, client: Courier) -> Summary:
    """Wait for what is under way and write it down; nothing new is sent. For a process that ends."""
    summary = Summary()
    while client.under_way:
        summary += _write(casebook, client.finished(TOTAL_SECONDS), clock())
    return summary


def _claim(casebook: Casebook, now: datetime, keyring: Keyring) -> list[tuple[Letter, Outcome | None]]:
    """Letters to send; or, beside one that cannot be signed, how it ended."""
    with casebook.reading() as db:
        if db.execute(select(deliveries.c.event_id).where(_due(now)).limit(1)).first() is None:
            return []
    with casebook.writing() as db:
        return [_letter(db, row, now, keyring) for row in _chosen(db, now)]


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.next_at <= now, or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now))


def _chosen(db: Connection, now: datetime) -> Sequence[Any]:
    """The longest due of every subscription, no more than it may have under way in all processes together."""
    under_way = (
        select(deliveries.c.webhook_id, func.count().label("letters"))
        .where(deliveries.c.leased_until > now)
        .group_by(deliveries.c.webhook_id)
    )
    busy: dict[int, int] = {row.webhook_id: row.letters for row in db.execute(under_way)}
    order = func.row_number().over(
        partition_by=deliveries.c.webhook_id, order_by=(deliveries.c.next_at, deliveries.c.event_id)
    )
    ranked = select(
        deliveries.c.event_id, deliveries.c.webhook_id, deliveries.c.tries, order.label("place")
    ).where(_due(now)).subquery()  # fmt: skip
    rows = db.execute(select(ranked).where(ranked.c.place <= AT_ONCE)).all()
    return [row for row in rows if row.place <= AT_ONCE - busy.get(row.webhook_id, 0)]


def _letter(db: Connection, row: Any, now: datetime, keyring: Keyring) -> tuple[Letter, Outcome | None]:
    """A try counts when it is claimed: a letter that kills its sender each time must end, too."""
    lease, tries = now + LEASE, min(row.tries + 1, TRIES)
    db.execute(update(deliveries).where(_this(row.event_id, row.webhook_id)).values(tries=tries, leased_until=lease))
    hook = hooks.get(db, row.webhook_id)
    event = db.execute(select(webhook_events).where(webhook_events.c.id == row.event_id)).one()
    body = canonical({"type": event.kind, "timestamp": _stamp(event.created_at), "data": event.content})
    name = f"evt_{event.content['trace_id']}"
    letter = Letter(row.event_id, hook.id, tries, lease, hook.url, {}, body)
    if row.tries >= TRIES:
        return letter, Outcome(None, "its sender died in the last try")
    try:
        return replace(letter, headers=signed(hook, keyring, name, body, now)), None
    except KeyFileError:
        return letter, Outcome(None, "the key file does not hold its key")


def canonical(content: Any) -> bytes:
    """The same bytes for the same content in every try."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def signed(hook: Hook, keyring: Keyring, name: str, body: bytes, now: datetime) -> dict[str, str]:
    """Headers of Standard Webhooks; the time is that of the try, so that an old letter cannot be played again."""
    at = str(int(now.timestamp()))
    text = f"{name}.{at}.".encode() + body
    signatures = (hmac.new(key, text, hashlib.sha256).digest() for key in hook.keys(keyring, now=now))
    return {
        "content-type": "application/json",
        "user-agent": "ringroad",
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }


def pause(event: int, hook: int, tries: int) -> timedelta:
    """After so many tries; the same for the same delivery, whoever asks."""
    chance = random.Random(f"{event} {hook} {tries}")  # noqa: S311 - no secret
    return PAUSES[tries - 1] * (1 + JITTER * chance.random())


# Outcomes ----------------------------------------------------------------------------------------------


def _write(casebook: Casebook, ended: Sequence[tuple[Letter, Outcome]], now: datetime) -> Summary:
    with casebook.writing() as db:
        summary = Summary()
        for letter, outcome in ended:
            summary += _write_one(db, letter, outcome, now)
        return summary


def _write_one(db: Connection, letter: Letter, outcome: Outcome, now: datetime) -> Summary:
    """Nothing, when the lease ran out and the delivery is somebody else's by now."""
    last = letter.tries >= TRIES or outcome.gone
    waits = None if outcome.delivered or last else now + pause(letter.event, letter.hook, letter.tries)
    values = {
        "leased_until": None,
        "next_at": waits,
        "delivered_at": now if outcome.delivered else None,
        "last_status": outcome.status,
        "last_trouble": "" if outcome.delivered else outcome.trouble or f"status {outcome.status}",
    }
    mine = and_(_this(letter.event, letter.hook), deliveries.c.leased_until == letter.lease)
    if not db.execute(update(deliveries).where(mine).values(values)).rowcount:
        return Summary()
    if outcome.gone and hooks.get(db, letter.hook).ended_at is None:
        hooks.end(db, letter.hook, author="its receiver (410)", now=now)
        return Summary(failed=1, given_up=1, ended=1)
    return Summary(int(outcome.delivered), int(not outcome.delivered), int(last and not outcome.delivered))


# Looking and replaying ---------------------------------------------------------------------------------


def listed(
    db: Connection, *, now: datetime, webhook: int | None = None, failed: bool = False, limit: int = MANY
) -> Sequence[Delivery]:
    """The newest first. `failed`: only those that have failed and were not delivered since."""
    query = (
        select(deliveries, webhook_events.c.kind, webhook_events.c.subject, webhook_events.c.created_at)
        .join(webhook_events, webhook_events.c.id == deliveries.c.event_id)
        .order_by(deliveries.c.event_id.desc(), deliveries.c.webhook_id)
        .limit(limit)
    )
    if webhook is not None:
        query = query.where(deliveries.c.webhook_id == webhook)
    if failed:
        query = query.where(_failed())
    return [_shown(row, now) for row in db.execute(query)]


def delivery(db: Connection, event: int, webhook: int, *, now: datetime) -> Delivery:
    query = (
        select(deliveries, webhook_events.c.kind, webhook_events.c.subject, webhook_events.c.created_at)
        .join(webhook_events, webhook_events.c.id == deliveries.c.event_id)
        .where(_this(event, webhook))
    )
    row = db.execute(query).one_or_none()
    if row is None:
        raise NodeNotFound(f"event {event} never was for webhook {webhook}; see `ringroad webhooks deliveries`")
    return _shown(row, now)


def replay(db: Connection, event: int, webhook: int, *, now: datetime) -> None:
    """Send one again, delivered or not, with all its tries before it. Needs a connection of `Casebook.writing`."""
    found = delivery(db, event, webhook, now=now)
    if hooks.get(db, webhook).ended_at is not None:
        raise InputError(f"webhook {webhook} has ended; what it missed is told to nobody")
    if found.state == "under way":
        raise InputError(f"event {event} is being sent to webhook {webhook} just now; look again in a minute")
    db.execute(update(deliveries).where(_this(event, webhook)).values(_afresh(now)))


def replay_failed(db: Connection, since: datetime, *, now: datetime, webhook: int | None = None) -> int:
    """All that failed of events since then, given up or between two tries; their number. Needs `Casebook.writing`."""
    events = select(webhook_events.c.id).where(webhook_events.c.created_at >= since)
    alive = select(webhooks.c.id).where(webhooks.c.ended_at.is_(None))
    idle = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
    wanted = and_(_failed(), idle, deliveries.c.event_id.in_(events), deliveries.c.webhook_id.in_(alive))
    if webhook is not None:
        wanted = and_(wanted, deliveries.c.webhook_id == webhook)
    return int(db.execute(update(deliveries).where(wanted).values(_afresh(now))).rowcount)


def _afresh(now: datetime) -> dict[str, Any]:
    return {"tries": 0, "next_at": now, "leased_until": None, "delivered_at": None}


def _failed() -> ColumnElement[bool]:
    return and_(deliveries.c.delivered_at.is_(None), deliveries.c.last_trouble != "")


def _this(event: int, hook: int) -> ColumnElement[bool]:
    return and_(deliveries.c.event_id == event, deliveries.c.webhook_id == hook)


def _shown(row: Any, now: datetime) -> Delivery:
    if row.delivered_at is not None:
        state = "delivered"
    elif row.leased_until is not None and row.leased_until > now:
        state = "under way"
    else:
        state = "given up" if row.next_at is None else "waiting"
    return Delivery(
        row.event_id, row.webhook_id, row.kind, row.subject, row.created_at, state, row.tries, row.next_at,
        row.delivered_at, row.last_status, row.last_trouble,
    )  # fmt: skip


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
