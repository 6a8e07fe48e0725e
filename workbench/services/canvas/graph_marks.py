"""What people and models think of the nodes of a picture: labels, scores, roles, innocent links, infrastructure."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from gnn.dispositions import CLEARED, POSITIVE, SUSPECTED
from graph.infrastructure.verdicts import BY_HAND
from graph.ontology import NODES
from graph.overrides import Override
from graph.records import Node, NodeRef, to_millis
from workbench import lastrun
from workbench.casebook import innocent, opinions, scores
from workbench.casebook.labels import FINAL
from workbench.casebook.tables import labels
from workbench.services.canvas.graph_shapes import Shown, Tie
from workbench.services.office import Office

FRAUD, SUSPECT, LEGIT = "fraud", "suspected", "legit"

STALE = 60.0
"""Seconds until the lender's own outcomes are read again."""

MANY = 4
"""Links from which a thing can have been recognised as infrastructure; what fewer held then was none yet."""

Said = tuple[int, str]
"""When it was known, and what it says."""


@dataclass(frozen=True)
class Marks:
    """By node, as of one time. `innocent` names links by relation and keys."""

    labels: Mapping[NodeRef, str] = field(default_factory=dict)
    scores: Mapping[NodeRef, scores.Score] = field(default_factory=dict)
    roles: Mapping[NodeRef, str] = field(default_factory=dict)
    aside: Mapping[NodeRef, str] = field(default_factory=dict)
    innocent: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    def on(self, node: Node, *, masked: str, links: int, held_by: int, member: bool) -> Shown:
        ref, score = node.ref, self.scores.get(node.ref)
        return Shown(
            ref=ref,
            masked=masked,
            known_at=node.known_at,
            properties=node.properties,
            links=links,
            member=member,
            held_by=held_by,
            score=None if score is None else score.score,
            decision="" if score is None else score.decision,
            label=self.labels.get(ref, ""),
            role=self.roles.get(ref, ""),
            infrastructure=self.aside.get(ref, ""),
        )

    def on_tie(self, one: Tie) -> Tie:
        number = self.innocent.get((one.relation, one.source.key, one.target.key), 0)
        return one._replace(innocent=number) if number else one


class Marker:
    """Keeps what is read as a whole: the last run's infrastructure, and the lender's outcomes."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = threading.Lock()
        self._aside: tuple[int, dict[int, str]] = (0, {})
        self._outcomes: tuple[float, dict[int, list[Said]]] | None = None

    def marks(self, links: Mapping[NodeRef, int], *, as_of: datetime, ring: Mapping[str, Any] | None) -> Marks:
        """Of these nodes, each with how many links it has."""
        refs = links.keys()
        applications = {ref.key: ref for ref in refs if ref.type == "Application"}
        with self._office.casebook.reading() as db:
            told = scores.newest(db, applications)
            decided = {(one.type, one.key): one for one in opinions.overrides_as_of(db, as_of)}
            said = _own_labels(db, applications, as_of)
            harmless = innocent.of(db, refs, at=as_of)
        return Marks(
            labels={ref: state for ref in applications.values() if (state := self._label(ref, said, as_of))},
            scores={applications[name]: one for name, one in told.items() if one.as_of <= as_of},
            roles={NodeRef(one["type"], one["key"]): one["role"] for one in (ring or {}).get("scheme_roles", ())},
            aside=self._set_aside(links, decided),
            innocent={(one.link.relation, one.link.source, one.link.target): one.id for one in harmless},
        )

    def set_aside(self, ref: NodeRef, links: int) -> bool:
        """Whether the last run knew it as infrastructure, whatever people decided since."""
        return links >= MANY and ref.id in self._recognised()

    def _set_aside(
        self, links: Mapping[NodeRef, int], decided: Mapping[tuple[str, str], Override]
    ) -> dict[NodeRef, str]:
        recognised, found = self._recognised(), {}
        for ref, many in links.items():
            if (one := decided.get((ref.type, ref.key))) is not None:
                kind = (one.kind or BY_HAND) if one.infrastructure else ""
            else:
                kind = recognised.get(ref.id, "") if NODES[ref.type].lead and many >= MANY else ""
            if kind:
                found[ref] = kind
        return found

    def _recognised(self) -> dict[int, str]:
        """By node id. Read again when there was another run."""
        settings = self._office.settings
        try:
            stamp = lastrun.place(settings).stat().st_mtime_ns
        except OSError:
            return {}
        with self._lock:
            if self._aside[0] != stamp:
                last = lastrun.load(settings)
                by_id: dict[int, str] = {}
                for one in last.run.aside.values() if last is not None else ():
                    by_id.update(zip(one.ids.tolist(), one.kinds, strict=True))
                self._aside = (stamp, by_id)
            return self._aside[1]

    # Labels ------------------------------------------------------------------------------------------------

    def _label(self, ref: NodeRef, own: Mapping[str, Said], as_of: datetime) -> str:
        """The last word by then, the lender's or the casebook's; of one moment the casebook's."""
        at = to_millis(as_of)
        lender = [one for one in self._lenders().get(ref.id, ()) if one[0] <= at]
        newest = max([*lender[-1:], *([own[ref.key]] if ref.key in own else [])], key=lambda one: one[0], default=None)
        if newest is None:
            return ""
        mine = own.get(ref.key)
        return (mine if mine is not None and mine[0] >= newest[0] else newest)[1]

    def _lenders(self) -> dict[int, list[Said]]:
        with self._lock:
            if self._outcomes is None or time.monotonic() - self._outcomes[0] > STALE:
                self._outcomes = (time.monotonic(), _outcomes(self._office))
            return self._outcomes[1]


def _outcomes(office: Office) -> dict[int, list[Said]]:
    """By node id, in the order in which they were known."""
    table = office.store.events("outcomes")
    found: dict[int, list[Said]] = {}
    if table is None:
        return {}
    rows = sorted(zip(*(table[name].to_pylist() for name in ("known_at", "owner", "label")), strict=True))
    for known_at, owner, label in rows:
        if state := _state(label):
            found.setdefault(owner, []).append((known_at, state))
    return found


def _state(label: str) -> str:
    return {POSITIVE: FRAUD, SUSPECTED: SUSPECT}.get(label, LEGIT if label in CLEARED else "")


def _own_labels(db: Connection, names: Iterable[str], as_of: datetime) -> dict[str, Said]:
    """By application, the newest in force; a fraud that waits for its second person is suspected."""
    asked = list(names)
    rows: list[Any] = []
    for at in range(0, len(asked), scores.SOME):
        which = labels.c.application_id.in_(asked[at : at + scores.SOME])
        query = select(labels).where(which, labels.c.known_at <= as_of).order_by(labels.c.id)
        rows += db.execute(query).all()
    ended = {row.supersedes for row in rows}
    found = {}
    for row in rows:
        if row.id not in ended:
            state = _state(row.label)
            alone = row.maturity != FINAL or (not row.second_author and row.evidence_level in ("E1", "E2"))
            found[row.application_id] = (to_millis(row.known_at), SUSPECT if state == FRAUD and alone else state)
    return found


def latest(as_of: datetime | None, office: Office) -> datetime:
    """`as_of`, or now."""
    return office.clock() if as_of is None else as_of.astimezone(UTC)
