"""People as one weighted graph: who shares what with whom, as of a time.

All applications of one person count once. Two people are linked when their applications
hold the same phone, device, account … A link weighs more the stronger its kind, the
fewer ever held the thing and the closer in time; things that many hold by nature
(`infrastructure.py`) and hubs above the ontology's threshold link nobody, and what a
household, a fleet or an employer explains counts little (`circles.py`).

Weights are integers (thousandths), so that sums are exact and the same in any order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graph.circles import Circles, circles
from graph.communities import Links
from graph.incidence import Holdings, Incidence, holdings, in_window
from graph.infrastructure import RECOGNISERS, Earlier, Override, Recogniser, Seen, Verdicts, recognise
from graph.ontology import NODES
from graph.opinions import NOTHING_HERE, Here
from graph.records import DAY, Ints
from graph.signs import Signs
from graph.snapshot import Snapshot

UNIT = 1000
"""Weight 1.0 as an integer."""

SAME_DEALER = 1.5
WEAKEST_PAIR = 300
HALF_LIFE_DAYS = 30
"""So far apart, what two applications share is worth half: rings work in bursts, families and colleagues over years."""

ORDINARY_AMONG_COLLEAGUES = ("USES_TEMPLATE", "WORK_PHONE", "FROM_IP", "ON_WIFI")
"""Their employer writes the same letters for all of them and gives them one number and one network."""

STRAND = {"Device": "session", "IP": "session", "WiFi": "session", "Employer": "work", "DocTemplate": "work"}
"""Kinds that come together: a session has a device, a network and an address, an employer its letters.

Of each strand a pair counts the strongest thing only; every other kind is a strand of its own."""


@dataclass(frozen=True)
class Projection:
    """Links between parties, `first < second`, `weight` in thousandths, of which each of `strands` adds `by_strand`.

    A party is a person with all that person's applications; `party` gives its number
    per application: the index of the party's first one. `carriers` are the incidences
    whose things carry links; `verdicts` say which are left out because many hold them
    by nature. `submitted` and `dealer` (-1: none) are per application.
    """

    size: int
    window: Ints
    party: Ints
    first: Ints
    second: Ints
    weight: Ints
    strands: tuple[str, ...]
    by_strand: Ints
    carriers: Mapping[str, Incidence]
    verdicts: Verdicts
    circles: Circles
    submitted: Ints
    dealer: Ints


@dataclass(frozen=True)
class Wider:
    """What an excerpt cannot show: how many ever held each thing, what was set aside, the window's average points,
    what each application shows in the light of the whole window, and the ties of context between them (None: as far as
    the excerpt shows them). `groups` are tried as rings whatever the links say: those that stood before.

    Applications go by the excerpt's indices. `holdings` and `circles` are the excerpt's own, where it is examined more
    than once: nothing that people think changes them.
    """

    held: Mapping[str, Ints]
    aside: Earlier
    average: float
    odd: Signs | None = None
    ties: Links | None = None
    groups: Sequence[Ints] = ()
    holdings: Holdings | None = None
    circles: Circles | None = None


def project(
    snapshot: Snapshot,
    *,
    as_of: int,
    window_days: int,
    opinions: Here = NOTHING_HERE,
    excerpt_of: Wider | None = None,
) -> Projection:
    """Links among those who applied in the last `window_days`; infrastructure is judged on all history.

    What people decided about single things stands above what is recognised; whoever they cleared links nobody. In an
    excerpt nothing can be judged: then `excerpt_of` says what the whole told.
    """
    overrides = opinions.overrides
    all_held = excerpt_of.holdings if excerpt_of is not None else None
    all_held = all_held or holdings(snapshot, as_of=as_of)
    party, submitted, own = all_held.party, all_held.submitted, all_held.own
    recent = opinions.among(in_window(snapshot, as_of=as_of, window_days=window_days))
    if excerpt_of is None:
        held: Mapping[str, Ints] = {name: np.bincount(each.entity, minlength=1) for name, each in own.items()}
        verdicts = judge(snapshot, all_held, as_of=as_of, overrides=overrides)
    else:
        held, aside_before = excerpt_of.held, excerpt_of.aside
        verdicts = judge(snapshot, all_held, (), as_of=as_of, overrides=overrides, earlier=aside_before)
    near = excerpt_of.circles if excerpt_of is not None else None
    near = near or circles(snapshot, all_held, held, as_of=as_of)
    carriers = {}
    parts: dict[str, list[tuple[Ints, Ints, Ints]]] = {}
    for name, incidence in all_held.found.items():
        aside = np.zeros(len(snapshot.nodes[name]), dtype=bool)
        aside[verdicts.entities(name)] = True
        carriers[name] = incidence.only(recent[incidence.application] & ~aside[incidence.entity])
        once = carriers[name].of_parties(party)
        era = verdicts.cuts.eras(once.entity, submitted[once.application]) if name == "Phone" else 0 * once.entity
        pairs = _pairs(once, party, submitted, held[name], near, era)
        parts.setdefault(STRAND.get(name, name), []).append(pairs)
    first, second, by_strand = _strongest(list(parts.values()), len(party))
    sold_by = all_held.dealer.copy()
    sold_by[party[recent]] = all_held.dealer[recent]
    nearness = np.where((sold_by[first] == sold_by[second]) & (sold_by[first] >= 0), SAME_DEALER, 1.0)
    related = near.related(first, second)
    by_strand[related] *= _only_strongest(by_strand[related])
    by_strand = (by_strand * (nearness * near.factor(first, second))[:, None]).astype(np.int64)
    weight = by_strand.sum(axis=1)
    strong = weight >= WEAKEST_PAIR
    return Projection(
        size=len(party),
        window=np.flatnonzero(recent),
        party=party,
        first=first[strong],
        second=second[strong],
        weight=weight[strong],
        strands=tuple(parts),
        by_strand=by_strand[strong],
        carriers=carriers,
        verdicts=verdicts,
        circles=near,
        submitted=submitted,
        dealer=all_held.dealer,
    )


def judge(
    snapshot: Snapshot,
    held: Holdings,
    recognisers: Sequence[Recogniser] = RECOGNISERS,
    *,
    as_of: int,
    overrides: Sequence[Override] = (),
    earlier: Earlier | None = None,
) -> Verdicts:
    """What many hold by nature, by all that was known then."""
    seen = Seen.of(snapshot, held.own, held.party, held.dealer, held.submitted, as_of=as_of)
    return recognise(seen, overrides, recognisers, earlier)


def _pairs(  # noqa: PLR0917
    incidence: Incidence, party: Ints, submitted: Ints, held: Ints, near: Circles, era: Ints
) -> tuple[Ints, Ints, Ints]:
    """All pairs of holders of each thing that 2 to the type's hub threshold hold, with their weight.

    `held` counts, per thing, all who ever held it: the rarer, the more it says. Holders in
    different eras of a thing that changed hands are strangers.
    """
    order = np.lexsort((party[incidence.application], era, incidence.entity))
    entity, application, era, weight = (
        incidence.entity[order],
        incidence.application[order],
        era[order],
        incidence.weight[order],
    )
    ordinary = np.isin(np.array(incidence.relations), ORDINARY_AMONG_COLLEAGUES)[incidence.relation[order]]
    fresh = (np.diff(entity) != 0) | (np.diff(era) != 0)
    starts = np.flatnonzero(np.concatenate([[True], fresh])) if len(entity) else np.zeros(0, int)
    degree = np.diff(np.append(starts, len(entity)))
    first, second, weights = [], [], []
    for size in np.unique(degree[(degree >= 2) & (degree <= NODES[incidence.type].hub_above)]).tolist():
        rows = starts[degree == size][:, None] + np.arange(size)
        left, right = (rows[:, at].ravel() for at in np.triu_indices(size, 1))
        apart = np.abs(submitted[application[left]] - submitted[application[right]]) / DAY
        strength = np.sqrt(weight[left] * weight[right]) / np.log2(1 + held[entity[left]])
        strength *= 0.5 ** (apart / HALF_LIFE_DAYS)
        one, other = party[application[left]], party[application[right]]
        strength[(ordinary[left] | ordinary[right]) & near.colleagues(one, other)] = 0
        first.append(one)
        second.append(other)
        weights.append(np.rint(strength * UNIT).astype(np.int64))
    nothing = [np.zeros(0, dtype=np.int64)]
    return tuple(np.concatenate(each or nothing) for each in (first, second, weights))  # type: ignore[return-value]


def _strongest(strands: list[list[tuple[Ints, Ints, Ints]]], size: int) -> tuple[Ints, Ints, Ints]:
    """One row a pair, one column a strand with the strongest of its links."""
    columns = [np.concatenate([part[at] for part in parts]) for parts in strands for at in range(3)]
    if not columns:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros((0, 0), dtype=np.int64)
    keys = [one * max(size, 1) + other for one, other in zip(columns[::3], columns[1::3], strict=True)]
    pair, place = np.unique(np.concatenate(keys), return_inverse=True)
    weights = np.zeros((len(pair), len(strands)), dtype=np.int64)
    strand = np.repeat(np.arange(len(strands)), [len(each) for each in keys])
    np.maximum.at(weights, (place, strand), np.concatenate(columns[2::3]))
    return pair // max(size, 1), pair % max(size, 1), weights


def _only_strongest(by_strand: Ints) -> Ints:
    """1 for each pair's strongest strand, 0 for the others: all else has the same ordinary reason."""
    one = np.zeros_like(by_strand)
    if by_strand.size:
        one[np.arange(len(one)), by_strand.argmax(axis=1)] = 1
    return one
