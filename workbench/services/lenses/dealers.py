"""The dealer lens: which dealers lose more than their region, and what suspending one would cut.

Everything is counted from `DealerTable`, which is made once for each state of the store, labels and rings, and for
each time that is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from graph.errors import NodeNotFound
from graph.records import NodeRef, from_millis
from workbench.casebook import audit
from workbench.casebook.opinions import opinions_as_of
from workbench.lastrun import Decided
from workbench.services.kept import Kept
from workbench.services.lenses import dealer_cut, dealer_people, dealer_table
from workbench.services.lenses.dealer_cut import Cut
from workbench.services.lenses.dealer_grades import Grades
from workbench.services.lenses.dealer_people import Reviewer, Salesperson, Tied
from workbench.services.lenses.dealer_rows import Asked, DealerRow, as_csv, ordered, row_of
from workbench.services.lenses.dealer_table import DealerTable, Links
from workbench.services.lenses.ledger import Facts, Gathering, Ledger, Moment
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.ring_book import RingBook, standing

LinksKey = tuple[int, datetime | None, Decided]


@dataclass(frozen=True)
class Trend:
    """Of the applications submitted in the six months before each month's end, as they are known now."""

    at: datetime
    fraud: float
    region: float
    number: int


@dataclass(frozen=True)
class DealerPage:
    """`weeks` are (end of the week, applications, usual, z)."""

    row: DealerRow
    as_of: datetime
    today: datetime
    onboarded_at: datetime | None
    closed_at: datetime | None
    group: str
    weeks: Sequence[tuple[datetime, int, float, float]]
    trend: Sequence[Trend]
    cut: Cut
    salespeople: Sequence[Salesperson]
    reviewers: Sequence[Reviewer]
    tied: Sequence[Tied]


@dataclass(frozen=True)
class Listed:
    """Some rows of `total`; `regions` and `kinds` are those that occur, of all."""

    rows: Sequence[DealerRow]
    total: int
    today: datetime
    regions: Sequence[str] = field(default=())
    kinds: Sequence[str] = field(default=())


class Dealers:
    def __init__(self, office: Office, ledger: Ledger) -> None:
        self._office, self._ledger = office, ledger
        self._links: Kept[LinksKey, Links] = Kept(self._make_links, size=3)
        self._tables: dict[tuple[Any, ...], DealerTable] = {}

    def waiting(self, who: Person, as_of: datetime | None = None) -> Gathering | None:
        """None when everything is there; else how far it is, and it goes on beside."""
        who.require(Act.READ)
        if not self._ledger.ready():
            return self._ledger.gathering
        if not self._links.ready(self._key(self._ledger.facts(), as_of)):
            self._ledger.step("links")
            return self._ledger.gathering
        return None

    def list(self, who: Person, asked: Asked, *, start: int, end: int, as_of: datetime | None = None) -> Listed:
        who.require(Act.READ)
        facts, table = self._table(as_of)
        order, grades = ordered(facts, table, asked), Grades(table)
        nodes = facts.snapshot.nodes["Dealer"].table
        return Listed(
            [row_of(facts, table, at, grades) for at in order[start:end].tolist()],
            len(order),
            from_millis(table.moment.today),
            sorted({each for each in nodes["region"].unique().to_pylist() if each}),
            sorted({each for each in nodes["type"].unique().to_pylist() if each}),
        )

    def page(self, who: Person, code: str, *, as_of: datetime | None = None) -> DealerPage:
        """Raises NodeNotFound for a dealer that was not known then."""
        who.require(Act.READ)
        facts, table = self._table(as_of)
        at, moment = _index(facts, code, table.moment), table.moment
        about = facts.snapshot.nodes["Dealer"].table.slice(at, 1).to_pylist()[0]
        closed = about["closed_at"] if about["closed_at"] and about["closed_at"] <= moment.known else None
        return DealerPage(
            row=row_of(facts, table, at),
            as_of=from_millis(moment.known),
            today=from_millis(moment.today),
            onboarded_at=from_millis(about["onboarded_at"]) if about["onboarded_at"] else None,
            closed_at=from_millis(closed) if closed else None,
            group=about["group_id"] or "",
            weeks=dealer_cut.weeks(table, at),
            trend=[Trend(*each) for each in dealer_cut.trend(table, at)],
            cut=dealer_cut.cut(table, at, standing(self._office, as_of).rings),
            salespeople=dealer_people.salespeople(facts.snapshot, table, at),
            reviewers=dealer_people.reviewers(facts.snapshot, table, at),
            tied=dealer_people.tied(facts.snapshot, at, known=moment.known),
        )

    def export(self, who: Person, asked: Asked, *, as_of: datetime | None = None) -> str:
        """CSV of all rows that are asked for; on record."""
        who.require(Act.EXPORT)
        facts, table = self._table(as_of)
        grades = Grades(table)
        rows = [row_of(facts, table, at, grades) for at in ordered(facts, table, asked).tolist()]
        with self._office.casebook.writing() as db:
            detail = {"rows": len(rows), "as_of": from_millis(table.moment.known).isoformat()}
            audit.write(db, who, "dealers.export", "dealers", now=self._office.clock(), detail=detail)
        return as_csv(rows)

    # What is kept ----------------------------------------------------------------------------------------

    def _key(self, facts: Facts, as_of: datetime | None) -> LinksKey:
        """A fraud told links nobody otherwise; whoever was cleared links nobody any more."""
        with self._office.casebook.reading() as db:
            opinions = opinions_as_of(db, as_of or self._office.clock())
        return facts.number, as_of, Decided.by(opinions)._replace(risk=())

    def _make_links(self, key: LinksKey) -> Links:
        facts, as_of = self._ledger.facts(), key[1]
        with self._office.casebook.reading() as db:
            opinions = opinions_as_of(db, as_of or self._office.clock())
        return dealer_table.links(facts, self._ledger.moment(facts, as_of), opinions)

    def _table(self, as_of: datetime | None) -> tuple[Facts, DealerTable]:
        facts = self._ledger.facts()
        newest, labels = self._ledger.labels(facts)
        rings: RingBook = standing(self._office, as_of)
        links_key = self._key(facts, as_of)
        key = (*links_key, newest, rings.stamp)
        if (kept := self._tables.get(key)) is not None:
            return facts, kept
        found = self._links.get(links_key)
        moment = self._ledger.moment(facts, as_of)
        each = dealer_table.applications(facts, labels, rings.members, moment)
        made = dealer_table.table(facts, each, found, tuple(rings.rings), moment)
        self._tables = {**dict(list(self._tables.items())[-3:]), key: made}
        return facts, made


def _index(facts: Facts, code: str, moment: Moment) -> int:
    nodes = facts.snapshot.nodes["Dealer"]
    at = int(nodes.index_of(np.array([NodeRef("Dealer", code).id]))[0])
    if at < 0 or int(nodes.known_at[at]) > moment.known:
        raise NodeNotFound("there is no such dealer; open one from the list of dealers")
    return at
