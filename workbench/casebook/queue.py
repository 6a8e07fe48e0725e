"""Reading the queue: which cases, in which order, a page at a time; how many there are of what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal_column, or_, select, true

from workbench.casebook.case_tables import case_entries, cases, visits
from workbench.casebook.cases import CLOSED, ROW, Case, of_row
from workbench.casebook.queue_query import ALL, DONE, ME, MINE, NEW, NOBODY, SNOOZED, TABS, Query

FACETS = ("kind", "status", "assignee", "typology", "region", "dealer")
MOST_OF_FACET = 40

QUEUE = "queue"
"""What a visit of the queue is of."""


class Asker(NamedTuple):
    """Who asks, when, and since when he has not looked (None: never)."""

    name: str
    now: datetime
    since: datetime | None = None


@dataclass(frozen=True)
class Row:
    """`entry` is the case's newest one: who acts says that he saw it. `fresh`: it came since the last visit."""

    case: Case
    entry: int
    fresh: bool


@dataclass(frozen=True)
class Page:
    """`total` counts all pages."""

    rows: Sequence[Row]
    total: int


# Conditions ----------------------------------------------------------------------------------------------


def where(asked: Query, by: Asker) -> ColumnElement[bool]:
    told = [_tab(asked.tab, by)]
    if asked.kind:
        told.append(cases.c.kind == asked.kind)
    told += [
        getattr(cases.c, name).in_(values)
        for name in ("status", "typology", "region", "dealer")
        if (values := getattr(asked, name))
    ]
    if asked.assignee:
        told.append(cases.c.assignee == {ME: by.name, NOBODY: ""}.get(asked.assignee, asked.assignee))
    if asked.score_from > 0:
        told.append(cases.c.score >= asked.score_from)
    if asked.savable_from > 0:
        told.append(cases.c.savable >= asked.savable_from)
    if asked.new:
        told.append(_fresh(by))
    if text := asked.text.strip():
        told.append(_holds(text))
    return and_(*told)


def _tab(tab: str, by: Asker) -> ColumnElement[bool]:
    snoozed = and_(cases.c.snoozed_until.is_not(None), cases.c.snoozed_until > by.now)
    awake = and_(cases.c.status != CLOSED, or_(cases.c.snoozed_until.is_(None), cases.c.snoozed_until <= by.now))
    return {
        ALL: awake,
        MINE: and_(awake, cases.c.assignee == by.name),
        NEW: and_(awake, _fresh(by)),
        SNOOZED: and_(cases.c.status != CLOSED, snoozed),
        DONE: cases.c.status == CLOSED,
    }[tab]


def _fresh(by: Asker) -> ColumnElement[bool]:
    return true() if by.since is None else cases.c.opened_at > by.since


def _holds(text: str) -> ColumnElement[bool]:
    told = [each.contains(text, autoescape=True) for each in (cases.c.subject, cases.c.dealer)]
    if found := re.fullmatch(r"[Cc]?([0-9]{1,9})", text, re.ASCII):
        told.append(cases.c.id == int(found[1]))
    return or_(*told)


def ordered(asked: Query) -> list[ColumnElement[Any]]:
    """The most urgent first; what has no value of the order comes last either way."""
    column, falls = {
        "savable": (cases.c.savable, True),
        "score": (cases.c.score, True),
        "age": (cases.c.opened_at, False),
        "exposure": (cases.c.exposure, True),
        "deadline": (cases.c.deadline, False),
        "grown": (cases.c.grown, True),
        "funding": (cases.c.pays_out_at, False),
    }[asked.order]
    first: list[ColumnElement[Any]] = [column.is_(None)] if column.nullable else []
    first.append(column.desc() if falls != asked.backwards else column.asc())
    if asked.order != "score":
        first.append(cases.c.score.desc())
    return [*first, cases.c.id]


# Asking --------------------------------------------------------------------------------------------------


def page(db: Connection, asked: Query, by: Asker) -> Page:
    """Numbers first: whole rows of all that match would have to be sorted with their texts."""
    which = where(asked, by)
    numbers = ids(db, asked, by, limit=asked.limit)
    total = db.execute(select(func.count()).select_from(cases).where(which)).scalar() or 0
    found = {row.id: of_row(row) for row in db.execute(ROW.where(cases.c.id.in_(numbers)))}
    newest = entries(db, numbers)
    rows = [
        Row(one, newest.get(one.id, 0), _is_fresh(one, by))
        for one in (found[each] for each in numbers if each in found)
    ]
    return Page(rows, total)


def ids(db: Connection, asked: Query, by: Asker, *, limit: int) -> list[int]:
    query = select(cases.c.id).where(where(asked, by)).order_by(*ordered(asked)).offset(asked.offset).limit(limit)
    return list(db.execute(query).scalars())


def entries(db: Connection, ids: Sequence[int]) -> dict[int, int]:
    """The newest one of each case; at most some hundred cases."""
    query = (
        select(case_entries.c.case_id, func.max(case_entries.c.id))
        .where(case_entries.c.case_id.in_(ids))
        .group_by(case_entries.c.case_id)
    )
    return {row[0]: row[1] for row in db.execute(query)}


def _is_fresh(one: Case, by: Asker) -> bool:
    """To who never looked all is new, and saying it of each row says nothing."""
    return by.since is not None and one.opened_at is not None and one.opened_at > by.since


def counts(db: Connection, by: Asker) -> dict[str, int]:
    """By tab."""
    query = select(*(func.coalesce(func.sum(case((_tab(tab, by), 1), else_=0)), 0) for tab in TABS))
    return dict(zip(TABS, map(int, db.execute(query).one()), strict=True))


def facets(db: Connection, asked: Query, by: Asker) -> dict[str, list[tuple[str, int]]]:
    """Per column what there is to choose, with how many, the most first: under all other filters that are set."""
    found = {}
    for name in FACETS:
        plain: Any = () if isinstance(getattr(asked, name), tuple) else ""
        others = replace(asked, **{name: plain})
        # An index on the column would mean a look-up for each row; a parameter would be another one in GROUP BY.
        value = func.coalesce(getattr(cases.c, name), literal_column("''"))
        number = func.count()
        query = select(value, number).where(where(others, by)).group_by(value)
        rows = db.execute(query.order_by(number.desc(), value).limit(MOST_OF_FACET))
        found[name] = [(row[0], row[1]) for row in rows]
    return found


def changes(db: Connection, user: str, after: int) -> tuple[int, int]:
    """The newest entry, and how many cases others, or a run, did something on after entry `after`."""
    newest = db.execute(select(func.max(case_entries.c.id))).scalar() or 0
    touched = select(func.count(case_entries.c.case_id.distinct())).where(
        case_entries.c.id > after, case_entries.c.author != user
    )
    return newest, (db.execute(touched).scalar() or 0) if newest > after else 0


# Visits --------------------------------------------------------------------------------------------------


def since(db: Connection, user: str) -> datetime | None:
    return db.execute(select(visits.c.before).where(visits.c.user == user, visits.c.subject == QUEUE)).scalar()
