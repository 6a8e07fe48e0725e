"""What rings are found anew on: the last run with what it left, its facts, and what of them only the whole window
shows. Read once for each run, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from graph.errors import ModelRefused
from graph.opinions import Opinions
from graph.records import NodeRef
from graph.snapshot import Snapshot
from workbench import lastrun
from workbench.lastrun import ByModel, Decided, LastRun
from workbench.services.office import Office

if TYPE_CHECKING:
    from graph.around import Whole
    from graph.background import Background
    from graph.before import Run
    from workbench.scoring import RingOpinion


@dataclass(frozen=True)
class Ground:
    """`stamp` tells one run from the next."""

    stamp: int
    last: LastRun
    snapshot: Snapshot
    background: Background
    model: RingOpinion | None = None

    def whole(self, opinions: Opinions) -> Whole:
        """With these opinions in place of those that the run saw."""
        from graph.around import Whole  # noqa: PLC0415 - numba takes long to import
        from graph.innocent import without  # noqa: PLC0415

        snapshot = without(self.snapshot, opinions.innocent)
        return Whole(snapshot, self._before(snapshot, opinions), self.background, opinions, self.model)

    def _before(self, snapshot: Snapshot, opinions: Opinions) -> Run:
        """The run, had it seen these overrides: a thing that was set aside by hand alone links again, for example."""
        now = Decided.by(opinions)
        things = [NodeRef(*each[:2]) for each in set(self.last.decided.overrides) ^ set(now.overrides)]
        if not things:
            return self.last.run
        from graph.before import MANY, Aside  # noqa: PLC0415
        from graph.excerpt import holders_at_most, things_of  # noqa: PLC0415
        from graph.ontology import NODES  # noqa: PLC0415
        from graph.rerun import judged_anew  # noqa: PLC0415

        aside, anew = dict(self.last.run.aside), {}
        for type_ in {each.type for each in things}:
            ids = np.array([each.id for each in things if each.type == type_], dtype=np.int64)
            index = things_of(snapshot, type_, ids)
            anew[type_] = index[holders_at_most(snapshot, type_, index) <= MANY * NODES[type_].hub_above]
            if type_ in aside:
                kept = ~np.isin(aside[type_].ids, snapshot.nodes[type_].ids[anew[type_]])
                kinds = [kind for kind, keeps in zip(aside[type_].kinds, kept.tolist(), strict=True) if keeps]
                aside[type_] = Aside(aside[type_].ids[kept], tuple(kinds))
        before = replace(self.last.run, aside=aside)
        return judged_anew(before, snapshot, anew, as_of=before.as_of, opinions=opinions)


class Grounds:
    def __init__(self, office: Office) -> None:
        self._office, self._lock = office, threading.Lock()
        self._ground: Ground | None = None

    def now(self) -> Ground | None:
        """Of the last run; None where it left nothing to go on from."""
        place = lastrun.place(self._office.settings)
        with self._lock:
            try:
                stamp = place.stat().st_mtime_ns
            except OSError:
                return None
            if self._ground is None or self._ground.stamp != stamp:
                self._ground = self._read(stamp)
            return self._ground

    def _read(self, stamp: int) -> Ground | None:
        last = lastrun.load(self._office.settings)
        if last is None:
            return None
        from graph.background import Background  # noqa: PLC0415

        snapshot, model = self._office.snapshot(), None
        if last.by_model is not None and (model := self._opinion(last.by_model, snapshot)) is None:
            return None
        background = Background.of(
            snapshot, as_of=last.run.as_of, window_days=last.run.window_days, risk=None if model is None else model.risk
        )
        return Ground(stamp, last, snapshot, background, model)

    def _opinion(self, told: ByModel, snapshot: Snapshot) -> RingOpinion | None:
        """As the model said, by the rows of this snapshot; 0 for who came since. None where the version is gone."""
        from workbench.scoring import opinion_again  # noqa: PLC0415

        at = snapshot.nodes["Application"].index_of(told.ids)
        risk, fraud = np.zeros(len(snapshot.nodes["Application"])), np.zeros(len(snapshot.nodes["Application"]), bool)
        risk[at[at >= 0]], fraud[at[at >= 0]] = told.risk[at >= 0], told.fraud[at >= 0]
        try:
            return opinion_again(self._office.settings, told.version, risk, fraud)
        except ModelRefused:
            return None


def rows(ground: Ground, names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Indices of applications; those that are not there yet are left out."""
    from graph.records import node_ids  # noqa: PLC0415

    found = ground.snapshot.nodes["Application"].index_of(node_ids("Application", names))
    return found[found >= 0]
