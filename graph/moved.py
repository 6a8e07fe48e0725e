"""What people think otherwise of than before, and whom that is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from graph.before import MANY
from graph.excerpt import Things, applications_of, holders, holders_at_most, things_of
from graph.incidence import ANCHORS, near_is_source
from graph.ontology import EDGES, NODES
from graph.opinions import Innocent
from graph.records import Ints, NodeRef, node_ids
from graph.snapshot import Snapshot


@dataclass(frozen=True)
class Moved:
    """Applications by their numbers, links, and things."""

    applications: Collection[str] = ()
    links: Collection[Innocent] = ()
    things: Collection[NodeRef] = ()

    def rows(self, snapshot: Snapshot, *, as_of: int) -> Ints:
        """The applications that it is about, by index; `snapshot` with or without the links.

        What so many hold that it links nobody, whatever anybody says, is passed over. Who is not in the snapshot yet
        cannot be found.
        """
        nodes = snapshot.nodes["Application"]
        named = nodes.index_of(node_ids("Application", sorted(self.applications)))
        held: Things = {}
        for ref in sorted(self.things):
            index = things_of(snapshot, ref.type, np.array([ref.id]))
            few = holders_at_most(snapshot, ref.type, index) <= MANY * NODES[ref.type].hub_above
            held[ref.type] = np.union1d(held.get(ref.type, index[:0]), index[few])
        linked, holding = told_of(snapshot, self.links, as_of=as_of), holders(snapshot, held, as_of=as_of)
        every = np.unique(np.concatenate([named[named >= 0], linked, holding]))
        return np.asarray(every[nodes.known_at[every] <= as_of])


NOTHING = Moved()


def told_of(snapshot: Snapshot, links: Iterable[Innocent], *, as_of: int) -> Ints:
    """The applications that hold, or held, a thing by one of these links."""
    near: dict[str, list[int]] = {anchor: [] for anchor in ANCHORS}
    voices = []
    for link in links:
        ends = dict(zip(("source", "target"), link.ends, strict=True))
        ref = ends["source" if near_is_source(EDGES[link.relation]) else "target"]
        index = snapshot.nodes[ref.type].index_of(np.array([ref.id])).tolist()
        if ref.type in near:
            near[ref.type] += [each for each in index if each >= 0]
        else:
            voices += [each for each in index if each >= 0]
    things = {name: np.unique(np.array(each, dtype=np.int64)) for name, each in near.items()}
    own = applications_of(snapshot, things, as_of=as_of)
    return np.union1d(
        own, holders(snapshot, {"VoiceCluster": np.unique(np.array(voices, dtype=np.int64))}, as_of=as_of)
    )
