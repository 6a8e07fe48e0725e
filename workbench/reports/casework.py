"""Cases and labels as they stood at a time, put together from what was entered on them by then.

What a case's row says is of now. Its entries are never changed, so who had it, its deadline and its outcome at a time
follow from those up to then; money and dealers are read from the graph of that time, not from the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from gnn.dispositions import CLEARED, POSITIVE
from workbench.casebook.case_tables import case_entries, cases
from workbench.casebook.labels import FINAL, ON_PAPERS, Said, of_rows
from workbench.casebook.tables import labels

MOVES = ("opened", "reopened", "closed", "merged", "taken", "assigned", "status", "deadline")


@dataclass(frozen=True)
class Standing:
    """A case at a time. `outcome` "" where it was not closed."""

    id: int
    kind: str
    subject: str
    opened_at: datetime
    assignee: str = ""
    status: str = "open"
    deadline: datetime | None = None
    outcome: str = ""
    closed_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def name(self) -> str:
        return f"C{self.id}"


def cases_at(db: Connection, at: datetime) -> list[Standing]:
    """All that had been opened by then, by number."""
    entries: dict[int, list[Any]] = {}
    query = select(
        case_entries.c.case_id, case_entries.c.kind, case_entries.c.content, case_entries.c.at, case_entries.c.author
    )  # fmt: skip
    told = query.where(case_entries.c.at <= at, case_entries.c.kind.in_(MOVES)).order_by(case_entries.c.id)
    for row in db.execute(told):
        entries.setdefault(row.case_id, []).append(row)
    columns = (cases.c.id, cases.c.kind, cases.c.subject, cases.c.opened_at, cases.c.closed_at, cases.c.outcome)
    found = []
    for case in db.execute(select(*columns).order_by(cases.c.id)):
        own = entries.get(case.id, [])
        if not own and case.opened_at > at:
            continue
        one = Standing(case.id, case.kind, case.subject, own[0].at if own else case.opened_at)
        for entry in own:
            one = _moved(one, entry)
        if not one.closed and case.closed_at is not None and case.opened_at <= case.closed_at <= at:
            one = replace(one, closed_at=case.closed_at, outcome=case.outcome, status="closed")
        found.append(one)
    return found


def _moved(one: Standing, entry: Any) -> Standing:
    kind, content, at = str(entry.kind), dict[str, object](entry.content), entry.at
    match kind:
        case "opened" | "reopened":
            mine = one.assignee if entry.author == one.assignee else ""
            return Standing(one.id, one.kind, one.subject, at, assignee=mine)
        case "closed" | "merged":
            outcome = str(content.get("outcome", "merged"))
            return replace(one, closed_at=at, outcome=outcome, status="closed")
        case "taken" | "assigned":
            assignee = str(content.get("assignee") or "")
            return replace(one, assignee=assignee, status="working" if kind == "taken" else one.status)
        case "status":
            return replace(one, status=str(content["status"]))
        case _:
            to = content.get("to")
            return replace(one, deadline=datetime.fromisoformat(str(to)) if to else None)


# Labels ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """Of applications that two people judged one after the other: whether both say fraud. `kappa` is Cohen's; NaN where
    chance alone would agree always, or nobody was judged twice."""

    pairs: int
    both_fraud: int
    both_innocent: int
    kappa: float


def labels_by(db: Connection, at: datetime) -> list[Said]:
    """Everything that had been said by then, in order."""
    return of_rows(db.execute(select(labels).where(labels.c.known_at <= at).order_by(labels.c.id)))


def unconfirmed(told: Sequence[Said]) -> list[Said]:
    """Fraud on papers of one person that nobody confirmed or replaced; the oldest first."""
    return [
        each
        for each in _standing(told)
        if each.label.label == POSITIVE
        and each.label.maturity == FINAL
        and each.label.evidence_level in ON_PAPERS
        and not each.label.second_author
    ]


def provisional(told: Sequence[Said]) -> list[Said]:
    return [each for each in _standing(told) if each.label.maturity != FINAL]


def _standing(told: Sequence[Said]) -> list[Said]:
    ended = {each.label.supersedes for each in told}
    return [each for each in told if each.id not in ended]


def agreement(told: Sequence[Said]) -> Agreement:
    """The first two judgements of different people on an application; suspicions and what lacks evidence are none."""
    first: dict[str, Said] = {}
    pairs: dict[str, tuple[bool, bool]] = {}
    for each in told:
        name, label = each.label.application_id, each.label.label
        if label != POSITIVE and label not in CLEARED:
            continue
        before = first.setdefault(name, each)
        if before.label.author != each.label.author and name not in pairs:
            pairs[name] = before.label.label == POSITIVE, label == POSITIVE
    n = len(pairs)
    yes, no = sum(a and b for a, b in pairs.values()), sum(not a and not b for a, b in pairs.values())
    if not n:
        return Agreement(0, 0, 0, float("nan"))
    one, other = (sum(each[at] for each in pairs.values()) / n for at in (0, 1))
    chance = one * other + (1 - one) * (1 - other)
    kappa = ((yes + no) / n - chance) / (1 - chance) if chance < 1 else float("nan")
    return Agreement(n, yes, no, kappa)
