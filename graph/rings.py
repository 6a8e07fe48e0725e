"""Rings: suspicious groups of applications as of a time, each with its reasons, doubts, roles and money at stake."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.candidates import NONE, Groups, candidates, grouped
from graph.choice import ALWAYS, MOST_SHARE, choose, score
from graph.communities import Links, components
from graph.context import context
from graph.drafts import Drafts
from graph.incidence import salespeople
from graph.innocent import without
from graph.lookalikes import describe, factors, openness, recognised
from graph.measure import Measured, Members, Rows, measure
from graph.opinions import NOBODY_S, NOTHING_HERE, Here, Opinions
from graph.projection import Projection, Wider, project
from graph.records import Ints
from graph.roles import Role
from graph.sentences import Shared
from graph.signs import Signs, signs
from graph.snapshot import Snapshot

Scores = npt.NDArray[np.float64]

FIELDS = (
    "ring_id", "rank", "score", "size", "application_ids", "first_seen", "last_seen", "exposure", "undisbursed",
    "typology", "because",
)  # fmt: skip


@dataclass(frozen=True)
class Ring:
    """A suspicious group of applications as of a time. Money in RMB; times as dates of China.

    `ring_id` is provisional: it names the earliest application. The casebook gives lasting names.
    `undisbursed` can still be saved. `signs` are what members show by themselves, `doubts` why it may be innocent.
    """

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
    signs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()

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
    """`infrastructure` counts what was set aside, by kind; `candidates` the groups that were weighed."""

    rings: Sequence[Ring]
    applications: int
    links: int
    infrastructure: dict[str, int]
    candidates: int = 0


@dataclass(frozen=True)
class Examined:
    """All candidates of a window with what is known of each. `looks_like[g, k]`: LOOK_ALIKES[k] holds for group g.
    `stood` are what is left of rings that stood before."""

    projection: Projection
    signs: Signs
    groups: Groups
    measured: Measured
    looks_like: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    average: float
    stood: Groups = NONE


def find_rings(snapshot: Snapshot, *, as_of: int, window_days: int, opinions: Opinions = NOBODY_S) -> Found:
    """Rings among the applications of the last `window_days`, the most suspicious first."""
    snapshot = without(snapshot, opinions.innocent)
    examined = examine(snapshot, as_of=as_of, window_days=window_days, opinions=opinions.here(snapshot))
    return listed(examined, chosen(snapshot, examined, as_of=as_of))


def listed(examined: Examined, rings: Iterable[Ring]) -> Found:
    """What a run tells of the rings it chose."""
    projection = examined.projection
    aside = dict(sorted(projection.verdicts.counts().items()))
    best = ranked(rings, window=len(projection.window))
    return Found(best, len(projection.window), len(projection.first), aside, len(examined.groups))


def chosen(
    snapshot: Snapshot,
    examined: Examined,
    *,
    as_of: int,
    favour: Scores | None = None,
    handled: Mapping[str, Ints] | None = None,
) -> list[Ring]:
    """The best candidates that share nobody, not ranked yet. `favour` is added to scores while they are compared;
    `handled` as in `Drafts`."""
    best = choose(examined.groups, examined.scores, parties=examined.projection.size, favour=favour)
    only = examined.groups.only(best)
    drafts = Drafts(snapshot, examined.projection, examined.signs, only, as_of, handled=handled)
    told = [
        drafts.draft(at, float(examined.scores[group]), examined.looks_like[group])
        for at, group in enumerate(best.tolist())
    ]
    return [Ring(rank=0, **one) for one in told if one["shared"]]


def ranked(rings: Iterable[Ring], *, window: int) -> list[Ring]:
    """The most suspicious first, as many as investigators can look at; `window` counts all its applications."""
    order = sorted(rings, key=lambda ring: (-ring.score, ring.ring_id))
    fitting = np.cumsum([ring.size for ring in order]) <= MOST_SHARE * window
    return [
        replace(ring, rank=rank)
        for rank, (ring, fits) in enumerate(zip(order, fitting.tolist(), strict=True), start=1)
        if fits or rank <= ALWAYS
    ]


def examine(
    snapshot: Snapshot,
    *,
    as_of: int,
    window_days: int,
    opinions: Here = NOTHING_HERE,
    excerpt_of: Wider | None = None,
    risk: npt.NDArray[np.float64] | None = None,
) -> Examined:
    """Every candidate with its measures and score, before any choice. For an excerpt see `project`.

    `risk` (0 to 1, per application) is what a model thinks of each: it counts like signs do, so that risky customers
    of one dealer in the same weeks are tried as members, too. What people know of an application counts in the same
    way, and does not make others look the less odd.
    """
    projection = project(snapshot, as_of=as_of, window_days=window_days, opinions=opinions, excerpt_of=excerpt_of)
    odd, average = _oddness(snapshot, projection, excerpt_of, risk, as_of)
    odd = odd.as_known(opinions.risk)
    near = excerpt_of.ties if excerpt_of else None
    if near is None:
        near = context(
            projection.window, projection.submitted, projection.dealer, salespeople(snapshot, as_of=as_of), odd
        )
    ties = _between_parties(projection, near)
    links = Links(projection.size, projection.first, projection.second, projection.weight)
    also = stood(projection, links, ties, excerpt_of.groups) if excerpt_of else NONE
    groups = candidates(links, ties, also)
    measured = measure(
        groups,
        Rows.of(links.size, links.first, links.second, projection.by_strand),
        Rows.of(ties.size, ties.first, ties.second, ties.weight[:, None]),
        _members(projection, odd),
    )
    open_ = openness(snapshot, projection.carriers, projection.party, projection.circles, as_of=as_of)
    looks_like = recognised(describe(groups, measured, projection.strands, open_))
    scores = score(measured, average=average, factor=factors(looks_like))
    return Examined(projection, odd, groups, measured, looks_like, scores, average, also)


def _oddness(
    snapshot: Snapshot,
    projection: Projection,
    excerpt_of: Wider | None,
    risk: npt.NDArray[np.float64] | None,
    as_of: int,
) -> tuple[Signs, float]:
    """What each application shows, with a model's opinion, and the average points of the window."""
    if excerpt_of is not None and excerpt_of.odd is not None:
        return excerpt_of.odd, excerpt_of.average
    odd = signs(snapshot, as_of=as_of, window=projection.window, dealer=projection.dealer).with_risk(risk)
    if excerpt_of is not None:
        return odd, excerpt_of.average
    return odd, float(odd.points[projection.window].mean()) if len(projection.window) else 0.0


def stood(projection: Projection, links: Links, ties: Links, groups: Iterable[Ints]) -> Groups:
    """Groups of applications as groups of parties: those that can still be in a ring, and still hang together."""
    inside = np.zeros(projection.size, dtype=bool)
    inside[projection.window] = True
    both = Links(projection.size, *(np.concatenate([getattr(each, name) for each in (links, ties)]) for name in ENDS))
    found = []
    for each in groups:
        member = np.zeros(projection.size, dtype=bool)
        member[projection.party[each[inside[each]]]] = True
        own = np.flatnonzero(member[both.first] & member[both.second])
        label = components(Links(both.size, both.first[own], both.second[own], both.weight[own]))
        mine = np.flatnonzero(member)
        found += [mine[label[mine] == one] for one in np.unique(label[mine])]
    return grouped([each for each in found if len(each) > 1])


ENDS = ("first", "second", "weight")


def _between_parties(projection: Projection, ties: Links) -> Links:
    first, second = projection.party[ties.first], projection.party[ties.second]
    other = (first != second) & (ties.weight > 0)
    return Links(
        projection.size, np.minimum(first, second)[other], np.maximum(first, second)[other], ties.weight[other]
    )


def _members(projection: Projection, odd: Signs) -> Members:
    window, size = projection.window, projection.size
    party, submitted = projection.party[window], projection.submitted[window]
    points, last = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    first = np.full(size, np.iinfo(np.int64).max)
    np.maximum.at(points, party, odd.points[window])
    np.minimum.at(first, party, submitted)
    np.maximum.at(last, party, submitted)
    return Members(np.bincount(party, minlength=size), points, first, last, _per_party(projection))


def _per_party(projection: Projection) -> Ints:
    """Dealer of each party's last application of the window."""
    window = projection.window[np.argsort(projection.submitted[projection.window], kind="stable")]
    dealer = np.full(projection.size, -1, dtype=np.int64)
    dealer[projection.party[window]] = projection.dealer[window]
    return dealer


def as_csv(rings: Sequence[Ring]) -> str:
    """The stable format of architecture.md."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for ring in rings:
        row = ring.as_json() | {"application_ids": ";".join(ring.application_ids)}
        writer.writerow([row[name] for name in FIELDS])
    return text.getvalue()
