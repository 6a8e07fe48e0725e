"""How the work stands: what came today, what is at stake, what grew, what waits, and where it gathers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sqlalchemy import Connection, and_, case, func, select

from graph.errors import NodeNotFound
from graph.lineage import Kind
from graph.records import NodeRef
from workbench.casebook.case_tables import application_scores, cases
from workbench.casebook.tables import ring_events, ring_runs, ring_states
from workbench.instance import EVERYTHING
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

CHINA = timezone(timedelta(hours=8))
DAYS = 42
"""So many days of alerts are drawn, up to the newest."""

AGES = (1, 3, 7, 14)
"""Days that part the backlog."""

RUNS = 26
LARGEST = 40
"""Dealers in the heat map."""

MOVED = 8


@dataclass(frozen=True)
class Tiles:
    """Money in RMB. `usual` is the mean of alerts a day over the four weeks before today."""

    today: int
    usual: float
    exposure: float
    savable: float
    backlog: int
    nobodys: int
    oldest_days: float
    overdue: int
    decided: int
    confirmed: int
    median_hours: float | None


@dataclass(frozen=True)
class Moved:
    """A ring that the last run found first (`joined` all of it), or that grew in it."""

    ring_id: str
    born: bool
    joined: int
    score: float
    size: int
    savable: float
    typology: str


@dataclass(frozen=True)
class Heat:
    """Open cases of a dealer. `region`: its GB/T 2260 code; `name` as the graph has it."""

    region: str
    dealer: str
    name: str
    cases: int
    exposure: float
    score: float


@dataclass(frozen=True)
class Overview:
    """`alerts`: (day, decision, number); `runs`: (as of, rings, exposure, savable); `ages`: per age class of `AGES`
    the number that somebody has, and that nobody has."""

    run_as_of: datetime | None
    tiles: Tiles
    alerts: Sequence[tuple[datetime, str, int]]
    runs: Sequence[tuple[datetime, int, float, float]]
    ages: Sequence[tuple[int, int]]
    moved: Sequence[Moved]
    heat: Sequence[Heat]


class Overviews:
    def __init__(self, office: Office) -> None:
        self._office = office

    def overview(self, who: Person) -> Overview:
        who.require(Act.READ)
        now = self._office.clock()
        with self._office.casebook.reading() as db:
            run = db.execute(select(ring_runs).order_by(ring_runs.c.id.desc()).limit(1)).one_or_none()
            return Overview(
                run_as_of=None if run is None else run.as_of,
                tiles=_tiles(db, now),
                alerts=_alerts(db),
                runs=_runs(db),
                ages=_ages(db, now),
                moved=[] if run is None else _moved(db, run.id),
                heat=self._heat(db),
            )

    def _heat(self, db: Connection) -> list[Heat]:
        return [
            Heat(region, dealer, self._name(dealer), count, exposure, score)
            for region, dealer, count, exposure, score in _by_dealer(db)
        ]

    def _name(self, dealer: str) -> str:
        try:
            node = self._office.store.node(NodeRef("Dealer", dealer), as_of=EVERYTHING)
        except NodeNotFound:
            return dealer
        return str(node.properties.get("name") or dealer)


OPEN = cases.c.status != "closed"


def _tiles(db: Connection, now: datetime) -> Tiles:
    midnight = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    total = db.execute(
        select(
            func.coalesce(func.sum(cases.c.exposure), 0.0),
            func.coalesce(func.sum(cases.c.savable), 0.0),
            func.count(),
            func.coalesce(func.sum(case((cases.c.assignee == "", 1), else_=0)), 0),
            func.min(cases.c.opened_at),
            func.coalesce(func.sum(case((cases.c.deadline < now, 1), else_=0)), 0),
        ).where(OPEN)
    ).one()
    opened = db.execute(select(cases.c.opened_at).where(cases.c.opened_at >= midnight - timedelta(days=28))).scalars()
    today = Counter(at >= midnight for at in opened)
    closed = db.execute(
        select(cases.c.outcome, cases.c.opened_at, cases.c.closed_at).where(
            cases.c.status == "closed", cases.c.closed_at >= now - timedelta(days=28)
        )
    ).all()
    hours = sorted((row.closed_at - row.opened_at).total_seconds() / 3600 for row in closed)
    return Tiles(
        today=today[True],
        usual=today[False] / 28,
        exposure=float(total[0]),
        savable=float(total[1]),
        backlog=int(total[2]),
        nobodys=int(total[3]),
        oldest_days=0.0 if total[4] is None else (now - total[4]) / timedelta(days=1),
        overdue=int(total[5]),
        decided=len(closed),
        confirmed=sum(row.outcome == "confirmed_fraud" for row in closed),
        median_hours=hours[len(hours) // 2] if hours else None,
    )


def _alerts(db: Connection) -> list[tuple[datetime, str, int]]:
    """By day of submission, up to the newest one that was scored: with old data today is empty."""
    newest = db.execute(select(func.max(application_scores.c.as_of))).scalar()
    if newest is None:
        return []
    rows = db.execute(
        select(application_scores.c.as_of, application_scores.c.decision).where(
            application_scores.c.decision.in_(("review", "decline")),
            application_scores.c.as_of > newest - timedelta(days=DAYS),
        )
    )
    counted = Counter((_day(row.as_of), row.decision) for row in rows)
    return [(day, decision, number) for (day, decision), number in sorted(counted.items())]


def _day(at: datetime) -> datetime:
    return at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)


def _runs(db: Connection) -> list[tuple[datetime, int, float, float]]:
    rows = db.execute(
        select(
            ring_runs.c.as_of,
            func.count(ring_states.c.ring_id),
            func.coalesce(func.sum(ring_states.c.exposure), 0.0),
            func.coalesce(func.sum(ring_states.c.undisbursed), 0.0),
        )
        .outerjoin(ring_states, ring_states.c.run_id == ring_runs.c.id)
        .group_by(ring_runs.c.id, ring_runs.c.as_of)
        .order_by(ring_runs.c.id.desc())
        .limit(RUNS)
    ).all()
    return [(row[0], int(row[1]), float(row[2]), float(row[3])) for row in reversed(rows)]


def _ages(db: Connection, now: datetime) -> list[tuple[int, int]]:
    found = [[0, 0] for _ in range(len(AGES) + 1)]
    for opened_at, assignee in db.execute(select(cases.c.opened_at, cases.c.assignee).where(OPEN)):
        days = (now - opened_at) / timedelta(days=1)
        found[sum(days >= each for each in AGES)][assignee == ""] += 1
    return [(somebodys, nobodys) for somebodys, nobodys in found]


def _moved(db: Connection, run: int) -> list[Moved]:
    """Those born or grown in that run, most savable money first."""
    told = db.execute(
        select(ring_events.c.ring_id, ring_events.c.kind, ring_events.c.application_ids).where(
            ring_events.c.run_id == run, ring_events.c.kind.in_([Kind.BIRTH.value, Kind.JOIN.value])
        )
    ).all()
    joined: dict[str, tuple[bool, int]] = {}
    for row in told:
        born, number = joined.get(row.ring_id, (False, 0))
        joined[row.ring_id] = (born or row.kind == Kind.BIRTH.value, number + len(row.application_ids))
    states = db.execute(
        select(ring_states)
        .where(and_(ring_states.c.run_id == run, ring_states.c.ring_id.in_(joined)))
        .order_by(ring_states.c.undisbursed.desc(), ring_states.c.score.desc())
        .limit(MOVED)
    )
    return [
        Moved(row.ring_id, *joined[row.ring_id], row.score, row.size, row.undisbursed, row.typology) for row in states
    ]


def _by_dealer(db: Connection) -> list[tuple[str, str, int, float, float]]:
    """(region, dealer, cases, exposure, mean score), those with the most money first."""
    rows = db.execute(
        select(
            cases.c.region,
            cases.c.dealer,
            func.count(),
            func.coalesce(func.sum(cases.c.exposure), 0.0),
            func.avg(cases.c.score),
        )
        .where(OPEN, cases.c.dealer != "")
        .group_by(cases.c.region, cases.c.dealer)
        .order_by(func.sum(cases.c.exposure).desc(), cases.c.dealer)
        .limit(LARGEST)
    )
    return [(row[0], row[1], int(row[2]), float(row[3]), float(row[4])) for row in rows]
