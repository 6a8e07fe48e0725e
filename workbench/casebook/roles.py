"""Who plays which role in a ring, as people see it: appended, the newest word on a thing counts.

What the graph suggests (`graph/roles.py`) is said in the same words and stands until somebody says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select

from graph.errors import InputError
from graph.ontology import NODES
from graph.records import NodeRef
from workbench.casebook.case_tables import ring_roles
from workbench.casebook.tables import rings
from workbench.casebook.words import remark

ORGANISER, RECRUITER, BORROWER = "organiser", "recruiter", "straw_borrower"
ADVANCER, RECEIVER, INSIDER = "down_payment_advancer", "car_receiver", "dealer_insider"
ROLES = (ORGANISER, RECRUITER, BORROWER, ADVANCER, RECEIVER, INSIDER)
NONE = ""
"""Takes a role away, a suggested one too."""

SUGGESTED = {"organiser": ADVANCER, "recruiter": RECRUITER, "mule": BORROWER, "receiver": RECEIVER, "insider": INSIDER}
"""From the words of `graph/roles.py`."""


@dataclass(frozen=True)
class Played:
    """Without an `author` it is a suggestion, and `because` the graph's own sentence; else a person's reason."""

    role: str
    ref: NodeRef
    because: str
    author: str = ""
    at: datetime | None = None


def say(db: Connection, ring_id: str, ref: NodeRef, role: str, *, reason: str, author: str, now: datetime) -> int:
    """Raises InputError for another word than `ROLES` or `NONE`."""
    if role not in (*ROLES, NONE):
        raise InputError(f"role {role[:24]!r} is none; it takes one of {', '.join(ROLES)}")
    if ref.type not in NODES or not 1 <= len(ref.key) <= 255:
        raise InputError("a role is played by something on the canvas; pick it there")
    number = (db.execute(select(func.max(ring_roles.c.id))).scalar() or 0) + 1
    values = {"id": number, "ring_id": ring_id, "type": ref.type, "key": ref.key, "role": role, "at": now}
    db.execute(insert(ring_roles).values(values | {"reason": remark("reason", reason, 1000), "author": author}))
    return number


def said(db: Connection, ring_id: str, *, at: datetime | None = None) -> dict[NodeRef, Played]:
    """The newest word on each thing, also those that take a role away; of rings that merged into this one, too."""
    merged = select(rings.c.ring_id).where(rings.c.merged_into == ring_id)
    query = select(ring_roles).where(or_(ring_roles.c.ring_id == ring_id, ring_roles.c.ring_id.in_(merged)))
    if at is not None:
        query = query.where(ring_roles.c.at <= at)
    rows = db.execute(query.order_by(ring_roles.c.id))
    return {(ref := NodeRef(row.type, row.key)): Played(row.role, ref, row.reason, row.author, row.at) for row in rows}


def suggested(roles: Iterable[Mapping[str, Any]]) -> list[Played]:
    """Of a ring's JSON, one role a thing. Whose account gives the down payments and takes the resale money organises.

    What an older run found without keys cannot be pointed at, and is left out.
    """
    found: dict[NodeRef, list[Played]] = {}
    for each in roles:
        role, key = SUGGESTED.get(each["role"], ""), each.get("key", "")
        if role and key:
            ref = NodeRef(each["type"], key)
            found.setdefault(ref, []).append(Played(role, ref, each["because"]))
    return [_one(each) for each in found.values()]


def _one(played: list[Played]) -> Played:
    every = {each.role for each in played}
    role = ORGANISER if {ADVANCER, RECEIVER} <= every else played[0].role
    because = "; ".join(dict.fromkeys(each.because for each in played))
    return Played(role, played[0].ref, because)


def together(suggestions: Iterable[Played], people: Mapping[NodeRef, Played]) -> list[Played]:
    """What people say stands above what is suggested; roles in their order."""
    kept = [each for each in suggestions if each.ref not in people]
    own = [each for each in people.values() if each.role != NONE]
    return sorted([*own, *kept], key=lambda each: (ROLES.index(each.role), not each.author, each.ref))
