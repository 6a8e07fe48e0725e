"""From runs and scores to cases: what the queue needs to know beside what a run or a model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graph.records import DAY, from_millis, to_millis
from workbench.casebook import case_sync, cases, runs, scores
from workbench.casebook.case_changes import Synced
from workbench.casebook.cases import APPLICATION, RING, Finding
from workbench.casebook.scores import Score
from workbench.instance import open_casebook
from workbench.stakes import Stake, Stakes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from graph.rings import Ring
    from graph.settings import Settings
    from graph.snapshot import Snapshot
    from workbench.casebook.case_sync import Pairs
    from workbench.casebook.opening import Casebook
    from workbench.casebook.runs import Change, Run
    from workbench.scoring import Scored

LOOKED_BACK = 30 * DAY
"""A score of an application so much older than the newest one opens no case: it was looked at when it came, or let go.
"""

Money = tuple[float, float, datetime | None]
"""Exposure, what is savable, and when it is expected to go out."""

MOST_REASONS = 6
CERTAIN, UNSCORED = 1.0, 0.0
"""Where there is no number: strong rules decided alone, or nothing could score it."""


def of_ring(ring: Ring, stake: Stake) -> Finding:
    relations = dict.fromkeys(each.relation for each in ring.shared)
    return Finding(
        kind=RING, subject=ring.ring_id, score=ring.score, size=ring.size, exposure=ring.exposure,
        savable=ring.undisbursed, typology=ring.typology, because=ring.because,
        reasons=tuple(relations)[:MOST_REASONS], dealer=stake.dealer, region=stake.region,
        first_seen=stake.first_seen, last_seen=stake.last_seen, pays_out_at=stake.pays_out_at,
    )  # fmt: skip


def of_application(score: Score, stake: Stake) -> Finding:
    certain = CERTAIN if score.reasons else UNSCORED
    return Finding(
        kind=APPLICATION, subject=score.application_id, score=certain if score.score is None else score.score, size=1,
        exposure=stake.exposure, savable=stake.savable, typology="", because="", reasons=score.reasons[:MOST_REASONS],
        dealer=stake.dealer, region=stake.region, first_seen=stake.first_seen, last_seen=stake.last_seen,
        pays_out_at=stake.pays_out_at,
    )  # fmt: skip


# Rings ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RingCases:
    """What is looked up before the transaction in which a run is recorded: that shall be short."""

    rings: Sequence[Ring]
    stakes: Stakes
    alone: Mapping[str, Money]

    @classmethod
    def of(cls, casebook: Casebook, snapshot: Snapshot, rings: Sequence[Ring], *, as_of: datetime) -> RingCases:
        with casebook.reading() as db:
            alone = cases.money(db, APPLICATION)
        members = (name for ring in rings for name in ring.application_ids)
        return cls(rings, Stakes(snapshot, [*members, *alone], as_of=to_millis(as_of)), alone)

    def record(self, db: Connection, run: Run, *, now: datetime) -> Change:
        """As `runs.record`, with all cases; those of a run that is not recorded stay as they are."""
        seen = case_sync.newest_members(db)
        change = runs.record(db, self.rings, run, now=now)
        if not change.unrecorded:
            self._follow(db, change, seen=seen, now=now)
        return change

    def _follow(self, db: Connection, change: Change, *, seen: Pairs, now: datetime) -> Synced:
        named = [replace(ring, ring_id=name) for ring, name in zip(self.rings, change.ring_ids, strict=True)]
        found = [of_ring(ring, stake) for ring in named if (stake := self.stakes.of(ring.application_ids))]
        members = {ring.ring_id: ring.application_ids for ring in named}
        case_sync.sync_applications(db, self._paid_or_not(db), set(), now=now)
        return case_sync.sync_rings(db, case_sync.Told(found, members, change.events), seen=seen, now=now)

    def _paid_or_not(self, db: Connection) -> list[Finding]:
        """Single applications on whose cases money has moved."""
        stakes = {name: stake for name in self.alone if (stake := self.stakes.of([name]))}
        moved = [
            name
            for name, stake in stakes.items()
            if self.alone[name] != (stake.exposure, stake.savable, stake.pays_out_at)
        ]
        found = []
        for name, case in cases.of_subjects(db, APPLICATION, moved).items():
            same = {each: getattr(case, each) for each in Finding.__dataclass_fields__}
            money = {each: getattr(stakes[name], each) for each in ("exposure", "savable", "pays_out_at")}
            found.append(Finding(**same | money))
        return found


# Applications --------------------------------------------------------------------------------------------


def follow_scores(db: Connection, told: Sequence[Score], stakes: Mapping[str, Stake], *, now: datetime) -> Synced:
    """A case for who is to be looked at, stands in no ring and is not settled; cases that are there follow theirs.

    `stakes` need not know all of them.
    """
    some = [each for each in told if each.application_id in stakes]
    there = cases.living_among(db, APPLICATION, [each.application_id for each in some])
    some = [each for each in some if each.calls or each.application_id in there]
    inside = case_sync.in_rings(db, [each.application_id for each in some])
    some = [each for each in some if each.application_id not in inside]
    found = [of_application(each, stakes[each.application_id]) for each in some]
    calls = {each.application_id for each in some if each.calls and not stakes[each.application_id].settled}
    return case_sync.sync_applications(db, found, calls, now=now)


def wanted(casebook: Casebook, told: Sequence[Score]) -> list[str]:
    """The applications whose stakes `follow_scores` asks for."""
    with casebook.reading() as db:
        there = cases.living_among(db, APPLICATION, [each.application_id for each in told])
    some = [each for each in told if each.calls or each.application_id in there]
    newest = max((to_millis(each.as_of) for each in some), default=0)
    oldest = from_millis(max(newest - LOOKED_BACK, 0)).astimezone(UTC)
    return [each.application_id for each in some if each.as_of >= oldest or each.application_id in there]


TOGETHER = 50_000
"""Scores of one transaction: nobody else writes meanwhile."""


def keep_scores(settings: Settings, snapshot: Snapshot, scored: Sequence[Scored], *, as_of: datetime) -> None:
    """What `ringroad score` found, as the newest scores, with cases for those that somebody is to look at."""
    now = datetime.now(UTC)
    told = [_score(each, now) for each in scored]
    with open_casebook(settings) as casebook:
        names = wanted(casebook, told)
        stakes = Stakes(snapshot, names, as_of=to_millis(as_of)).each(names)
        for at in range(0, len(told), TOGETHER):
            with casebook.writing() as db:
                scores.record(db, told[at : at + TOGETHER])
                follow_scores(db, told[at : at + TOGETHER], stakes, now=now)


def _score(one: Scored, now: datetime) -> Score:
    return Score(
        one.application_id, datetime.fromisoformat(one.as_of), one.score, one.decision, one.reasons, one.ring_id,
        one.model_version, scores.BATCH, now,
    )  # fmt: skip
