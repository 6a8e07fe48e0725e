"""One process's scorer: takes requests into the journal, applies what everybody told, and answers.

All that was told is applied in the journal's order, by every process alike, so it does not matter who answers. What
cannot be done degrades the answer and is said in it; a degraded answer never passes anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from gnn.assessor import Assessed
from gnn.files import ApplicationFile
from graph.errors import NodeNotFound, RingroadError, StoreError
from loaders.live import Teller, Told
from workbench.journal import APPLICATION, LABEL, Asked, Entry, Journal, Noted
from workbench.online import answers
from workbench.online.absorbing import told_by
from workbench.online.answers import stamp
from workbench.online.coverage import coverage
from workbench.online.filing import filed, learnt
from workbench.online.images import View
from workbench.online.metrics import DECISIONS, DEGRADED, SCORES, timed

log = logging.getLogger("ringroad.engine")

NO_GRAPH, STALE, NOT_RECORDED, FAULT, BEHIND = "no_graph", "stale_graph", "not_recorded", "fault", "graph_incomplete"

ALONE: Mapping[str, Any] = {"linked": [], "ring": None}


@dataclass(frozen=True)
class ScoreAsk:
    """A request that was read: what goes into the journal, and how it is to be answered."""

    asked: Asked
    told: Told
    trace_id: str
    full: bool
    begin: float


@dataclass(frozen=True)
class Rule:
    """What of a strategy an answer needs: `version` 0 ships; `review_from` None is the model's own."""

    version: int = 0
    review_from: float | None = None
    may_decline: bool = True
    arm: Callable[[str], str] = field(default=lambda _: "champion")


class Engine:
    """`seconds` and `clock` are the time: for durations, and in milliseconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        teller: Teller,
        view: View | None,
        *,
        clock: Callable[[], int],
        seconds: Callable[[], float],
        stale_ms: float,
    ) -> None:
        self.journal, self.teller, self.view = journal, teller, view
        self.clock, self.seconds, self.stale_ms = clock, seconds, stale_ms
        self.position = view.position if view else 0
        self.rule = Rule()
        self.unapplied = 0

    # Answering ---------------------------------------------------------------------------------------------

    def answer(self, asks: Sequence[ScoreAsk]) -> list[bytes | BaseException]:
        """One answer each, in this order; an InputError for a name that was used with other content."""
        try:
            with timed("journal"):
                others, noted = self.journal.append([each.asked for each in asks], after=self.position)
        except StoreError as error:
            log.warning("journal: %s", error.message)
            return [self._unrecorded(each) for each in asks]
        self.follow(others)
        fresh = [(ask, note.entry) for ask, note in zip(asks, noted, strict=True) if note.entry and not note.again]
        made = iter(self._score(fresh))
        return [
            next(made) if note.entry and not note.again else self._again(ask, note)
            for ask, note in zip(asks, noted, strict=True)
        ]

    def _score(self, asked: Sequence[tuple[ScoreAsk, Entry]]) -> list[bytes]:
        files = [self._file(entry, ask.told) for ask, entry in asked]
        assessed = self._assess(files)
        kept, made = [], []
        for (ask, entry), file, one in zip(asked, files, assessed, strict=True):
            self.position = entry.sequence
            answer = self._told(ask, entry, file, one)
            kept.append((entry.sequence, answer))
            made.append(answer)
        try:
            with timed("answers"):
                self.journal.keep_answers(kept)
        except StoreError as error:  # it can be computed again from its entry
            log.warning("answers: %s", error.message)
        return made

    def _assess(self, files: Sequence[ApplicationFile | None]) -> list[Assessed | None]:
        out: list[Assessed | None] = []
        for file in files:
            try:
                with timed("assess"):
                    out.append(None if file is None or self.view is None else self.view.assessor.assess(file))
            except Exception as error:  # noqa: BLE001 - one application holds up none of the others
                self._missed("assess", error)
                out.append(None)
        return out

    def _file(self, entry: Entry, told: Told | None = None) -> ApplicationFile | None:
        if self.view is None:
            return None
        told = told if told is not None and told.now == entry.at else told_by(entry)
        self.teller.heard(told)
        return filed(told, loaded=self.view.assessor.desk.book.loaded)

    # What is answered --------------------------------------------------------------------------------------

    def _told(self, ask: ScoreAsk, entry: Entry, file: ApplicationFile | None, one: Assessed | None) -> bytes:
        degraded = self.degraded()
        if one is None and self.view is not None:
            degraded = (*degraded, FAULT)
        opinion: dict[str, Any] = answers.unscored(degraded or (NO_GRAPH,))
        about = ALONE
        if one is not None and self.view is not None:
            opinion, about = self._opinion(one, ask, degraded)
        return self._rendered(ask, opinion, degraded, entry=entry, file=file, about=about)

    def _opinion(
        self, one: Assessed, ask: ScoreAsk, degraded: Sequence[str]
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        view = self.view
        assert view is not None  # noqa: S101 - asked by the caller
        scorer, scores = view.assessor.scorer, one.scores
        review_from = scorer.review_from if self.rule.review_from is None else self.rule.review_from
        decision = answers.decided(
            float(scores.score[0]), scores.rules, 0, review_from=review_from, may_decline=self.rule.may_decline
        )
        values = one.seen.only(scorer.names)
        parts = np.zeros((1, len(scorer.names) + 1))
        with timed("explain"):
            if scorer.main is not None:
                parts = scorer.main.contributions(values)
            opinion = answers.second_layer(
                scores, 0, decision, parts=parts[0], values=values[0], names=scorer.names, everything=ask.full
            )
            if ask.full or decision.decision != "pass":
                opinion = answers.evident(opinion, view.assessor.desk, one.row)
        row, links = one.row, one.seen.links
        about: dict[str, Any] = {
            "linked": answers.linked(view.assessor.desk, links, row),
            "ring": view.rings.joined(row, ask.asked.about, links.row[row], links.weight[row]),
        }
        return answers.rendered(opinion, degraded), about

    def _rendered(
        self,
        ask: ScoreAsk,
        opinion: dict[str, Any],
        degraded: Sequence[str],
        *,
        entry: Entry | None,
        file: ApplicationFile | None,
        about: Mapping[str, Any],
    ) -> bytes:
        view = self.view
        for each in degraded:
            DEGRADED.labels(each).inc()
        DECISIONS.labels(opinion["decision"], str(opinion["layer"])).inc()
        if opinion["score"] is not None:
            SCORES.observe(opinion["score"])
        told = {
            "application_id": ask.asked.about,
            "sequence": entry.sequence if entry else None,
            **opinion,
            **about,
            "coverage": coverage(file) if file else coverage_unknown(),
            "warnings": answers.warned(ask.told.findings),
            "as_of": stamp(entry.at if entry else self.clock()),
            "graph_as_of": stamp(view.built_at if view else 0),
            "model_version": view.version if view else "none",
            "strategy": self.rule.version,
            "arm": self.rule.arm(ask.asked.about),
            "degraded": list(degraded),
            "trace_id": ask.trace_id,
            "server_ms": round((self.seconds() - ask.begin) * 1000, 3),
            "replayed": False,
        }
        return orjson.dumps(told)

    def _unrecorded(self, ask: ScoreAsk) -> bytes:
        """It could not be put on disk: a person looks, and the decision engine may send it again."""
        degraded = (*self.degraded(), NOT_RECORDED)
        return self._rendered(ask, answers.unscored(degraded), degraded, entry=None, file=None, about=ALONE)

    def _again(self, ask: ScoreAsk, note: Noted) -> bytes | BaseException:
        if note.trouble is not None:
            return note.trouble
        assert note.entry is not None  # noqa: S101 - an entry or a trouble
        found = self.journal.answer(note.entry.sequence)
        if found is None:  # the process that took it died before it answered
            made = self._late(ask, note.entry)
            self.journal.keep_answers([(note.entry.sequence, made)])
            found = self.journal.answer(note.entry.sequence) or made
        return orjson.dumps(orjson.loads(found) | {"replayed": True})

    def _late(self, ask: ScoreAsk, entry: Entry) -> bytes:
        """The answer that an entry would have had: from what was known when it was entered."""
        file = self._file(entry)
        one = None
        if file is not None and self.view is not None:
            try:
                one = self.view.again(entry.about, file)
            except Exception as error:  # noqa: BLE001 - said in the answer
                self._missed("again", error)
        return self._told(ask, entry, file, one)

    def degraded(self) -> tuple[str, ...]:
        """What is not whole, whoever asks."""
        if self.view is None:
            return (NO_GRAPH,)
        found = list(self.view.trouble)
        if self.clock() - self.view.built_at > self.stale_ms:
            found.append(STALE)
        if self.unapplied:
            found.append(BEHIND)
        return tuple(found)

    # Following ---------------------------------------------------------------------------------------------

    def catch_up(self, *, limit: int = 200) -> int:
        """What others told since; how many entries that were."""
        entries = self.journal.since(self.position, limit=limit)
        self.follow(entries)
        return len(entries)

    def follow(self, entries: Sequence[Entry]) -> None:
        """Applies entries of others, in their order. One that cannot be applied is passed by, by everybody alike."""
        for entry in entries:
            if entry.sequence > self.position:
                try:
                    self._apply(entry)
                except Exception as error:  # noqa: BLE001 - a fault of one entry stops no other
                    self._missed(entry.kind, error)
                self.position = entry.sequence

    def _apply(self, entry: Entry) -> None:
        view = self.view
        if entry.kind == LABEL:
            if view is not None:
                view.label(orjson.loads(entry.told))
            return
        told = told_by(entry)
        self.teller.heard(told)
        if view is None:
            return
        if entry.kind == APPLICATION:
            view.assessor.follow(filed(told, loaded=view.assessor.desk.book.loaded))
        else:
            view.learn(entry.about, learnt(told))

    def _missed(self, what: str, error: Exception) -> None:
        self.unapplied += 1
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{place.tb_lineno}" if place else ""
        log.error("%s: %s at %s", what, type(error).__name__, where)

    # Events and labels -------------------------------------------------------------------------------------

    def tell(self, asked: Asked) -> Noted:
        """An event or a label into the journal, and applied. Raises StoreError where it cannot be put on disk."""
        others, (note,) = self.journal.append([asked], after=self.position)
        self.follow(others)
        if note.trouble is not None:
            raise note.trouble
        if note.entry is not None and not note.again:
            self.follow([note.entry])
        return note

    def knows(self, application_id: str) -> bool:
        return self.journal.application(application_id) is not None or (
            self.view is not None and self.view.row_of(application_id) is not None
        )

    # Records -----------------------------------------------------------------------------------------------

    def record(self, application_id: str) -> dict[str, Any]:
        """How an application was answered, and how it would be today, from what was known then."""
        entry = self.journal.application(application_id)
        if entry is None:
            raise NodeNotFound("no application of this number was scored here")
        while self.position < entry.sequence and self.catch_up():
            pass
        kept = self.journal.answer(entry.sequence)
        answer = None if kept is None else orjson.loads(kept)
        return {
            "application_id": application_id,
            "arrived_at": stamp(entry.at),
            "answer": answer,
            "replay": self._replay(entry, answer),
            "events": [
                {"sequence": each.sequence, "at": stamp(each.at), "kind": each.kind}
                for each in self.journal.events_of(application_id)
            ],
        }

    def _replay(self, entry: Entry, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        file = self._file(entry)
        if file is None or self.view is None:
            return None
        try:
            one = self.view.again(entry.about, file)
        except RingroadError:
            return None
        told = answer or {}
        ask = ScoreAsk(Asked(APPLICATION, entry.about, b"", (), ""), told_by(entry), "", False, self.seconds())
        opinion, _ = self._opinion(one, ask, ())
        return {
            "score": opinion["score"],
            "decision": opinion["decision"],
            "model_version": self.view.version,
            "reasons": [each["code"] for each in opinion["reasons"]],
            "same": (opinion["score"], opinion["decision"]) == (told.get("score"), told.get("decision")),
        }


def coverage_unknown() -> dict[str, Any]:
    return {"missing": [], "of": 0, "en": "not looked at", "zh": "未核对"}
