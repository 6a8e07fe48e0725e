"""Part of a window found anew: some applications with all near them, cut out and examined by the code of a whole run.

What the part cannot show (how many ever held a thing, what was set aside, how odd the window is in all) comes from the
whole and from the run before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from graph.background import Background, Window
from graph.before import MANY, Run, earlier, with_hubs
from graph.candidates import GROWTH
from graph.circles import COLLEAGUES, circles
from graph.communities import Links
from graph.drafts import STAFF
from graph.excerpt import (
    Excerpt,
    Things,
    applications_of,
    count_holders,
    excerpt,
    held,
    holders_at_most,
    holding_in,
    near_nodes,
    rows_at,
)
from graph.incidence import holdings, near_is_source
from graph.ontology import EDGES, NODES
from graph.opinions import Here, Opinions
from graph.projection import SAME_DEALER, UNIT, WEAKEST_PAIR, Wider
from graph.records import Ints
from graph.rings import Examined, Ring, chosen, examine
from graph.snapshot import Snapshot


def inside(window: Window, *parts: Ints) -> Ints:
    """Their union, as far as it is in the window."""
    every = np.unique(np.concatenate(parts))
    return every[window[every]]


class Model(Protocol):
    """What ranks candidates in place of what can be said in words."""

    def rescored(self, examined: Examined, rows: Ints) -> Examined:
        """`rows`: which applications of the whole those of the excerpt are."""
        ...


@dataclass(frozen=True)
class Part:
    """Some applications of a window cut out with all near them. `core` (indices of the whole): whom it was cut out for;
    only around these it shows everything."""

    cut: Excerpt
    core: Ints
    wider: Wider
    as_of: int
    window_days: int
    handled: Mapping[str, Ints]
    model: Model | None = None

    def examine(self, opinions: Opinions) -> Examined:
        """As a whole run with these opinions would, innocent links aside: those must be out of the snapshot."""
        part = self.cut.part
        examined = examine(
            part, as_of=self.as_of, window_days=self.window_days, opinions=opinions.here(part), excerpt_of=self.wider
        )
        return examined if self.model is None else self.model.rescored(examined, self.cut.index["Application"])

    def rings(self, opinions: Opinions, *, stays: float = 0.0, taken: Ints | None = None) -> list[Ring]:
        """Those with somebody of the core; what others look like cannot be seen from here.

        One that stood gives way only to what scores more by `stays`. Who is `taken` (by the whole's indices) stands in
        another ring, which stays.
        """
        part, examined = self.cut.part, self.examine(opinions)
        if taken is not None:
            examined = self.standing(examined, taken)
        favour = stays * self.stood(examined)
        found = chosen(part, examined, as_of=self.as_of, favour=favour, handled=self.handled)
        keys = part.nodes["Application"].table["key"]
        names = set(keys.filter(np.isin(self.cut.index["Application"], self.core)).to_pylist())
        return [ring for ring in found if not names.isdisjoint(ring.application_ids)]

    def stood(self, examined: Examined) -> npt.NDArray[np.float64]:
        """1 for the candidates that stood before."""
        known = {each.tobytes() for each in examined.stood}
        return np.array([each.tobytes() in known for each in examined.groups], dtype=np.float64)

    def standing(self, examined: Examined, taken: Ints) -> Examined:
        """Without the candidates that would take somebody from another ring."""
        groups, mine = examined.groups, np.zeros(examined.projection.size, dtype=bool)
        mine[examined.projection.party[np.isin(self.cut.index["Application"], taken)]] = True
        holds = np.bincount(groups.number, weights=mine[groups.member], minlength=len(groups)) > 0
        return replace(examined, scores=np.where(holds, 0.0, examined.scores))


@dataclass(frozen=True)
class Whole:
    """All facts with the opinions that count now, the run before, and the model that ranked it, if one did.

    `snapshot` is without innocent links.
    """

    snapshot: Snapshot
    before: Run
    background: Background
    opinions: Opinions
    model: Model | None = None

    @property
    def as_of(self) -> int:
        return self.background.as_of

    @cached_property
    def here(self) -> Here:
        return self.opinions.here(self.snapshot)

    @cached_property
    def window(self) -> Window:
        return self.here.among(self.background.window)

    def near(self, applications: Ints) -> Ints:
        """These and those of the window with whom they share something."""
        return inside(self.window, applications, self.sharers(held(self.snapshot, applications, as_of=self.as_of)))

    def sharers(self, things: Things) -> Ints:
        """Applications of the window that one of these things links with others there."""
        found = [np.zeros(0, dtype=np.int64)]
        for type_, kept in linking(self.snapshot, things, self.before).items():
            place, application = holding_in(self.snapshot, type_, kept, self.window, as_of=self.as_of)
            count = self._people(place, application, len(kept))
            strongest = self._strongest_link(type_, kept) * UNIT / np.log2(1 + np.maximum(count, 1))
            links = (count >= 2) & (count <= NODES[type_].hub_above) & (strongest >= WEAKEST_PAIR)
            found.append(application[links[place]])
        return np.concatenate(found)

    def _people(self, place: Ints, application: Ints, things: int) -> Ints:
        """How many hold each thing, each with all applications once."""
        size = max(len(self.window), 1)
        pairs = np.unique(place * size + self.background.party[application])
        return np.bincount(pairs // size, minlength=things)

    def _strongest_link(self, type_: str, things: Ints) -> npt.NDArray[np.float64]:
        """What sharing each thing alone is worth at most, before its rarity: an old employer little."""
        far = [edge for edge in EDGES.values() if type_ == (edge.target if near_is_source(edge) else edge.source)]
        most = np.full(len(things), SAME_DEALER * max((edge.weight for edge in far), default=0.0))
        if type_ == "Employer":
            most[~self.background.young_employers[things]] *= COLLEAGUES
        return most

    def part(self, core: Ints, standing: Sequence[Ints] = ()) -> Part:
        """The core with whoever shares something with it, or is tied to it by context, and those who share with these.

        `standing` are the applications of rings that stand now.
        """
        snapshot, as_of, ties = self.snapshot, self.as_of, self.background.ties(self.here)
        near = inside(self.window, core, _tied(ties, core))
        region = inside(self.window, near, self.sharers(held(snapshot, near, as_of=as_of)))
        region = inside(self.window, _all_of_theirs(snapshot, region, as_of=as_of))
        cut = excerpt(snapshot, region, as_of=as_of)
        index, own = cut.index["Application"], holdings(cut.part, as_of=as_of)
        leads = [name for name, node in NODES.items() if node.lead]
        every = {name: self._held(cut, name) for name in leads}
        wider = Wider(
            held=every,
            aside=with_hubs(earlier(self.before, cut.part), {name: self._crowded(cut, name) for name in leads}),
            average=self.before.average,
            odd=self.background.odd.of_rows(index),
            ties=_within(ties, index),
            groups=[np.searchsorted(index, each[np.isin(each, index)]) for each in standing],
            holdings=own,
            circles=circles(cut.part, own, every, as_of=as_of),
        )
        handled = {type_: self._handled(cut.index[type_], relation) for type_, relation in STAFF}
        return Part(cut, core, wider, as_of, self.before.window_days, handled, self.model)

    def _handled(self, staff: Ints, relation: str) -> Ints:
        """How many applications of the window each of them has."""
        rows = rows_at(self.snapshot, relation, staff, outgoing=False, as_of=self.as_of)
        mine = rows["target"][self.window[rows["source"]]]
        return np.bincount(np.searchsorted(staff, mine), minlength=len(staff))

    def _held(self, cut: Excerpt, type_: str) -> Ints:
        """Per thing of the excerpt how many hold it in all; what was set aside links nobody and is not counted."""
        index, aside = cut.index[type_], self.before.aside.get(type_)
        open_ = np.ones(len(index), dtype=bool) if aside is None else ~np.isin(cut.part.nodes[type_].ids, aside.ids)
        count = np.ones(len(index), dtype=np.int64)
        shared = np.flatnonzero(open_)[holders_at_most(self.snapshot, type_, index[open_]) >= 2]
        count[shared] = count_holders(self.snapshot, type_, index[shared], as_of=self.as_of)
        return count

    def _crowded(self, cut: Excerpt, type_: str) -> Ints:
        """Things of the excerpt that so many hold in the window that they link nobody, though the excerpt shows few."""
        index, most = cut.index[type_], NODES[type_].hub_above
        many = np.flatnonzero(holders_at_most(self.snapshot, type_, index) > most)
        place, application = holding_in(self.snapshot, type_, index[many], self.window, as_of=self.as_of)
        return many[self._people(place, application, len(many)) > most]


def linking(snapshot: Snapshot, things: Things, before: Run) -> Things:
    """Those that two hold or more, but not too many, and that were not set aside."""
    linking = {}
    for type_, every in things.items():
        aside = before.aside.get(type_)
        kept = every if aside is None else every[~np.isin(snapshot.nodes[type_].ids[every], aside.ids)]
        count = holders_at_most(snapshot, type_, kept)
        linking[type_] = kept[(count >= 2) & (count <= MANY * NODES[type_].hub_above)]
    return linking


def _all_of_theirs(snapshot: Snapshot, region: Ints, *, as_of: int) -> Ints:
    """With all other applications of the same people and deals."""
    region = applications_of(snapshot, near_nodes(snapshot, region, as_of=as_of), as_of=as_of)
    nodes = snapshot.nodes["Application"]
    deals = nodes.table["deal_id"]
    mine = compute.is_in(deals, value_set=deals.take(pa.array(region)).drop_null().unique())
    return np.union1d(region, np.flatnonzero(mine.to_numpy() & (nodes.known_at <= as_of)))


def _tied(ties: Links, core: Ints) -> Ints:
    """Whom context ties to the core most closely, as many as a ring may grow by."""
    of, to = np.concatenate([ties.first, ties.second]), np.concatenate([ties.second, ties.first])
    mine = np.isin(of, core)
    of, to, weight = of[mine], to[mine], np.concatenate([ties.weight, ties.weight])[mine]
    order = np.lexsort((to, -weight, of))
    begin = np.searchsorted(of[order], of[order], side="left")
    return np.unique(to[order[np.arange(len(order)) - begin < max(GROWTH)]])


def _within(ties: Links, index: Ints) -> Links:
    """Between these applications, by their places."""
    both = np.isin(ties.first, index) & np.isin(ties.second, index)
    first, second = (np.searchsorted(index, each[both]) for each in (ties.first, ties.second))
    return Links(len(index), first, second, ties.weight[both])
