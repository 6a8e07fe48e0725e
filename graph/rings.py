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
import numpy.typing as npt
import pyarrow as pa

from graph.communities import Links, components, cpm
from graph.incidence import Incidence, dealers
from graph.infrastructure import DAY
from graph.ontology import EDGES, NODES
from graph.projection import UNIT, Projection, project
from graph.records import Ints, from_millis
from graph.snapshot import Nodes, Snapshot

RESOLUTION = 0.1
SMALLEST = 3
LARGEST_COMPONENT = 12
"""Components up to this size are taken as they are; larger ones are divided by CPM."""

HALF_SCORE = 18.0
"""Scores .5: two kinds of weight 3, say a device and a payer, shared by all on one day at one dealer."""

CLOSED = ("decline", "cancel")
BECAUSE_KINDS = 4
FIELDS = (
    "ring_id", "rank", "score", "size", "application_ids", "first_seen", "last_seen", "exposure", "undisbursed",
    "typology", "because",
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """One thing that several members hold. `masked` is what a screen may show of it; `people` hold it in `holders`."""

    type: str
    relation: str
    key: str
    masked: str
    holders: tuple[str, ...]
    people: int


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
    facts = _Facts(snapshot, projection, members, as_of)
    drafts = [facts.draft(number) for number in range(len(members))]
    drafts.sort(key=lambda draft: (-draft["score"], draft["ring_id"]))
    rings = [Ring(rank=rank, **draft) for rank, draft in enumerate(drafts, start=1)]
    removed = Counter(rule for verdicts in projection.infrastructure.values() for rule in verdicts.values())
    return Found(rings, len(projection.window), len(projection.first), dict(sorted(removed.items())))


def _candidates(projection: Projection) -> list[Ints]:
    """Small components whole, large ones divided, of three or more people; each as sorted application indices."""
    links = Links(projection.size, projection.first, projection.second, projection.weight)
    label = components(links)
    large = np.bincount(label, minlength=1) > LARGEST_COMPONENT
    divided = cpm(links, resolution=round(RESOLUTION * UNIT))
    label = np.where(large[label], divided + links.size, label)[projection.party[projection.window]]
    order = np.argsort(label, kind="stable")
    groups = np.split(projection.window[order], np.flatnonzero(np.diff(label[order])) + 1)
    return [np.sort(group) for group in groups if len(np.unique(projection.party[group])) >= SMALLEST]


class _Facts:
    """What the candidates have in common, looked up for all of them at once."""

    def __init__(self, snapshot: Snapshot, projection: Projection, groups: Sequence[Ints], as_of: int) -> None:
        applications = snapshot.nodes["Application"]
        self._groups = groups
        self._keys = applications.table["key"].to_pylist()
        self._submitted = applications.times("submitted_at", as_of=as_of)
        self._amount = np.nan_to_num(applications.numbers("amount"))
        decided = applications.times("decided_at", as_of=as_of) > 0
        decision = applications.table["decision"].to_pandas()
        self._closed = decision.isin(CLOSED).to_numpy() & decided
        self._funded = applications.times("funded_at", as_of=as_of) > 0
        self._party = projection.party
        self._dealer = dealers(snapshot, as_of=as_of)
        group = np.full(len(applications), -1, dtype=np.int64)
        for number, members in enumerate(groups):
            group[members] = number
        self._by_strand = _inside(projection, group, len(groups))
        self._shared: list[list[Shared]] = [[] for _ in groups]
        for name in sorted(projection.carriers):
            self._add_shared(snapshot.nodes[name], projection.carriers[name], group)

    def draft(self, number: int) -> dict[str, Any]:
        members = self._groups[number]
        shared = sorted(
            self._shared[number],
            key=lambda one: (-one.people * EDGES[one.relation].weight, one.type, one.masked, one.holders),
        )
        submitted = np.sort(self._submitted[members])
        open_ = members[~self._closed[members]]
        people = len(np.unique(self._party[members]))
        dealer = Counter(each for each in self._dealer[members].tolist() if each >= 0)
        return {
            "ring_id": self._ring_id(members),
            "score": _score(self._by_strand[number], people),
            "application_ids": tuple(self._names(members)),
            "first_seen": _day(submitted[0]),
            "last_seen": _day(submitted[-1]),
            "exposure": round(float(self._amount[open_].sum()), 2),
            "undisbursed": round(float(self._amount[open_[~self._funded[open_]]].sum()), 2),
            "typology": _typology(shared, people),
            "because": _because(shared, len(members), people, int((submitted[-1] - submitted[0]) // DAY) + 1, dealer),
            "shared": tuple(shared),
        }

    def _names(self, members: Ints) -> list[str]:
        return [self._keys[at] for at in members.tolist()]

    def _ring_id(self, members: Ints) -> str:
        """Named after the earliest application, so that a growing ring keeps its name."""
        earliest = min(zip(self._submitted[members].tolist(), self._names(members), strict=True))[1]
        return "R" + hashlib.blake2b(earliest.encode(), digest_size=5).hexdigest().upper()

    def _add_shared(self, nodes: Nodes, held: Incidence, group: Ints) -> None:
        """Things of one type that two or more people of a group hold."""
        held = held.only(group[held.application] >= 0)
        pair = group[held.application] * len(nodes) + held.entity
        order = np.lexsort((held.application, pair))
        pair, application, relation = pair[order], held.application[order], held.relation[order]
        of_people = np.unique(np.stack([pair, self._party[application]], axis=1), axis=0)[:, 0]
        shared, people = np.unique(of_people, return_counts=True)
        enough = (people >= 2) & (people <= NODES[held.type].hub_above)
        shared, people = shared[enough], people[enough]
        things = nodes.table.select(["key", "masked"]).take(pa.array(shared % max(len(nodes), 1))).to_pylist()
        begin, end = (np.searchsorted(pair, shared, side=side) for side in ("left", "right"))
        for number, count, thing, *at in zip(
            (shared // max(len(nodes), 1)).tolist(), people.tolist(), things, begin.tolist(), end.tolist(), strict=True
        ):
            rows = slice(*at)
            name = held.relations[int(np.bincount(relation[rows]).argmax())]
            key, masked = thing["key"], thing["masked"] or thing["key"]
            self._shared[number].append(
                Shared(held.type, name, key, masked, tuple(self._names(application[rows])), count)
            )


def _inside(projection: Projection, group: Ints, groups: int) -> npt.NDArray[np.float64]:
    """Per group and strand the weight of the links between its members, in units."""
    of_party = np.full(projection.size, -1, dtype=np.int64)
    of_party[projection.party[group >= 0]] = group[group >= 0]
    first, second = of_party[projection.first], of_party[projection.second]
    own = (first == second) & (first >= 0)
    total = np.zeros((groups, len(projection.strands)), dtype=np.int64)
    np.add.at(total, first[own], projection.by_strand[own])
    return total / UNIT


def _score(by_strand: npt.NDArray[np.float64], people: int) -> float:
    """0 to 1, never reached: how much an average pair shares, times how many independent strands carry it.

    The number of strands is the exponential of their entropy: two equal ones are 2, a
    faint second one is little more than 1. The logarithm makes groups of all sizes that
    share one thing among all alike.
    """
    total = by_strand.sum()
    part = by_strand[by_strand > 0] / total
    strands = np.exp(-(part * np.log(part)).sum())
    x = total / (people * (people - 1) / 2) * np.log2(1 + people) * strands
    return round(float(x / (x + HALF_SCORE)), 4)


def _because(shared: Sequence[Shared], count: int, people: int, days: int, dealer: Counter[int]) -> str:
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in shared:
        kinds.setdefault((one.type, one.relation), []).append(one.people)
    ranked = sorted(kinds.items(), key=lambda kind: (-sum(kind[1]) * EDGES[kind[0][1]].weight, kind[0]))
    said = [_shared_words(type_, relation, holders, people) for (type_, relation), holders in ranked[:BECAUSE_KINDS]]
    left = len(ranked) - BECAUSE_KINDS
    more = f" and {left} more kind{'s' if left > 1 else ''}" if left > 0 else ""
    where = f"{len(dealer)} dealer{'s' if len(dealer) != 1 else ''}"
    if len(dealer) > 1 and (top := max(dealer.values())) > count / 2:
        where += f" ({top} at one)"
    who = f"{count} applications" + (f" of {people} people" if people < count else "")
    return f"{who} in {days} day{'s' if days != 1 else ''} at {where} share {', '.join(said)}{more}"


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
        most[one.relation] = max(most.get(one.relation, 0), one.people)
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
