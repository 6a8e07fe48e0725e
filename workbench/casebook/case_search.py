"""Cases by their number or by what they are about, for who looks for one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, or_, select

from workbench.casebook.case_tables import cases


@dataclass(frozen=True)
class Known:
    id: int
    kind: str
    subject: str
    status: str
    outcome: str
    assignee: str
    score: float


def found(db: Connection, *, number: int | None, subjects: list[str], limit: int) -> list[Known]:
    """The one with that number, and those about any of the subjects; the newest first."""
    asked: list[ColumnElement[bool]] = [cases.c.subject.in_(subjects)] if subjects else []
    if number is not None:
        asked.append(cases.c.id == number)
    if not asked:
        return []
    columns = [cases.c[name] for name in Known.__dataclass_fields__]
    rows = db.execute(select(*columns).where(or_(*asked)).order_by(cases.c.id.desc()).limit(limit))
    return [Known(**row._mapping) for row in rows]
