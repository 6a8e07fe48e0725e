"""Why an application has its score: from the record of its answer where the score service kept one, or made now.

What was answered stands first, for that is what was decided by; whatever it does not hold (the reasons of one that was
passed, what speaks for the applicant, the score without each reason) is made from the graph that scores are read from.
"""
# ruff: noqa: PLC0415 - what scores imports XGBoost and numba

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from graph.errors import RingroadError
from graph.records import from_millis, to_millis
from workbench.casebook import scores
from workbench.casebook.scores import Score
from workbench.services.office import Office
from workbench.services.reasons.desks import Desk, Desks

if TYPE_CHECKING:
    from gnn.assessor import Assessed, Assessor
    from gnn.consistency import Told
    from gnn.spoken_for import Favour
    from workbench.journal import Journal

SERVICE, BATCH, NOW = "service", "batch", "now"
"""Where the score on the screen comes from."""

MOST_FAVOURS = 5
STALE, BEHIND = "stale_graph", "graph_incomplete"


@dataclass(frozen=True)
class Explained:
    """`told` as the score service answers (`/api/v1`): score, decision, rules, reasons with evidence, clusters and all
    that it says of itself. `reasons_from` says whether the reasons are those of the answer (`SERVICE`) or were made
    `NOW`, with which model; `now` is the score as it would be made now, from what was known then."""

    application_id: str
    source: str
    told: Mapping[str, Any]
    reasons_from: str
    now: Mapping[str, Any] | None
    review_from: float | None
    favours: tuple[Favour, ...]
    without: Mapping[str, float]
    deal: tuple[Told, ...]
    """What of the deal fits, and what does not."""
    desk: str
    """`ready`, `preparing` or `none`: whether there is a graph to explain from."""

    @property
    def scored(self) -> bool:
        return bool(self.told)


class Explaining:
    def __init__(self, office: Office, desks: Desks) -> None:
        self.office, self.desks = office, desks

    def of(self, application_id: str, *, patience: float = 0.0) -> Explained:
        """Never waits longer than `patience` seconds for a graph that is being opened."""
        kept = self._kept(application_id)
        with self.office.casebook.reading() as db:
            batch = scores.newest(db, [application_id]).get(application_id)
        desk = self.desks.desk(patience)
        made = None if desk is None else self._made(desk, application_id)
        source, told = self._first(kept, batch, made)
        if made is None:
            return Explained(application_id, source, told, source, None, None, (), {}, (), self.desks.state())
        if not told.get("reasons"):
            told = dict(told) | {name: made.told[name] for name in ("reasons", "clusters", "rules", "checks", "linked")}
        own = kept is not None and bool(kept.get("reasons"))
        now = {name: made.told[name] for name in ("score", "decision", "model_version", "graph_as_of")}
        return Explained(
            application_id, source, told, SERVICE if own else NOW, now, made.review_from, made.favours, made.without,
            made.deal, self.desks.state(),
        )  # fmt: skip

    def _first(
        self, kept: Mapping[str, Any] | None, batch: Score | None, made: _Made | None
    ) -> tuple[str, Mapping[str, Any]]:
        """Of what was said, the latest; else what would be said now."""
        if kept is not None and (batch is None or batch.as_of <= datetime.fromisoformat(kept["as_of"])):
            return SERVICE, kept
        if batch is not None:
            return BATCH, _of_batch(batch)
        return NOW, {} if made is None else made.told

    # What was answered -------------------------------------------------------------------------------------

    def _kept(self, application_id: str) -> Mapping[str, Any] | None:
        journal = self._journal()
        if journal is None:
            return None
        with journal, suppress(RingroadError):
            entry = journal.application(application_id)
            answer = None if entry is None else journal.answer(entry.sequence)
            return None if answer is None else dict(orjson.loads(answer))
        return None

    def _journal(self) -> Journal | None:
        from workbench.journal import Journal

        place = self.office.settings.home / "journal.sqlite"
        if not place.exists():
            return None
        with suppress(RingroadError):
            return Journal(place, clock=lambda: to_millis(self.office.clock()))
        return None

    # What would be said now --------------------------------------------------------------------------------

    def _made(self, desk: Desk, application_id: str) -> _Made | None:
        """None for one that came after the image was made."""
        with desk.lock:
            row = desk.view.row_of(application_id)
            if row is None or row >= desk.view.assessor.desk.start.rows:
                return None
            return _explained(desk, application_id, row, to_millis(self.office.clock()))


@dataclass(frozen=True)
class _Made:
    told: Mapping[str, Any]
    review_from: float
    favours: tuple[Favour, ...]
    without: Mapping[str, float]
    deal: tuple[Told, ...]


def _explained(desk: Desk, application_id: str, row: int, now: int) -> _Made:
    from gnn.consistency import consistency
    from gnn.spoken_for import favours, scores_without
    from workbench.online import answers
    from workbench.online.coverage import coverage
    from workbench.online.panel import Panel, Rule

    view, file = desk.view, desk.file_of(row)
    panel = Panel(view, rule := Rule.of(desk.strategy))
    seen: dict[Assessor, Assessed] = {}

    def ask(assessor: Assessor) -> Assessed:
        return seen.setdefault(assessor, assessor.again(row, file))

    speaking = panel.voices[panel.answering(application_id)[0]]
    asked, scorer, book = ask(speaking), speaking.scorer, view.assessor.desk.book
    spoken = panel.speak(application_id, lambda each: ask(each).scores.rules, ask, seen=asked.seen, full=True)
    opinion = answers.evident(spoken.opinion, view.assessor.desk, row)
    values = asked.seen.only(scorer.names)[0]
    added = {name: float(each[0]) for name, each in asked.scores.added.items()}
    parts = None if scorer.main is None else scorer.main.contributions(values[None])[0]
    degraded = _degraded(desk, now)
    told = answers.rendered(opinion, degraded) | {
        "application_id": application_id,
        "linked": answers.linked(view.assessor.desk, view.assessor.desk.links, row),
        "coverage": coverage(file),
        "as_of": answers.stamp(int(book.as_of[row])),
        "graph_as_of": answers.stamp(view.built_at),
        "model_version": spoken.version,
        "strategy": desk.strategy.id,
        "override": spoken.override,
        "arm": spoken.arm,
        "degraded": list(degraded),
    }
    codes = [each.code for each in opinion.reasons]
    return _Made(
        told,
        rule.review_from(scorer, asked.seen),
        () if parts is None else favours(parts, values, scorer.names, most=MOST_FAVOURS),
        scores_without(scorer, values, scorer.names, added, codes),
        consistency(asked.seen.names, asked.seen.values[0]),
    )


def _degraded(desk: Desk, now: int) -> tuple[str, ...]:
    from workbench.online.settings import HOUR, ServiceSettings

    found = list(desk.view.trouble)
    if now - desk.view.built_at > ServiceSettings.read().stale_hours * HOUR:
        found.append(STALE)
    if desk.sessions is None:
        found.append(BEHIND)
    return tuple(found)


def _of_batch(one: Score) -> dict[str, Any]:
    """As an answer, as far as `ringroad score` tells it."""
    return {
        "application_id": one.application_id,
        "score": one.score,
        "decision": one.decision,
        "codes": list(one.reasons),
        "as_of": one.as_of.isoformat(),
        "recorded_at": one.recorded_at.isoformat(),
        "model_version": one.model_version,
        "ring_id": one.ring_id,
        "reasons": [],
        "rules": [],
        "clusters": {},
        "checks": [],
        "linked": [],
        "degraded": [],
    }


def evidence_ids(reasons: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int, tuple[str, ...]]]:
    """(relation, type, node id, earlier applications) of all paths that carry these reasons."""
    found = []
    for reason in reasons:
        for path in reason["evidence"]:
            type_, _, number = path["id"].partition(":")
            found.append((path["relation"], type_, int(number, 16), tuple(path["applications"])))
    return found


def moment(text: str | None) -> datetime | None:
    """Of an answer; None where there is none."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return None if at <= from_millis(0) else at
