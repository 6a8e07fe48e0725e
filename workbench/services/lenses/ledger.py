"""What the lenses on dealers and cars read: events and arrays of everything, gathered once and kept in the process.

Gathering takes seconds at 60,000 applications and a minute at a million, so it runs beside the requests: a page that
comes first shows how far it is. Later, whoever asks gets what is there, and what was loaded since is gathered behind
his back. Labels are read again as soon as somebody tells one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from gnn.told import Labels, read_labels
from graph.records import DAY, Ints, to_millis
from graph.snapshot import Snapshot
from workbench.casebook import labels as said
from workbench.casebook.tables import labels as label_rows
from workbench.services.kept import Kept
from workbench.services.office import Office

FRESH_SECONDS = 120.0
"""How long what was gathered stands, at least; and ten times as long as gathering took."""

MONTH = 28 * DAY
BUSINESS = 0.1
"""Of the applications that are usual in four weeks: fewer are stragglers."""

STEPS = ("snapshot", "repayments", "vehicle_events", "gps_pings", "cars", "links")

EVENTS: Mapping[str, tuple[str, ...]] = {
    "vehicle_events": ("owner", "event_time", "known_at", "type", "amount", "party_from", "party_to", "source"),
    "gps_pings": (
        "owner", "event_time", "known_at", "device_unit", "last_seen_cell", "km", "online_hours", "tamper_flag",
        "power_cut_flag",
    ),
}  # fmt: skip
"""What is kept of them, sorted by owner."""


class Moment(NamedTuple):
    """Milliseconds. What had been told by `known`; `today` is the end of the portfolio's business (`_newest`), or
    `known` when that is earlier: rates and silences are counted up to there, whatever the clock on the wall says."""

    known: int
    today: int


class Gathering(NamedTuple):
    """`step` of STEPS, `done` of all of them."""

    step: str
    done: int


@dataclass(frozen=True)
class Instalments:
    """Sorted by (application, number, known_at). `paid` 0: not paid when it was told."""

    row: Ints
    number: Ints
    due: Ints
    paid: Ints
    known: Ints

    def of(self, row: int) -> Instalments:
        first, last = np.searchsorted(self.row, (row, row + 1))
        return self.only(slice(int(first), int(last)))

    def only(self, kept: slice | Ints | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Instalments:
        return Instalments(self.row[kept], self.number[kept], self.due[kept], self.paid[kept], self.known[kept])

    def told(self, known: int) -> Instalments:
        """The newest word on each by then."""
        by_then = self.only(self.known <= known)
        if not len(by_then.row):
            return by_then
        last = np.append((np.diff(by_then.row) != 0) | (np.diff(by_then.number) != 0), True)
        return by_then.only(last)

    def days_late(self, today: int) -> Ints:
        paid = np.where((self.paid > 0) & (self.paid <= today), self.paid, today)
        return (paid - self.due) // DAY


@dataclass(frozen=True)
class Facts:
    """Everything of one state of the store; `number` tells one from the next."""

    number: int
    snapshot: Snapshot
    newest: int
    instalments: Instalments
    events: Mapping[str, pa.Table | None]
    read_at: datetime


class Ledger:
    """One for all lenses of a process."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.gathering = Gathering(STEPS[0], 0)
        self._facts: Kept[str, Facts] = Kept(lambda _: self._gather(), size=1)
        self._labels: Kept[tuple[int, int], Labels] = Kept(lambda _: self._read_labels(), size=2)
        self._cost, self._since, self._number = 0.0, 0.0, 0

    def ready(self) -> bool:
        """Begins to gather when nobody has."""
        return self._facts.ready("")

    def facts(self) -> Facts:
        """Waits for the first ones; gathers newer ones beside when these are old and the store has moved on."""
        facts = self._facts.get("")
        if time.monotonic() - self._since > max(FRESH_SECONDS, 10 * self._cost):
            self._since = time.monotonic()
            if self.office.snapshot().sequence != facts.snapshot.sequence:
                self._facts.renew("")
        return facts

    def moment(self, facts: Facts, as_of: datetime | None) -> Moment:
        known = to_millis(as_of or self.office.clock())
        return Moment(known, min(known, facts.newest))

    def labels(self, facts: Facts) -> tuple[int, Labels]:
        """With the number of the newest one told at the workbench."""
        with self.office.casebook.reading() as db:
            newest = db.execute(select(func.max(label_rows.c.id))).scalar() or 0
        return newest, self._labels.get((facts.number, newest))

    # Gathering -------------------------------------------------------------------------------------------

    def step(self, name: str) -> None:
        self.gathering = Gathering(name, STEPS.index(name))

    def _gather(self) -> Facts:
        began = time.monotonic()
        self.step("snapshot")
        snapshot = self.office.snapshot()
        self.step("repayments")
        instalments = _instalments(snapshot, self.office.store.events("repayments"))
        events = {}
        for name, columns in EVENTS.items():
            self.step(name)
            events[name] = _by_owner(self.office.store.events(name), columns)
        self.step("cars")
        now = self.office.clock()
        self._number += 1
        self._since, self._cost = time.monotonic(), time.monotonic() - began
        return Facts(self._number, snapshot, _newest(snapshot, events, to_millis(now) + DAY), instalments, events, now)

    def _read_labels(self) -> Labels:
        with self.office.casebook.reading() as db:
            own = said.as_events(db)
        facts = self._facts.get("")
        return read_labels(facts.snapshot, said.with_outcomes(self.office.store.events("outcomes"), own))


def _newest(snapshot: Snapshot, events: Mapping[str, pa.Table | None], latest: int) -> int:
    """When the newest application or report of a car became known, as long as there is business: a few applications
    long after all others, or in somebody's wrong future, do not make last year's portfolio a dead one."""
    known = snapshot.nodes["Application"].known_at
    known = known[known <= latest]
    if not len(known):
        return 0
    month = np.arange(1, len(known) + 1) - np.searchsorted(known, known - MONTH)
    newest = int(known[np.flatnonzero(month >= BUSINESS * np.median(month))[-1]])
    if (pings := events["gps_pings"]) is None:
        return newest
    told = pings["known_at"].to_numpy()
    return max(newest, int(told[told <= min(latest, newest + MONTH)].max(initial=0)))


def _instalments(snapshot: Snapshot, told: pa.Table | None) -> Instalments:
    nothing = np.zeros(0, dtype=np.int64)
    if told is None or not {"due_date", "instalment_no"} <= set(told.schema.names):
        return Instalments(nothing, nothing, nothing, nothing, nothing)
    row = snapshot.nodes["Application"].index_of(told["owner"].to_numpy())
    columns = {name: _whole(told, name) for name in ("instalment_no", "due_date", "paid_at", "known_at")}
    order = np.lexsort((columns["known_at"], columns["instalment_no"], row))
    order = order[(row[order] >= 0) & (columns["due_date"][order] > 0)]
    return Instalments(row[order], *(each[order] for each in columns.values()))


def _whole(table: pa.Table, name: str) -> Ints:
    """0 where nothing is stated."""
    if name not in table.schema.names:
        return np.zeros(len(table), dtype=np.int64)
    column: Ints = pc.fill_null(table[name], 0).to_numpy().astype(np.int64)
    return column


def _by_owner(told: pa.Table | None, columns: tuple[str, ...]) -> pa.Table | None:
    if told is None:
        return None
    kept = told.select([name for name in columns if name in told.schema.names])
    return kept.sort_by([("owner", "ascending"), ("event_time", "ascending")]).combine_chunks()


def own_rows(table: pa.Table | None, owner: int) -> pa.Table | None:
    """The rows of one owner in a table that is sorted by owner."""
    if table is None:
        return None
    first, last = np.searchsorted(table["owner"].to_numpy(), (owner, owner + 1))
    return table.slice(first, last - first)
