"""Anything by what people know of it: a number, a name, a plate, the end of a mask, a ring, a case.

An identifier becomes a token and is looked up exactly; it is kept nowhere. What comes back is masked, grouped by what
it is, with the rings that hold it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from graph.ontology import NODES
from graph.records import Node, NodeRef
from workbench.casebook import audit, case_search, scores
from workbench.casebook.case_search import Known
from workbench.services.find.holding import Held, Holding, Places, page
from workbench.services.find.recognise import Asked, asked, ending, plate_mask, refs
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING, Subject

EACH, MOST = 6, 100
"""Of each kind so many are shown, and so many are counted."""

TAILS = 2_000
QUIET = 10.0
"""Who types on is on record once in so many seconds; who asks for an identifier, each time."""

CASE = "case"
READABLE = tuple(name for name, node in NODES.items() if node.kind is None)
MASKED = tuple(name for name, node in NODES.items() if node.kind is not None)
GROUPS = (
    RING, CASE, "Application", "Person", "Phone", "Vehicle", "Dealer", "Employer", "Account", "Device", "Salesperson",
    *(name for name in NODES if name not in {"Application", "Person", "Phone", "Vehicle", "Dealer", "Employer",
                                             "Account", "Device", "Salesperson"}),
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """`name` is a ring's or a case's, or a key. `exact`: the text was its very key. `href` "" where it has no page."""

    group: str
    name: str
    href: str
    node: Node | None = None
    exact: bool = False
    held: Sequence[Held] = ()
    score: float | None = None
    ring: Mapping[str, object] | None = None
    case: Known | None = None


@dataclass(frozen=True)
class Group:
    """`total` counts all that were found, `more` says that there are more than were counted."""

    name: str
    hits: Sequence[Hit]
    total: int
    more: bool = False


@dataclass(frozen=True)
class Answer:
    """`kind`, `masked` and `fault` as in `Asked`: what the text was taken for."""

    kind: str
    masked: str
    fault: str
    groups: Sequence[Group]

    @property
    def total(self) -> int:
        return sum(each.total for each in self.groups)


class Search:
    def __init__(self, office: Office) -> None:
        self.office, self.holding = office, Holding(office)
        self._recorded: dict[str, float] = {}
        self._lock = threading.Lock()

    def find(self, who: Person, text: str) -> Answer:
        who.require(Act.READ)
        one = asked(text)
        if not one.text:
            return Answer("", "", "", ())
        with self.office.casebook.reading() as db:
            places = self.holding.places(db)
            cases = case_search.found(db, number=one.case, subjects=[one.text, one.text.upper()], limit=EACH)
            hits = [*_rings(one, places), *map(_case, cases), *self._things(one)]
            answer = Answer(one.kind, one.masked, one.fault, self._grouped(db, hits, places))
        self._on_record(who, one, answer.total)
        return answer

    def home(self, who: Person, ref: NodeRef) -> Subject | None:
        """Where to look at a thing that has no page: the ring, or else the application, that holds it."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return self.holding.home(db, ref, as_of=self.office.clock())

    # What the text could be --------------------------------------------------------------------------------

    def _things(self, one: Asked) -> Iterator[Hit]:
        store, now = self.office.store, self.office.clock()
        exact = store.nodes(refs(one, self.office.vault), as_of=now)
        yield from (_thing(node, exact=True) for node in exact.values())
        more: list[Node] = []
        if plate := plate_mask(one):
            more += store.named(plate, as_of=now, limit=MOST + 1, types=["Vehicle"])
        if not one.kind:
            for type_ in READABLE:
                for begin in dict.fromkeys((one.text, one.text.upper())):
                    more += store.search(begin, as_of=now, limit=MOST + 1, types=[type_])
        for end in ending(one):
            more += store.search(end, as_of=now, limit=TAILS, types=MASKED)
        companies = ["Dealer"] if one.kind else ["Dealer", "Employer"]  # an employer's credit code is its key
        for name in one.name:
            for type_ in companies:
                more += store.named(name, as_of=now, limit=MOST + 1, types=[type_])
        once = {node.ref: node for node in more if node.ref not in exact}
        yield from (_thing(node) for node in once.values())

    # What is shown -----------------------------------------------------------------------------------------

    def _grouped(self, db: Connection, hits: Iterable[Hit], places: Places) -> list[Group]:
        """What was asked for exactly stands first, then what is in a ring, then in the order of the store."""
        found: dict[str, list[Hit]] = {}
        for hit in hits:
            held = places.of(hit.node.ref) if hit.node is not None else ()
            found.setdefault(hit.group, []).append(replace(hit, held=held))
        groups = []
        for name in sorted(found, key=lambda one: (not found[one][0].exact, GROUPS.index(one))):
            every = sorted(found[name], key=_first)
            shown = self._with_more(db, every[:EACH], places)
            groups.append(Group(name, shown, min(len(every), MOST), len(every) > MOST))
        return groups

    def _with_more(self, db: Connection, hits: Sequence[Hit], places: Places) -> list[Hit]:
        """Scores of applications; rings of what was asked for exactly, also through who holds it."""
        known = scores.newest(db, [hit.name for hit in hits if hit.group == "Application"])
        told = []
        for hit in hits:
            held = hit.held
            if hit.exact and hit.node is not None and not held:
                near = self.holding.applications(hit.node.ref, as_of=self.office.clock())
                held = places.of_any(near)[:3]
            score = known[hit.name].score if hit.name in known else None
            told.append(replace(hit, held=held, score=score))
        return told

    def _on_record(self, who: Person, one: Asked, total: int) -> None:
        """What kind of thing was looked for and how much was found; never the text."""
        if not one.kind and not self._due(who.name):
            return
        detail = {"kind": one.kind or "text", "hits": total}
        with self.office.casebook.writing() as db:
            audit.write(db, who, "search", "graph", now=self.office.clock(), detail=detail)

    def _due(self, name: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._recorded.get(name, -QUIET) < QUIET:
                return False
            self._recorded[name] = now
            return True


def _thing(node: Node, *, exact: bool = False) -> Hit:
    return Hit(node.ref.type, node.ref.key, page(node.ref), node=node, exact=exact)


def _rings(one: Asked, places: Places) -> Iterator[Hit]:
    if one.ring:
        for name, ring in places.rings.items():
            if name.startswith(one.ring):
                yield Hit(RING, name, Subject(RING, name).href, exact=name == one.ring, ring=ring)


def _case(case: Known) -> Hit:
    return Hit(CASE, str(case.id), f"/case/{case.id}", case=case, exact=True)


def _first(hit: Hit) -> tuple[bool, bool, float]:
    return not hit.exact, not hit.held, -max((held.score for held in hit.held), default=0.0)
