"""Where a thing is: the rings that hold it, and the applications that lead to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import Connection, func, select

from graph.records import NodeRef
from graph.store import GraphStore
from workbench.casebook.case_tables import ring_updates
from workbench.services.office import Office
from workbench.services.rings import standing
from workbench.services.subject import APPLICATION, RING, Subject

NEAR, PEOPLE = 100, 40
"""Links read of a thing, and people and cars asked for their applications: enough to find a good one."""

BETWEEN = ("Person", "Vehicle")
"""What leads from a thing to applications where the thing itself does not."""


@dataclass(frozen=True)
class Held:
    """A ring as a hint beside something that is in it."""

    ring_id: str
    score: float
    size: int


@dataclass(frozen=True)
class Places:
    """Which rings stand now, and what they hold. The most suspicious ring of each thing comes first."""

    rings: Mapping[str, Mapping[str, object]]
    by_thing: Mapping[NodeRef, Sequence[Held]]

    def of(self, ref: NodeRef) -> Sequence[Held]:
        return self.by_thing.get(ref, ())

    def of_any(self, refs: Iterable[NodeRef]) -> list[Held]:
        """The most suspicious first, each once."""
        found = dict.fromkeys(held for ref in refs for held in self.of(ref))
        return sorted(found, key=lambda held: (-held.score, held.ring_id))


class Holding:
    def __init__(self, office: Office) -> None:
        self.office = office
        self._kept: tuple[object, Places] | None = None

    def places(self, db: Connection) -> Places:
        """Of now; made again when there was a run, or somebody decided something."""
        stamp = (self.office.last_run().get("as_of"), db.execute(select(func.max(ring_updates.c.id))).scalar())
        if self._kept is None or self._kept[0] != stamp:
            self._kept = (stamp, self._places(db))
        return self._kept[1]

    def _places(self, db: Connection) -> Places:
        rings = standing(self.office, db)
        found: dict[NodeRef, list[Held]] = {}
        for ring in sorted(rings.values(), key=lambda one: (-one["score"], one["ring_id"])):
            held = Held(ring["ring_id"], ring["score"], len(ring["application_ids"]))
            things = [NodeRef("Application", each) for each in ring["application_ids"]]
            things += [NodeRef(each["type"], each["key"]) for each in ring["shared"]]
            for ref in dict.fromkeys(things):
                found.setdefault(ref, []).append(held)
        return Places(rings, found)

    def applications(self, ref: NodeRef, *, as_of: datetime, limit: int = NEAR) -> list[NodeRef]:
        """Newest first: its own, else those of the people and cars that hold it; of a hub the newest `limit`."""
        if ref.type == "Application":
            return [ref]
        store = self.office.store
        (around,) = store.neighbours([ref], as_of=as_of, limit=limit, types=["Application", *BETWEEN], totals=False)
        own = [link.other for link in around.links if link.other.type == "Application"]
        if own:
            return list(dict.fromkeys(own))
        people = list(dict.fromkeys(link.other for link in around.links))[:PEOPLE]
        return _of_people(store, people, as_of)

    def home(self, db: Connection, ref: NodeRef, *, as_of: datetime) -> Subject | None:
        """The most suspicious ring that holds it, else the newest application that leads to it."""
        places = self.places(db)
        direct = places.of(ref)
        if direct:
            return Subject(RING, direct[0].ring_id)
        found = self.applications(ref, as_of=as_of)
        through = places.of_any(found)
        if through:
            return Subject(RING, through[0].ring_id)
        return Subject(APPLICATION, found[0].key) if found else None


def _of_people(store: GraphStore, people: Sequence[NodeRef], as_of: datetime) -> list[NodeRef]:
    if not people:
        return []
    around = store.neighbours(people, as_of=as_of, limit=NEAR, types=["Application"], totals=False)
    links = sorted((link for one in around for link in one.links), key=lambda link: (-link.event_time, link.other))
    return list(dict.fromkeys(link.other for link in links))


def page(ref: NodeRef) -> str:
    """The address of a thing's own page; "" for what has none. Tokens only, never an identifier."""
    own = {"Application": "application", "Dealer": "dealer", "Vehicle": "vehicle"}.get(ref.type)
    return f"/{own}/{quote(ref.key, safe='')}" if own else ""
