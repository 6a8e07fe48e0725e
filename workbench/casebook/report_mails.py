"""Letters with reports: one for each report, slot and recipient, and none of them twice.

A letter is claimed with a lease, and `sending` is on record before the first byte of it goes out. So of a process that
died it is known whether the letter may have left: before, another tries; after, nobody does by himself. Such a letter
is `uncertain` until a person lets it go out once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from graph.errors import NodeNotFound
from workbench.casebook.job_runs import line
from workbench.casebook.schedule_tables import report_mails

WAITING, CLAIMED, SENDING, SENT = "waiting", "claimed", "sending", "sent"
UNCERTAIN, GIVEN_UP = "uncertain", "given_up"

LEASE = timedelta(minutes=3)
"""Longer than a letter may take."""

PAUSES = tuple(timedelta(minutes=each) for each in (5, 15, 30, 60, 120, 240, 480))
"""Between two tries; the last one again and again."""

PATIENCE = timedelta(days=1)
"""From the day's report on nobody waits for that of the day before."""


@dataclass(frozen=True)
class Letter:
    """A row of `report_mails`."""

    report: str
    slot: str
    recipient: str
    status: str
    tries: int
    next_at: datetime | None
    leased_until: datetime | None
    queued_at: datetime
    sent_at: datetime | None
    trouble: str

    @property
    def masked(self) -> str:
        """As a list may show whom it goes to."""
        name, _, host = self.recipient.partition("@")
        return f"{name[:1]}…@{host}"


COLUMNS = tuple(Letter.__dataclass_fields__)
ROW = select(*(report_mails.c[name] for name in COLUMNS))


def queue(db: Connection, report: str, slot: str, recipients: Sequence[str], *, now: datetime) -> int:
    """The number of new letters; who had one of this slot gets no other. `db` is of `Casebook.writing`."""
    this = and_(report_mails.c.report == report, report_mails.c.slot == slot)
    there = set(db.execute(select(report_mails.c.recipient).where(this)).scalars())
    fresh = [each for each in dict.fromkeys(recipients) if each not in there]
    row = {"report": report, "slot": slot, "status": WAITING, "tries": 0, "next_at": now, "queued_at": now,
           "trouble": ""}  # fmt: skip
    if fresh:
        db.execute(insert(report_mails), [row | {"recipient": each} for each in fresh])
    return len(fresh)


def due(db: Connection, *, now: datetime) -> bool:
    return db.execute(select(report_mails.c.report).where(or_(_ready(now), _lost(now))).limit(1)).first() is not None


def claim(db: Connection, *, now: datetime) -> Letter | None:
    """The longest due. Letters whose process died while they went out become uncertain."""
    trouble = "its sender died while it went out; it may have arrived"
    values = {"status": UNCERTAIN, "leased_until": None, "next_at": None, "trouble": trouble}
    db.execute(update(report_mails).where(_lost(now)).values(values))
    order = (report_mails.c.next_at, report_mails.c.report, report_mails.c.slot, report_mails.c.recipient)
    row = db.execute(ROW.where(_ready(now)).order_by(*order).limit(1)).one_or_none()
    if row is None:
        return None
    letter = Letter(*row)
    taken = {"status": CLAIMED, "leased_until": now + LEASE, "tries": letter.tries + 1}
    db.execute(update(report_mails).where(_this(letter)).values(taken))
    return _get(db, letter)


def _ready(now: datetime) -> ColumnElement[bool]:
    """Those of a process that died before anything left, too."""
    waits = and_(report_mails.c.status == WAITING, report_mails.c.next_at <= now)
    return or_(waits, and_(report_mails.c.status == CLAIMED, report_mails.c.leased_until <= now))


def _lost(now: datetime) -> ColumnElement[bool]:
    return and_(report_mails.c.status == SENDING, report_mails.c.leased_until <= now)


# Of its sender -------------------------------------------------------------------------------------------


def sending(db: Connection, letter: Letter) -> bool:
    """To be on disk before the letter leaves. False: it is somebody else's by now, and must not."""
    return _mine(db, letter, CLAIMED, status=SENDING)


def sent(db: Connection, letter: Letter, *, now: datetime) -> bool:
    return _mine(db, letter, SENDING, status=SENT, sent_at=now, leased_until=None, next_at=None, trouble="")


def uncertain(db: Connection, letter: Letter, trouble: str) -> bool:
    """It left, and nobody said that it arrived."""
    return _mine(db, letter, SENDING, status=UNCERTAIN, leased_until=None, next_at=None, trouble=line(trouble))


def refused(db: Connection, letter: Letter, trouble: str, *, for_good: bool, now: datetime) -> bool:
    """It did not arrive: it waits longer each time, and is given up after a day, or at once where it is `for_good`."""
    next_at = now + PAUSES[min(letter.tries, len(PAUSES)) - 1]
    over = for_good or next_at > letter.queued_at + PATIENCE
    return _mine(
        db, letter, CLAIMED, SENDING, status=GIVEN_UP if over else WAITING, leased_until=None,
        next_at=None if over else next_at, trouble=line(trouble),
    )  # fmt: skip


def _mine(db: Connection, letter: Letter, *statuses: str, **values: Any) -> bool:
    """No two claims of a letter have the same lease: the later one waits for that of the first."""
    still = and_(_this(letter), report_mails.c.status.in_(statuses), report_mails.c.leased_until == letter.leased_until)
    return db.execute(update(report_mails).where(still).values(values)).rowcount > 0


def _this(letter: Letter) -> ColumnElement[bool]:
    return and_(
        report_mails.c.report == letter.report, report_mails.c.slot == letter.slot,
        report_mails.c.recipient == letter.recipient,
    )  # fmt: skip


def _get(db: Connection, letter: Letter) -> Letter:
    return Letter(*db.execute(ROW.where(_this(letter))).one())


# Of people -----------------------------------------------------------------------------------------------


def again(db: Connection, report: str, slot: str, *, now: datetime, recipient: str = "") -> int:
    """Let letters that are uncertain or were given up go out once more, because a person says so; how many.

    Raises NodeNotFound where there is none."""
    which = [report_mails.c.report == report, report_mails.c.slot == slot]
    which += [report_mails.c.recipient == recipient] if recipient else []
    values = {"status": WAITING, "next_at": now, "queued_at": now, "tries": 0, "leased_until": None, "trouble": ""}
    stopped = report_mails.c.status.in_((UNCERTAIN, GIVEN_UP))
    number = db.execute(update(report_mails).where(*which, stopped).values(values)).rowcount
    if not number:
        raise NodeNotFound(f"no letter of {report} {slot} is uncertain or given up; see `ringroad schedule mails`")
    return number


def listed(db: Connection, *, limit: int = 50) -> list[Letter]:
    """The newest first."""
    order = (report_mails.c.queued_at.desc(), report_mails.c.report, report_mails.c.slot, report_mails.c.recipient)
    return [Letter(*row) for row in db.execute(ROW.order_by(*order).limit(limit))]


def counted(db: Connection) -> dict[str, int]:
    """By status."""
    rows = db.execute(select(report_mails.c.status, func.count().label("letters")).group_by(report_mails.c.status))
    return {row.status: row.letters for row in rows}
