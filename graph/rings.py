"""Communities -> rings: who belongs, what they share, how much money is at stake, and why it looks like a ring."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graph.communities import Links, components, cpm
from graph.ontology import EDGES, NODES
from graph.projection import DAY, UNIT, Incidence, Projection, dealers, project
from graph.records import Ints, from_millis
from graph.snapshot import Snapshot

RESOLUTION = 0.1
SMALLEST = 3
LARGEST_COMPONENT = 12
"""Components up to this size are taken as they are; larger ones are divided by CPM."""

CLOSED = ("decline", "cancel")
BECAUSE_KINDS = 4
FIELDS = (
    "ring_id", "rank", "score", "size", "application_ids", "first_seen", "last_seen", "exposure", "undisbursed",
    "typology", "because",
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """One thing that several members hold. `masked` is what a screen may show of it."""

    type: str
    relation: str
    key: str
    masked: str
    holders: tuple[str, ...]


@dataclass(frozen=True)
class Ring:
    """A suspicious group of applications as of a time. Money in RMB; times as dates of China."""

    ring_id: str
    rank: int
    score: float
    application_ids: tuple[str, ...]
    first_seen: str
    last_seen: str
    exposure: float
    undisbursed: float
    typology: str
    because: str
    shared: tuple[Shared, ...]

    def __post_init__(self) -> None:
        if not self.because or not self.shared:
            raise ValueError(f"{self.ring_id}: a ring needs `because` and at least one shared thing")

    @property
    def size(self) -> int:
        return len(self.application_ids)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"size": self.size}


@dataclass(frozen=True)
class Found:
    rings: Sequence[Ring]
    applications: int
    links: int
    infrastructure: dict[str, int]


def find_rings(snapshot: Snapshot, *, as_of: int, window_days: int) -> Found:
    """Rings among the applications of the last `window_days`, the most suspicious first."""
    projection = project(snapshot, as_of=as_of, window_days=window_days)
    members = _candidates(projection)
    facts = _Facts(snapshot, projection, as_of)
    drafts = [facts.draft(each) for each in members]
    drafts.sort(key=lambda draft: (-draft["score"], draft["ring_id"]))
    rings = [Ring(rank=rank, **draft) for rank, draft in enumerate(drafts, start=1)]
    removed = Counter(rule for verdicts in projection.infrastructure.values() for rule in verdicts.values())
    return Found(rings, len(projection.window), len(projection.first), dict(sorted(removed.items())))


def _candidates(projection: Projection) -> list[Ints]:
    """Small components whole, large ones divided; each as sorted application indices."""
    links = Links(projection.size, projection.first, projection.second, projection.weight)
    label = components(links)
    large = np.bincount(label, minlength=1) > LARGEST_COMPONENT
    divided = cpm(links, resolution=round(RESOLUTION * UNIT))
    label = np.where(large[label], divided + links.size, label)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return [np.sort(group) for group in groups if len(group) >= SMALLEST]


class _Facts:
    """What the candidates have in common, looked up in arrays made once for all of them."""

    def __init__(self, snapshot: Snapshot, projection: Projection, as_of: int) -> None:
        applications = snapshot.nodes["Application"]
        self._snapshot, self._projection = snapshot, projection
        self._keys = applications.table["key"]
        self._submitted = applications.times("submitted_at", as_of=as_of)
        self._amount = np.nan_to_num(applications.numbers("amount"))
        decided = applications.times("decided_at", as_of=as_of) > 0
        decision = applications.table["decision"].to_pandas()
        self._closed = decision.isin(CLOSED).to_numpy() & decided
        self._funded = applications.times("funded_at", as_of=as_of) > 0
        self._dealer = dealers(snapshot, as_of=as_of)
        self._held = {name: _Held(each, len(applications)) for name, each in projection.carriers.items()}
        self._strength = _Held.links(projection)

    def draft(self, members: Ints) -> dict[str, Any]:
        shared = [one for name in sorted(self._held) for one in self._shared(name, members)]
        shared.sort(key=lambda one: (-len(one.holders) * EDGES[one.relation].weight, one.type, one.masked, one.holders))
        submitted = np.sort(self._submitted[members])
        open_ = members[~self._closed[members]]
        dealer = Counter(each for each in self._dealer[members].tolist() if each >= 0)
        return {
            "ring_id": self._ring_id(members),
            "score": self._score(members, shared, dealer),
            "application_ids": tuple(self._names(members)),
            "first_seen": _day(submitted[0]),
            "last_seen": _day(submitted[-1]),
            "exposure": round(float(self._amount[open_].sum()), 2),
            "undisbursed": round(float(self._amount[open_[~self._funded[open_]]].sum()), 2),
            "typology": _typology(shared, len(members)),
            "because": _because(shared, len(members), int((submitted[-1] - submitted[0]) // DAY) + 1, dealer),
            "shared": tuple(shared),
        }

    def _names(self, members: Ints) -> list[str]:
        return [self._keys[at].as_py() for at in members.tolist()]

    def _ring_id(self, members: Ints) -> str:
        """Named after the earliest application, so that a growing ring keeps its name."""
        earliest = min(zip(self._submitted[members].tolist(), self._names(members), strict=True))[1]
        return "R" + hashlib.blake2b(earliest.encode(), digest_size=5).hexdigest().upper()

    def _shared(self, name: str, members: Ints) -> list[Shared]:
        """Things of one type that two or more members hold."""
        held, nodes = self._held[name], self._snapshot.nodes[name]
        rows = held.rows(members)
        entity = held.entity[rows]
        shared = []
        for thing, count in zip(*np.unique(entity, return_counts=True), strict=True):
            if 2 <= count <= NODES[name].hub_above:
                at = rows[entity == thing]
                relation = held.relations[int(np.bincount(held.relation[at]).argmax())]
                key, masked = (nodes.table[column][int(thing)].as_py() for column in ("key", "masked"))
                shared.append(
                    Shared(name, relation, key, masked or key, tuple(self._names(np.sort(held.application[at]))))
                )
        return shared

    def _score(self, members: Ints, shared: Sequence[Shared], dealer: Counter[int]) -> float:
        """0 to 1: how densely they are linked, through how many independent kinds, at how few dealers."""
        count = len(members)
        density = min(1.0, self._strength.inside(members) / (count * (count - 1) / 2))
        kinds = len({one.type for one in shared})
        at_top = max(dealer.values(), default=0) / count
        x = density * (0.5 + at_top) * kinds * np.log2(1 + count) / 4
        return round(float(1 - np.exp(-x)), 4)


class _Held:
    """Rows of an incidence by application."""

    def __init__(self, incidence: Incidence, applications: int) -> None:
        order = np.lexsort((incidence.entity, incidence.application))
        self.application, self.entity = incidence.application[order], incidence.entity[order]
        self.relation, self.relations = incidence.relation[order], incidence.relations
        self._start = np.searchsorted(self.application, np.arange(applications + 1))

    def rows(self, members: Ints) -> Ints:
        parts = [np.arange(self._start[at], self._start[at + 1]) for at in members.tolist()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    @classmethod
    def links(cls, projection: Projection) -> _Strength:
        return _Strength(projection)


class _Strength:
    """Links by their earlier end."""

    def __init__(self, projection: Projection) -> None:
        order = np.argsort(projection.first, kind="stable")
        self._second, self._weight = projection.second[order], projection.weight[order]
        self._start = np.searchsorted(projection.first[order], np.arange(projection.size + 1))

    def inside(self, members: Ints) -> float:
        """Weight between members, in units."""
        total = 0
        for at in members.tolist():
            row = slice(self._start[at], self._start[at + 1])
            total += int(self._weight[row][np.isin(self._second[row], members)].sum())
        return total / UNIT


def _because(shared: Sequence[Shared], count: int, days: int, dealer: Counter[int]) -> str:
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in shared:
        kinds.setdefault((one.type, one.relation), []).append(len(one.holders))
    ranked = sorted(kinds.items(), key=lambda kind: (-sum(kind[1]) * EDGES[kind[0][1]].weight, kind[0]))
    said = [_shared_words(type_, relation, holders, count) for (type_, relation), holders in ranked[:BECAUSE_KINDS]]
    more = f" and {len(ranked) - BECAUSE_KINDS} more kinds" if len(ranked) > BECAUSE_KINDS else ""
    where = f"{len(dealer)} dealer{'s' if len(dealer) != 1 else ''}"
    if len(dealer) > 1 and (top := max(dealer.values())) > count / 2:
        where += f" ({top} at one)"
    return f"{count} applications in {days} day{'s' if days != 1 else ''} at {where} share {', '.join(said)}{more}"


def _shared_words(type_: str, relation: str, holders: list[int], count: int) -> str:
    name = NODES[type_].en
    many = name + ("es" if name.endswith(("s", "ss")) else "s") if len(holders) > 1 else name
    up_to = f"up to {max(holders)}" if len(holders) > 1 else str(holders[0])
    return f"{len(holders)} {many} ({EDGES[relation].en}, {up_to} of {count})"


TYPOLOGY_SIGNS = (
    ("T03", ("FINANCES",), 2),
    ("T07", ("SPOKE_AS",), 2),
    ("T02", ("TRANSFERRED_TO", "TRANSFER_ACCOUNT", "PROCEEDS_TO"), 2),
    ("T13", ("LAST_SEEN_AT",), 3),
    ("T01", ("PAID_DOWNPAYMENT", "REPAID_BY"), 3),
    ("T05", ("USES_TEMPLATE",), 3),
    ("T16", ("WORKS_AT", "WORK_PHONE"), 4),
    ("T21", ("USED_DEVICE",), 4),
)
"""(typology, relations, holders): the first whose most-held thing reaches the number and a third of the ring."""


def _typology(shared: Sequence[Shared], count: int) -> str:
    """A first guess from what carries the ring; T08 is the umbrella (domain.md §2.2)."""
    most: dict[str, int] = {}
    for one in shared:
        most[one.relation] = max(most.get(one.relation, 0), len(one.holders))
    for typology, relations, holders in TYPOLOGY_SIGNS:
        if max((most.get(each, 0) for each in relations), default=0) >= max(holders, count / 3):
            return typology
    return "T08"


def _day(millis: int) -> str:
    return from_millis(int(millis) + 8 * 3_600_000).strftime("%Y-%m-%d")


def as_csv(rings: Sequence[Ring]) -> str:
    """The stable format of architecture.md."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for ring in rings:
        row = ring.as_json() | {"application_ids": ";".join(ring.application_ids)}
        writer.writerow([row[name] for name in FIELDS])
    return text.getvalue()
