"""Roles: who seems to organise, recruit, take the money, or help from inside, where the evidence carries it.

A role is a lead, not a verdict. Each names the thing or the application it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.sentences import Shared

SEVERAL = 3
PART = 0.3
"""Who pays, is paid, is named or decides for so many people, and for this part of the ring, plays a role in it."""

INSIDE = 0.6
"""One salesperson of so much of a ring that spans dealers, or one reviewer."""


@dataclass(frozen=True)
class Role:
    """`who` is an application of the ring, or the masked thing behind which somebody stands."""

    role: str  # organiser | recruiter | mule | receiver | insider
    who: str
    because: str


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
            found.append(Role("organiser", f"account {one.masked}", f"paid the down payment of {one.people} people"))
            found += [Role("mule", each, "somebody else's account paid the down payment") for each in one.holders]
        elif one.relation in {"PROCEEDS_TO", "TRANSFER_ACCOUNT"}:
            found.append(
                Role("receiver", f"account {one.masked}", f"got the money for the cars of {one.people} people")
            )
        elif one.relation == "TRANSFERRED_TO":
            found.append(Role("receiver", f"person {one.masked}", f"took over the cars of {one.people} people"))
        elif one.relation == "CONTACT_OF":
            found += _recruiters(one, own_phone)
    found += [each for each in (_insider(one, people) for one in staff) if each]
    return tuple(dict.fromkeys(found))


def _recruiters(one: Shared, own_phone: Mapping[str, Sequence[str]]) -> list[Role]:
    said = f"is the contact of {one.people} people"
    owners = own_phone.get(one.key, ())
    if owners:
        return [Role("recruiter", each, f"the own number {one.masked} {said}") for each in owners]
    return [Role("recruiter", f"phone {one.masked}", said)]


def _insider(one: Staff, people: int) -> Role | None:
    """Who handles nearly all of a ring, and little else; or who overrode for it."""
    if one.type == "Reviewer" and one.overrides >= SEVERAL:
        return Role("insider", f"reviewer {one.key}", f"overrode the decision for {one.overrides} of them")
    if one.type == "Salesperson" and one.handled >= max(SEVERAL, INSIDE * people) and one.handled >= one.all / 2:
        return Role("insider", f"salesperson {one.key}", f"handled {one.handled} of them and {one.all} in all")
    return None
