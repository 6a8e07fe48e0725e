"""One application as the graph sees it when its file arrives: what `Desk.arrive` takes.

`Cutter` cuts files out of a portfolio: each holds what was known of the application by then and nothing later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from gnn.book import FOREVER, ROLES, Book, Events, open_book
from gnn.features.facts import FLAGS, HOLDS
from gnn.told import POST_LOAN
from graph.ontology import NODES
from graph.records import Ints
from graph.snapshot import PAGED, Snapshot

Properties = Mapping[str, Any]


class Hold(NamedTuple):
    """The application holds a thing in a role of `gnn/book.py` (all but `deal`), known from then on.

    `since` is when the relation behind it was known: of a person's phone, when the person first had it.
    """

    role: str
    thing: int
    known_at: int
    since: int


class Thing(NamedTuple):
    """A node by its id. `key` is needed of document templates alone, which are compared by it.

    `label` is what a screen may show of it: masked where the key is somebody's.
    """

    known_at: int
    properties: Properties
    key: str = ""
    label: str = ""


class Inquiry(NamedTuple):
    """A bureau inquiry about the applicant; `ref` tells two apart."""

    ref: str
    event_time: int
    known_at: int
    institution: str | None = None
    vehicle: str | None = None
    amount: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ApplicationFile:
    """`id` is that of the node (`NodeRef.id`), `properties` are those of the ontology that are known at submission.

    `things` are by type and id. `device_events` (their flags) and `documents` (their kinds) are the application's own,
    `inquiries` what the bureau has reported of the applicant so far; None where nobody loads any. `name` is the
    application's number as a screen shows it.
    """

    id: int
    known_at: int
    properties: Properties
    held: tuple[Hold, ...]
    things: Mapping[tuple[str, int], Thing] = field(default_factory=dict)
    device_events: tuple[Properties, ...] | None = None
    documents: tuple[str | None, ...] | None = None
    inquiries: tuple[Inquiry, ...] | None = None
    name: str = ""


class Cutter:
    """Cuts the files of applications out of a snapshot and its events. `book` is opened from both, without post-loan
    facts."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.snapshot: Snapshot = book.snapshot
        self.events: Events = book.events
        nodes = self.snapshot.nodes
        pages = self.snapshot.columns("USES_TEMPLATE", as_of=FOREVER)
        order = np.argsort(pages["source"], kind="stable")
        self._templates = tuple(pages[name][order] for name in ("source", "target", "known_at"))
        self._of = {
            table: _by_owner(self.events.get(table), nodes[owner].index_of, len(nodes[owner]))
            for table, owner in (
                ("device_events", "Application"), ("documents", "Application"), ("bureau_inquiries", "Person"),
            )
        }  # fmt: skip

    def file_of(self, row: int) -> ApplicationFile:
        book, pairs = self.book, self.book.pairs
        nodes, now = self.snapshot.nodes["Application"], int(book.as_of[row])
        held, things = self._pages(row, now)
        for pair in range(int(pairs.start[row]), int(pairs.start[row + 1])):
            role = ROLES[pairs.role[pair]]
            if pairs.known_at[pair] > now or role.name in ("deal", "template"):
                continue
            index = int(pairs.thing[pair]) - book.offsets[role.type]
            id_ = int(self.snapshot.nodes[role.type].ids[index])
            held.append(Hold(role.name, id_, int(pairs.known_at[pair]), int(pairs.since[pair])))
            if role.name in HOLDS or (role.type, id_) not in things:
                things[role.type, id_] = self._thing(role.type, index, role.name in HOLDS)
        person = int(book.person[row])
        return ApplicationFile(
            id=int(book.ids[row]),
            known_at=int(book.known_at[row]),
            properties=told_properties("Application", nodes.table, row),
            held=tuple(held),
            things=things,
            device_events=self._rows("device_events", row, now, tuple(FLAGS.values())),
            documents=self._documents(row, now),
            inquiries=self._inquiries(person, now),
            name=nodes.table["key"][row].as_py(),
        )

    def _pages(self, row: int, now: int) -> tuple[list[Hold], dict[tuple[str, int], Thing]]:
        """The document templates themselves: a pair names only the first that each looks like."""
        source, target, known_at = self._templates
        begin, end = np.searchsorted(source, [row, row + 1])
        held, things = [], {}
        for index, known in zip(target[begin:end].tolist(), known_at[begin:end].tolist(), strict=True):
            if known <= now:
                id_ = int(self.snapshot.nodes[PAGED].ids[index])
                held.append(Hold("template", id_, known, known))
                things[PAGED, id_] = self._thing(PAGED, index, False)
        return held, things

    def _thing(self, type_: str, index: int, told: bool) -> Thing:
        table = self.snapshot.nodes[type_].table
        key = table["key"][index].as_py() if type_ == PAGED else ""
        properties = told_properties(type_, table, index) if told else {}
        return Thing(table["known_at"][index].as_py(), properties, key, shown(type_, table, index))

    def _rows(self, table: str, owner: int, now: int, names: tuple[str, ...]) -> tuple[Properties, ...] | None:
        events = self.events.get(table)
        if events is None or self.book.loaded[table] > now:
            return None
        order, start = self._of[table]
        there = order[start[owner] : start[owner + 1]] if owner + 1 < len(start) else order[:0]
        columns = [each for each in ("known_at", *names) if each in events.column_names]
        rows = events.select(columns).take(pa.array(there)).to_pylist()
        return tuple(each for each in rows if each["known_at"] <= now)

    def _documents(self, row: int, now: int) -> tuple[str | None, ...] | None:
        rows = self._rows("documents", row, now, ("kind",))
        return None if rows is None else tuple(each.get("kind") for each in rows)

    def _inquiries(self, person: int, now: int) -> tuple[Inquiry, ...] | None:
        names = ("ref", "event_time", "institution_token", "vin_token", "amount", "reason")
        rows = self._rows("bureau_inquiries", person, now, names)
        if rows is None:
            return None
        return tuple(
            Inquiry(
                each["ref"], each["event_time"], each["known_at"], each.get("institution_token"), each.get("vin_token"),
                each.get("amount"), each.get("reason"),
            )
            for each in rows
        )  # fmt: skip


def file_of(snapshot: Snapshot, events: Events, row: int) -> ApplicationFile:
    """One file; for many open a `Cutter` once."""
    return Cutter(open_book(snapshot, events)).file_of(row)


def told_properties(type_: str, table: pa.Table, index: int) -> Properties:
    """Of a node: the properties that carry no date of their own, and were so known from the beginning."""
    names = [each.name for each in NODES[type_].properties if each.dated_by is None]
    row: Properties = table.select(names).slice(index, 1).to_pylist()[0]
    return {name: value for name, value in row.items() if value is not None}


def shown(type_: str, table: pa.Table, index: int) -> str:
    """What a screen may show of a node: its mask, or its key where that is nobody's."""
    masked: str = table["masked"][index].as_py() or ""
    key: str = table["key"][index].as_py() if not masked and NODES[type_].kind is None else ""
    return masked or key


def search(inquiry: Inquiry) -> bool:
    """Whether it is a search for credit."""
    return inquiry.reason not in POST_LOAN


def _by_owner(events: pa.Table | None, index_of: Any, owners: int) -> tuple[Ints, Ints]:
    """Positions of events sorted by owner, and where each owner's begin."""
    if events is None or not len(events):
        return np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    owner = index_of(events["owner"].to_numpy())
    order = np.argsort(owner, kind="stable")
    return order[np.searchsorted(owner[order], 0) :], np.searchsorted(
        owner[order], np.arange(owners + 1)
    ) - np.searchsorted(owner[order], 0)
