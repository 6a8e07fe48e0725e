"""Getting events to their subscribers: signed, again and again while nobody answers, each at least once.

A delivery is claimed in the casebook (a lease, under the writers' lock), sent outside of any transaction, and its
outcome is written when it is known. A process that dies in between leaves the lease: another try follows when it has
run out, under the same `webhook-id`, by which the receiver knows it again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from graph.keyring import KeyFileError, Keyring
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import webhook_deliveries as deliveries
from workbench.casebook.tables import webhook_events
from workbench.webhooks import hooks
from workbench.webhooks.courier import TOTAL_SECONDS, Courier, Letter, Outcome, canonical, signed
from workbench.webhooks.growing import text
from workbench.webhooks.replays import this

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PAUSES = (
    30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE,
    90 * MINUTE, 3 * HOUR, 6 * HOUR, 12 * HOUR,
)  # fmt: skip
"""Between two tries. Twelve tries take a day: a receiver that is down over night loses nothing."""

TRIES = len(PAUSES) + 1
JITTER = 0.2
"""A pause is up to this share longer, so that what failed together does not come back together."""

LEASE = timedelta(seconds=60)
"""Much longer than a try may take."""

AT_ONCE = 4
"""Deliveries under way to one subscription: one that hangs holds up its own, never those of others."""

PATIENCE = 0.5
"""Seconds that a call of `deliver_due` waits for answers; those that come later are written by the next call."""

Clock = Callable[[], datetime]


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
    db.execute(update(deliveries).where(this(row.event_id, row.webhook_id)).values(tries=tries, leased_until=lease))
    hook = hooks.get(db, row.webhook_id)
    event = db.execute(select(webhook_events).where(webhook_events.c.id == row.event_id)).one()
    body = canonical({"type": event.kind, "timestamp": text(event.created_at), "data": event.content})
    name = f"evt_{event.content['trace_id']}"
    letter = Letter(row.event_id, hook.id, tries, lease, hook.url, {}, body)
    if row.tries >= TRIES:
        return letter, Outcome(None, "its sender died in the last try")
    try:
        return replace(letter, headers=signed(hook, keyring, name, body, now)), None
    except KeyFileError:
        return letter, Outcome(None, "the key file does not hold its key")


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
    mine = and_(this(letter.event, letter.hook), deliveries.c.leased_until == letter.lease)
    if not db.execute(update(deliveries).where(mine).values(values)).rowcount:
        return Summary()
    if outcome.gone and hooks.get(db, letter.hook).ended_at is None:
        hooks.end(db, letter.hook, author="its receiver (410)", now=now)
        return Summary(failed=1, given_up=1, ended=1)
    return Summary(int(outcome.delivered), int(not outcome.delivered), int(last and not outcome.delivered))
