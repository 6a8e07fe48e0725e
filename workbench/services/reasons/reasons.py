"""Why a ring or an application is suspicious, why it may be innocent, and what its score means.

Everything that a line rests on is named by element ids of the canvas, so that it can be lit there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from gnn.dispositions import CLEARED, POSITIVE
from graph.errors import NodeNotFound
from graph.incidence import dealers, in_window
from graph.records import NodeRef, from_millis, to_millis
from graph.signs import signs
from graph.snapshot import Snapshot
from workbench.casebook import confirming
from workbench.casebook.tables import ring_runs
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.reasons.desks import Desks
from workbench.services.reasons.explaining import Explained, Explaining, evidence_ids
from workbench.services.reasons.ring_facts import channel_lines, doubts, pace_line, sign_lines
from workbench.services.reasons.ring_lines import Carrying, EdgeId, Line, Ringed, shared_lines
from workbench.services.reasons.standing import Place, Standings

if TYPE_CHECKING:
    from workbench.services.rings import Rings

WINDOW_DAYS = 180
"""Where no run is on record."""

LEADING = {
    "Device": "session", "IP": "session", "WiFi": "session", "Phone": "phone", "Account": "money",
    "DocTemplate": "paper", "Employer": "work", "Vehicle": "car", "Person": "buyer", "VoiceCluster": "voice",
    "Address": "home", "Place": "place",
}  # fmt: skip
"""Independent kinds of evidence: two of them make a ring (T08)."""

TELLING = ("money", "car", "buyer", "voice")
"""Kinds that innocent groups hardly ever share."""


@dataclass(frozen=True)
class RingWhy:
    """`lines` are what speaks against it; `doubts` are names of look-alikes; `unshared` are telling kinds that nothing
    links; `cleared` and `confirmed` count members by what people have said of them."""

    ring: Mapping[str, Any]
    lines: tuple[Line, ...]
    doubts: tuple[str, ...]
    unshared: tuple[str, ...]
    cleared: int
    confirmed: int
    place: Place


@dataclass(frozen=True)
class Lit:
    """What carries a reason on the canvas."""

    nodes: tuple[str, ...] = ()
    edges: tuple[EdgeId, ...] = ()


@dataclass(frozen=True)
class ApplicationWhy:
    """`lit` by reason code. `ring` is the ring that it stands in now, "" for none. `counting`: its place is not known
    yet, but soon."""

    explained: Explained
    lit: Mapping[str, Lit]
    place: Place | None
    ring: str
    validated: Mapping[str, float] = field(default_factory=dict)
    counting: bool = False


class Reasons:
    def __init__(self, office: Office, rings: Rings) -> None:
        self.office, self.rings = office, rings
        self.desks = Desks(office)
        self.explaining = Explaining(office, self.desks)
        self.standings = Standings(office)
        self._lock = threading.Lock()
        self._shown: tuple[int, int, npt.NDArray[np.bool_]] | None = None

    def warm(self) -> None:
        """Begins to open the graph for scores; does not wait for it."""
        self.desks.state()

    # Rings -------------------------------------------------------------------------------------------------

    def of_ring(self, who: Person, ring_id: str, as_of: datetime | None = None) -> RingWhy:
        who.require(Act.READ)
        ring = self.rings.ring(who, ring_id, as_of)
        snapshot, seen = self.office.snapshot(), to_millis(datetime.fromisoformat(ring["as_of"]))
        ringed = Ringed.of(snapshot, ring["application_ids"], as_of=seen)
        lines = (
            *shared_lines(ring, ringed),
            *sign_lines(ring, ringed, self._signs(snapshot, seen)),
            pace_line(ring, ringed),
            *channel_lines(ringed),
        )
        kinds = {LEADING[each["type"]] for each in ring["shared"] if each["type"] in LEADING}
        cleared, confirmed = self._said(ring["application_ids"])
        listed = [each["score"] for each in self.rings.list(who)]
        return RingWhy(
            ring, lines, tuple(doubts(ring)), tuple(each for each in TELLING if each not in kinds), cleared, confirmed,
            self.standings.of_ring(ring["score"], listed),
        )  # fmt: skip

    def _said(self, applications: Sequence[str]) -> tuple[int, int]:
        with self.office.casebook.reading() as db:
            every = confirming.of_many(db, applications).values()
        last = [held.label.label for said in every if (held := confirming.standing(said)) is not None]
        return sum(each in CLEARED for each in last), sum(each == POSITIVE for each in last)

    def _signs(self, snapshot: Snapshot, as_of: int) -> npt.NDArray[np.bool_]:
        """Who shows which sign, as a run as of that time sees them; kept, for one ring after the other asks."""
        with self._lock:
            if self._shown is None or self._shown[:2] != (snapshot.sequence, as_of):
                window = np.flatnonzero(in_window(snapshot, as_of=as_of, window_days=self._window(as_of)))
                told = signs(snapshot, as_of=as_of, window=window, dealer=dealers(snapshot, as_of=as_of))
                self._shown = (snapshot.sequence, as_of, told.shown)
            return self._shown[2]

    def _window(self, as_of: int) -> int:
        """Days that the last run up to then looked back."""
        newest = select(ring_runs.c.window_days).where(ring_runs.c.as_of <= from_millis(as_of))
        with self.office.casebook.reading() as db:
            return db.execute(newest.order_by(ring_runs.c.id.desc()).limit(1)).scalar() or WINDOW_DAYS

    # Applications ------------------------------------------------------------------------------------------

    def of_application(self, who: Person, application_id: str, *, patience: float = 0.0) -> ApplicationWhy:
        """Raises NodeNotFound for an application that nobody loaded or scored."""
        who.require(Act.READ)
        explained = self.explaining.of(application_id, patience=patience)
        snapshot = self.office.snapshot()
        if not explained.scored:
            try:
                snapshot.index(NodeRef("Application", application_id))
            except NodeNotFound:
                raise NodeNotFound(f"there is no application {application_id}") from None
        reasons = explained.told.get("reasons", ())
        lit = {each["code"]: self._lit(snapshot, application_id, each) for each in reasons}
        place = self.standings.of_application(explained.told.get("score"))
        ring = self.rings.of_applications(who).get(application_id, "")
        counting = self.standings.counting
        return ApplicationWhy(explained, lit, place, ring, self._validated(explained), counting)

    def _lit(self, snapshot: Snapshot, application_id: str, reason: Mapping[str, Any]) -> Lit:
        """The paths of the reason: the application, what it holds, and who held that before."""
        nodes: dict[str, None] = {}
        edges: dict[EdgeId, None] = {}
        as_of = int(np.iinfo(np.int64).max)
        for _, type_, number, earlier in evidence_ids([reason]):
            row = int(snapshot.nodes[type_].index_of(np.array([number]))[0])
            if row < 0:
                continue
            ringed = Ringed.of(snapshot, [application_id, *earlier], as_of=as_of)
            found = Carrying(ringed).edges(type_, row) or self._direct(ringed, type_, row)
            nodes |= dict.fromkeys([*ringed.ids(type_, [row]), *(end for edge in found for end in edge[1:])])
            edges |= dict.fromkeys(found)
        return Lit(tuple(nodes), tuple(edges))

    def _direct(self, ringed: Ringed, type_: str, row: int) -> list[EdgeId]:
        """Of what links nobody: a dealer, a salesperson."""
        relation = {"Dealer": "SOLD_BY", "Salesperson": "HANDLED_BY"}.get(type_)
        if relation is None:
            return []
        source, target = ringed.edges(relation)
        mine = target == row
        return list(ringed.lit(relation, source[mine], target[mine]))

    def _validated(self, explained: Explained) -> Mapping[str, float]:
        """Figures of the validation months of the model that spoke; none where it is gone."""
        from gnn.manifest import MANIFEST, Manifest, Unsound  # noqa: PLC0415 - a quick page needs no models
        from gnn.registry import VERSION  # noqa: PLC0415

        version = str(explained.told.get("model_version") or "")
        if not VERSION.fullmatch(version):
            return {}
        try:
            told = (self.office.settings.home / "models" / version / MANIFEST).read_bytes()
            return dict(Manifest.parse(told).training.metrics)
        except (OSError, Unsound):
            return {}
