"""One car's life: what happened to it, in lanes, each fact with when it happened and when it was known.

Identifiers are masked; people and places by what may be seen of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from graph.records import from_millis
from graph.snapshot import Snapshot
from workbench.services.lenses import vehicle_units as units
from workbench.services.lenses.ledger import Facts, Moment, own_rows
from workbench.services.lenses.vehicle_units import Beside, Lot, Stop

if TYPE_CHECKING:
    from workbench.services.lenses.dealer_table import Applications
    from workbench.services.lenses.vehicle_table import CarTable
    from workbench.services.lenses.vehicles import VehicleRow

LANES = ("loan", "papers", "plate", "owner", "insurance", "workshop", "gps")
LANE_OF = {
    "invoice": "papers", "invoice_reversed": "papers", "mortgage_registered": "papers", "mortgage_released": "papers",
    "plated": "plate", "title_transfer": "owner", "export": "owner", "insured": "insurance",
    "policy_cancelled": "insurance", "inspection": "workshop", "repair": "workshop",
}  # fmt: skip
GRAVE = ("invoice_reversed", "policy_cancelled", "title_transfer", "export", "first_missed", "tampered", "unplugged")

LATE_DAYS = 30


@dataclass(frozen=True)
class Fact:
    """`kind` is a code of the event, `who` and `where` are masked or the lender's own codes; `application` where it
    belongs to one. `known_at` never lies before `at` by more than the clocks differ."""

    lane: str
    kind: str
    at: datetime
    known_at: datetime
    amount: float | None = None
    who: str = ""
    where: str = ""
    application: str = ""
    source: str = ""

    @property
    def grave(self) -> bool:
        return self.kind in GRAVE


@dataclass(frozen=True)
class Loan:
    """`ring` is where the application stands, "" for none. Instalments: how many fell due, were paid, and from when
    on one was missed for 30 days."""

    application: str
    applicant: str
    dealer: str
    submitted_at: datetime
    decided_at: datetime | None
    funded_at: datetime | None
    decision: str
    amount: float
    invoice: float | None
    due: int
    paid: int
    missed_from: datetime | None
    ring: str


@dataclass(frozen=True)
class Life:
    """`facts` in order of when they happened; `values` are list price, market price and its date, where known then."""

    row: VehicleRow
    as_of: datetime
    today: datetime
    facts: Sequence[Fact]
    loans: Sequence[Loan]
    stops: Sequence[Stop]
    beside: Sequence[Beside]
    list_price: float | None
    market_price: float | None
    valued_at: datetime | None
    valued_by: str
    plate: str
    plated_in: str
    rings: Sequence[str] = field(default=())


def life(
    facts: Facts, table: CarTable, each: Applications, at: int, *, row: VehicleRow, ring_ids: Sequence[str]
) -> Life:
    known = table.moment.known
    about = facts.snapshot.nodes["Vehicle"].table.slice(at, 1).to_pylist()[0]
    owner = int(about["id"])
    loans = [_loan(facts, each, one, table.moment, ring_ids) for one in _applications(facts.snapshot, at, known)]
    stops = units.stops(facts, owner, known)
    valued = about["valuation_at"] if about["valuation_at"] and about["valuation_at"] <= known else None
    plated = about["plated_at"] if about["plated_at"] and about["plated_at"] <= known else None
    told = [*_events(facts, owner, known), *_of_loans(facts, each, at, table.moment), *_of_units(stops)]
    regions = facts.snapshot.links("PLATED_IN", at, outgoing=True, as_of=known)
    return Life(
        row=row, as_of=from_millis(known), today=from_millis(table.moment.today),
        facts=sorted(told, key=lambda one: (one.at, one.known_at, one.kind)), loans=loans, stops=stops,
        beside=units.beside(Lot(facts, table, each, ring_ids), at), list_price=about["list_price"],
        market_price=about["market_price"] if valued or not about["valuation_at"] else None,
        valued_at=from_millis(valued) if valued else None,
        valued_by=(about["valuation_source"] or "") if valued else "",
        plate=(about["plate_masked"] or "") if plated else "",
        plated_in=facts.snapshot.nodes["Region"].table["key"][int(regions[-1])].as_py() if len(regions) else "",
        rings=sorted({loan.ring for loan in loans if loan.ring}),
    )  # fmt: skip


# Loans ---------------------------------------------------------------------------------------------------


def _applications(snapshot: Snapshot, at: int, known: int) -> list[int]:
    rows = snapshot.links("FINANCES", at, outgoing=False, as_of=known)
    return [int(one) for one in rows if snapshot.nodes["Application"].known_at[one] <= known]


def _loan(facts: Facts, each: Applications, row: int, moment: Moment, ring_ids: Sequence[str]) -> Loan:
    snapshot = facts.snapshot
    about = snapshot.nodes["Application"].table.slice(row, 1).to_pylist()[0]
    known = moment.known
    told = facts.instalments.of(row).told(known)
    due = told.due <= moment.today
    paid = (told.paid > 0) & (told.paid <= known)
    missed = told.due[due & (told.days_late(moment.today) >= LATE_DAYS)]
    person = snapshot.links("APPLIED", row, outgoing=False, as_of=known)
    dealer = each.dealer[row]
    decided = _by(about["decided_at"], known)
    return Loan(
        application=about["key"],
        applicant=snapshot.nodes["Person"].table["masked"][int(person[-1])].as_py() if len(person) else "",
        dealer=snapshot.nodes["Dealer"].table["key"][int(dealer)].as_py() if dealer >= 0 else "",
        submitted_at=from_millis(int(each.submitted[row])), decided_at=decided,
        funded_at=_by(about["funded_at"], known), decision=(about["decision"] or "") if decided else "",
        amount=float(each.amount[row]), invoice=about["invoice_price"], due=int(due.sum()), paid=int(paid.sum()),
        missed_from=from_millis(int(missed.min())) if len(missed) else None,
        ring=ring_ids[int(each.ring[row])] if each.ring[row] >= 0 else "",
    )  # fmt: skip


def _by(millis: Any, known: int) -> datetime | None:
    return from_millis(int(millis)) if millis and millis <= known else None


def _of_loans(facts: Facts, each: Applications, at: int, moment: Moment) -> Iterator[Fact]:
    known = moment.known
    for row in _applications(facts.snapshot, at, known):
        about = facts.snapshot.nodes["Application"].table.slice(row, 1).to_pylist()[0]
        first = max(about["known_at"], int(each.submitted[row]))
        name, submitted = about["key"], from_millis(int(each.submitted[row]))
        yield Fact("loan", "submitted", submitted, from_millis(first), float(each.amount[row]), application=name)
        if decided := _by(about["decided_at"], known):
            yield Fact("loan", about["decision"] or "decided", decided, decided, application=name)
        if funded := _by(about["funded_at"], known):
            yield Fact("loan", "funded", funded, funded, float(each.amount[row]), application=name)
        told = facts.instalments.of(row).told(known)
        late = np.flatnonzero((told.due <= moment.today) & (told.days_late(moment.today) >= LATE_DAYS))
        if len(late):
            due, told_at = int(told.due[late[0]]), int(told.known[late[0]])
            yield Fact("loan", "first_missed", from_millis(due), from_millis(max(due, told_at)), application=name)


# Papers, plates, owners ----------------------------------------------------------------------------------


def _events(facts: Facts, owner: int, known: int) -> Iterator[Fact]:
    told = own_rows(facts.events["vehicle_events"], owner)
    if told is None:
        return
    people = facts.snapshot.nodes["Person"]
    for one in told.to_pylist():
        if one["known_at"] > known:
            continue
        to = int(people.index_of(np.array([one.get("party_to") or 0]))[0])
        yield Fact(
            LANE_OF[one["type"]], one["type"], from_millis(one["event_time"]), from_millis(one["known_at"]),
            one.get("amount"), who=people.table["masked"][to].as_py() if to >= 0 else "",
            source=one.get("source") or "",
        )  # fmt: skip


def _of_units(stops: Sequence[Stop]) -> Iterator[Fact]:
    """What stands out of hundreds of reports: the first, the last, and every hand laid on a unit."""
    for stop in stops:
        for kind, hit in (("tampered", stop.tampered), ("unplugged", stop.unplugged)):
            if hit:
                yield Fact("gps", kind, stop.at, stop.known_at, where=stop.place)
    if stops:
        yield Fact("gps", "first_report", stops[0].at, stops[0].known_at, where=stops[0].place)
        yield Fact("gps", "last_report", stops[-1].at, stops[-1].known_at, where=stops[-1].place)
