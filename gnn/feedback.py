"""What reviews leave behind: statements that later features and models see, and a future that no longer happens.

A review becomes a row in the table of outcomes, known from its own time on, as a lender's own outcomes are; so every
reader of labels is point in time without knowing of replays. Of a stopped application, and of its car, nothing happens
after the review began: no payout, no instalment, no transfer, no outcome of the lender's own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gnn.book import FOREVER, Book, Events, open_book
from gnn.features.assemble import features
from gnn.replay import RINGS, Reviews
from gnn.rules.columns import Peers, decision_columns
from gnn.training import PEER_COLUMNS, Prepared
from graph.ontology import EDGES
from graph.records import Ints
from graph.snapshot import Snapshot, sort_edges

DECLINED, REASON = "decline", "fraud_suspected"


def fed_back(base: Prepared, told: Reviews) -> Prepared:
    """`base`, as loaded, with these reviews. What many hold by nature is left as `base` recognised it."""
    if not len(told):
        return base
    snapshot, events = after(base.snapshot, base.events, told)
    book = open_book(snapshot, events).with_aside(base.book.aside_from)
    seen = features(book)
    columns = {name: seen[name] for name in PEER_COLUMNS}
    rules = decision_columns(book, seen.rows, columns, Peers.fit(book, columns))
    ready = Prepared(snapshot, events, book, seen, rules)
    vars(ready)["later"] = open_book(snapshot, events, post_loan=True).with_aside(_aside_later(base))
    return ready


def _aside_later(base: Prepared) -> Ints:
    later: Book = base.later
    return later.aside_from


def after(snapshot: Snapshot, events: Events, told: Reviews) -> tuple[Snapshot, Events]:
    """Facts and events as these reviews left them."""
    stopped = told.among(told.stopped)
    gone = _gone(snapshot, stopped)
    tables = {name: None if each is None else _until(each, gone) for name, each in events.items()}
    spoken = statements(snapshot, told, tables.get("outcomes"))
    return _declined(_unhappened(snapshot, stopped), stopped), tables | {"outcomes": spoken}


def statements(snapshot: Snapshot, told: Reviews, outcomes: pa.Table | None) -> pa.Table:
    """The table of outcomes with these reviews: ring lists rest on circumstances (E3), a review on papers (E2)."""
    rows = {
        "ref": [f"replay {row}" for row in told.row.tolist()],
        "owner": snapshot.nodes["Application"].ids[told.row],
        "event_time": told.told_at,
        "known_at": told.told_at,
        "label": np.where(told.fraud, "CONFIRMED_FRAUD", "CLEARED_BENIGN").astype(object),
        "evidence_level": [
            ("E3" if source == RINGS else "E2") if fraud else None
            for fraud, source in zip(told.fraud.tolist(), told.source.tolist(), strict=True)
        ],
        "source": np.where(told.stopped | ~told.fraud, "review", "investigation").astype(object),
    }
    own = pa.table(rows)
    if outcomes is None or not len(outcomes):
        return own
    named = [
        own[each.name].cast(each.type) if each.name in rows else pa.nulls(len(told), each.type)
        for each in outcomes.schema
    ]
    return pa.concat_tables([outcomes, pa.table(named, schema=outcomes.schema)])


def stays(size: int, told: Reviews) -> Ints:
    """Per application until when what is known of it stays as the lender tells it."""
    until = np.full(size, FOREVER)
    until[told.row[told.stopped]] = told.at[told.stopped]
    return until


# What no longer happens ----------------------------------------------------------------------------------


def _since(snapshot: Snapshot, stopped: Reviews) -> tuple[Ints, Ints]:
    """Per application and per vehicle from when on nothing happens to it any more; `FOREVER`: it all happens.

    A car that somebody else's loan was paid out for goes its way.
    """
    nodes = snapshot.nodes["Application"]
    application = stays(len(nodes), stopped)
    financed = snapshot.columns("FINANCES", as_of=FOREVER)
    car, by = financed["target"], application[financed["source"]]
    paid = (nodes.times("funded_at", as_of=FOREVER - 1) > 0)[financed["source"]] & (by == FOREVER)
    vehicle = np.full(len(snapshot.nodes["Vehicle"]), FOREVER)
    np.minimum.at(vehicle, car, by)
    vehicle[car[paid]] = FOREVER
    return application, vehicle


def _gone(snapshot: Snapshot, stopped: Reviews) -> tuple[Ints, Ints]:
    """Ids, sorted, and from when on events of each are gone."""
    ids, since = [], []
    for type_, when in zip(("Application", "Vehicle"), _since(snapshot, stopped), strict=True):
        there = np.flatnonzero(when < FOREVER)
        ids.append(snapshot.nodes[type_].ids[there])
        since.append(when[there])
    every, when = np.concatenate(ids), np.concatenate(since)
    order = np.argsort(every)
    return every[order], when[order]


def _until(events: pa.Table, gone: tuple[Ints, Ints]) -> pa.Table:
    ids, since = gone
    if not len(ids):
        return events
    owner = events["owner"].to_numpy()
    at = np.minimum(np.searchsorted(ids, owner), len(ids) - 1)
    lost = (ids[at] == owner) & (events["known_at"].to_numpy() > since[at])
    return events.filter(pa.array(~lost))


def _unhappened(snapshot: Snapshot, stopped: Reviews) -> Snapshot:
    """Without the edges of stopped applications and their cars that became known after the review began."""
    application, vehicle = _since(snapshot, stopped)
    edges, appended = dict(snapshot.edges), dict(snapshot.appended)
    for name, edge in EDGES.items():
        columns = snapshot.columns(name, as_of=FOREVER)
        lost = np.zeros(len(columns["source"]), dtype=bool)
        if edge.source == "Application":
            lost |= columns["known_at"] > application[columns["source"]]
        elif edge.source == "Vehicle":
            lost |= columns["known_at"] > vehicle[columns["source"]]
        if edge.target == "Application":
            lost |= columns["known_at"] > application[columns["target"]]
        if lost.any():
            kept = {each: column[~lost] for each, column in columns.items()}
            edges[name] = sort_edges(kept, len(snapshot.nodes[edge.source]), len(snapshot.nodes[edge.target]))
            appended.pop(name, None)
    return replace(snapshot, edges=edges, appended=appended)


def _declined(snapshot: Snapshot, stopped: Reviews) -> Snapshot:
    """Declined when the outcome was told, never paid out."""
    nodes = snapshot.nodes["Application"]
    hit, when = np.zeros(len(nodes), dtype=bool), np.zeros(len(nodes), dtype=np.int64)
    hit[stopped.row], when[stopped.row] = True, stopped.told_at
    table = _where(nodes.table, "decided_at", hit, pa.array(when))
    table = _where(table, "decision", hit, pa.scalar(DECLINED))
    table = _where(table, "decline_reason", hit, pa.scalar(REASON))
    table = _where(table, "funded_at", hit, pa.scalar(None, pa.int64()))
    return replace(snapshot, nodes={**snapshot.nodes, "Application": replace(nodes, table=table)})


def _where(table: pa.Table, name: str, hit: npt.NDArray[np.bool_], value: pa.Array | pa.Scalar) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, name, pc.if_else(pa.array(hit), value, table[name]))
