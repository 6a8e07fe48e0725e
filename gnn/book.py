"""The book: what every application states and holds, as arrays in the order in which applications became known.

Row numbers are the snapshot's application indices, so "earlier" is a smaller number. A pair is one
application holding one thing in one role; the pairs of a thing form a chain in the order in which
they became known, each pointing at the one before. Walking a chain back from an application's own pair
visits exactly the earlier holders, newest first. A new application appends its pairs at the ends of the
chains, so that the same walk (`walk.py`) serves a whole portfolio and a single application.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from graph.incidence import ALIKE, holdings, near_is_source, reached
from graph.ontology import EDGES
from graph.projection import judge
from graph.records import DAY, Ints
from graph.snapshot import COLUMNS, Snapshot, sort_edges

Floats = npt.NDArray[np.float64]
Events = Mapping[str, pa.Table | None]

FILE_MILLIS = 60_000
"""An application is scored when its file is there: documents arrive seconds after the form (domain.md F7: 90 s)."""

FOREVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Role:
    """How an application holds a thing: `relation` of the ontology, or an attribute of the application itself.

    `post` marks what exists only after funding; no decision-time score reads it.
    """

    name: str
    relation: str
    post: bool = False


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


@dataclass(frozen=True)
class Pairs:
    """Sorted by application. `thing` counts through all types; `previous` is the pair before in the thing's chain,
    -1 for its first; `rank` how many pairs stand before it."""

    start: Ints
    application: Ints
    thing: Ints
    role: Ints
    known_at: Ints
    previous: Ints
    rank: Ints

    def __len__(self) -> int:
        return len(self.thing)


@dataclass(frozen=True)
class Labels:
    """Per application: from when it was known to be fraud, with what evidence, and from when to when cleared.

    Times in milliseconds, `FOREVER` for never; `evidence` is 1 for E1 and E2, .5 for E3 and unstated (domain.md §2.6).
    """

    fraud_from: Ints
    fraud_until: Ints
    evidence: Floats
    cleared_from: Ints
    early: npt.NDArray[np.bool_]

    def known(self, at: int) -> npt.NDArray[np.bool_]:
        return np.asarray((self.fraud_from <= at) & (self.fraud_until > at))


@dataclass(frozen=True)
class Inquiries:
    """Bureau inquiries of each person, sorted by (person, known at)."""

    start: Ints
    event_time: Ints
    known_at: Ints
    institution: Ints
    vehicle: Ints
    amount: Floats


@dataclass(frozen=True)
class Book:
    """`as_of` is when each application is scored, `person` who applied (a number of its own where nobody is named).

    `aside_from`: per thing when it was recognised as something that many hold by nature.
    """

    snapshot: Snapshot
    submitted: Ints
    as_of: Ints
    person: Ints
    pairs: Pairs
    labels: Labels
    inquiries: Inquiries
    events: Events
    offsets: Mapping[str, int]
    aside_from: Ints

    def __len__(self) -> int:
        return len(self.submitted)

    def with_aside(self, aside_from: Ints) -> Book:
        return replace(self, aside_from=aside_from)

    def latest(self, role: str, *, at: Ints | None = None) -> Ints:
        """Per application the thing it held last in a role when it was scored, by index within its type; -1: none."""
        pairs, wanted = self.pairs, ROLE[role]
        limit = (self.as_of if at is None else at)[pairs.application]
        rows = np.flatnonzero((pairs.role == wanted) & (pairs.known_at <= limit))
        rows = rows[np.lexsort((pairs.thing[rows], pairs.known_at[rows]))]
        held = np.full(len(self), -1, dtype=np.int64)
        held[pairs.application[rows]] = pairs.thing[rows]
        return np.where(held >= 0, held - self.offsets[_type(role)], -1)


def _type(role: str) -> str:
    relation = ROLES[ROLE[role]].relation
    if not relation:
        return "Deal"
    edge = EDGES[relation]
    return edge.target if near_is_source(edge) else edge.source


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
    submitted = np.where((stated := nodes.times("submitted_at", as_of=FOREVER)) > 0, stated, nodes.known_at)
    deal = pd.factorize(nodes.table["deal_id"].to_pandas().to_numpy())[0]
    sizes = {name: len(each) for name, each in snapshot.nodes.items()} | {"Deal": int(deal.max(initial=-1)) + 1}
    offsets = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    parts = [
        _held(snapshot, number, role, deal, offsets) for number, role in enumerate(ROLES) if post_loan or not role.post
    ]
    pairs = chained(*(np.concatenate(each) for each in zip(*parts, strict=True)), applications=len(nodes))  # type: ignore[arg-type]
    person = np.arange(len(nodes)) + sizes["Person"]
    own = pairs.role == ROLE["person"]
    person[pairs.application[own]] = pairs.thing[own] - offsets["Person"]
    return Book(
        snapshot=snapshot,
        submitted=submitted,
        as_of=np.maximum(submitted, nodes.known_at) + FILE_MILLIS,
        person=person,
        pairs=pairs,
        labels=labels(snapshot, events.get("outcomes")),
        inquiries=_inquiries(snapshot, events.get("bureau_inquiries")),
        events=events,
        offsets=offsets,
        aside_from=np.full(sum(sizes.values()), FOREVER),
    )


def _held(
    snapshot: Snapshot, number: int, role: Role, deal: Ints, offsets: Mapping[str, int]
) -> tuple[Ints, Ints, Ints, Ints]:
    """(application, thing, role, known at) of one role, each pair once."""
    if role.name == "deal":
        application = np.flatnonzero(deal >= 0)
        thing, known_at = deal[application], snapshot.nodes["Application"].known_at[application]
    else:
        application, thing, known_at = reached(snapshot, EDGES[role.relation], FOREVER)
    type_ = _type(role.name)
    if type_ in ALIKE:
        thing = ALIKE[type_](snapshot, FOREVER)[thing]
    order = np.lexsort((known_at, thing, application))
    application, thing, known_at = application[order], thing[order], known_at[order]
    once = np.append(True, (np.diff(application) != 0) | (np.diff(thing) != 0))[: len(application)]
    application, thing, known_at = application[once], thing[once], known_at[once]
    return application, thing + offsets[type_], np.full(len(thing), number), known_at


def chained(application: Ints, thing: Ints, role: Ints, known_at: Ints, *, applications: int) -> Pairs:
    """Pairs with their chains. Of equal times the earlier application stands first."""
    order = np.lexsort((known_at, role, application))
    application, thing, role, known_at = application[order], thing[order], role[order], known_at[order]
    chain = np.lexsort((role, application, known_at, thing))
    first = np.append(True, np.diff(thing[chain]) != 0)[: len(chain)]
    previous = np.full(len(thing), -1, dtype=np.int64)
    previous[chain[1:]] = np.where(first[1:], -1, chain[:-1])
    place = np.arange(len(chain))
    rank = np.zeros(len(thing), dtype=np.int64)
    rank[chain] = place - np.maximum.accumulate(np.where(first, place, 0))
    start = np.concatenate([[0], np.cumsum(np.bincount(application, minlength=applications))]).astype(np.int64)
    return Pairs(start, application, thing, role, known_at, previous, rank)


# What people said ----------------------------------------------------------------------------------------

POSITIVE = "CONFIRMED_FRAUD"
CLEARED = ("CLEARED_BENIGN", "OUT_OF_SCOPE_CREDIT", "DATA_ERROR")
EVIDENCE = {"E1": 1.0, "E2": 1.0, "E3": 0.5}


def labels(snapshot: Snapshot, outcomes: pa.Table | None) -> Labels:
    """From the outcomes: a later one on the same application replaces the one before from when it was known."""
    size = len(snapshot.nodes["Application"])
    fraud_from, fraud_until, cleared = (np.full(size, FOREVER) for _ in range(3))
    evidence, early = np.zeros(size), np.zeros(size, dtype=bool)
    told = Labels(fraud_from, fraud_until, evidence, cleared, early)
    if outcomes is None or not len(outcomes):
        return told
    rows = outcomes.select(["owner", "known_at", "label", "evidence_level", "source"]).to_pandas()
    rows["row"] = snapshot.nodes["Application"].index_of(rows["owner"].to_numpy())
    rows = rows[rows["row"] >= 0].sort_values(["known_at", "row"], kind="stable")
    for row, known, label, level, source in rows[["row", "known_at", "label", "evidence_level", "source"]].itertuples(
        index=False
    ):
        if label == POSITIVE:
            if fraud_from[row] == FOREVER:
                fraud_from[row], early[row] = known, source == "review"
            fraud_until[row], evidence[row] = FOREVER, max(evidence[row], EVIDENCE.get(level, 0.5))
        elif label in CLEARED:
            fraud_until[row] = known if fraud_from[row] < FOREVER else FOREVER
            cleared[row] = min(cleared[row], known)
    return told


def _inquiries(snapshot: Snapshot, events: pa.Table | None) -> Inquiries:
    people = snapshot.nodes["Person"]
    nothing = np.zeros(0, dtype=np.int64)
    if events is None or not len(events):
        return Inquiries(np.zeros(len(people) + 1, dtype=np.int64), *(nothing,) * 4, nothing.astype(np.float64))
    rows = events.to_pandas()
    rows["person"] = people.index_of(rows["owner"].to_numpy())
    rows = rows[rows["person"] >= 0]
    if "reason" in rows:  # looking at oneself, or at a loan that runs, is no search for credit
        rows = rows[~rows["reason"].isin(("self", "post_loan"))]
    rows = rows.sort_values(["person", "known_at", "event_time", "ref"], kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(rows["person"], minlength=len(people)))]).astype(np.int64)
    return Inquiries(
        start,
        rows["event_time"].to_numpy(np.int64),
        rows["known_at"].to_numpy(np.int64),
        _coded(rows, "institution_token"),
        _coded(rows, "vin_token"),
        rows["amount"].fillna(0).to_numpy(np.float64) if "amount" in rows else np.zeros(len(rows)),
    )


def _coded(rows: pd.DataFrame, column: str) -> Ints:
    """-1 where nothing is stated."""
    if column not in rows:
        return np.full(len(rows), -1, dtype=np.int64)
    return np.asarray(pd.factorize(rows[column])[0], dtype=np.int64)


# What many hold by nature --------------------------------------------------------------------------------


def month_starts(book: Book) -> Ints:
    """Every thirtieth day of the book's time: when infrastructure is judged anew."""
    if not len(book):
        return np.zeros(0, dtype=np.int64)
    first, last = int(book.submitted.min()), int(book.as_of.max())
    return np.arange(first + 30 * DAY, last, 30 * DAY, dtype=np.int64)


def aside_from(book: Book, nights: Iterable[int]) -> Ints:
    """Per thing the first of these nights on which it was recognised by what was known then."""
    since = book.aside_from.copy()
    for night in nights:
        verdicts = judge(book.snapshot, holdings(book.snapshot, as_of=int(night)), as_of=int(night))
        for type_ in verdicts.by_type:
            things = verdicts.entities(type_) + book.offsets[type_]
            since[things] = np.minimum(since[things], night)
    return since
