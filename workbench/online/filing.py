"""What was told of an application as the file that a desk takes, and what a desk must learn of it later.

A file holds what this application says; what its person held before the desk knows itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from gnn.book import ROLES, Role
from gnn.features.facts import FLAGS
from gnn.files import ApplicationFile, Hold, Inquiry, Thing
from graph.incidence import VOICE_MATCH, near_is_source
from graph.ontology import EDGES, NODES
from graph.records import node_id
from graph.snapshot import PAGED
from loaders.live import Told, ToldEdge

Event = Mapping[str, Any]
Key = tuple[str, str]


class Known(NamedTuple):
    """For `Desk.learn`: a thing that the application holds from now on."""

    hold: Hold
    thing: Thing


class Decided(NamedTuple):
    """For `Desk.decide`: a decision, and when it was made."""

    decision: str
    at: int


class _Way(NamedTuple):
    """How a relation leads from the application to a thing: by its source or its target, of whom, in which role."""

    role: str
    by_source: bool
    near: str
    far: str


def _way(role: Role) -> _Way:
    edge, by_source = EDGES[role.relation], near_is_source(EDGES[role.relation])
    near, far = (edge.source, edge.target) if by_source else (edge.target, edge.source)
    return _Way(role.name, by_source, near, far)


WAYS: Final = {role.relation: _way(role) for role in ROLES if role.relation and not role.post}
"""Relations that a score before the decision reads."""

UNDATED: Final = {
    type_: frozenset(each.name for each in node.properties if each.dated_by is None) for type_, node in NODES.items()
}
"""Properties known from the beginning; a decision is no property of a file."""


def filed(told: Told, *, loaded: Mapping[str, int] | None = None) -> ApplicationFile:
    """The file of an application that was told.

    `loaded` says from when on there are rows of a table of anybody's (`Book.loaded`): where there are, none for this
    application says something, and where there are not, it does not.
    """
    own: Key = ("Application", told.application)
    things = _things(told)
    application = things[own]
    held = _held(told, own)
    now = told.now
    some = {table for table, since in (loaded or {}).items() if since <= now}
    rows = {
        table: _ordered(told.events.get(table, ())) if table in told.events or table in some else None
        for table in ("device_events", "documents", "bureau_inquiries")
    }
    flags, kinds, asked = rows["device_events"], rows["documents"], rows["bureau_inquiries"]
    return ApplicationFile(
        id=node_id(*own),
        known_at=application.known_at,
        properties=application.properties,
        held=tuple(hold for hold, _ in held),
        things={(at[0], hold.thing): things[at] for hold, at in held},
        device_events=None if flags is None else tuple(map(_flags, flags)),
        documents=None if kinds is None else tuple(row.get("kind") for row in kinds),
        inquiries=None if asked is None else tuple(map(_inquiry, asked)),
        name=application.label,
    )


def learnt(told: Told) -> list[Known | Decided]:
    """What a desk must learn from an event of an application that arrived before."""
    own: Key = ("Application", told.application)
    things = _things(told)
    found: list[Known | Decided] = [Known(hold, things[at]) for hold, at in _held(told, own)]
    for edge in told.edges:
        if _one_voice(edge):
            found += [Known(_voice(edge, key), things["VoiceCluster", key]) for key in (edge.source, edge.target)]
    for node in told.nodes:
        if (node.type, node.key) == own and "decision" in node.properties:
            at = node.properties.get("decided_at", node.updated_at)
            found.append(Decided(str(node.properties["decision"]), int(at)))
    return found


# Things ------------------------------------------------------------------------------------------------


def _things(told: Told) -> dict[Key, Thing]:
    """Every node that is told of. Of two statements the later one counts."""
    found: dict[Key, Thing] = {}
    stated: dict[Key, int] = {}
    for type_, key, masked, known_at, updated_at, properties in told.nodes:
        at = (type_, key)
        undated = UNDATED[type_]
        says = {name: value for name, value in properties.items() if name in undated}
        before = found.get(at)
        if before is None:
            label = masked or (key if NODES[type_].kind is None else "")
            found[at], stated[at] = Thing(known_at, says, key if type_ == PAGED else "", label), updated_at
            continue
        first, second = (before.properties, says) if stated[at] <= updated_at else (says, before.properties)
        merged = before._replace(known_at=min(known_at, before.known_at), properties={**first, **second})
        found[at], stated[at] = merged, max(stated[at], updated_at)
    return found


def _held(told: Told, own: Key) -> list[tuple[Hold, Key]]:
    """Each thing once per role, as it was first known; through the applicant what the applicant holds."""
    person, applied = next(
        ((edge.source, edge.known_at) for edge in told.edges if edge.type == "APPLIED" and edge.target == own[1]),
        ("", 0),
    )
    near = {"Application": own[1], "Person": person}
    found: dict[tuple[str, Key], tuple[int, int]] = {}
    for edge in told.edges:
        way = WAYS.get(edge.type)
        if way is None:
            continue
        by, thing = (edge.source, edge.target) if way.by_source else (edge.target, edge.source)
        if by != near.get(way.near):
            continue
        since = edge.known_at
        known = max(since, applied) if way.near == "Person" and edge.type != "APPLIED" else since
        at = (way.role, (way.far, thing))
        found[at] = min(found.get(at, (known, since)), (known, since))
    _hear(told.edges, found)
    return [(Hold(role, node_id(*key), known, since), key) for (role, key), (known, since) in found.items()]


def _hear(edges: Iterable[ToldEdge], found: dict[tuple[str, Key], tuple[int, int]]) -> None:
    """Who speaks with a voice holds the voices that it was recognised as, too."""
    for edge in edges:
        if _one_voice(edge):
            ends = [("voice", ("VoiceCluster", key)) for key in (edge.source, edge.target)]
            known = [found[at] for at in ends if at in found]
            if len(known) == 1:
                (missing,) = (at for at in ends if at not in found)
                since = max(edge.known_at, known[0][1])
                found[missing] = (since, since)


def _one_voice(edge: ToldEdge) -> bool:
    return edge.type == "SAME_VOICE" and edge.confidence >= VOICE_MATCH


def _voice(edge: ToldEdge, key: str) -> Hold:
    return Hold("voice", node_id("VoiceCluster", key), edge.known_at, edge.known_at)


# Events ------------------------------------------------------------------------------------------------


def _ordered(rows: Iterable[Event]) -> list[Event]:
    """As a store gives them."""
    return sorted(rows, key=lambda row: (row["known_at"], row["ref"]))


def _flags(row: Event) -> dict[str, Any]:
    return {"known_at": row["known_at"], **{name: row.get(name) for name in FLAGS.values()}}


def _inquiry(row: Event) -> Inquiry:
    names = ("institution_token", "vin_token", "amount", "reason")
    return Inquiry(row["ref"], row["event_time"], row["known_at"], *(row.get(name) for name in names))


__all__ = ["Decided", "Known", "filed", "learnt"]
