"""Whose case it is, and who may work on it."""

from __future__ import annotations

from sqlalchemy import Connection

from graph.errors import InputError, NotAllowed
from workbench.casebook import cases, people
from workbench.casebook.cases import Case
from workbench.services.permissions import Act, Person


def may_work(who: Person, case: Case) -> bool:
    """On nobody's case and on one's own; seniors and managers on any."""
    own = case.assignee in ("", who.name)
    return who.may(Act.WORK) and (own or who.may(Act.WORK_ANY))


def working(db: Connection, who: Person, number: int) -> Case:
    """The case, for who may work on it while it is open. Raises NotAllowed, InputError, NodeNotFound."""
    who.require(Act.WORK)
    case = cases.get(db, number)
    if not may_work(who, case):
        raise NotAllowed(others(case))
    if case.closed:
        raise InputError(f"{case.name} is closed; open it again first")
    return case


def others(case: Case) -> str:
    return f"{case.name} is worked on by {case.assignee}; ask them, or a senior investigator"


def names_of(db: Connection) -> dict[str, str]:
    """Display names by user name, of those who left, too."""
    return {each.name: each.display_name for each in people.listed(db)}
