"""What a ring or an application opens with: who belongs to it, and what they share; the rest is counted.

An application stands for its person, its vehicle and itself: through these it holds things (`graph/incidence.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.incidence import ANCHORS, near_is_source
from graph.ontology import EDGES, NODES
from graph.records import NodeRef
from graph.traverse import hub
from workbench.services.canvas.graph_reading import Found, Reader
from workbench.services.canvas.graph_shapes import Ends, Tie

ALWAYS = "Dealer"
"""Shown although sharing one says nothing."""

STAFF = frozenset({"Salesperson", "Reviewer"})
HANDLED = 0.5
"""Staff are shown who handled so much of a ring, and at least three of it."""

Aside = Callable[[NodeRef, int], bool]
"""Whether a thing with so many links is infrastructure."""

OTHERS = 8
"""Further holders shown of each thing that a single application shares."""


@dataclass
class Chosen:
    """What stands on the canvas, in the order of its worth when there is no room for all."""

    members: list[NodeRef]
    nodes: dict[NodeRef, int] = field(default_factory=dict)
    ties: dict[Ends, Tie] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)


@dataclass
class Holdings:
    """Who holds what: by thing the people (an application without applicant is somebody), and the links."""

    anchors: dict[NodeRef, set[NodeRef]]
    people: dict[NodeRef, set[NodeRef]] = field(default_factory=dict)
    through: dict[NodeRef, list[Tie]] = field(default_factory=dict)
    by_near: dict[tuple[NodeRef, str], Tie] = field(default_factory=dict)

    @classmethod
    def read(cls, reader: Reader, members: Sequence[NodeRef]) -> Holdings:
        """`anchors`: per application, person and vehicle the people it stands for."""
        reader.around(members)
        found = reader.found
        inside = set(members)
        person: dict[NodeRef, set[NodeRef]] = {}
        vehicles: dict[NodeRef, set[NodeRef]] = {}
        for one in found.of(inside):
            if one.relation == "APPLIED" and one.target in inside:
                person.setdefault(one.target, set()).add(one.source)
            elif one.relation == "FINANCES" and one.source in inside:
                vehicles.setdefault(one.target, set()).add(one.source)
        anchors: dict[NodeRef, set[NodeRef]] = {each: person.get(each) or {each} for each in members}
        anchors |= {who: {who} for each in person.values() for who in each}
        anchors |= {car: {who for of in each for who in anchors[of]} for car, each in vehicles.items()}
        reader.around([each for each in anchors if each not in inside])
        held = cls(anchors)
        for one in found.of(anchors):
            held._take(one)
        return held

    def _take(self, one: Tie) -> None:
        edge = EDGES[one.relation]
        ends = (one.source, one.target) if near_is_source(edge) else (one.target, one.source)
        for near, thing in (ends, ends[::-1]):
            if near in self.anchors and (thing not in self.anchors or thing.type == "Vehicle"):
                self.people.setdefault(thing, set()).update(self.anchors[near])
                self.through.setdefault(thing, []).append(one)
                self.by_near.setdefault((near, one.relation), one)
                return

    def stands_for(self, application: NodeRef, type_: str) -> list[NodeRef]:
        """The application, its applicants or its vehicles."""
        if type_ == "Application":
            return [application] if application in self.anchors else []
        people = self.anchors.get(application, set())
        return [each for each, who in self.anchors.items() if each.type == type_ and who & people]


def of_ring(reader: Reader, ring: Mapping[str, Any]) -> Chosen:
    """`ring` as in `rings.json`. Members that were not known then are left out."""
    named = [NodeRef("Application", name) for name in ring["application_ids"]]
    members = list(reader.nodes(named))
    held = Holdings.read(reader, members)
    chosen = Chosen(members)
    parties = {who for each in members for who in held.anchors[each]}
    for ref in (*members, *sorted(parties - set(members))):
        chosen.nodes[ref] = 0
    shared = {NodeRef(one["type"], one["key"]): one for one in ring["shared"]}
    kept = [ref for ref in held.people if ref in shared or _worth(ref, len(held.people[ref]), len(parties))]
    kept += _alike(reader, held, kept)
    played = {NodeRef(one["type"], one["key"]) for one in ring.get("scheme_roles", ())}
    kept += [ref for ref in held.people if ref in played and ref not in kept]
    for ref in sorted(kept, key=lambda each: (-len(held.people[each]), each)):
        _show(chosen, held, ref)
    for one in shared.values():
        _stand_for(chosen, held, one)
    _close(chosen, reader.found)
    chosen.left.update(ref.type for ref in held.people if NODES[ref.type].lead and ref not in chosen.nodes)
    return chosen


def of_application(reader: Reader, ref: NodeRef, *, aside: Aside) -> Chosen:
    """The application with all it holds, and who else holds its things, the newest first: not through hubs, nor through
    what is set aside."""
    reader.store.node(ref, as_of=reader.as_of)
    held = Holdings.read(reader, [ref])
    chosen = Chosen([ref], dict.fromkeys(held.anchors, 1))
    for thing, ties in held.through.items():
        if NODES[thing.type].lead or thing.type in STAFF | {ALWAYS, "Application"}:
            chosen.nodes.setdefault(thing, 1)
            chosen.ties.update((one.ends, one) for one in ties)
    things = [each for each in chosen.nodes if NODES[each.type].lead and each.type != "Person"]
    reader.count(things)
    _others(reader, chosen, [each for each in things if not _closed(each, reader.found.links(each), aside)])
    _close(chosen, reader.found)
    return chosen


def _closed(ref: NodeRef, links: int, aside: Aside) -> bool:
    return hub(ref, links) or aside(ref, links)


def _worth(ref: NodeRef, people: int, of: int) -> bool:
    node = NODES[ref.type]
    if ref.type in STAFF:
        return people >= max(3, HANDLED * of)
    return ref.type == ALWAYS or (people >= 2 and (node.lead or ref.type == "Application"))


def _show(chosen: Chosen, held: Holdings, ref: NodeRef) -> None:
    """With the vehicles through which it is held: they stand between."""
    chosen.nodes[ref] = max(chosen.nodes.get(ref, 0), len(held.people[ref]))
    for one in held.through[ref]:
        chosen.ties[one.ends] = one
        for end in (one.source, one.target):
            if end.type == "Vehicle" and end in held.anchors:
                chosen.nodes.setdefault(end, 0)
                chosen.ties.update((each.ends, each) for each in held.through.get(end, ()))


def _alike(reader: Reader, held: Holdings, kept: Collection[NodeRef]) -> list[NodeRef]:
    """Voices of members that a vendor takes for one another's."""
    voices = [ref for ref in held.people if ref.type == "VoiceCluster"]
    if not voices:
        return []
    found = reader.found
    found.take(reader.store.neighbours(voices, as_of=reader.as_of, limit=20, relations=["SAME_VOICE"], totals=False),
               counted=False)  # fmt: skip
    pairs = [one for one in found.of(voices) if one.relation == "SAME_VOICE"]
    both = {end for one in pairs if {one.source, one.target} <= held.people.keys() for end in (one.source, one.target)}
    return sorted(both - set(kept))


def _stand_for(chosen: Chosen, held: Holdings, one: Mapping[str, Any]) -> None:
    """A ring shares a thing under several names (a page copied again, a voice heard twice): who holds another of them
    is linked to the one that is shown."""
    ref, edge = NodeRef(one["type"], one["key"]), EDGES[one["relation"]]
    outgoing = near_is_source(edge)
    direct = held.people.get(ref, set())
    for name in one["holders"]:
        for near in held.stands_for(NodeRef("Application", name), edge.source if outgoing else edge.target):
            own = held.by_near.get((near, edge.name))
            if own is None or held.anchors[near] & direct:
                continue
            ends = (near, ref) if outgoing else (ref, near)
            made = own._replace(source=ends[0], target=ends[1], ref="", alike=True)
            chosen.nodes[ref] = max(chosen.nodes.get(ref, 0), int(one["people"]))
            chosen.ties.setdefault(made.ends, made)


def _others(reader: Reader, chosen: Chosen, things: Sequence[NodeRef]) -> None:
    """Applications behind other holders of the things, with their applicants."""
    around = reader.store.neighbours(things, as_of=reader.as_of, limit=OTHERS + 4)
    found = reader.found
    found.take(around)
    near = {link.other for one in around for link in one.links if link.other.type in ANCHORS} - chosen.nodes.keys()
    reader.around(sorted(near))
    applications = {each for each in near if each.type == "Application"}
    for one in found.of(near - applications):
        if one.relation in ("APPLIED", "FINANCES"):
            applications.add(one.target if one.relation == "APPLIED" else one.source)
    reader.around(sorted(applications))
    near |= {one.source for one in found.of(applications) if one.relation == "APPLIED" and one.target in applications}
    for each in (*sorted(applications), *sorted(near)):
        chosen.nodes.setdefault(each, 0)


def _close(chosen: Chosen, found: Found) -> None:
    """Every link that was read between what is shown."""
    for one in found.ties.values():
        if one.source in chosen.nodes and one.target in chosen.nodes:
            chosen.ties.setdefault(one.ends, one)


def capped(chosen: Chosen, cap: int) -> Chosen:
    """At most `cap` nodes and links. Members stay, then what most of them hold; what goes is counted."""
    if len(chosen.nodes) + len(chosen.ties) <= cap:
        return chosen
    rest = chosen.nodes.keys() - set(chosen.members)
    ties = _by_end(chosen.ties.values())
    kept: dict[NodeRef, int] = {}
    links: dict[Ends, Tie] = {}
    cut = Counter(chosen.cut)
    for ref in (*chosen.members, *sorted(rest, key=lambda each: _order(each, chosen))):
        mine = [one for one in ties.get(ref, ()) if {one.source, one.target} <= {ref, *kept}]
        if len(kept) + len(links) + 1 + len(mine) > cap:
            cut[ref.type] += 1
            continue
        kept[ref] = chosen.nodes[ref]
        links.update((one.ends, one) for one in mine)
    return Chosen(chosen.members, kept, links, chosen.left, cut)


def _order(ref: NodeRef, chosen: Chosen) -> tuple[bool, int, NodeRef]:
    """Applicants first: without them nothing hangs together."""
    return ref.type != "Person", -chosen.nodes[ref], ref


def _by_end(ties: Iterable[Tie]) -> dict[NodeRef, list[Tie]]:
    found: dict[NodeRef, list[Tie]] = {}
    for one in ties:
        for end in {one.source, one.target}:
            found.setdefault(end, []).append(one)
    return found
