"""Finding rings again when little has changed: only around what is new.

A run looks at the whole window. The next one need not: new applications and new facts
about old ones touch a few groups. Everything within two steps of them is cut out of the
snapshot (`excerpt.py`) and examined by the same code; all other rings stay what they
were. Things set aside stay aside until the next whole run, which a nightly job makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from graph.circles import COLLEAGUES, young_employers
from graph.errors import InputError
from graph.excerpt import (
    Excerpt,
    Things,
    applications_of,
    count_holders,
    excerpt,
    held,
    holders,
    holders_at_most,
    holding_in,
    near_nodes,
    rows_since,
)
from graph.incidence import holdings, in_window, near_is_source
from graph.infrastructure import Earlier, Judged
from graph.ontology import EDGES, NODES
from graph.overrides import Override, placed
from graph.projection import SAME_DEALER, UNIT, WEAKEST_PAIR, Wider, judge
from graph.records import Ints, NodeRef
from graph.rings import Examined, Found, Ring, chosen, examine, listed, ranked
from graph.snapshot import PAGED, Snapshot

MANY = 10
"""Things with so many times the holders beyond which they link nobody are not followed."""


LEAST_JUDGED = {"Device": 3, "IP": 6, "WiFi": 6, "Phone": 6, "Account": 12}
MOST_JUDGED = 12
"""Changed things are judged anew from so many holders on; all recognisers want more, or as many."""


@dataclass(frozen=True)
class Aside:
    """Things of one type that were set aside: node ids, ascending, and the kind of each."""

    ids: Ints
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """Rings as of a time, and what the next run can build on. `rings` are all that were found, listed or not."""

    as_of: int
    window_days: int
    found: Found
    rings: Sequence[Ring]
    aside: Mapping[str, Aside]
    average: float


class Opinion(Protocol):
    """What a model thinks of each application (0 to 1) and, from that, of candidates."""

    @property
    def risk(self) -> npt.NDArray[np.float64]: ...
    def rescored(self, examined: Examined) -> Examined: ...


def run(
    snapshot: Snapshot,
    *,
    as_of: int,
    window_days: int,
    overrides: Iterable[Override] = (),
    opinion: Opinion | None = None,
) -> Run:
    """A whole run; `run(…).found` is what `find_rings` gives, unless a model has its say."""
    examined = examine(
        snapshot, as_of=as_of, window_days=window_days, overrides=tuple(placed(overrides, snapshot)),
        risk=None if opinion is None else opinion.risk,
    )  # fmt: skip
    if opinion is not None:
        examined = opinion.rescored(examined)
    rings = chosen(snapshot, examined, as_of=as_of)
    found = listed(examined, rings)
    return Run(as_of, window_days, found, rings, _aside(snapshot, examined), examined.average)


def rerun(before: Run, snapshot: Snapshot, *, as_of: int, overrides: Iterable[Override] = ()) -> Run:
    """The run as of a later time, from the one before and what became known since.

    Close to a whole run, not the same (benchmarks/README.md): context ties to people outside the excerpt are not
    seen, and what was set aside stays so. Raises InputError for a time before that of `before`.
    """
    if as_of < before.as_of:
        raise InputError("a run cannot be continued back in time; find the rings anew as of that time")
    window = in_window(snapshot, as_of=as_of, window_days=before.window_days)
    fresh, things = _changed(snapshot, since=before.as_of, as_of=as_of)
    overrides = tuple(overrides)
    before = _judged_anew(before, snapshot, _linking(snapshot, things, before), as_of=as_of, overrides=overrides)
    near = _inside(window, fresh, _sharers(snapshot, things, before, window, as_of=as_of))
    members = _members(snapshot, before.rings)
    stirred = _stirred(snapshot, before, near, window, as_of=as_of)
    touched = {ring.ring_id for ring in before.rings if stirred[members[ring.ring_id]].any()}
    core = _inside(window, near, *(members[each] for each in sorted(touched)))
    around = held(snapshot, core, as_of=as_of)
    region = _inside(window, core, _sharers(snapshot, around, before, window, as_of=as_of))
    region = _inside(window, _whole(snapshot, region, as_of=as_of))
    anew = _examined_anew(before, snapshot, region, window, as_of=as_of, overrides=overrides)
    names = set(snapshot.nodes["Application"].table["key"].take(pa.array(core)).to_pylist())
    anew = [ring for ring in anew if not names.isdisjoint(ring.application_ids)]
    rings = _apart([*anew, *(ring for ring in before.rings if ring.ring_id not in touched)])
    size = int(window.sum())
    found = replace(before.found, rings=ranked(rings, window=size), applications=size)
    return replace(before, as_of=as_of, rings=rings, found=found)


def _aside(snapshot: Snapshot, examined: Examined) -> dict[str, Aside]:
    aside = {}
    for type_, judged in examined.projection.verdicts.mapping().items():
        ids = snapshot.nodes[type_].ids[np.fromiter(judged, dtype=np.int64, count=len(judged))]
        order = np.argsort(ids)
        kinds = list(judged.values())
        aside[type_] = Aside(ids[order], tuple(kinds[at] for at in order.tolist()))
    return aside


def _inside(window: npt.NDArray[np.bool_], *parts: Ints) -> Ints:
    """Their union, as far as it is in the window."""
    every = np.unique(np.concatenate(parts))
    return every[window[every]]


def _changed(snapshot: Snapshot, *, since: int, as_of: int) -> tuple[Ints, Things]:
    """Applications that became known, and what they hold; also what others turned out to hold."""
    known = snapshot.nodes["Application"].known_at
    fresh = np.flatnonzero((known > since) & (known <= as_of))
    things = {name: [each] for name, each in held(snapshot, fresh, as_of=as_of).items()}
    for name, edge in EDGES.items():
        far = edge.target if near_is_source(edge) else edge.source
        if edge.weight and NODES[far].lead:
            rows = rows_since(snapshot, name, after=since, as_of=as_of)
            things.setdefault(far, []).append(rows["target" if near_is_source(edge) else "source"])
    if PAGED in things:
        things[PAGED] = [snapshot.pages.first[each] for each in things[PAGED]]
    return fresh, {name: np.unique(np.concatenate(each)) for name, each in things.items()}


def _linking(snapshot: Snapshot, things: Things, before: Run) -> Things:
    """Those that two hold or more, but not too many, and that were not set aside."""
    linking = {}
    for type_, every in things.items():
        aside = before.aside.get(type_)
        kept = every if aside is None else every[~np.isin(snapshot.nodes[type_].ids[every], aside.ids)]
        count = holders_at_most(snapshot, type_, kept)
        linking[type_] = kept[(count >= 2) & (count <= MANY * NODES[type_].hub_above)]
    return linking


def _sharers(snapshot: Snapshot, things: Things, before: Run, window: npt.NDArray[np.bool_], *, as_of: int) -> Ints:
    """Applications of the window that one of these things links with others there."""
    found = [np.zeros(0, dtype=np.int64)]
    for type_, kept in _linking(snapshot, things, before).items():
        place, application = holding_in(snapshot, type_, kept, window, as_of=as_of)
        count = np.bincount(place, minlength=len(kept))
        strongest = _strongest_link(snapshot, type_, kept, as_of) * UNIT / np.log2(1 + np.maximum(count, 1))
        links = (count >= 2) & (count <= NODES[type_].hub_above) & (strongest >= WEAKEST_PAIR)
        found.append(application[links[place]])
    return np.concatenate(found)


def _strongest_link(snapshot: Snapshot, type_: str, things: Ints, as_of: int) -> npt.NDArray[np.float64]:
    """What sharing each thing alone is worth at most, before its rarity: an old employer little."""
    far = [edge for edge in EDGES.values() if type_ == (edge.target if near_is_source(edge) else edge.source)]
    most = np.full(len(things), SAME_DEALER * max((edge.weight for edge in far), default=0.0))
    if type_ == "Employer":
        most[~young_employers(snapshot, as_of)[things]] *= COLLEAGUES
    return most


def _judged_anew(before: Run, snapshot: Snapshot, things: Things, *, as_of: int, overrides: Iterable[Override]) -> Run:
    """With what the changed things have become, by all who ever held them; what few hold is never set aside."""
    many = {}
    for type_, every in things.items():
        count = holders_at_most(snapshot, type_, every)
        many[type_] = every[count >= LEAST_JUDGED.get(type_, MOST_JUDGED)]
    cut = excerpt(snapshot, holders(snapshot, many, as_of=as_of), as_of=as_of)
    part = cut.part
    verdicts = judge(
        part,
        holdings(part, as_of=as_of),
        as_of=as_of,
        overrides=tuple(placed(overrides, part)),
        earlier=_earlier(before, part),
    )
    aside = dict(before.aside)
    for type_, judged in verdicts.mapping().items():
        ids = part.nodes[type_].ids
        mine = set(snapshot.nodes[type_].ids[many.get(type_, many["Phone"][:0])].tolist())
        new = {int(ids[entity]): kind for entity, kind in judged.items() if int(ids[entity]) in mine}
        known = dict(zip(aside[type_].ids.tolist(), aside[type_].kinds, strict=True)) if type_ in aside else {}
        both = dict(sorted((known | new).items()))
        aside[type_] = Aside(np.fromiter(both, dtype=np.int64, count=len(both)), tuple(both.values()))
    return replace(before, aside=aside)


def _members(snapshot: Snapshot, rings: Sequence[Ring]) -> dict[str, Ints]:
    """Indices of each ring's applications."""
    nodes = snapshot.nodes["Application"]
    ids = [[NodeRef("Application", each).id for each in ring.application_ids] for ring in rings]
    return {
        ring.ring_id: nodes.index_of(np.array(own, dtype=np.int64)) for ring, own in zip(rings, ids, strict=True)
    }  # fmt: skip


def _stirred(
    snapshot: Snapshot, before: Run, near: Ints, window: npt.NDArray[np.bool_], *, as_of: int
) -> npt.NDArray[np.bool_]:
    """Per application whether something about it changed: its neighbours, its decision, or it left the window."""
    nodes = snapshot.nodes["Application"]
    stirred = ~window
    stirred[near] = True
    for name in ("decided_at", "funded_at"):
        moment = nodes.times(name, as_of=as_of)
        stirred |= moment > before.as_of
    return np.asarray(stirred)


def _whole(snapshot: Snapshot, region: Ints, *, as_of: int) -> Ints:
    """With all other applications of the same people and deals."""
    region = applications_of(snapshot, near_nodes(snapshot, region, as_of=as_of), as_of=as_of)
    nodes = snapshot.nodes["Application"]
    deals = nodes.table["deal_id"]
    mine = compute.is_in(deals, value_set=deals.take(pa.array(region)).drop_null().unique())
    return np.union1d(region, np.flatnonzero(mine.to_numpy() & (nodes.known_at <= as_of)))


def _examined_anew(
    before: Run,
    snapshot: Snapshot,
    region: Ints,
    window: npt.NDArray[np.bool_],
    *,
    as_of: int,
    overrides: Iterable[Override],
) -> list[Ring]:
    cut = excerpt(snapshot, region, as_of=as_of)
    part = cut.part
    held_by = {name: _held(snapshot, cut, name, before, as_of=as_of) for name, node in NODES.items() if node.lead}
    crowded = _crowded(snapshot, cut, window, as_of=as_of)
    wider = Wider(held_by, _with_hubs(_earlier(before, part), crowded), before.average)
    decided = tuple(placed(overrides, part))
    examined = examine(part, as_of=as_of, window_days=before.window_days, overrides=decided, excerpt_of=wider)
    return chosen(part, examined, as_of=as_of)


def _held(snapshot: Snapshot, cut: Excerpt, type_: str, before: Run, *, as_of: int) -> Ints:
    """Per thing of the excerpt how many hold it in all; what was set aside links nobody and is not counted."""
    index, aside = cut.index[type_], before.aside.get(type_)
    open_ = np.ones(len(index), dtype=bool) if aside is None else ~np.isin(cut.part.nodes[type_].ids, aside.ids)
    count = np.ones(len(index), dtype=np.int64)
    shared = np.flatnonzero(open_)[holders_at_most(snapshot, type_, index[open_]) >= 2]
    count[shared] = count_holders(snapshot, type_, index[shared], as_of=as_of)
    return count


def _crowded(snapshot: Snapshot, cut: Excerpt, window: npt.NDArray[np.bool_], *, as_of: int) -> Things:
    """Things of the excerpt that so many hold in the window that they link nobody, though the excerpt shows few."""
    crowded = {}
    for name, node in NODES.items():
        if node.lead:
            many = np.flatnonzero(holders_at_most(snapshot, name, cut.index[name]) > node.hub_above)
            place, _ = holding_in(snapshot, name, cut.index[name][many], window, as_of=as_of)
            crowded[name] = many[np.bincount(place, minlength=len(many)) > node.hub_above]
    return crowded


def _with_hubs(earlier: Earlier, crowded: Things) -> Earlier:
    nothing = Judged(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    by_type = dict(earlier.by_type)
    for name, things in crowded.items():
        aside = by_type.get(name, nothing)
        fresh = np.setdiff1d(things, aside.entity)
        entity = np.concatenate([aside.entity, fresh])
        kind = np.concatenate([aside.kind, np.full(len(fresh), len(earlier.kinds))])
        order = np.argsort(entity)
        by_type[name] = Judged(entity[order], kind[order])
    return Earlier((*earlier.kinds, "hub"), by_type)


def _earlier(before: Run, part: Snapshot) -> Earlier:
    """What was set aside, as far as the excerpt shows it."""
    kinds = tuple(sorted({kind for aside in before.aside.values() for kind in aside.kinds}))
    number = {kind: at for at, kind in enumerate(kinds)}
    by_type = {}
    for type_, aside in before.aside.items():
        ids = part.nodes[type_].ids
        entity = np.flatnonzero(np.isin(ids, aside.ids))
        of_all = np.array([number[kind] for kind in aside.kinds], dtype=np.int64)
        by_type[type_] = Judged(entity, of_all[np.searchsorted(aside.ids, ids[entity])])
    return Earlier(kinds, by_type)


def _apart(rings: Iterable[Ring]) -> list[Ring]:
    """The best of those that overlap."""
    taken: set[str] = set()
    kept = []
    for ring in sorted(rings, key=lambda ring: (-ring.score, ring.ring_id)):
        if taken.isdisjoint(ring.application_ids):
            taken.update(ring.application_ids)
            kept.append(ring)
    return kept
