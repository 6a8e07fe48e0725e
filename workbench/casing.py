"""From runs, scores and alerts to cases: what the queue needs to know beside what a run or a model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graph.records import DAY, from_millis, to_millis
from workbench.casebook import case_sync, cases, loan_alerts, runs, scores
from workbench.casebook.case_changes import Changes, Synced
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
    from workbench.casebook.cases import Case
    from workbench.casebook.loan_alerts import Hit
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


# Loans that are paid out ---------------------------------------------------------------------------------

ALERT = "alert"
"""Why such a case was opened, and what its entry is called."""

DECIDED = ("confirmed_fraud", cases.MERGED)
"""Outcomes of cases that an alert does not open again: it is fraud, or it is worked on elsewhere."""


@dataclass(frozen=True)
class Worked:
    """By application the case on which its alerts are worked on; how many of them were opened, or opened again."""

    cases: Mapping[str, int]
    opened: int


def follow_alerts(db: Connection, fresh: Sequence[Hit], stakes: Mapping[str, Stake], *, now: datetime) -> Worked:
    """New alerts on the case of the ring that a loan stands in, or on its own; one that calls for somebody opens it.

    `stakes` need not know all of them. `db` is of `Casebook.writing`.
    """
    told: dict[str, list[Hit]] = {}
    for each in fresh:
        told.setdefault(each.application_id, []).append(each)
    ring_of = loan_alerts.rings_of(db, list(told))
    rings = cases.of_subjects(db, RING, set(ring_of.values()))
    alone = cases.of_subjects(db, APPLICATION, [name for name in told if ring_of.get(name) not in rings])
    there = {name: case for name in told if (case := rings.get(ring_of.get(name, "")) or alone.get(name))}
    calling = {name: hits for name, hits in told.items() if name not in there and any(each.calls for each in hits)}
    newest = scores.newest(db, calling)
    born = [_of_alerts(name, hits, stakes[name], newest.get(name)) for name, hits in calling.items() if name in stakes]
    cases.open_all(db, born, because=ALERT, now=now)
    opened = cases.of_subjects(db, APPLICATION, [each.subject for each in born])
    changes = Changes(now)
    for name, case in there.items():
        _alerted(changes, case, name, told[name])
    for name, case in opened.items():
        changes.enter(case, ALERT, **_entry(name, told[name]))
    changes.write(db)
    worked = {name: case.id for name, case in (there | opened).items()}
    return Worked(worked, len(opened) + changes.done.reopened)


def _alerted(changes: Changes, case: Case, name: str, hits: Sequence[Hit]) -> None:
    """Of a ring several may be told in one night: it opens again once."""
    changes.enter(case, ALERT, **_entry(name, hits))
    again = case.id in changes.changed
    if not any(each.calls for each in hits):
        return
    if case.closed:
        if case.outcome in DECIDED or again:
            return
        changes.reopen(case, case, because=ALERT)
    values = changes.changed.setdefault(case.id, {})
    values |= {"changed_at": changes.now, "snoozed_until": None}
    if case.kind == APPLICATION:
        values["reasons"] = list(_reasons(hits, case.reasons))


def _entry(name: str, hits: Sequence[Hit]) -> dict[str, object]:
    return {"application": name, "rules": [each.rule for each in hits], "exposure": hits[0].exposure}


def _reasons(hits: Sequence[Hit], before: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(each.reason for each in hits), *before]))[:MOST_REASONS]


def _of_alerts(name: str, hits: Sequence[Hit], stake: Stake, score: Score | None) -> Finding:
    known = UNSCORED if score is None or score.score is None else score.score
    return Finding(
        kind=APPLICATION, subject=name, score=CERTAIN if any(each.strength == "strong" for each in hits) else known,
        size=1, exposure=stake.exposure, savable=stake.savable, typology="", because="", reasons=_reasons(hits),
        dealer=stake.dealer, region=stake.region, first_seen=stake.first_seen, last_seen=stake.last_seen,
        pays_out_at=stake.pays_out_at,
    )  # fmt: skip
