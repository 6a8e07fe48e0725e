"""Who may do what. Asked inside every service, whatever the screen showed: a callback can be posted by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graph.errors import NotAllowed


class Role(StrEnum):
    INVESTIGATOR = "investigator"
    SENIOR = "senior"
    MANAGER = "manager"
    AUDITOR = "auditor"


class Act(StrEnum):
    READ = "read"  # rings, cases, the graph: masked
    WORK = "work"  # a case that is nobody's or one's own: notes, status, locks, labels proposed, links marked innocent
    WORK_ANY = "work_any"  # the same on somebody else's
    ASSIGN = "assign"  # give a case to somebody else
    CONFIRM = "confirm"  # be the second person behind a label
    REVEAL = "reveal"  # see one identifier, with a reason, on record
    OVERRIDE = "override"  # say what is infrastructure
    EXPORT = "export"  # evidence packs, labels, tables
    AUDIT = "audit"  # read the audit log
    USERS = "users"  # add, change and disable users


_R, _S, _M, _A = Role.INVESTIGATOR, Role.SENIOR, Role.MANAGER, Role.AUDITOR

MAY: dict[Act, frozenset[Role]] = {
    Act.READ: frozenset(Role),
    Act.WORK: frozenset({_R, _S, _M}),
    Act.WORK_ANY: frozenset({_S, _M}),
    Act.ASSIGN: frozenset({_S, _M}),
    Act.CONFIRM: frozenset({_S, _M}),
    Act.REVEAL: frozenset({_S}),
    Act.OVERRIDE: frozenset({_S, _M}),
    Act.EXPORT: frozenset({_R, _S, _M}),
    Act.AUDIT: frozenset({_A}),
    Act.USERS: frozenset({_M}),
}


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    name: str
    display_name: str
    role: Role
    language: str = "en"

    @property
    def on_record(self) -> str:
        """What the audit log calls the role."""
        return self.role

    def may(self, act: Act) -> bool:
        return self.role in MAY[act]

    def require(self, act: Act) -> None:
        """Raises NotAllowed."""
        if not self.may(act):
            raise NotAllowed(f"a {self.role} may not {WORDS[act]}; ask {_who(act)}")


class Operator(Person):
    """Who works at the command line, by the name that the machine knows: whoever may read the key file may do what a
    manager may. On record as a command, so that nobody takes him for a user of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name, name, Role.MANAGER)

    @property
    def on_record(self) -> str:
        return "command"


SCHEDULE = Person("schedule", "Schedule", Role.AUDITOR)
"""Who reads for reports and jobs: masked, and nothing is changed by it."""

WORDS: dict[Act, str] = {
    Act.READ: "read this",
    Act.WORK: "work on cases",
    Act.WORK_ANY: "work on somebody else's case",
    Act.ASSIGN: "give cases to others",
    Act.CONFIRM: "confirm a label",
    Act.REVEAL: "see identifiers",
    Act.OVERRIDE: "say what is infrastructure",
    Act.EXPORT: "take data out",
    Act.AUDIT: "read the audit log",
    Act.USERS: "change users",
}


def _who(act: Act) -> str:
    return " or ".join(f"a {role}" for role in Role if role in MAY[act])
