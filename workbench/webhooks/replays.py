"""Looking at deliveries, and sending them again: one, or all that failed since a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.tables import webhook_deliveries as deliveries
from workbench.casebook.tables import webhook_events, webhooks
from workbench.webhooks import hooks

MANY = 100

_WITH_EVENTS = select(deliveries, webhook_events.c.kind, webhook_events.c.subject, webhook_events.c.created_at).join(
    webhook_events, webhook_events.c.id == deliveries.c.event_id
)


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


def this(event: int, hook: int) -> ColumnElement[bool]:
    """The row of one delivery."""
    return and_(deliveries.c.event_id == event, deliveries.c.webhook_id == hook)


def listed(
    db: Connection, *, now: datetime, webhook: int | None = None, failed: bool = False, limit: int = MANY
) -> Sequence[Delivery]:
    """The newest first. `failed`: only those that have failed and were not delivered since."""
    query = _WITH_EVENTS.order_by(deliveries.c.event_id.desc(), deliveries.c.webhook_id).limit(limit)
    if webhook is not None:
        query = query.where(deliveries.c.webhook_id == webhook)
    if failed:
        query = query.where(_failed())
    return [_shown(row, now) for row in db.execute(query)]


def delivery(db: Connection, event: int, webhook: int, *, now: datetime) -> Delivery:
    row = db.execute(_WITH_EVENTS.where(this(event, webhook))).one_or_none()
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
    db.execute(update(deliveries).where(this(event, webhook)).values(_afresh(now)))


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
