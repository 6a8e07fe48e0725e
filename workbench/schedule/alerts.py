"""Loans that are paid out, looked at every night: what changed about the car, its papers, its whereabouts, its links.

The rules of the night are asked as of the night: nothing that became known later is seen, whenever the job runs. A
change that calls for somebody opens a case; what only adds to a suspicion is written down beside it.
"""
# ruff: noqa: PLC0415 - numba and torch take seconds to import; only the job that runs needs them

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from graph.drafts import CLOSED
from graph.records import DAY, Ints, from_millis, to_millis
from workbench.casebook import loan_alerts
from workbench.casebook.loan_alerts import Hit, Recorded
from workbench.instance import Instance, open_casebook
from workbench.schedule import nightly, slots
from workbench.schedule.job import Did, Turn
from workbench.schedule.slots import Cadence

if TYPE_CHECKING:
    from gnn.book import Book
    from gnn.rules import Settings as Rules
    from gnn.walk import Links
    from graph.overrides import Placed
    from graph.snapshot import Snapshot

LINK, LINK_REASON = "LINK", "RC10"
"""A new link to confirmed fraud: no rule of the catalogue, and a reason that it shares with R26."""

SILENT, DEALER = "R23", "R25"
"""A car that falls silent is looked for at once, however few points that has. A dealer's losses say nothing about one
loan: they are written down where something else is wrong with it."""

LINK_WEIGHT = 2.0
"""What sharing is worth, from which it counts: an employer, an address or a network alone says little."""

FIRST_NIGHT = timedelta(days=60)
"""Whom to look at when nobody ever looked: 60,000 applications of nine months would open 579 cases at once."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)

LOOKED_BACK_DAYS = 3 * 365
"""Loans paid out earlier are left alone."""


def alerts(turn: Turn) -> Did:
    """Every loan that is paid out and not settled, as of the end of the slot's day."""
    from workbench.casing import follow_alerts
    from workbench.stakes import Stakes
    from workbench.webhooks.events import loan_alerts as tell

    with nightly.opened(turn.settings) as here:
        snapshot = here.snapshot()
        newest = nightly.newest(snapshot, turn.slot)
        as_of = min(slots.of(Cadence.DAILY, newest).end, turn.slot.end)
        night = to_millis(as_of) - 1
        found = hits(here, night)
    names = sorted({each.application_id for each in found})
    stakes = Stakes(snapshot, names, as_of=night).each(names)
    with open_casebook(turn.settings) as casebook, casebook.writing() as db:
        told = loan_alerts.record(db, found, as_of=as_of, now=turn.clock())
        fresh = recent(told, as_of)
        worked = follow_alerts(db, fresh, stakes, now=turn.clock())
        loan_alerts.assign(db, fresh, worked.cases)
        tell(db, fresh, as_of=as_of, now=turn.clock())
    numbers = {"holding": len(found), "new": len(told.fresh), "ended": told.ended, "cases": worked.opened}
    return Did(numbers, "; ".join(each for each in (told.unrecorded, nightly.late(newest, turn.slot)) if each))


def recent(told: Recorded, as_of: datetime) -> list[Hit]:
    """What is new. On the first night a lender's whole past is: only loans paid out lately call for somebody then."""
    begin = as_of - FIRST_NIGHT if told.first else EVER
    return [replace(each, calls=each.calls and each.paid_out_at >= begin) for each in told.fresh]


def hits(here: Instance, night: int) -> list[Hit]:
    """What holds on a night; links and things that people judged by then count as judged."""
    from graph.innocent import without
    from workbench import scoring

    opinions = scoring.opinions(here.settings, from_millis(night))
    snapshot = without(here.snapshot(), opinions.innocent)
    overrides = opinions.here(snapshot).overrides
    return holding(
        snapshot, scoring.events_of(here), night=night, rules=_rules(here, from_millis(night)), overrides=overrides
    )


def holding(
    snapshot: Snapshot, events: Mapping[str, Any], *, night: int, rules: Rules, overrides: Sequence[Placed] = ()
) -> list[Hit]:
    from gnn.features.assemble import hindsight
    from gnn.rules.night_columns import night_columns
    from gnn.training import later_book

    book = later_book(snapshot, _by(night, events), overrides)
    links = hindsight(book, night=night).links
    columns = night_columns(book, night=night, links=links)
    return list(_hits(book, Loans.of(book, night, paid_off=columns["paid_off"]), columns, links, rules))


def _by(night: int, events: Mapping[str, Any]) -> dict[str, Any]:
    """Without what became known later: a label that is corrected afterwards would otherwise count as it is now."""
    import pyarrow.compute as pc

    return {name: told.filter(pc.less_equal(told["known_at"], night)) for name, told in events.items()}


def _rules(here: Instance, at: datetime) -> Rules:
    """Those of the strategy in force."""
    from gnn.rules import read_settings
    from workbench.casebook import strategies

    with open_casebook(here.settings) as casebook, casebook.reading() as db:
        own = strategies.in_force(db, at).strategy.rules
    return read_settings(own or None)


# Which loans ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loans:
    """Rows of the book whose money is out and at risk on a night, and since when it is out."""

    rows: Ints
    funded: Ints
    night: int

    @classmethod
    def of(cls, book: Book, night: int, *, paid_off: Any) -> Loans:
        """`paid_off` is of those known by then. Who is known to be a fraudster needs no alert."""
        nodes, known = book.snapshot.nodes["Application"], np.flatnonzero(book.as_of <= night)
        funded = nodes.times("funded_at", as_of=night)
        decided = nodes.times("decided_at", as_of=night)
        refused = np.isin(nodes.table["decision"].to_pandas().to_numpy(dtype=object), CLOSED) & (decided > 0)
        settled = np.zeros(len(book), dtype=bool)
        settled[known] = paid_off == 1.0
        out = (funded > 0) & (funded >= night - LOOKED_BACK_DAYS * DAY) & (book.as_of <= night)
        rows = np.flatnonzero(out & ~refused & ~settled & ~book.labels.known(night))
        return cls(rows, funded, night)


# What holds ----------------------------------------------------------------------------------------------


def _hits(book: Book, loans: Loans, columns: Mapping[str, Any], links: Links, rules: Rules) -> Iterator[Hit]:
    from gnn.rules.catalogue import BY_CODE
    from gnn.rules.rule import Stage
    from gnn.rules.verdicts import PASS, evaluate

    place = np.cumsum(book.as_of <= loans.night) - 1  # of a row among those known by then
    at = place[loans.rows]
    some = {name: column[at] for name, column in columns.items()}
    asked = evaluate(some, rules, stages=(Stage.NIGHT,))
    dealers = evaluate(some, rules, stages=(Stage.DEALER,))
    linked = _linked(book, loans, links)
    table = book.snapshot.nodes["Application"].table
    for number, row in enumerate(loans.rows.tolist()):
        codes = [code for code, hit in zip(asked.codes, asked.hits[number], strict=True) if hit]
        if not codes and row not in linked:
            continue
        codes += [code for code, hit in zip(dealers.codes, dealers.hits[number], strict=True) if hit]
        calls = bool(asked.advice[number] != PASS)
        name, amount = table["key"][row].as_py(), table["amount"][row].as_py() or 0.0
        paid_out_at = from_millis(int(loans.funded[row]))
        for code in codes:
            rule = BY_CODE[code]
            values = {each: _plain(some[each][number]) for each in rule.reads}
            yield Hit(
                name, code, str(rule.strength), rule.reason, float(amount), {"columns": values, "nodes": []},
                calls=code != DEALER and (calls or code == SILENT), paid_out_at=paid_out_at,
            )  # fmt: skip
        if row in linked:
            yield Hit(
                name, LINK, "review", LINK_REASON, float(amount), linked[row], calls=True, paid_out_at=paid_out_at
            )


def _plain(value: Any) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


# New links to confirmed fraud ----------------------------------------------------------------------------


def _linked(book: Book, loans: Loans, links: Links) -> dict[int, dict[str, Any]]:
    """Per loan the confirmed fraud that it was linked with after it was paid out: what came last of the link and the
    label was known since."""
    fraud = np.flatnonzero(book.labels.known(loans.night) & (book.as_of <= loans.night))
    of_person: dict[int, list[int]] = defaultdict(list)
    for row in fraud.tolist():
        of_person[int(book.person[row])].append(row)
    near_fraud = np.isin(book.person, list(of_person))[links.row[loans.rows]] & (links.row[loans.rows] >= 0)
    found = {}
    for row in loans.rows[near_fraud.any(axis=1)].tolist():
        people = {int(book.person[other]) for other in links.row[row].tolist() if other >= 0}
        near = [one for person in sorted(people & of_person.keys()) for one in of_person[person]]
        if near and (shared := _shared(book, row, near, int(loans.funded[row]), loans.night)):
            found[row] = shared
    return found


def _shared(book: Book, row: int, near: Sequence[int], funded: int, night: int) -> dict[str, Any] | None:
    """What it shares with them, where that was known of none when the money went out, and weighs enough."""
    from gnn.book import ROLES
    from gnn.walk import KINDS, POST_KINDS, WEIGHTS

    every, mine = KINDS + POST_KINDS, _holds(book, row, night)
    since, kinds, relations, nodes = night + 1, set[str](), set[str](), set[int]()
    for other in near:
        for thing, (role, told_at) in _holds(book, other, night).items():
            kind = _kinds()[mine[thing][0], role] if thing in mine else -1
            if kind >= 0:
                kinds.add(every[kind])
                relations.add(ROLES[mine[thing][0]].relation)
                nodes.add(int(book.ids[other]))
                since = min(since, max(told_at, mine[thing][1], int(book.labels.fraud_from[other])))
    if sum(WEIGHTS[kind] for kind in kinds) < LINK_WEIGHT or since <= funded:
        return None
    return {"columns": {"links": float(len(nodes))}, "relations": sorted(relations), "nodes": sorted(nodes)}


def _holds(book: Book, row: int, night: int) -> dict[int, tuple[int, int]]:
    """By thing its role and since when it is told; what many hold by nature is left out."""
    pairs, found = book.pairs, dict[int, tuple[int, int]]()
    for pair in range(int(pairs.start[row]), int(pairs.start[row + 1])):
        thing, told_at = int(pairs.thing[pair]), int(pairs.told_at[pair])
        if told_at <= night < int(book.aside_from[thing]) and thing not in found:
            found[thing] = int(pairs.role[pair]), told_at
    return found


@cache
def _kinds() -> Ints:
    from gnn.walk import KINDS, POST_KINDS, kind_table

    return kind_table(KINDS + POST_KINDS)
