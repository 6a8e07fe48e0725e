"""The book: what every application states and holds, as arrays in the order in which applications became known.

Row numbers are the snapshot's application indices. A pair is one application holding one thing in one role; the pairs
of a thing form a chain in the order in which they were told, each pointing at the one before. What an application
holds is told when its file arrives (`as_of`), and what becomes known of it later, then: so walking a chain back from
an application's own pair visits exactly what could be known of the thing when the file arrived, newest first, and a
new application appends its pairs at the ends of the chains. The same walk (`gnn/walk`) serves a whole portfolio and a
single application.

Files do not arrive in the order of the rows: an application is known from the session in which somebody fills it in,
which may have begun before that of another that was submitted sooner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numba
import numpy as np
import pandas as pd
import pyarrow as pa

from gnn.told import FOREVER, Floats, Inquiries, Labels, read_inquiries, read_labels
from graph.incidence import ALIKE, ANCHORS, holdings, near_is_source
from graph.ontology import EDGES
from graph.overrides import Placed
from graph.projection import judge
from graph.records import ALWAYS, DAY, Ints, ranges
from graph.snapshot import COLUMNS, Snapshot, sort_edges

__all__ = ["FOREVER", "ROLE", "ROLES", "Book", "Floats", "Inquiries", "Labels", "Pairs", "open_book"]

Events = Mapping[str, pa.Table | None]

FILE_MILLIS = 60_000
"""An application is scored when its file is there: documents arrive seconds after the form (domain.md F7: 90 s)."""

DRAFT_MILLIS = 30 * DAY
"""Nobody fills in a form for longer: a later time of submission is a wrong clock's."""


@dataclass(frozen=True)
class Role:
    """How an application holds a thing: `relation` of the ontology, or an attribute of the application itself.

    `post` marks what exists only after funding; no decision-time score reads it.
    """

    name: str
    relation: str
    post: bool = False

    @property
    def type(self) -> str:
        if not self.relation:
            return "Deal"
        edge = EDGES[self.relation]
        return edge.target if near_is_source(edge) else edge.source

    @property
    def of_person(self) -> bool:
        """Whether it is the applicant who holds the thing, and so holds it in every application."""
        edge = EDGES.get(self.relation)
        return edge is not None and (edge.source if near_is_source(edge) else edge.target) == "Person"


ROLES = (
    Role("person", "APPLIED"),
    Role("deal", ""),
    Role("dealer", "SOLD_BY"),
    Role("salesperson", "HANDLED_BY"),
    Role("phone", "HAS_PHONE"),
    Role("work_phone", "WORK_PHONE"),
    Role("contact", "CONTACT_OF"),
    Role("device", "USED_DEVICE"),
    Role("signed_in", "HAS_DEVICE"),
    Role("ip", "FROM_IP"),
    Role("wifi", "ON_WIFI"),
    Role("address", "LIVES_AT"),
    Role("employer", "WORKS_AT"),
    Role("payer", "PAID_DOWNPAYMENT"),
    Role("template", "USES_TEMPLATE"),
    Role("vehicle", "FINANCES"),
    Role("voice", "SPOKE_AS"),
    Role("repayer", "REPAID_BY", post=True),
    Role("proceeds", "PROCEEDS_TO", post=True),
    Role("sale", "TRANSFER_ACCOUNT", post=True),
    Role("buyer", "TRANSFERRED_TO", post=True),
    Role("insured", "INSURED_BY", post=True),
    Role("place", "LAST_SEEN_AT", post=True),
)
ROLE = {role.name: number for number, role in enumerate(ROLES)}


class Pairs(NamedTuple):
    """Sorted by application, then role, then when it was known: of one role the last is the latest.

    `thing` counts through all types; `since` is when the relation itself was known, as that of a person who applied
    again; `told_at` is when a scorer could know the pair; `previous` is the pair before in the thing's chain, -1 for
    its first; `rank` how many pairs stand before it.
    """

    start: Ints
    application: Ints
    thing: Ints
    role: Ints
    known_at: Ints
    since: Ints
    told_at: Ints
    previous: Ints
    rank: Ints


@dataclass(frozen=True)
class Book:
    """`as_of` is when each application is scored, `person` who applied (a number of its own where nobody is named).

    `known_at` and `ids` are the application's own, in whose order the rows of a snapshot stand. `aside_from`: per thing
    when it was recognised as something that many hold by nature. `loaded` says per table of events from when on there
    are any; before, an application without them says nothing.
    """

    snapshot: Snapshot
    submitted: Ints
    as_of: Ints
    known_at: Ints
    ids: Ints
    person: Ints
    pairs: Pairs
    labels: Labels
    inquiries: Inquiries
    events: Events
    offsets: Mapping[str, int]
    aside_from: Ints
    loaded: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.submitted)

    def with_aside(self, aside_from: Ints) -> Book:
        return replace(self, aside_from=aside_from)

    def arrival(self, rows: Ints) -> Ints:
        """The places of these rows in the order in which their files arrive."""
        return np.lexsort((rows, self.as_of[rows]))

    def latest(self, role: str, rows: Ints | None = None, *, at: Ints | None = None) -> Ints:
        """Per row (default: all) the thing held last in a role when scored, by index within its type; -1: none."""
        rows = np.arange(len(self)) if rows is None else rows
        held = np.full(len(rows), -1, dtype=np.int64)
        _latest(rows, self.as_of if at is None else at, ROLE[role], self.pairs, held)
        return np.where(held >= 0, held - self.offsets[ROLES[ROLE[role]].type], -1)


@numba.njit(cache=True)
def _latest(rows, at, role, pairs, held):  # type: ignore[no-untyped-def]
    for place in range(len(rows)):
        row = rows[place]
        for pair in range(pairs.start[row], pairs.start[row + 1]):
            if pairs.role[pair] == role and pairs.known_at[pair] <= at[row]:
                held[place] = pairs.thing[pair]


# Opening -------------------------------------------------------------------------------------------------


def pre_loan(snapshot: Snapshot) -> Snapshot:
    """The snapshot without what exists only after funding, whoever's loan it is."""
    nothing = {name: np.zeros(0, dtype=np.int64) for name in COLUMNS} | {"confidence": np.zeros(0)}
    empty = {
        role.relation: sort_edges(nothing, len(snapshot.nodes[edge.source]), len(snapshot.nodes[edge.target]))
        for role in ROLES
        if role.post
        for edge in (EDGES[role.relation],)
    }
    appended = {name: rows for name, rows in snapshot.appended.items() if name not in empty}
    return replace(snapshot, edges={**snapshot.edges, **empty}, appended=appended)


def open_book(snapshot: Snapshot, events: Events, *, post_loan: bool = False) -> Book:
    """From a snapshot and the store's events. Without `post_loan` nothing that exists only after funding is read."""
    snapshot = snapshot if post_loan else pre_loan(snapshot)
    nodes = snapshot.nodes["Application"]
    known_at = nodes.known_at.copy()
    submitted, as_of = when(nodes.times("submitted_at", as_of=FOREVER), known_at)
    deal = pd.factorize(nodes.table["deal_id"].to_pandas().to_numpy())[0]
    sizes = {name: len(each) for name, each in snapshot.nodes.items()} | {"Deal": int(deal.max(initial=-1)) + 1}
    offsets = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    parts = [
        _held(snapshot, number, role, deal, offsets) for number, role in enumerate(ROLES) if post_loan or not role.post
    ]
    application, thing, role, known, since = (np.concatenate(each) for each in zip(*parts, strict=True))
    pairs = chained(application, thing, role, known, applications=len(nodes), as_of=as_of, since=since)
    person = np.arange(len(nodes)) + sizes["Person"]
    own = (pairs.role == ROLE["person"]) & (pairs.known_at <= as_of[pairs.application])
    person[pairs.application[own]] = pairs.thing[own] - offsets["Person"]
    return Book(
        snapshot=snapshot,
        submitted=submitted,
        as_of=as_of,
        known_at=known_at,
        ids=nodes.ids.copy(),
        person=person,
        pairs=pairs,
        labels=read_labels(snapshot, events.get("outcomes")),
        inquiries=read_inquiries(snapshot, events.get("bureau_inquiries"), sizes["Person"] + len(nodes)),
        events=events,
        offsets=offsets,
        aside_from=np.full(sum(sizes.values()), FOREVER),
        loaded={name: _first_known(events.get(name)) for name in ("bureau_inquiries", "device_events", "documents")},
    )


def when(stated: Ints, known_at: Ints) -> tuple[Ints, Ints]:
    """(submitted, as of) of applications; `stated` 0 is not stated, and then it was submitted when it became known."""
    submitted = np.where((stated > 0) & (stated <= known_at + DRAFT_MILLIS), stated, known_at)
    return submitted, np.maximum(submitted, known_at) + FILE_MILLIS


def _first_known(events: pa.Table | None) -> int:
    return FOREVER if events is None or not len(events) else int(pa.compute.min(events["known_at"]).as_py())


def _held(
    snapshot: Snapshot, number: int, role: Role, deal: Ints, offsets: Mapping[str, int]
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """(application, thing, role, known at, since) of one role, each pair once."""
    if role.name == "deal":
        application = np.flatnonzero(deal >= 0)
        thing = deal[application]
        known_at = since = snapshot.nodes["Application"].known_at[application]
    else:
        application, thing, known_at, since = _reached(snapshot, role.relation)
    if role.type in ALIKE:
        thing = ALIKE[role.type](snapshot, FOREVER)[thing]
    order = np.lexsort((since, known_at, thing, application))
    application, thing, known_at, since = (each[order] for each in (application, thing, known_at, since))
    once = np.append(True, (np.diff(application) != 0) | (np.diff(thing) != 0))[: len(application)]
    application, thing, known_at, since = (each[once] for each in (application, thing, known_at, since))
    return application, thing + offsets[role.type], np.full(len(thing), number), known_at, since


def _reached(snapshot: Snapshot, relation: str) -> tuple[Ints, Ints, Ints, Ints]:
    """As `graph.incidence.reached`, and since when the relation itself was known: a person who applies again holds
    old and new things from then on, and the new ones are the later."""
    edge, rows = EDGES[relation], snapshot.columns(relation, as_of=FOREVER)
    near, far = ("source", "target") if near_is_source(edge) else ("target", "source")
    by = ANCHORS[edge.source if near == "source" else edge.target]
    if by is None:
        return rows[near], rows[far], rows["known_at"], rows["known_at"]
    via = snapshot.columns(by, as_of=FOREVER)
    holder, application = (via["source"], via["target"]) if by == "APPLIED" else (via["target"], via["source"])
    order = np.argsort(holder, kind="stable")
    holder, application, applied = holder[order], application[order], via["known_at"][order]
    begin = np.searchsorted(holder, rows[near], side="left")
    count = np.searchsorted(holder, rows[near], side="right") - begin
    at, since = ranges(begin, count), np.repeat(rows["known_at"], count)
    return application[at], np.repeat(rows[far], count), np.maximum(since, applied[at]), since


def chained(
    application: Ints,
    thing: Ints,
    role: Ints,
    known_at: Ints,
    *,
    applications: int,
    as_of: Ints | None = None,
    since: Ints | None = None,
) -> Pairs:
    """Pairs with their chains. `as_of` is when each application's file arrives (default: at once); of two that arrive
    at the same time the earlier application stands first, after what was told of others by then."""
    since = known_at if since is None else since
    order = np.lexsort((thing, since, known_at, role, application))
    application, thing, role, known_at, since = (each[order] for each in (application, thing, role, known_at, since))
    told_at = known_at if as_of is None else np.maximum(known_at, as_of[application])
    own = np.ones(len(thing), dtype=bool) if as_of is None else told_at == as_of[application]
    chain = np.lexsort((2 * told_at + own, thing))
    first = np.append(True, np.diff(thing[chain]) != 0)[: len(chain)]
    previous = np.full(len(thing), -1, dtype=np.int64)
    previous[chain[1:]] = np.where(first[1:], -1, chain[:-1])
    place = np.arange(len(chain))
    rank = np.zeros(len(thing), dtype=np.int64)
    rank[chain] = place - np.maximum.accumulate(np.where(first, place, 0))
    start = np.concatenate([[0], np.cumsum(np.bincount(application, minlength=applications))]).astype(np.int64)
    return Pairs(start, application, thing, role, known_at, since, told_at, previous, rank)


# What many hold by nature --------------------------------------------------------------------------------


def month_starts(book: Book) -> Ints:
    """Every thirtieth day of the book's time: when infrastructure is judged anew, if there were any applications
    since. Counted from the first row, so that no later one moves them."""
    if not len(book):
        return np.zeros(0, dtype=np.int64)
    first, last = int(book.as_of[0]) - FILE_MILLIS, int(book.as_of.max())
    nights = first + 30 * DAY * (np.unique((book.as_of - first) // (30 * DAY)) + 1)
    return nights[nights < last]


def aside_from(book: Book, nights: Iterable[int]) -> Ints:
    """Per thing the first of these nights on which it was recognised by what was known then."""
    since = book.aside_from.copy()
    for night in nights:
        verdicts = judge(book.snapshot, holdings(book.snapshot, as_of=int(night)), as_of=int(night))
        for type_ in verdicts.by_type:
            things = verdicts.entities(type_) + book.offsets[type_]
            since[things] = np.minimum(since[things], night)
    return since


def as_decided(book: Book, overrides: Iterable[Placed]) -> Book:
    """With what people decided about single things, as if that had been known from the beginning."""
    since = book.aside_from.copy()
    for each in overrides:
        since[each.entity + book.offsets[each.type]] = ALWAYS if each.infrastructure else FOREVER
    return book.with_aside(since)
