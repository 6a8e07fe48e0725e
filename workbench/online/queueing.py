"""From the answers of the score service to the queue, seconds after they were given: scores, and cases.

It only reads what the service keeps. A mark in the journal says how far; a process killed in between says the same
once more, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from graph.drafts import CLOSED
from graph.errors import RingroadError
from graph.records import NodeRef, from_millis
from graph.store import GraphStore
from loaders.live import Told
from workbench import casing
from workbench.casebook import case_sync, cases, scores
from workbench.casebook.cases import APPLICATION, Finding
from workbench.casebook.opening import Casebook
from workbench.casebook.scores import SERVICE, Score
from workbench.instance import EVERYTHING
from workbench.journal import APPLICATION as ARRIVED
from workbench.journal import EVENT, Entry, Journal
from workbench.stakes import USUAL, Stake

QUEUED = "queued"
"""The mark of what stands in the queue."""

TOGETHER = 1_000
"""Entries of one turn, at most."""

GRACE_MS = 10_000
"""So long an application may wait for its answer before those after it go first. One that is answered later still is
scored by the next `ringroad score`."""

Region = Callable[[str], str]
"""Of a dealer; "" where nobody knows."""


def enqueue(journal: Journal, casebook: Casebook, region: Region, *, clock: Callable[[], int]) -> int:
    """The next answers and events; how many entries that were."""
    entries = _ready(journal.answered(journal.marked(QUEUED), limit=TOGETHER), clock())
    if not entries:
        return 0
    now = from_millis(clock())
    told = [_score(answer, now) for _, answer in entries if answer is not None]
    newest = {each.application_id: each for each in told}
    arrived = {entry.about: entry for entry, answer in entries if answer is not None}
    with casebook.reading() as db:
        there = cases.living_among(db, APPLICATION, [entry.about for entry, _ in entries])
    stakes = {
        name: _stake(Told.from_bytes(arrived[name].told), arrived[name].at, region)
        for name, score in newest.items()
        if (score.calls and arrived[name].at > clock() - casing.LOOKED_BACK) or name in there
    }
    with casebook.writing() as db:
        scores.record(db, told)
        casing.follow_scores(db, list(newest.values()), stakes, now=now)
        _settle(db, [entry for entry, _ in entries if entry.kind == EVENT], now)
    journal.mark(QUEUED, entries[-1][0].sequence)
    return len(entries)


def _ready(entries: Sequence[tuple[Entry, bytes | None]], now: int) -> Sequence[tuple[Entry, bytes | None]]:
    """Up to the first application that is being answered: several processes answer, and none waits for another."""
    for at, (entry, answer) in enumerate(entries):
        if entry.kind == ARRIVED and answer is None and now - entry.at < GRACE_MS:
            return entries[:at]
    return entries


def _score(answer: bytes, now: datetime) -> Score:
    told: Mapping[str, Any] = orjson.loads(answer)
    return Score(
        application_id=told["application_id"], as_of=datetime.fromisoformat(told["as_of"]), score=told["score"],
        decision=told["decision"], reasons=_codes(told), ring_id=(told["ring"] or {}).get("ring_id", ""),
        model_version=told["model_version"], source=SERVICE, recorded_at=now,
    )  # fmt: skip


def _codes(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Of reasons; where a decision rests on rules that no reason names, of the rules."""
    return tuple(each["code"] for each in told["reasons"] or told["rules"])


def _stake(told: Told, at: int, region: Region) -> Stake:
    """As the application itself says; how soon it is paid out, the next run of rings knows better."""
    said: dict[str, Any] = {}
    own_region = ""
    dealer = next((edge.target for edge in told.edges if edge.type == "SOLD_BY"), "")
    for node in told.nodes:
        if (node.type, node.key) == ("Application", told.application):
            said |= node.properties
        elif (node.type, node.key) == ("Dealer", dealer):
            own_region = str(node.properties.get("region") or "")
    seen = from_millis(int(said.get("submitted_at") or at))
    exposure, savable = _money(float(said.get("amount") or 0.0), said)
    return Stake(
        dealer=dealer, region=own_region or (region(dealer) if dealer else ""), exposure=exposure, savable=savable,
        first_seen=seen, last_seen=seen, pays_out_at=from_millis(at + USUAL) if savable else None,
        settled=said.get("decision") in CLOSED,
    )  # fmt: skip


def _money(amount: float, said: Mapping[str, Any]) -> tuple[float, float]:
    exposure = 0.0 if said.get("decision") in CLOSED else amount
    return exposure, 0.0 if said.get("funded_at") else exposure


def _settle(db: Connection, events: Sequence[Entry], now: datetime) -> None:
    """What was paid out or declined since is nothing that can still be saved."""
    alone = cases.of_subjects(db, APPLICATION, {entry.about for entry in events})
    found: dict[str, Finding] = {}
    for entry in events:
        case = found.get(entry.about) or alone.get(entry.about)
        if case is None or alone[entry.about].closed:
            continue
        for node in Told.from_bytes(entry.told).nodes:
            if (node.type, node.key) == ("Application", entry.about):
                exposure, savable = _money(case.exposure, node.properties)
                left = min(savable, case.savable)
                case = _as_found(case, exposure, left)
        found[entry.about] = case
    moved = [each for name, each in found.items() if cases.moved(alone[name], each)]
    case_sync.sync_applications(db, moved, set(), now=now)


def _as_found(case: Finding, exposure: float, savable: float) -> Finding:
    same = {name: getattr(case, name) for name in Finding.__dataclass_fields__}
    pays = case.pays_out_at if savable else None
    return Finding(**same | {"exposure": exposure, "savable": savable, "pays_out_at": pays})


class Regions:
    """Of dealers, as the store has them; remembered, for a dealer does not move."""

    def __init__(self, store: Callable[[], GraphStore | None]) -> None:
        self._store, self._known = store, dict[str, str]()

    def __call__(self, dealer: str) -> str:
        if dealer not in self._known:
            store = self._store()
            if store is None:
                return ""
            with suppress(RingroadError):  # it is asked again
                node = store.node(NodeRef("Dealer", dealer), as_of=EVERYTHING)
                self._known[dealer] = str(node.properties.get("region") or "")
        return self._known.get(dealer, "")
