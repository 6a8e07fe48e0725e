"""Whether models and service are well: versions, the graph they read, what they answered, and where trials disagree."""
# ruff: noqa: PLC0415 - the registry of models imports XGBoost

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from graph.records import from_millis
from workbench.casebook import strategies
from workbench.journal import ABSORBED, Journal
from workbench.online import places
from workbench.online.settings import ServiceSettings
from workbench.online.watching import Watched, watched
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

LOOKED_AT = 2_000
"""Newest answers that are counted."""

DIFFERENCES = 500
BINS = 20


@dataclass(frozen=True)
class Version:
    """A trained model. `role`: champion, shadow or ""; `trouble` says why it is refused."""

    version: str
    role: str
    trained_until: datetime | None
    metrics: Mapping[str, float]
    trouble: str


@dataclass(frozen=True)
class Difference:
    """What a model beside the one that answered would have said of an application."""

    at: datetime
    application_id: str
    answered_by: str
    score: float | None
    decision: str
    version: str
    other_score: float | None
    other_decision: str


@dataclass(frozen=True)
class Answers:
    """The newest answers of the service. `scores` counts them in bins of 0.05; `degraded` by named mode."""

    number: int
    newest: datetime | None
    decisions: Mapping[str, int]
    degraded: Mapping[str, int]
    scores: Sequence[int]
    shift: Watched | None


@dataclass(frozen=True)
class Health:
    """`graph_at`: when the graph that scores are read from was made; None where none was. `behind`: entries of the
    journal that the store has not taken."""

    versions: Sequence[Version]
    strategy: strategies.Adopted
    graph_at: datetime | None
    stale: bool
    behind: int
    answers: Answers
    differences: Sequence[Difference]


class HealthReports:
    def __init__(self, office: Office) -> None:
        self._office = office

    def health(self, who: Person) -> Health:
        who.require(Act.READ)
        now = self._office.clock()
        settings = ServiceSettings.read()
        graph_at = self._graph_at()
        with self._office.casebook.reading() as db:
            adopted = strategies.in_force(db, now)
        behind, answers, differences = self._journal()
        return Health(
            versions=self._versions(),
            strategy=adopted,
            graph_at=graph_at,
            stale=graph_at is not None and now - graph_at > timedelta(hours=settings.stale_hours),
            behind=behind,
            answers=answers,
            differences=differences,
        )

    def _versions(self) -> list[Version]:
        from workbench import scoring

        return [
            Version(
                each.version,
                each.role,
                each.manifest.training.trained_until if each.manifest else None,
                each.manifest.training.metrics if each.manifest else {},
                each.trouble,
            )
            for each in scoring.registry(self._office.settings).list()
        ]

    def _graph_at(self) -> datetime | None:
        name = places.current(self._office.settings)
        return None if name is None else from_millis(int(places.about(self._office.settings, name)["built_at"]))

    def _journal(self) -> tuple[int, Answers, list[Difference]]:
        """Where no service ever ran, nothing was answered."""
        file = self._office.settings.home / "journal.sqlite"
        if not file.exists():
            return 0, _answers([], None), []
        with Journal(file, clock=lambda: 0) as journal:
            last = journal.last()
            behind = 0 if last is None else last.sequence - journal.marked(ABSORBED)
            told = [orjson.loads(each) for each in journal.latest_answers(LOOKED_AT)]
            differences = [
                _difference(at, journal.about(sequence), version, row)
                for sequence, version, at, row in journal.differences(limit=DIFFERENCES)
            ]
            return behind, _answers(told, watched(journal)), differences


def _answers(told: Sequence[Mapping[str, Any]], shift: Watched | None) -> Answers:
    scores = [0] * BINS
    for each in told:
        if each["score"] is not None:
            scores[min(BINS - 1, int(each["score"] * BINS))] += 1
    return Answers(
        number=len(told),
        newest=datetime.fromisoformat(told[-1]["as_of"]) if told else None,
        decisions=Counter(str(each["decision"]) for each in told),
        degraded=Counter(str(mode) for each in told for mode in each.get("degraded") or ()),
        scores=scores,
        shift=shift,
    )


def _difference(at: int, application_id: str, version: str, row: bytes) -> Difference:
    told = orjson.loads(row)
    return Difference(
        from_millis(at), application_id, told["answered_by"], told["score"], told["decision"],
        version, told["other_score"], told["other_decision"],
    )  # fmt: skip
