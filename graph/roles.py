"""Roles: who seems to organise, recruit, take the money, or help from inside, where the evidence carries it.

A role is a lead, not a verdict. Each names the thing or the application it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graph.sentences import Shared

SEVERAL = 3
PART = 0.3
"""Who pays, is paid, is named or decides for so many people, and for this part of the ring, plays a role in it."""

INSIDE = 0.6
"""One salesperson of so much of a ring that spans dealers, or one reviewer."""


@dataclass(frozen=True)
class Role:
    """`who` is an application of the ring, or the masked thing behind which somebody stands; `type` and `key` are that
    node's."""

    role: str  # organiser | recruiter | mule | receiver | insider
    who: str
    because: str
    type: str = field(default="", compare=False)
    key: str = field(default="", compare=False)


@dataclass(frozen=True)
class Staff:
    """One salesperson or reviewer: `handled` of the ring, out of `all` applications in the window."""

    type: str
    key: str
    handled: int
    all: int
    overrides: int = 0


def roles(
    shared: Sequence[Shared], own_phone: Mapping[str, Sequence[str]], staff: Sequence[Staff], people: int
) -> tuple[Role, ...]:
    """`own_phone`: per phone key the ring's applications whose applicant it belongs to."""
    enough = max(SEVERAL, PART * people)
    found: list[Role] = []
    for one in shared:
        if one.people < enough:
            continue
        if one.relation == "PAID_DOWNPAYMENT":
            found.append(_of("organiser", "account", one, f"paid the down payment of {one.people} people"))
            found += [_member("mule", each, "somebody else's account paid the down payment") for each in one.holders]
        elif one.relation in {"PROCEEDS_TO", "TRANSFER_ACCOUNT"}:
            found.append(_of("receiver", "account", one, f"got the money for the cars of {one.people} people"))
        elif one.relation == "TRANSFERRED_TO":
            found.append(_of("receiver", "person", one, f"took over the cars of {one.people} people"))
        elif one.relation == "CONTACT_OF":
            found += _recruiters(one, own_phone)
    found += [each for each in (_insider(one, people) for one in staff) if each]
    return tuple(dict.fromkeys(found))


def _of(role: str, word: str, one: Shared, because: str) -> Role:
    return Role(role, f"{word} {one.masked}", because, one.type, one.key)


def _member(role: str, application: str, because: str) -> Role:
    return Role(role, application, because, "Application", application)


def _recruiters(one: Shared, own_phone: Mapping[str, Sequence[str]]) -> list[Role]:
    said = f"is the contact of {one.people} people"
    owners = own_phone.get(one.key, ())
    if owners:
        return [_member("recruiter", each, f"the own number {one.masked} {said}") for each in owners]
    return [_of("recruiter", "phone", one, said)]


def _insider(one: Staff, people: int) -> Role | None:
    """Who handles nearly all of a ring, and little else; or who overrode for it."""
    if one.type == "Reviewer" and one.overrides >= SEVERAL:
        because = f"overrode the decision for {one.overrides} of them"
        return Role("insider", f"reviewer {one.key}", because, one.type, one.key)
    if one.type == "Salesperson" and one.handled >= max(SEVERAL, INSIDE * people) and one.handled >= one.all / 2:
        because = f"handled {one.handled} of them and {one.all} in all"
        return Role("insider", f"salesperson {one.key}", because, one.type, one.key)
    return None
