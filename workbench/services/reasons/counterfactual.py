"""What a ring or a score rests on: the fewest shared things without which nobody would look, each with the edges that
carry it on the canvas, so that somebody can go and verify just these."""
# ruff: noqa: PLC0415 - numba takes long to import

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.services.feedback.finding import Standing
from workbench.services.feedback.rescoring import Rescoring, mark
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.reasons.desks import PREPARING as DESK_PREPARING
from workbench.services.reasons.desks import Desk, Desks
from workbench.services.reasons.ring_lines import Carrying, EdgeId, Ringed, Thing
from workbench.services.rings import Rings

if TYPE_CHECKING:
    from gnn.counterfactual import Cleared
    from gnn.evidence import Path
    from graph.counterfactual import Clearing
    from graph.rings import Ring

KEPT = 64
FOREVER = int(np.iinfo(np.int64).max)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RingRests:
    """Without `things` the ring scores `left` (0: nothing is left), which is less than `below` where they are `enough`.

    No part of them is enough, and where they are the `smallest` no other set of fewer things is. `alone`: the score
    without each single thing, by (type, key). `note` says why nothing could be tried.
    """

    ring_id: str
    score: float
    below: float
    things: tuple[Thing, ...] = ()
    left: float = 0.0
    left_members: tuple[str, ...] = ()
    enough: bool = False
    smallest: bool = False
    alone: Mapping[tuple[str, str], float] | None = None
    note: str = ""


@dataclass(frozen=True)
class Carrier:
    """A thing that an application holds and these `earlier` ones held before, with the edges that carry it."""

    type: str
    key: str
    masked: str
    relation: str
    earlier: tuple[str, ...]
    nodes: tuple[str, ...]
    edges: tuple[EdgeId, ...]


@dataclass(frozen=True)
class ScoreRests:
    """As `RingRests`, of the score of an application. Where links alone are not enough, `codes` are the reasons whose
    features were taken for ordinary ones besides. `advice` is what rules say all the same: pass, review or decline.
    """

    application_id: str
    score: float
    below: float
    things: tuple[Carrier, ...] = ()
    codes: tuple[str, ...] = ()
    left: float = 0.0
    enough: bool = False
    smallest: bool = False
    advice: str = ""
    note: str = ""


PREPARING = "the graph for scores is being opened; ask again in a moment"
NO_GRAPH = "there is no graph for scores to compute this from; `ringroad serve refresh` makes one"
TOO_LATE = "the application came after the graph for scores was made; the next one holds it"


class Counterfactuals:
    """Answers are kept while nobody decides anything."""

    def __init__(self, office: Office, rescoring: Rescoring, desks: Desks) -> None:
        self.office, self.rescoring, self.desks = office, rescoring, desks
        self._kept: OrderedDict[object, RingRests] = OrderedDict()
        self._one = threading.Lock()

    def of_ring(
        self, who: Person, ring_id: str, *, below: float | None = None, progress: Progress = lambda *_: None
    ) -> RingRests:
        """`below` is a score to get under, if not that from which rings are listed. A large ring takes a second.

        Raises NodeNotFound for what is no ring now.
        """
        who.require(Act.READ)
        ring_id = ring_id.upper()
        with self._one:
            with self.office.casebook.reading() as db:
                now, seen = self.office.clock(), mark(db)
                standing = self.rescoring.standing(db, now)
            if isinstance(standing, str) or ring_id not in standing.told:
                told = Rings(self.office).ring(who, ring_id)
                return RingRests(ring_id, told["score"], below or 0.0, note=str(standing))
            asked = (standing.ground.stamp, seen, ring_id, below)
            if asked not in self._kept:
                self._kept[asked] = self._found(standing, ring_id, below, progress)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return self._kept[asked]

    def of_application(
        self, who: Person, application_id: str, *, below: float | None = None, patience: float = 0.0
    ) -> ScoreRests:
        """As of its own arrival, by the model that answers; `below` is a score to get under, if not that from which a
        person looks. Waits so many seconds for a graph that is being opened."""
        who.require(Act.READ)
        desk = self.desks.desk(patience)
        if desk is None:
            note = PREPARING if self.desks.state() == DESK_PREPARING else NO_GRAPH
            return ScoreRests(application_id, 0.0, below or 0.0, note=note)
        with desk.lock:
            row = desk.view.row_of(application_id)
            if row is None or row >= desk.view.assessor.desk.start.rows:
                return ScoreRests(application_id, 0.0, below or 0.0, note=TOO_LATE)
            found, score, limit = _cleared(desk, row, below)
        if found is None:
            return ScoreRests(application_id, score, limit)
        things = tuple(self._carrier(application_id, each) for each in found.things)
        return ScoreRests(
            application_id, score, limit, things, found.codes, found.left, found.enough, found.smallest, found.advice
        )

    def _carrier(self, application_id: str, path: Path) -> Carrier:
        snapshot = self.office.snapshot()
        row = int(snapshot.nodes[path.type].index_of(np.array([path.thing]))[0])
        key = "" if row < 0 else str(snapshot.nodes[path.type].table["key"][row].as_py())
        ringed = Ringed.of(snapshot, [application_id, *path.earlier], as_of=FOREVER)
        edges = Carrying(ringed).edges(path.type, row) if row >= 0 else []
        nodes = dict.fromkeys([f"{path.type}~{key}", *(end for edge in edges for end in edge[1:])])
        return Carrier(path.type, key, path.label, path.relation, path.earlier, tuple(nodes), tuple(edges))

    def _found(self, standing: Standing, ring_id: str, below: float | None, progress: Progress) -> RingRests:
        from graph.counterfactual import clearing

        rings = standing.rings
        ring = next(each for each in rings if each.ring_id == ring_id)
        limit = listed_from(standing.told, rings) if below is None else below
        found = clearing(standing.whole, ring, rings, below=limit, progress=progress)
        if found is None:
            return RingRests(ring_id, ring.score, limit)
        return self._told(standing, ring, found)

    def _told(self, standing: Standing, ring: Ring, found: Clearing) -> RingRests:
        ringed = Ringed.of(standing.whole.snapshot, ring.application_ids, as_of=standing.whole.as_of)
        carrying = Carrying(ringed)
        return RingRests(
            ring.ring_id, ring.score, found.below, tuple(carrying.thing(vars(each)) for each in found.things),
            found.left.score, found.left.application_ids, found.enough, found.smallest,
            {(ring.shared[at].type, ring.shared[at].key): score for at, score in found.alone.items()},
        )  # fmt: skip


def listed_from(told: Mapping[str, Mapping[str, float]], rings: Sequence[Ring]) -> float:
    """The score from which a ring is worth a look: where there are more of these than are listed, the lowest listed."""
    from graph.choice import LEAST_SCORE

    if len(rings) <= len(told):
        return LEAST_SCORE
    return max(LEAST_SCORE, min(each["score"] for each in told.values()))


def _cleared(desk: Desk, row: int, below: float | None) -> tuple[Cleared | None, float, float]:
    """What clears it, its score, and the score to get under."""
    from gnn.counterfactual import clearing
    from gnn.explain import reasons
    from workbench.online.panel import Panel, Rule

    rule, file, assessor = Rule.of(desk.strategy), desk.file_of(row), desk.view.assessor
    Panel(desk.view, rule)  # its rules are those that count
    scorer, asked = assessor.scorer, assessor.again(row, file)
    limit = rule.review_from(scorer, asked.seen) if below is None else below
    codes: list[str] = []
    if scorer.main is not None:
        values = asked.seen.only(scorer.names)[0]
        parts = scorer.main.contributions(values[None])[0]
        added = {name: float(each[0]) for name, each in asked.scores.added.items()}
        codes = [each.code for each in reasons(parts, values, scorer.names, auxiliaries=added)]
    return clearing(assessor, row, file, below=limit, codes=codes), float(asked.scores.score[0]), limit
