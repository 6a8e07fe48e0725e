"""What somebody asks of a pack of evidence, and what each kind of recipient may get at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from graph.errors import InputError
from graph.records import NodeRef
from workbench.casebook.words import remark, stated
from workbench.services.canvas.graph_shapes import refs_of

INTERNAL, POLICE, DEALER = "internal", "police", "dealer"

COVER = "cover"
OF_CASE = (
    "summary", "reasons", "graph", "members", "things", "timeline", "scores", "labels", "notes", "checklist", "files",
    "queries", "audit",
)  # fmt: skip

SECTIONS: Mapping[str, tuple[str, ...]] = {
    INTERNAL: OF_CASE,
    POLICE: tuple(each for each in OF_CASE if each != "checklist"),
    DEALER: ("members", "verify"),
}
"""What may stand in a pack after its cover, in this order. A dealer learns of his own applications and of nothing
else: no third party, no score, and not that anybody looks at money (AML Law Art. 35)."""

MOST_REVEALED = 20
MOST_DRAWN = 600
"""Nodes of one drawing; a page shows no more."""

Places = Mapping[NodeRef, tuple[float, float]]
"""Where things stand on the canvas."""


@dataclass(frozen=True)
class Reveal:
    """One identifier of the case that the recipient gets in the clear."""

    ref: NodeRef
    reason: str


@dataclass(frozen=True)
class Wanted:
    """`notes` are numbers of entries; `places` is where things stand on the canvas; `reference` is the
    number of the recipient's own file or request."""

    recipient: str
    sections: tuple[str, ...]
    language: str
    reason: str
    reference: str = ""
    dealer: str = ""
    notes: frozenset[int] = frozenset()
    reveals: tuple[Reveal, ...] = ()
    places: Places = field(default_factory=dict)
    as_of: datetime | None = None


def checked(wanted: Wanted, *, languages: Mapping[str, str]) -> Wanted:
    """With its words on one line and its sections in order. Raises InputError with what is missing."""
    if wanted.recipient not in SECTIONS:
        raise InputError(f"recipient {wanted.recipient[:20]!r} is none; it takes one of {', '.join(SECTIONS)}")
    if wanted.language not in languages:
        raise InputError(f"language {wanted.language[:8]!r} is none; it takes one of {', '.join(languages)}")
    sections = tuple(each for each in SECTIONS[wanted.recipient] if each in wanted.sections)
    if not sections:
        raise InputError("choose at least one section")
    if wanted.recipient == DEALER and not wanted.dealer:
        raise InputError("say which dealer it is for; only that one's applications go into it")
    if wanted.reveals and wanted.recipient != POLICE:
        raise InputError("identifiers are revealed for police and courts only")
    if wanted.recipient == POLICE and not wanted.reference.strip():
        raise InputError("state the number of the authority's request; without one nothing is handed over")
    if len(wanted.reveals) > MOST_REVEALED:
        raise InputError(f"{len(wanted.reveals)} identifiers are too many for one pack; {MOST_REVEALED} at most")
    return Wanted(
        wanted.recipient, sections, wanted.language,
        reason=stated("the reason", wanted.reason, 500),
        reference=remark("the reference", wanted.reference, 120),
        dealer=wanted.dealer if wanted.recipient == DEALER else "",
        notes=wanted.notes if "notes" in sections else frozenset(),
        reveals=tuple(Reveal(each.ref, stated("the reason to reveal", each.reason, 500)) for each in wanted.reveals),
        places=wanted.places, as_of=wanted.as_of,
    )  # fmt: skip


def places(positions: object) -> dict[NodeRef, tuple[float, float]]:
    """Of a browser's `{id: {x, y}}` those that can be drawn, `MOST_DRAWN` at most; all else is left out."""
    found: dict[NodeRef, tuple[float, float]] = {}
    if not isinstance(positions, Mapping):
        return found
    for name, at in positions.items():
        refs = refs_of([name], most=1)
        x, y = (at.get("x"), at.get("y")) if isinstance(at, Mapping) else (None, None)
        if refs and _real(x) and _real(y):
            found[refs[0]] = (float(x), float(y))  # type: ignore[arg-type]
        if len(found) == MOST_DRAWN:
            break
    return found


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e7
