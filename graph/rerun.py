"""Finding rings again when little has changed: only around what is new.

A run looks at the whole window. The next one need not: new applications and new facts
about old ones touch a few groups. Everything within two steps of them is cut out of the
snapshot (`excerpt.py`) and examined by the same code; all other rings stay what they
were. Things set aside stay aside until the next whole run, which a nightly job makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from graph.around import Whole, inside, linking
from graph.background import Background, Window
from graph.before import Aside, Run, earlier, members
from graph.errors import InputError
from graph.excerpt import Things, excerpt, held, holders, holders_at_most, rows_since
from graph.incidence import holdings, near_is_source
from graph.innocent import without
from graph.moved import NOTHING, Moved
from graph.ontology import EDGES, NODES
from graph.opinions import NOBODY_S, Opinions
from graph.projection import judge
from graph.records import Ints
from graph.rings import Examined, Ring, chosen, examine, listed, ranked
from graph.snapshot import PAGED, Snapshot

__all__ = ["Aside", "Opinion", "Run", "rerun", "run"]

NOBODY = np.zeros(0, dtype=np.int64)

LEAST_JUDGED = {"Device": 3, "IP": 6, "WiFi": 6, "Phone": 6, "Account": 12}
MOST_JUDGED = 12
"""Changed things are judged anew from so many holders on; all recognisers want more, or as many."""


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
    opinions: Opinions = NOBODY_S,
    opinion: Opinion | None = None,
) -> Run:
    """A whole run; `run(…).found` is what `find_rings` gives, unless a model has its say."""
    snapshot = without(snapshot, opinions.innocent)
    examined = examine(
        snapshot, as_of=as_of, window_days=window_days, opinions=opinions.here(snapshot),
        risk=None if opinion is None else opinion.risk,
    )  # fmt: skip
    if opinion is not None:
        examined = opinion.rescored(examined)
    rings = chosen(snapshot, examined, as_of=as_of)
    found = listed(examined, rings)
    return Run(as_of, window_days, found, rings, _aside(snapshot, examined), examined.average)


def rerun(before: Run, snapshot: Snapshot, *, as_of: int, opinions: Opinions = NOBODY_S, moved: Moved = NOTHING) -> Run:
    """The run as of a later time, from the one before and what became known, or was `moved`, since.

    Close to a whole run, not the same (benchmarks/README.md): context ties to people outside the excerpt are not
    seen, and what was set aside stays so. Raises InputError for a time before that of `before`.
    """
    if as_of < before.as_of:
        raise InputError("a run cannot be continued back in time; find the rings anew as of that time")
    snapshot = without(snapshot, opinions.innocent)
    background = Background.of(snapshot, as_of=as_of, window_days=before.window_days)
    fresh, things = _changed(snapshot, since=before.as_of, as_of=as_of)
    before = judged_anew(before, snapshot, linking(snapshot, things, before), as_of=as_of, opinions=opinions)
    whole = Whole(snapshot, before, background, opinions)
    other = moved.rows(snapshot, as_of=as_of)
    near = inside(whole.window, fresh, whole.sharers(things), whole.near(other))
    own = members(snapshot, before.rings)
    stirred = _stirred(snapshot, before, np.union1d(near, other), whole.window, as_of=as_of)
    touched = {ring.ring_id for ring in before.rings if stirred[own[ring.ring_id]].any()}
    core = inside(whole.window, near, *(own[each] for each in sorted(touched)))
    anew = whole.part(core, [own[each] for each in sorted(touched)]).rings(opinions)
    rings = apart([*anew, *(ring for ring in before.rings if ring.ring_id not in touched)])
    size = int(whole.window.sum())
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


def judged_anew(before: Run, snapshot: Snapshot, things: Things, *, as_of: int, opinions: Opinions) -> Run:
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
        overrides=opinions.here(part).overrides,
        earlier=earlier(before, part),
    )
    aside = dict(before.aside)
    for type_, judged in verdicts.mapping().items():
        ids = part.nodes[type_].ids
        mine = set(snapshot.nodes[type_].ids[many.get(type_, NOBODY)].tolist())
        new = {int(ids[entity]): kind for entity, kind in judged.items() if int(ids[entity]) in mine}
        known = dict(zip(aside[type_].ids.tolist(), aside[type_].kinds, strict=True)) if type_ in aside else {}
        both = dict(sorted((known | new).items()))
        aside[type_] = Aside(np.fromiter(both, dtype=np.int64, count=len(both)), tuple(both.values()))
    return replace(before, aside=aside)


def _stirred(snapshot: Snapshot, before: Run, near: Ints, window: Window, *, as_of: int) -> Window:
    """Per application whether something about it changed: its neighbours, its decision, or it left the window."""
    nodes = snapshot.nodes["Application"]
    stirred = ~window
    stirred[near] = True
    for name in ("decided_at", "funded_at"):
        moment = nodes.times(name, as_of=as_of)
        stirred |= moment > before.as_of
    return np.asarray(stirred)


def apart(rings: Iterable[Ring]) -> list[Ring]:
    """The best of those that overlap."""
    taken: set[str] = set()
    kept = []
    for ring in sorted(rings, key=lambda ring: (-ring.score, ring.ring_id)):
        if taken.isdisjoint(ring.application_ids):
            taken.update(ring.application_ids)
            kept.append(ring)
    return kept
