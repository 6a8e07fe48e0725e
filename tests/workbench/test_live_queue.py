"""What the score service answered stands in the queue seconds later, once, and what was paid out cannot be saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from graph.errors import StoreError
from graph.records import DAY, from_millis
from loaders.live import Told, ToldEdge, ToldNode
from workbench.casebook import cases, scores
from workbench.casebook.cases import APPLICATION, Case
from workbench.casebook.opening import Casebook
from workbench.journal import APPLICATION as ARRIVED
from workbench.journal import EVENT, Asked, Journal
from workbench.online.queueing import GRACE_MS, QUEUED, Regions, enqueue

START = 1_767_225_600_000


class Live:
    """A journal as the service writes it, with a clock that is set."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.journal = Journal(folder / "journal.sqlite", clock=lambda: self.now)
        self.casebook = Casebook.open(f"sqlite:///{folder / 'casebook.sqlite'}")

    def _enter(self, kind: str, name: str, told: Told) -> int:
        about = Asked(kind, name, told.to_bytes(), (f"{kind}/{name}/{self.now}",), "d")
        _, (noted,) = self.journal.append([about], after=0)
        assert noted.entry is not None
        return noted.entry.sequence

    def arrives(self, name: str, *, sold: bool = True, **more: Any) -> int:
        application = {"amount": 120_000.0, "submitted_at": self.now - 1000} | more
        nodes = [ToldNode("Application", name, "", self.now, self.now, application)]
        edges = [ToldEdge("SOLD_BY", name, "D7", "", self.now, self.now, 0, 1.0, "applications")] if sold else []
        return self._enter(ARRIVED, name, Told(name, self.now, nodes, edges))

    def answered(self, sequence: int, name: str, decision: str = "review", **more: Any) -> None:
        answer = {
            "application_id": name, "score": 0.3, "decision": decision, "reasons": [{"code": "RC01"}], "rules": [],
            "ring": None, "as_of": from_millis(self.now).isoformat(), "model_version": "m1",
        }  # fmt: skip
        self.journal.keep_answers([(sequence, orjson.dumps(answer | more))])

    def happens(self, name: str, **properties: Any) -> None:
        nodes = [ToldNode("Application", name, "", self.now, self.now, properties)]
        self._enter(EVENT, name, Told(name, self.now, nodes))

    def turn(self, regions: Mapping[str, str] = {"D7": "440100"}) -> int:
        self.now += 500
        return enqueue(self.journal, self.casebook, lambda dealer: regions.get(dealer, ""), clock=lambda: self.now)

    def cases(self) -> dict[str, Case]:
        with self.casebook.reading() as db:
            return cases.living(db, APPLICATION)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    made = Live(tmp_path)
    yield made
    made.journal.close()
    made.casebook.close()


def test_a_live_review_has_a_case_and_a_pass_has_its_score_only(live: Live) -> None:
    live.answered(live.arrives("x"), "x")
    live.answered(live.arrives("y"), "y", "pass", reasons=[], ring={"ring_id": "R1"})
    assert live.turn() == 2
    (found,) = live.cases().values()
    assert (found.subject, found.savable, found.exposure, found.score) == ("x", 120_000.0, 120_000.0, 0.3)
    assert (found.dealer, found.region, found.reasons) == ("D7", "440100", ("RC01",))
    assert found.opened_at == from_millis(live.now)
    assert found.pays_out_at == from_millis(START) + timedelta(days=2)
    with live.casebook.reading() as db:
        told = scores.newest(db, ["x", "y"])
    assert (told["y"].decision, told["y"].ring_id, told["y"].source) == ("pass", "R1", "service")


def test_said_once_more_it_changes_nothing(live: Live) -> None:
    live.answered(live.arrives("x"), "x")
    live.turn()
    assert live.turn() == 0
    before = live.cases()
    live.journal.mark(QUEUED, 0)  # killed before it could mark
    assert live.turn() == 1
    assert live.cases() == before


def test_strong_rules_alone_are_certain_and_name_their_rules(live: Live) -> None:
    live.answered(live.arrives("x"), "x", "decline", score=None, reasons=[], rules=[{"code": "R02"}])
    live.answered(live.arrives("y"), "y", "review", score=None, reasons=[], rules=[])
    live.turn()
    assert (live.cases()["x"].score, live.cases()["x"].reasons, live.cases()["y"].score) == (1.0, ("R02",), 0.0)


def test_an_answer_under_way_is_waited_for_and_a_lost_one_holds_up_nobody(live: Live) -> None:
    slow, quick = live.arrives("slow"), live.arrives("quick")
    live.answered(quick, "quick")
    assert live.turn() == 0
    live.answered(slow, "slow")
    assert live.turn() == 2
    live.arrives("lost")
    live.answered(live.arrives("after"), "after")
    live.now += GRACE_MS
    assert live.turn() == 2
    assert set(live.cases()) == {"slow", "quick", "after"}


def test_what_is_paid_out_or_declined_cannot_be_saved(live: Live) -> None:
    for name in ("paid", "declined", "other"):
        live.answered(live.arrives(name), name)
    live.turn()
    live.happens("paid", funded_at=live.now)
    live.happens("declined", decision="decline", decided_at=live.now)
    live.happens("other", decision="approve", decided_at=live.now)
    live.happens("stranger", funded_at=live.now)
    assert live.turn() == 4
    found = live.cases()
    assert {name: (each.exposure, each.savable) for name, each in found.items()} == {
        "paid": (120_000.0, 0.0), "declined": (0.0, 0.0), "other": (120_000.0, 120_000.0),
    }  # fmt: skip
    assert (found["paid"].pays_out_at, found["other"].pays_out_at is None) == (None, False)


def test_who_came_long_ago_is_scored_and_opens_no_case(live: Live) -> None:
    live.answered(live.arrives("x"), "x")
    live.now += 31 * DAY
    assert live.turn() == 1
    assert live.cases() == {}
    with live.casebook.reading() as db:
        assert set(scores.newest(db, ["x"])) == {"x"}


def test_an_application_without_a_dealer_or_an_amount_is_looked_at_too(live: Live) -> None:
    live.answered(live.arrives("x", sold=False, amount=None), "x")
    live.answered(live.arrives("y", decision="decline"), "y")
    live.turn({})
    assert [(each.subject, each.dealer, each.exposure) for each in live.cases().values()] == [("x", "", 0.0)]


def test_a_store_that_is_away_leaves_the_region_open() -> None:
    class Away:
        def node(self, *_: object, **__: object) -> None:
            raise StoreError("away")

    assert Regions(lambda: None)("D7") == ""
    assert Regions(Away)("D7") == ""  # type: ignore[arg-type]
