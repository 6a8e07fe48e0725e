"""Cases follow runs and scores: opened, kept up to date, woken, opened again, moved into each other.

A case that was closed opens again only where an application joined its ring that was never in it before, or where
risk or money rose (`case_changes.material`); a snoozed one wakes for the latter only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from graph.lineage import Event, Kind
from workbench.casebook import cases as rows
from workbench.casebook.case_changes import Changes, Synced, material, merge, when_snoozed
from workbench.casebook.cases import (
    APPLICATION,
    CLOSED,
    FACTS,
    FOUND,
    MERGED,
    OURSELVES,
    RING,
    SCORED,
    SOME,
    Case,
    Finding,
)
from workbench.casebook.tables import ring_members, ring_runs, rings

Pairs = Set[tuple[str, str]]
"""(ring, application)."""


@dataclass(frozen=True)
class Told:
    """What a recorded run says: its rings, their applications, what happened since the run before."""

    found: Sequence[Finding]
    members: Mapping[str, Sequence[str]]
    events: Sequence[Event]


# Rings ---------------------------------------------------------------------------------------------------


def newest_members(db: Connection) -> Pairs:
    """Who joined in the newest run. Asked before a run is recorded: it may take that one's place, and then they join
    again without being new."""
    newest = select(func.max(ring_runs.c.id)).scalar_subquery()
    told = select(ring_members.c.ring_id, ring_members.c.application_id).where(ring_members.c.joined_run == newest)
    return {(row.ring_id, row.application_id) for row in db.execute(told)}


def sync_rings(db: Connection, told: Told, *, seen: Pairs, now: datetime) -> Synced:
    """After a run was recorded, in the same transaction. `seen` is of `newest_members`."""
    fresh = _fresh(db, told.events, seen)
    open_ = rows.living(db, RING)
    closed = rows.of_subjects(db, RING, [each.subject for each in told.found if each.subject not in open_])
    came_of = {each.ring_id: each.other or "" for each in told.events if each.kind in (Kind.BIRTH, Kind.REVIVAL)}
    parents = rows.of_subjects(db, RING, set(came_of.values()) - {""})
    snoozed = when_snoozed(db, [each.id for each in open_.values() if each.snoozed(now)])
    changes, born = Changes(now), []
    for each in told.found:
        joined, parent = sorted(fresh.get(each.subject, ())), parents.get(came_of.get(each.subject, ""))
        if case := open_.get(each.subject):
            changes.follow(case, each, joined=joined, before=snoozed.get(case.id))
        elif case := closed.get(each.subject):
            apart = case.outcome == MERGED and not _decided(parent, each)
            if joined or apart or material(vars(case), each):
                changes.reopen(case, each, joined=joined)
        else:
            born.append(_born(each, parent, now))
    rows.add(db, born, now=now, author=OURSELVES)
    changes.done.opened += sum(not each.closed for each in born)
    changes.write(db)
    _end(db, open_, told, changes.done, now)
    _into_rings(db, told.members, changes.done, now)
    return changes.done


def _fresh(db: Connection, events: Sequence[Event], seen: Pairs) -> dict[str, set[str]]:
    """Per ring who joined for the first time: who left and came back is nothing new."""
    joined = {
        each.ring_id: {one for one in each.application_ids if (each.ring_id, one) not in seen}
        for each in events
        if each.kind in (Kind.JOIN, Kind.BIRTH)
    }
    names = [name for name, some in joined.items() if some]
    for at in range(0, len(names), SOME):
        left = select(ring_members.c.ring_id, ring_members.c.application_id).where(
            ring_members.c.ring_id.in_(names[at : at + SOME]), ring_members.c.left_run.is_not(None)
        )
        for row in db.execute(left):
            joined[row.ring_id].discard(row.application_id)
    return joined


def _decided(parent: Case | None, found: Finding) -> bool:
    """A part of a ring whose case was closed has been decided with it, unless risk rose: then somebody looks."""
    if parent is None or not parent.closed or parent.outcome == MERGED:
        return False
    return not material(vars(parent), found)


def _born(found: Finding, parent: Case | None, now: datetime) -> Case:
    same = {name: getattr(found, name) for name in ("kind", "subject", *FACTS)}
    fresh = Case(**same, opened_at=now, changed_at=now, opened_because=FOUND)
    if parent is None or not _decided(parent, found):
        return fresh
    why = f"part of {parent.subject}, decided in {parent.name}"
    decided = {"status": CLOSED, "outcome": parent.outcome, "closed_at": now, "closed_by": OURSELVES}
    return Case(**vars(fresh) | decided | {"closing_reason": why})


def _end(db: Connection, open_: Mapping[str, Case], told: Told, done: Synced, now: datetime) -> None:
    """Of rings that are no more: their work goes on in the ring that took them in, or waits for who closes it."""
    there = {each.subject for each in told.found}
    into = {each.ring_id: each.other or "" for each in told.events if each.kind is Kind.MERGE and each.other in there}
    gone = [case for name, case in open_.items() if name not in there]
    heirs = rows.of_subjects(db, RING, {into[case.subject] for case in gone if case.subject in into})
    for case in gone:
        heir = heirs.get(into.get(case.subject, ""))
        if heir is not None:
            heirs[heir.subject] = merge(db, case, heir, now=now)
            done.merged += 1
        elif case.ended_at is None:
            rows.end(db, case.subject, now=now)
            done.ended += 1


def _into_rings(db: Connection, members: Mapping[str, Sequence[str]], done: Synced, now: datetime) -> None:
    """A single application that turns out to stand in a ring is worked on there."""
    of = {name: ring for ring, names in members.items() for name in names}
    names = rows.living_among(db, APPLICATION, list(of))
    alone = [case for case in rows.of_subjects(db, APPLICATION, names).values() if not case.closed]
    heirs = rows.of_subjects(db, RING, {of[case.subject] for case in alone})
    for case in alone:
        heir = heirs.get(of[case.subject])
        if heir is not None and not heir.closed:
            heirs[heir.subject] = merge(db, case, heir, now=now)
            done.merged += 1


# Applications --------------------------------------------------------------------------------------------


def in_rings(db: Connection, application_ids: Collection[str]) -> set[str]:
    """Those that stand in a ring that lives."""
    names, found = list(application_ids), set()
    for at in range(0, len(names), SOME):
        told = (
            select(ring_members.c.application_id)
            .join(rings, rings.c.ring_id == ring_members.c.ring_id)
            .where(
                ring_members.c.application_id.in_(names[at : at + SOME]),
                ring_members.c.left_run.is_(None),
                rings.c.status == "alive",
            )
        )
        found |= set(db.execute(told).scalars())
    return found


def sync_applications(db: Connection, found: Sequence[Finding], calls: Set[str], *, now: datetime) -> Synced:
    """What scores say of applications that stand in no ring. `calls` are those that somebody is to look at; what is
    said of the others stands on the case that they have."""
    there = rows.of_subjects(db, APPLICATION, [each.subject for each in found])
    snoozed = when_snoozed(db, [each.id for each in there.values() if each.snoozed(now)])
    changes = Changes(now)
    for each in found:
        case = there.get(each.subject)
        if case is not None and not case.closed:
            changes.follow(case, each, before=snoozed.get(case.id))
        elif case is not None and each.subject in calls and case.outcome != MERGED and material(vars(case), each):
            changes.reopen(case, each)
    fresh = [each for each in found if each.subject in calls and each.subject not in there]
    rows.open_all(db, fresh, because=SCORED, now=now)
    changes.done.opened = len(fresh)
    changes.write(db)
    return changes.done
