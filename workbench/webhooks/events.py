"""What is told: rings born and grown, labels confirmed, models degraded, alerts about loans, people who take much.
Derived from what the casebook recorded.

An event holds application numbers, money, scores and codes. No identifier and nothing that a person wrote in words
is ever part of it. Reading on, the events and who gets them are one transaction under the writers' lock: stopped
anywhere, run twice or by two processes, each is told once.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from gnn.dispositions import POSITIVE
from graph.errors import InputError
from workbench.casebook import labels as saying
from workbench.casebook.loan_alerts import Hit
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import (
    labels,
    ring_runs,
    webhook_deliveries,
    webhook_events,
    webhook_told,
    webhooks,
)
from workbench.webhooks.growing import SOME, Event, of_run, text
from workbench.webhooks.hooks import TEST, get

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_NUMBERS = 50
CHINA = timezone(timedelta(hours=8))
RUN = (ring_runs.c.id, ring_runs.c.as_of, ring_runs.c.created_at)


@dataclass(frozen=True)
class _Read:
    """How far a source was read. `since`: the first number that was."""

    number: int
    recorded_at: datetime
    since: int


def publish(casebook: Casebook, *, now: datetime) -> int:
    """The number of new events. What was recorded before the first webhook was ever added is told to nobody."""
    with casebook.reading() as db:
        if not anything_new(db):
            return 0
    with casebook.writing() as db:
        return _publish_runs(db, now) + _publish_labels(db, now)


def degraded(db: Connection, version: str, what: str, numbers: Mapping[str, float], now: datetime) -> bool:
    """Tell that a model does worse (`what`: a code such as `psi`), once a day while it lasts; False when it was told.

    Needs a connection of `Casebook.writing`.
    """
    if not all(CODE.fullmatch(each) for each in (version, what, *numbers)):
        raise InputError("model.degraded: a version or a name is no code; up to 64 letters, digits and ._- only")
    if len(numbers) > MOST_NUMBERS:
        raise InputError(f"model.degraded: {len(numbers)} numbers; {MOST_NUMBERS} at most")
    told = {name: float(each) if math.isfinite(each) else None for name, each in numbers.items()}
    content = {"model_version": version, "what": what, "numbers": told, "as_of": text(now)}
    about = f"{version} {what} {now.astimezone(CHINA):%Y-%m-%d}"
    return _tell(db, [Event("model.degraded", about, version, content, now)], now) > 0


def loan_alerts(db: Connection, fresh: Sequence[Hit], *, as_of: datetime, now: datetime) -> int:
    """New alerts about loans that are paid out. Needs a connection of `Casebook.writing`."""
    return _tell(db, [_alert(each, as_of, now) for each in fresh if each.calls], now)


def _alert(hit: Hit, as_of: datetime, now: datetime) -> Event:
    content = {
        "application_id": hit.application_id,
        "rule": hit.rule,
        "strength": hit.strength,
        "reason": hit.reason,
        "exposure": hit.exposure,
        "as_of": text(as_of),
    }
    return Event("loan.alert", f"{hit.application_id} {hit.rule}", hit.application_id, content, now)


def model_candidate(
    db: Connection, version: str, champion: str, numbers: Mapping[str, float], *, now: datetime
) -> bool:
    """A candidate scores in the shadow of the model that serves, and waits for a person. False when it was told.

    Needs a connection of `Casebook.writing`.
    """
    content = {"model_version": version, "champion": champion, "numbers": dict(numbers), "as_of": text(now)}
    return _tell(db, [Event("model.candidate", version, version, content, now)], now) > 0


def bulk(db: Connection, actor: str, what: str, number: int, since: datetime, *, now: datetime) -> bool:
    """Somebody reveals or exports (`what`) unusually much; told once for each beginning hour. False when it was told.

    Needs a connection of `Casebook.writing`.
    """
    content = {"user": actor, "what": what, "number": number, "since": text(since), "as_of": text(now)}
    return _tell(db, [Event("security.bulk", f"{actor} {what} {text(since)}", actor, content, now)], now) > 0


def trial(db: Connection, number: int, *, now: datetime) -> int:
    """An event for one subscription only, to see whether it arrives; its number. Needs `Casebook.writing`."""
    hook = get(db, number)
    if hook.ended_at is not None:
        raise InputError(f"webhook {number} ended on {hook.ended_at:%Y-%m-%d}; add a new one")
    event = Event(TEST, f"{number} {text(now)}", str(number), {"webhook": number, "as_of": text(now)}, now)
    [(row, _)] = _numbered(db, [event], now)
    db.execute(insert(webhook_events).values(row))
    db.execute(insert(webhook_deliveries).values(_delivery(row["id"], number, now)))
    return int(row["id"])


# Reading on --------------------------------------------------------------------------------------------


def anything_new(db: Connection) -> bool:
    """Whether `publish` would read on; cheap enough to be asked again and again."""
    if db.execute(select(webhooks.c.id).limit(1)).first() is None:
        return False
    run = db.execute(select(*RUN).order_by(ring_runs.c.id.desc()).limit(1)).one_or_none()
    label = db.execute(select(func.max(labels.c.id))).scalar() or 0
    told = {row.source: row for row in db.execute(select(webhook_told))}
    if len(told) < 2 or label > told["labels"].number:
        return True
    return run is not None and (run.id, run.created_at) != (told["runs"].number, told["runs"].recorded_at)


def _read(db: Connection, source: str) -> _Read:
    """Where to go on; in the beginning, what was there before the first webhook counts as read."""
    row = db.execute(select(webhook_told).where(webhook_told.c.source == source)).one_or_none()
    if row is not None:
        return _Read(row.number, row.recorded_at, row.since)
    first = db.execute(select(func.min(webhooks.c.created_at))).scalar_one()
    table, column = (ring_runs, ring_runs.c.created_at) if source == "runs" else (labels, labels.c.known_at)
    before = db.execute(
        select(table.c.id, column.label("at")).where(column < first).order_by(table.c.id.desc()).limit(1)
    ).one_or_none()
    read = _Read(0, first, 1) if before is None else _Read(before.id, before.at, before.id + 1)
    db.execute(insert(webhook_told).values(vars(read) | {"source": source}))
    return read


def _keep(db: Connection, source: str, read: _Read) -> None:
    db.execute(update(webhook_told).where(webhook_told.c.source == source).values(vars(read)))


# Labels ------------------------------------------------------------------------------------------------


def _publish_labels(db: Connection, now: datetime) -> int:
    """Fraud as far as it counts as confirmed: final, and on papers by two people."""
    read = _read(db, "labels")
    said = saying.since(db, read.number)
    number = _tell(db, [_label(each) for each in said if each.counts_as == POSITIVE], now)
    if said:
        _keep(db, "labels", replace(read, number=said[-1].id, recorded_at=said[-1].known_at))
    return number


def _label(said: saying.Said) -> Event:
    """Its note, and who said it, stay here."""
    label = said.label
    content = {
        "label": said.id,
        "application_id": label.application_id,
        "typology": label.typology,
        "evidence_level": label.evidence_level,
        "source": label.source,
        "maturity": label.maturity,
        "occurred_at": text(label.occurred_at or said.known_at),
        "as_of": text(said.known_at),
        "supersedes": label.supersedes,
    }
    return Event("label.confirmed", f"label {said.id}", label.application_id, content, said.known_at)


# Rings -------------------------------------------------------------------------------------------------


def _publish_runs(db: Connection, now: datetime) -> int:
    read, number = _read(db, "runs"), 0
    rows = db.execute(select(*RUN).where(ring_runs.c.id >= read.number).order_by(ring_runs.c.id)).all()
    for row in rows:
        if (row.id, row.created_at) == (read.number, read.recorded_at):
            continue
        number += _tell(db, list(of_run(db, row, read.since)), now)
        read = replace(read, number=row.id, recorded_at=row.created_at)
    _keep(db, "runs", read)
    return number


# Telling -----------------------------------------------------------------------------------------------


def _tell(db: Connection, events: Sequence[Event], now: datetime) -> int:
    """Keep those that are new, and a delivery for every subscription that wants it and was there when it happened."""
    known = _known(db, events)
    fresh = _numbered(db, [each for each in events if (each.kind, each.about) not in known], now)
    if not fresh:
        return 0
    db.execute(insert(webhook_events), [row for row, _ in fresh])
    alive = db.execute(select(webhooks).where(webhooks.c.ended_at.is_(None))).all()
    deliveries = [
        _delivery(row["id"], hook.id, now)
        for row, event in fresh
        for hook in alive
        if event.kind in hook.kinds and hook.created_at <= event.happened
    ]
    if deliveries:
        db.execute(insert(webhook_deliveries), deliveries)
    return len(fresh)


def _known(db: Connection, events: Sequence[Event]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for start in range(0, len(events), SOME):
        some = [each.about for each in events[start : start + SOME]]
        rows = db.execute(select(webhook_events.c.kind, webhook_events.c.about).where(webhook_events.c.about.in_(some)))
        found.update((row.kind, row.about) for row in rows)
    return found


def _numbered(db: Connection, events: Sequence[Event], now: datetime) -> list[tuple[dict[str, Any], Event]]:
    numbers = count((db.execute(select(func.max(webhook_events.c.id))).scalar() or 0) + 1)
    return [
        (
            {"id": next(numbers), "kind": each.kind, "about": each.about, "subject": each.subject, "created_at": now,
             "content": dict(each.content) | {"trace_id": _trace(each, now)}},
            each,
        )
        for each in events
    ]  # fmt: skip


def _trace(event: Event, now: datetime) -> str:
    """Names the event in every try and every log, here and at the receiver."""
    return hashlib.sha256(f"{event.kind}|{event.about}|{now.isoformat()}".encode()).hexdigest()[:32]


def _delivery(event: int, hook: int, now: datetime) -> dict[str, Any]:
    return {"event_id": event, "webhook_id": hook, "tries": 0, "next_at": now, "last_trouble": ""}
