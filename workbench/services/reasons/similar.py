"""Cases most like this one that somebody closed, and what they turned out to be.

Alike is counted in five plain parts, each from 0 to 1, so that anybody can see why a case is shown: the kind of fraud,
what was shared, how many there were, how fast they came, and where. What was shared counts most.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, func, select

from graph.ontology import EDGES
from workbench.casebook.case_tables import cases
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING

Floats = npt.NDArray[np.float64]

PARTS = ("typology", "shared", "size", "pace", "place")
WEIGHTS = np.array([0.25, 0.40, 0.10, 0.10, 0.15])
LEAST = 0.35
"""Less alike than this is not alike."""

MOST = 5
MERGED = "merged"
"""Outcome of a case that became part of another."""

RELATIONS = tuple(name for name, edge in EDGES.items() if edge.weight)
COLUMN = {name: at for at, name in enumerate(RELATIONS)}
CODES = tuple(f"RC{number:02}" for number in range(1, 13))

PART = re.compile(r"(\d+) [^(]+? \(([^,]+), (?:up to )?(\d+) of (\d+)\)")
HEAD = re.compile(r"(\d+) applications(?: of \d+ people)? in (\d+) days? at (\d+) dealer")
RELATION_OF = {edge.en: edge.name for edge in EDGES.values()}


@dataclass(frozen=True)
class Traits:
    """What of a case is compared. `shared` by relation: of how much of the people the commonest thing is; of a single
    application by reason code instead, 1 for each."""

    kind: str
    typology: str
    shared: Mapping[str, float]
    size: int
    days: int
    dealer: str
    region: str


@dataclass(frozen=True)
class Alike:
    """`parts` from 0 to 1 by name; `common` are the relations or codes that both have, the weightiest first."""

    case_id: int
    subject: str
    kind: str
    typology: str
    outcome: str
    reason: str
    size: int
    exposure: float
    closed_at: datetime | None
    likeness: float
    parts: Mapping[str, float]
    common: tuple[str, ...]


def traits_of_ring(ring: Mapping[str, Any], *, dealer: str = "", region: str = "") -> Traits:
    """Of a ring as screens see it."""
    days = HEAD.match(ring["because"])
    return Traits(
        RING, ring["typology"], shared_in(ring["because"]), len(ring["application_ids"]),
        int(days[2]) if days else 1, dealer, region,
    )  # fmt: skip


def shared_in(because: str) -> dict[str, float]:
    """The kinds that the sentence names (`graph/sentences.py`): a closed case keeps no more of its ring."""
    return {
        RELATION_OF[by]: int(most) / max(int(people), 1)
        for _, by, most, people in PART.findall(because)
        if by in RELATION_OF
    }


def likeness(one: Traits, others: Sequence[Traits]) -> Floats:
    """Of shape (others, parts)."""
    own, theirs = _columns([one])[0], _columns(others)
    norm = np.maximum(np.linalg.norm(own) * np.linalg.norm(theirs, axis=1), 1e-9)
    typology = np.array([_same(one.typology, each.typology) for each in others])
    place = np.array([_near(one, each) for each in others])
    size, pace = (
        1 - np.minimum(np.abs(np.log2([getattr(each, name) + 1 for each in others]) - np.log2(mine + 1)) / 3, 1)
        for name, mine in (("size", one.size), ("days", one.days))
    )
    return np.stack([typology, theirs @ own / norm, size, pace, place], axis=1)


def _columns(some: Sequence[Traits]) -> Floats:
    """By relation, weighted as a ring is; of codes all count alike."""
    values = np.zeros((len(some), len(RELATIONS) + len(CODES)))
    for at, each in enumerate(some):
        for name, part in each.shared.items():
            if name in COLUMN:
                values[at, COLUMN[name]] = part * EDGES[name].weight
            elif name in CODES:
                values[at, len(RELATIONS) + CODES.index(name)] = part
    return values


def _same(one: str, other: str) -> float:
    """Both unknown says nothing."""
    return float(one == other and bool(one))


def _near(one: Traits, other: Traits) -> float:
    if one.dealer and one.dealer == other.dealer:
        return 1.0
    return 0.5 if one.region and one.region[:4] == other.region[:4] else 0.0


@dataclass
class _Closed:
    stamp: tuple[Any, ...] = ()
    rows: Sequence[Row[Any]] = ()
    traits: Sequence[Traits] = field(default_factory=list)


class Similar:
    def __init__(self, office: Office) -> None:
        self.office = office
        self._lock, self._closed = threading.Lock(), _Closed()

    def to(self, who: Person, traits: Traits, *, but: str = "", most: int = MOST) -> list[Alike]:
        """Closed cases of the same kind, the most alike first; `but` is the subject itself."""
        who.require(Act.READ)
        closed = self._read()
        chosen = [
            at for at, each in enumerate(closed.traits) if each.kind == traits.kind and closed.rows[at].subject != but
        ]
        if not chosen:
            return []
        parts = likeness(traits, [closed.traits[at] for at in chosen])
        total = parts @ WEIGHTS
        order = np.lexsort((-np.array(chosen), -np.round(total, 6)))[:most]
        return [
            _alike(closed.rows[chosen[at]], closed.traits[chosen[at]], traits, float(total[at]), parts[at])
            for at in order.tolist()
            if total[at] >= LEAST
        ]

    def _read(self) -> _Closed:
        """Closed cases as they were when somebody last closed one."""
        closed = cases.c.status == "closed", cases.c.outcome != MERGED
        with self._lock, self.office.casebook.reading() as db:
            stamp = tuple(db.execute(select(func.count(), func.max(cases.c.closed_at)).where(*closed)).one())
            if stamp != self._closed.stamp:
                rows = db.execute(select(cases).where(*closed).order_by(cases.c.id)).all()
                self._closed = _Closed(stamp, rows, [traits_of_case(each) for each in rows])
            return self._closed


def traits_of_case(row: Row[Any]) -> Traits:
    head = HEAD.match(row.because)
    shared = shared_in(row.because) if row.kind == RING else dict.fromkeys(row.reasons, 1.0)
    return Traits(row.kind, row.typology, shared, row.size, int(head[2]) if head else 1, row.dealer, row.region)


def _alike(row: Row[Any], theirs: Traits, own: Traits, total: float, parts: Floats) -> Alike:
    both = [name for name in own.shared if name in theirs.shared]
    both.sort(key=lambda name: -(EDGES[name].weight if name in EDGES else 1.0) * own.shared[name])
    return Alike(
        row.id, row.subject, row.kind, row.typology, row.outcome, row.closing_reason or "", row.size, row.exposure,
        row.closed_at, total, dict(zip(PARTS, parts.tolist(), strict=True)), tuple(both),
    )  # fmt: skip
