"""One process's scorer: takes requests into the journal, applies what everybody told, and answers.

All that was told is applied in the journal's order, by every process alike, so it does not matter who answers. What
cannot be done degrades the answer and is said in it; a degraded answer never passes anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gnn.assessor import Arrived, Assessed, Assessor
from gnn.files import ApplicationFile
from gnn.rules import Verdicts
from graph.errors import NodeNotFound, RingroadError, StoreError
from loaders.live import Teller, Told
from workbench.journal import APPLICATION, LABEL, Asked, Entry, Journal, Noted
from workbench.online import answers
from workbench.online.absorbing import redated, told_by
from workbench.online.answers import stamp
from workbench.online.coverage import coverage
from workbench.online.filing import filed, learnt
from workbench.online.images import View
from workbench.online.metrics import DECISIONS, DEGRADED, SCORES, timed
from workbench.online.panel import Panel, Rule, Spoken

log = logging.getLogger("ringroad.engine")

NO_GRAPH, STALE, NOT_RECORDED, FAULT, BEHIND = "no_graph", "stale_graph", "not_recorded", "fault", "graph_incomplete"
VAULT = "vault"
"""Its keys are being rotated: tokens of now find nothing of before."""

ALONE: Mapping[str, Any] = {"linked": [], "ring": None}


@dataclass(frozen=True)
class ScoreAsk:
    """A request that was read: what goes into the journal, and how it is to be answered."""

    asked: Asked
    told: Told
    trace_id: str
    full: bool
    begin: float


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
        self.rule = Rule.of()
        self.panel = Panel(view, self.rule) if view else None
        self.unapplied = 0
        self.vault_trouble = False

    def decide_by(self, rule: Rule) -> None:
        """The strategy from now on."""
        self.rule = rule
        self.panel = Panel(self.view, rule) if self.view else None

    def take_over(self, view: View, position: int, unapplied: int) -> None:
        """A fresh graph that stands where this one stands."""
        self.view, self.position, self.unapplied = view, position, unapplied
        self.panel = Panel(view, self.rule)

    # Answering ---------------------------------------------------------------------------------------------

    def answer(self, asks: Sequence[ScoreAsk]) -> list[bytes | BaseException]:
        """One answer each, in this order; an InputError for a name that was used with other content."""
        try:
            with timed("journal"):
                others, noted = self.journal.append([each.asked for each in asks], after=self.position)
        except StoreError as error:
            log.warning("journal: %s", error.message)
            return [self._unrecorded(each) for each in asks]
        self._apply_all(others)
        fresh = [(ask, note.entry) for ask, note in zip(asks, noted, strict=True) if note.entry and not note.again]
        made = iter(self._score(fresh))
        return [
            next(made) if note.entry and not note.again else self._again(ask, note)
            for ask, note in zip(asks, noted, strict=True)
        ]

    def _score(self, asked: Sequence[tuple[ScoreAsk, Entry]]) -> list[bytes]:
        files = [self._file(entry, ask.told) for ask, entry in asked]
        arrived = self._arrive(files)
        kept, made = [], []
        for (ask, entry), file, one in zip(asked, files, arrived, strict=True):
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

    def _arrive(self, files: Sequence[ApplicationFile | None]) -> list[Arrived | None]:
        """One after the other, each seeing those before; what is made of them is made together."""
        view = self.view
        if view is None:
            return [None] * len(files)
        rows: list[int | None] = []
        with timed("arrive"):
            for file in files:
                try:
                    rows.append(None if file is None else view.assessor.follow(file))
                except Exception as error:  # noqa: BLE001 - one application holds up none of the others
                    self._missed("arrive", error)
                    rows.append(None)
            made = iter(self._seen([row for row in rows if row is not None]))
        return [None if row is None else next(made, None) for row in rows]

    def _seen(self, rows: Sequence[int]) -> list[Arrived]:
        """Of these rows of all that came since the last time; none where that fails."""
        try:
            return self.view.assessor.arrived(rows) if self.view is not None else []
        except Exception as error:  # noqa: BLE001 - said in the answer
            self._missed("features", error)
            return []

    def _file(self, entry: Entry, told: Told | None = None) -> ApplicationFile | None:
        if self.view is None:
            return None
        told = told_by(entry) if told is None else redated(told, entry.at)
        self.teller.heard(told)
        return filed(told, loaded=self.view.assessor.desk.book.loaded)

    # What is answered --------------------------------------------------------------------------------------

    def _told(self, ask: ScoreAsk, entry: Entry, file: ApplicationFile | None, one: Arrived | None) -> bytes:
        degraded = self.degraded()
        if one is not None:
            try:
                with timed("score"):
                    return self._opinion(ask, entry, file, one, degraded)
            except Exception as error:  # noqa: BLE001 - said in the answer, and nobody is passed
                self._missed("score", error)
        return self._nothing(ask, entry, file, (*degraded, FAULT) if self.view is not None else degraded)

    def _opinion(
        self, ask: ScoreAsk, entry: Entry, file: ApplicationFile | None, one: Arrived, degraded: Sequence[str]
    ) -> bytes:
        view, panel, about = self._known(), self.panel, ask.asked.about
        assert panel is not None  # noqa: S101 - made with the view
        said: dict[Assessor, Verdicts] = {}

        def rules(assessor: Assessor) -> Verdicts:
            return said.setdefault(assessor, assessor.verdicts(one))

        def models(assessor: Assessor) -> Assessed:
            return assessor.assess_row(one, said.get(assessor))

        spoken = panel.speak(about, rules, models, seen=one.seen, full=ask.full)
        opinion = spoken.opinion
        if ask.full or opinion.decision.decision != "pass":
            with timed("evidence"):
                opinion = answers.evident(opinion, view.assessor.desk, one.row)
        found = self._around(about, one.row)
        answer = self._rendered(
            ask, answers.rendered(opinion, degraded), degraded, entry=entry, file=file, about=found, spoken=spoken
        )
        differing = [
            (entry.sequence, version, entry.at, orjson.dumps(told)) for version, told in panel.beside(spoken, models)
        ]
        if differing:
            self.journal.keep_differences(differing)
        return answer

    def _nothing(self, ask: ScoreAsk, entry: Entry, file: ApplicationFile | None, degraded: Sequence[str]) -> bytes:
        opinion = answers.unscored(degraded)
        return self._rendered(ask, opinion, degraded, entry=entry, file=file, about=ALONE)

    def _around(self, about: str, row: int) -> dict[str, Any]:
        view = self._known()
        desk, links = view.assessor.desk, view.assessor.desk.links
        return {
            "linked": answers.linked(desk, links, row),
            "ring": view.rings.joined(row, about, links.row[row], links.weight[row]),
        }

    def _known(self) -> View:
        assert self.view is not None  # noqa: S101 - asked where there is one
        return self.view

    def _rendered(
        self,
        ask: ScoreAsk,
        opinion: dict[str, Any],
        degraded: Sequence[str],
        *,
        entry: Entry | None,
        file: ApplicationFile | None,
        about: Mapping[str, Any],
        spoken: Spoken | None = None,
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
            "model_version": spoken.version if spoken else view.version if view else "none",
            "strategy": self.rule.adopted.id,
            "override": spoken.override if spoken else None,
            "arm": spoken.arm if spoken else "champion",
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
        file, degraded = self._file(entry), self.degraded()
        try:
            if file is not None:
                spoken, row = self._again_spoken(entry, file)
                opinion = answers.evident(spoken.opinion, self._known().assessor.desk, row)
                told = answers.rendered(opinion, degraded)
                around = self._around(entry.about, row)
                return self._rendered(ask, told, degraded, entry=entry, file=file, about=around, spoken=spoken)
        except Exception as error:  # noqa: BLE001 - said in the answer
            self._missed("again", error)
        return self._nothing(ask, entry, file, (*degraded, FAULT) if self.view is not None else degraded)

    def _again_spoken(self, entry: Entry, file: ApplicationFile) -> tuple[Spoken, int]:
        """What is said today of an earlier entry, from what was known then, and its row."""
        view, panel = self._known(), self.panel
        row = view.row_of(entry.about)
        if row is None or panel is None:
            raise NodeNotFound("the application is not in the graph yet")
        again = panel.voices[panel.answering(entry.about)[0]].again(row, file)
        spoken = panel.speak(entry.about, lambda _: again.scores.rules, lambda _: again, seen=again.seen, full=False)
        return spoken, row

    def degraded(self) -> tuple[str, ...]:
        """What is not whole, whoever asks."""
        if self.view is None:
            return (NO_GRAPH,)
        found = list(self.view.trouble)
        if self.clock() - self.view.built_at > self.stale_ms:
            found.append(STALE)
        if self.unapplied:
            found.append(BEHIND)
        if self.vault_trouble:
            found.append(VAULT)
        return tuple(found)

    # Following ---------------------------------------------------------------------------------------------

    def catch_up(self, *, limit: int = 200) -> int:
        """What others told since; how many entries that were."""
        entries = self.journal.since(self.position, limit=limit)
        self.follow(entries)
        return len(entries)

    def follow(self, entries: Sequence[Entry]) -> None:
        """Applies entries of others, in their order. One that cannot be applied is passed by, by everybody alike."""
        self._apply_all(entries)
        self._seen(())

    def _apply_all(self, entries: Sequence[Entry]) -> None:
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
        if entry.kind == APPLICATION and view.row_of(entry.about) is not None:
            return  # it came by file, too
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

    def loaded(self, application_id: str) -> bool:
        """Whether it is in the graph without having been scored here."""
        there = self.view is not None and self.view.row_of(application_id) is not None
        return there and self.journal.application(application_id) is None

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
        file, told = self._file(entry), answer or {}
        if file is None:
            return None
        try:
            spoken, _ = self._again_spoken(entry, file)
        except RingroadError:
            return None
        opinion = answers.rendered(spoken.opinion, ())
        return {
            "score": opinion["score"],
            "decision": opinion["decision"],
            "model_version": spoken.version,
            "reasons": [each["code"] for each in opinion["reasons"]],
            "same": (opinion["score"], opinion["decision"]) == (told.get("score"), told.get("decision")),
        }


def coverage_unknown() -> dict[str, Any]:
    return {"missing": [], "of": 0, "en": "not looked at", "zh": "未核对"}
