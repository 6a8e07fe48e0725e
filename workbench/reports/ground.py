"""What reports read: everything as of the last instant of a slot, and nothing that became known later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from gnn.told import Labels, read_labels
from graph.records import DAY, Ints, to_millis
from workbench.casebook import labels as said
from workbench.casebook.opinions import opinions_as_of
from workbench.reports.catalogue import Asked
from workbench.services.lenses import dealer_table
from workbench.services.lenses.dealer_table import Applications, DealerTable
from workbench.services.lenses.ledger import Facts, Ledger, Moment
from workbench.services.office import Office
from workbench.services.ring_book import RingBook, standing

HOUR = 3_600_000
EIGHT_HOURS = 8 * HOUR
"""From UTC to China, where days begin."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """The facts of the store, read as of `asked.as_of`. What is costly is made when it is first asked for."""

    asked: Asked
    facts: Facts
    moment: Moment

    @classmethod
    def of(cls, asked: Asked) -> Ground:
        """The facts of now: those that the process gathered, or new ones where the store has moved on since."""
        ledger, office = asked.services.ledger, asked.services.office
        facts = ledger.facts()
        if facts.snapshot.sequence != office.snapshot().sequence:
            facts = Ledger(office).facts()
        known = to_millis(asked.as_of)
        return cls(asked, facts, Moment(known, known))

    @property
    def office(self) -> Office:
        return self.asked.services.office

    @property
    def start(self) -> int:
        """Of the slot, in milliseconds."""
        return to_millis(self.asked.slot.start)

    @cached_property
    def labels(self) -> Labels:
        """What had been said by then, as if nothing had been said since: a later word changes how `Labels` reads an
        earlier one."""
        with self.office.casebook.reading() as db:
            own = said.as_events(db)
        told = said.with_outcomes(self.office.store.events("outcomes"), own)
        if told is not None:
            told = told.filter(pc.less_equal(told["known_at"], self.moment.known))
        return read_labels(self.facts.snapshot, told)

    @cached_property
    def rings(self) -> RingBook:
        return standing(self.office, self.asked.as_of)

    @cached_property
    def each(self) -> Applications:
        return dealer_table.applications(self.facts, self.labels, self.rings.members, self.moment)

    @cached_property
    def dealers(self) -> DealerTable:
        with self.office.casebook.reading() as db:
            opinions = opinions_as_of(db, self.asked.as_of)
        found = dealer_table.links(self.facts, self.moment, opinions)
        return dealer_table.table(self.facts, self.each, found, tuple(self.rings.rings), self.moment)

    @cached_property
    def there(self) -> Flags:
        """Applications known by then, whoever sold them."""
        return np.asarray(self.facts.snapshot.nodes["Application"].known_at <= self.moment.known)

    @property
    def within(self) -> Flags:
        """Those submitted in the slot."""
        submitted = self.each.submitted
        return np.asarray(self.there & (submitted >= self.start) & (submitted <= self.moment.known))

    def days_back(self) -> Ints:
        """Per application how many days of China before the slot's last day it was submitted."""
        last = (self.moment.known + EIGHT_HOURS) // DAY
        return np.asarray(last - (self.each.submitted + EIGHT_HOURS) // DAY)

    def names(self, type_: str) -> tuple[list[str], list[str]]:
        """(codes, names) of all nodes of a type."""
        table = self.facts.snapshot.nodes[type_].table
        return table["key"].to_pylist(), [each or "" for each in table["name"].to_pylist()]


def newest_day(office: Office) -> datetime | None:
    """When the newest application became known; None for none."""
    from graph.records import from_millis  # noqa: PLC0415

    known = office.snapshot().nodes["Application"].known_at
    return from_millis(int(known[-1])) if len(known) else None
