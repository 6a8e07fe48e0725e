"""Who sells for a dealer and where else, who reviewed its applications, and which dealers belong to the same people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from gnn.rules.night_columns import MATURE_DAYS
from graph.ontology import EDGES
from graph.records import DAY, Ints, from_millis
from graph.snapshot import Snapshot
from workbench.services.lenses.dealer_table import DealerTable, Flags
from workbench.services.lenses.shrinkage import interval

MOST = 60


@dataclass(frozen=True)
class Elsewhere:
    dealer: str
    applications: int
    last: datetime


@dataclass(frozen=True)
class Salesperson:
    """`fraud` and its interval are shrunk towards the dealer's own share; `linked` counts applications that share
    something with somebody else's. `elsewhere`: other dealers he sold for, the newest first."""

    code: str
    applications: int
    cases: int
    fraud: float
    low: float
    high: float
    linked: int
    in_rings: int
    first: datetime
    last: datetime
    elsewhere: Sequence[Elsewhere]


@dataclass(frozen=True)
class Reviewer:
    """`approved_elsewhere` is his share of approvals at all other dealers, NaN where he reviewed none."""

    code: str
    reviewed: int
    share: float
    approved: float
    approved_elsewhere: float
    overrides: int
    confirmed: int


@dataclass(frozen=True)
class Tied:
    """Another dealer of the same person, account or group; `by` are relations of the ontology."""

    code: str
    name: str
    by: tuple[str, ...]


def salespeople(snapshot: Snapshot, table: DealerTable, dealer: int) -> list[Salesperson]:
    """Of all the dealer's applications, the busiest first."""
    each, known = table.each, table.moment.known
    seller = _one_of(snapshot, "HANDLED_BY", known, len(each.dealer))
    mine = each.there & (each.dealer == dealer) & (seller >= 0)
    if not mine.any():
        return []
    codes = snapshot.nodes["Salesperson"].table["key"]
    staff, place = np.unique(seller[mine], return_inverse=True)
    judged = mine & ((each.submitted <= table.moment.today - MATURE_DAYS * DAY) | each.fraud)
    size = len(codes)
    number, cases = (np.bincount(seller[kept], minlength=size)[staff] for kept in (judged, judged & each.fraud))
    k, m = table.fraud.strength, float(table.fraud.mean[dealer])
    alpha, beta = k * m + cases, k * (1 - m) + number - cases
    mean, low, high = interval(alpha, beta)
    linked, ringed = (
        np.bincount(seller[mine & kept], minlength=size)[staff] for kept in (table.links.linked, each.ring >= 0)
    )
    first, last = _span(place, each.submitted[mine], len(staff))
    others = _elsewhere(snapshot, table, seller, staff, dealer)
    order = np.argsort(-np.bincount(place), kind="stable")[:MOST]
    return [
        Salesperson(
            codes[int(staff[at])].as_py(), int((place == at).sum()), int(cases[at]),
            float(mean[at]), float(low[at]), float(high[at]), int(linked[at]),
            int(ringed[at]), from_millis(int(first[at])), from_millis(int(last[at])), others.get(int(staff[at]), ()),
        )
        for at in order.tolist()
    ]  # fmt: skip


def _span(place: Ints, when: Ints, size: int) -> tuple[Ints, Ints]:
    first, last = np.full(size, np.iinfo(np.int64).max), np.zeros(size, dtype=np.int64)
    np.minimum.at(first, place, when)
    np.maximum.at(last, place, when)
    return first, last


def _elsewhere(
    snapshot: Snapshot, table: DealerTable, seller: Ints, staff: Ints, dealer: int
) -> dict[int, tuple[Elsewhere, ...]]:
    each = table.each
    wanted = np.zeros(len(snapshot.nodes["Salesperson"]) + 1, dtype=bool)
    wanted[staff] = True
    rows = np.flatnonzero(each.there & (each.dealer != dealer) & wanted[seller] & (seller >= 0))
    told = pd.DataFrame({"who": seller[rows], "dealer": each.dealer[rows], "at": each.submitted[rows]})
    found = told.groupby(["who", "dealer"])["at"].agg(["size", "max"]).sort_values("max", ascending=False)
    codes = snapshot.nodes["Dealer"].table["key"]
    out: dict[int, list[Elsewhere]] = {}
    for (who, other), number, last in found.itertuples():
        out.setdefault(int(who), []).append(Elsewhere(codes[int(other)].as_py(), int(number), from_millis(int(last))))
    return {who: tuple(places) for who, places in out.items()}


def reviewers(snapshot: Snapshot, table: DealerTable, dealer: int) -> list[Reviewer]:
    """Who reviewed the dealer's applications, most of them first."""
    each, known = table.each, table.moment.known
    nodes = snapshot.nodes["Application"]
    who = _one_of(snapshot, "REVIEWED_BY", known, len(each.dealer))
    decided = nodes.times("decided_at", as_of=known) > 0
    approved, overrode = (_said(nodes.table, name, decided) for name in ("decision", "override_flag"))
    mine = each.there & (each.dealer == dealer) & (who >= 0) & decided
    if not mine.any():
        return []
    other = each.there & (each.dealer != dealer) & (who >= 0) & decided
    size = len(snapshot.nodes["Reviewer"])
    here, good, over, bad, there, good_there = (
        np.bincount(who[kept], minlength=size).astype(np.float64)
        for kept in (mine, mine & approved, mine & overrode, mine & each.fraud, other, other & approved)
    )
    codes = snapshot.nodes["Reviewer"].table["key"]
    order = [at for at in np.argsort(-here, kind="stable").tolist() if here[at]][:MOST]
    return [
        Reviewer(
            codes[at].as_py(), int(here[at]), float(here[at] / here.sum()), float(good[at] / here[at]),
            float(good_there[at] / there[at]) if there[at] else float("nan"), int(over[at]), int(bad[at]),
        )
        for at in order
    ]  # fmt: skip


def _said(table: pa.Table, name: str, decided: Flags) -> Flags:
    """Approved, or overrode: true where it is stated and was decided by then."""
    column = table[name].to_pandas()
    told = (column == "approve") if name == "decision" else (column == True)  # noqa: E712 - of objects with None
    return np.asarray(told.to_numpy(dtype=bool) & decided)


def tied(snapshot: Snapshot, dealer: int, *, known: int) -> list[Tied]:
    """By legal person, shareholder, payee account or group, as known then."""
    found: dict[int, set[str]] = {}
    for name in ("LEGAL_PERSON_OF", "SHAREHOLDER_OF", "PAYEE_ACCOUNT", "SAME_GROUP"):
        rows = snapshot.columns(name, as_of=known)
        near, far = ("target", "source") if EDGES[name].target == "Dealer" else ("source", "target")
        to, by = rows[near], rows[far]
        same = np.isin(by, by[to == dealer])
        for other in np.unique(to[same]).tolist():
            if other != dealer:
                found.setdefault(other, set()).add(name)
    about = snapshot.nodes["Dealer"].table.select(["key", "name"])
    listed = []
    for at, names in found.items():
        one = about.slice(at, 1).to_pylist()[0]
        listed.append(Tied(one["key"], one["name"] or "", tuple(sorted(names))))
    return sorted(listed, key=lambda each: (-len(each.by), each.code))[:MOST]


def _one_of(snapshot: Snapshot, relation: str, known: int, size: int) -> Ints:
    """Per application the thing at the other end, the latest told by then; -1 for none."""
    rows = snapshot.columns(relation, as_of=known)
    of = np.full(size, -1, dtype=np.int64)
    of[rows["source"]] = rows["target"]
    return of
