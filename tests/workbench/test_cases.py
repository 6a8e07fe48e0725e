"""Cases follow runs and scores, tell nobody the same twice, and go where the work goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from graph.rings import Ring, Shared
from workbench import casing
from workbench.casebook import case_changes, casefile, cases, runs, scores
from workbench.casebook.case_tables import application_scores
from workbench.casebook.cases import APPLICATION, CLOSED, OPEN, RING, Case
from workbench.casebook.opening import Casebook
from workbench.casebook.scores import BATCH, SERVICE, Score
from workbench.stakes import Stake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAY, JUNE, JULY, AUGUST = (datetime(2025, month, 30, 16, tzinfo=UTC) for month in (5, 6, 7, 8))
LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("blank") / "casebook.sqlite"
    Casebook.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def book(blank: Path, tmp_path: Path) -> Iterator[Casebook]:
    file = shutil.copy(blank, tmp_path / "casebook.sqlite")
    with Casebook.open(f"sqlite:///{file}") as opened:
        yield opened


class Known:
    """Stakes by application: 10,000 RMB each, nothing paid out."""

    def __init__(self, money: Mapping[str, tuple[float, float]] = {}) -> None:
        self.money = money

    def of(self, names: Sequence[str]) -> Stake:
        exposure, savable = (sum(self.money.get(name, (1e4, 1e4))[at] for name in names) for at in (0, 1))
        return Stake("D1", "320100", exposure, savable, MAY, MAY, LATER, settled=not exposure)


def ring(members: str, *, score: float = 0.5, money: float = 0.0) -> Ring:
    shared = Shared("Device", "USED_DEVICE", "0" * 32, "1***2", tuple(members), len(members))
    days, total = ("2025-05-01", "2025-05-02"), money or 1e4 * len(members)
    return Ring(f"RN{min(members)}", 1, score, tuple(sorted(members)), *days, total, total, "T08", "it is", (shared,))


def run(book: Casebook, *groups: str | Ring, as_of: datetime, now: datetime = NOW) -> runs.Change:
    found = [each if isinstance(each, Ring) else ring(each) for each in groups]
    with book.reading() as db:
        alone = cases.money(db, APPLICATION)
    recording = casing.RingCases(found, Known(), alone)  # type: ignore[arg-type] # a small one
    with book.writing() as db:
        return recording.record(db, runs.Run(as_of, 120, as_of, 7, frozenset("abcdefghijklmnopxyz")), now=now)


def case(book: Casebook, subject: str, kind: str = RING) -> Case:
    with book.reading() as db:
        found = cases.latest(db, kind, subject)
    assert found is not None
    return found


def told(book: Casebook, subject: str, kind: str = RING) -> list[str]:
    number = case(book, subject, kind).id
    with book.reading() as db:
        return [each.kind for each in casefile.entries(db, number)]


def set_(book: Casebook, subject: str, **values: Any) -> Case:
    with book.writing() as db:
        cases.change(db, case(book, subject).id, **values)
    return case(book, subject)


def close(book: Casebook, subject: str, outcome: str = "false_positive") -> Case:
    return set_(book, subject, status=CLOSED, outcome=outcome, closed_at=NOW, assignee="li", grown=0)


def snooze(book: Casebook, subject: str, days: int = 30) -> Case:
    found = set_(book, subject, snoozed_until=NOW + timedelta(days=days))
    with book.writing() as db:
        casefile.enter(db, found.id, "snoozed", author="li", now=NOW, content={"facts": cases.gist(vars(found))})
    return found


# Rings ---------------------------------------------------------------------------------------------------


def test_each_ring_of_a_run_has_a_case(casebook: Casebook) -> None:
    run(casebook, "abc", "fghi", as_of=MAY)
    found = case(casebook, "RNa")
    assert (found.name, found.status, found.size, found.savable, found.dealer) == ("C1", OPEN, 3, 3e4, "D1")
    assert (found.opened_because, found.opened_at, found.grown) == ("found", NOW, 0)
    assert found.reasons == ("USED_DEVICE",)
    assert told(casebook, "RNf") == ["opened"]


def test_who_joins_is_counted_once_however_often_the_run_is_repeated(casebook: Casebook) -> None:
    run(casebook, "abc", as_of=MAY)
    for _ in range(2):
        run(casebook, "abcx", as_of=JUNE, now=LATER)
        assert (case(casebook, "RNa").grown, case(casebook, "RNa").changed_at) == (1, LATER)
    run(casebook, "abcxy", as_of=JUNE)
    assert case(casebook, "RNa").grown == 2
    assert told(casebook, "RNa") == ["opened", "grew", "grew"]


def test_a_case_without_news_is_left_alone(book: Casebook) -> None:
    run(book, "abc", as_of=MAY)
    run(book, "abc", as_of=JUNE, now=LATER)
    assert (case(book, "RNa").changed_at, told(book, "RNa")) == (NOW, ["opened"])


def test_a_closed_case_stays_closed_for_the_same_facts(book: Casebook) -> None:
    run(book, "abc", as_of=MAY)
    close(book, "RNa")
    run(book, "abc", as_of=JUNE)
    run(book, ring("abc", score=0.59, money=7e4), as_of=JULY)
    assert (case(book, "RNa").status, case(book, "RNa").score) == (CLOSED, 0.5)


def test_somebody_new_opens_it_again_and_who_came_back_does_not(book: Casebook) -> None:
    run(book, "abcd", as_of=MAY)
    run(book, "abc", as_of=JUNE)
    close(book, "RNa")
    run(book, "abcd", as_of=JULY)
    assert case(book, "RNa").closed
    run(book, "abcdx", as_of=AUGUST, now=LATER)
    found = case(book, "RNa")
    assert (found.status, found.opened_because, found.opened_at, found.grown) == (OPEN, "grew", LATER, 1)
    assert (found.outcome, found.assignee, found.closed_at) == ("", "", None)
    with book.reading() as db:
        (entry,) = casefile.entries(db, found.id, kinds=["reopened"])
    assert (entry.content["outcome"], entry.content["applications"]) == ("false_positive", ["x"])


@pytest.mark.parametrize(
    ("again", "news"),
    [
        (ring("abc", score=0.6), True),
        (ring("abc", score=0.59), False),
        (ring("abc", money=8e4), True),
        (ring("abc", money=7.9e4), False),
        (ring("abc", money=1e3), False),
    ],
)
def test_risk_or_money_that_rose_enough_is_news(book: Casebook, again: Ring, *, news: bool) -> None:
    run(book, "abc", as_of=MAY)
    close(book, "RNa")
    run(book, again, as_of=JUNE)
    assert (case(book, "RNa").status == OPEN) is news


def test_what_rises_slowly_is_measured_from_what_was_decided_on(book: Casebook) -> None:
    run(book, "abc", as_of=MAY)
    close(book, "RNa")
    for at, score in enumerate((0.55, 0.58, 0.6), start=1):
        assert case(book, "RNa").closed
        run(book, ring("abc", score=score), as_of=MAY + timedelta(days=at))
    assert case(book, "RNa").status == OPEN


def test_large_sums_and_rings_must_rise_by_a_share(book: Casebook) -> None:
    before = {"score": 0.5, "size": 20, "exposure": 1e6, "savable": 0.0}
    finding = casing.of_ring(ring("abc", money=1e6), Known().of("abc"))
    same = replace(finding, savable=0.0, size=20)
    assert not case_changes.material(before, replace(same, exposure=1.2e6, size=24))
    assert case_changes.material(before, replace(same, exposure=1.25e6))
    assert case_changes.material(before, replace(same, size=25))


def test_a_snoozed_case_wakes_for_news_since_it_was_snoozed(book: Casebook) -> None:
    run(book, "abc", as_of=MAY)
    snooze(book, "RNa")
    run(book, ring("abcx", score=0.55), as_of=JUNE)
    found = case(book, "RNa")
    assert (found.snoozed(NOW), found.grown, found.score) == (True, 1, 0.55)
    run(book, ring("abcx", score=0.61), as_of=JULY)
    assert (case(book, "RNa").snoozed_until, told(book, "RNa")[-1]) == (None, "woke")


def test_the_work_on_a_merged_ring_goes_on_in_the_one_that_took_it_in(book: Casebook) -> None:
    run(book, "abcd", "fgh", as_of=MAY)
    set_(book, "RNf", assignee="li", status="working", deadline=LATER)
    run(book, "abcdfgh", as_of=JUNE)
    old, new = case(book, "RNf"), case(book, "RNa")
    assert (old.status, old.outcome, old.closing_reason) == (CLOSED, "merged", "goes on in C1")
    assert (new.assignee, new.status, new.deadline, new.grown) == ("li", "working", LATER, 3)
    assert told(book, "RNf")[-1] == "merged"
    assert told(book, "RNa")[-1] == "took_in"


def test_what_was_closed_is_open_again_when_unfinished_work_comes_in(book: Casebook) -> None:
    run(book, "abcd", "fgh", as_of=MAY)
    close(book, "RNa")
    with book.writing() as db:
        merged = case_changes.merge(db, case(book, "RNf"), case(book, "RNa"), now=NOW)
    assert (merged.subject, merged.status, merged.outcome) == ("RNa", OPEN, "")


def test_a_ring_that_comes_apart_again_is_worked_on_again(book: Casebook) -> None:
    run(book, "abcd", "fgh", as_of=MAY)
    run(book, "abcdfgh", as_of=JUNE)
    run(book, "abcd", "fgh", as_of=JULY)
    assert (case(book, "RNf").status, case(book, "RNf").outcome) == (OPEN, "")


def test_a_part_of_what_was_decided_is_decided(book: Casebook) -> None:
    run(book, "abcdfgh", as_of=MAY)
    close(book, "RNa", "confirmed_fraud")
    run(book, "abcd", "fgh", as_of=JUNE)
    part = case(book, "RNf")
    assert (part.status, part.outcome, part.closing_reason) == (CLOSED, "confirmed_fraud", "part of RNa, decided in C1")
    run(book, "abcd", ring("fgh", score=0.7), as_of=JULY)
    assert case(book, "RNf").status == OPEN


def test_a_ring_that_is_found_no_more_waits_for_who_closes_it(book: Casebook) -> None:
    run(book, "abc", "fgh", as_of=MAY)
    for _ in range(2):
        run(book, "abc", as_of=JUNE, now=LATER)
    assert (case(book, "RNf").ended_at, case(book, "RNf").status) == (LATER, OPEN)
    assert told(book, "RNf") == ["opened", "ended"]
    run(book, "abc", "fgh", as_of=JULY)
    assert (case(book, "RNf").ended_at, case(book, "RNf").grown) == (None, 0)


def test_a_run_of_the_past_moves_nothing(book: Casebook) -> None:
    run(book, "abc", as_of=JUNE)
    change = run(book, "abcx", "fgh", as_of=MAY)
    assert change.unrecorded
    with book.reading() as db:
        assert [(each.subject, each.grown) for each in cases.living(db, RING).values()] == [("RNa", 0)]


# Scores --------------------------------------------------------------------------------------------------


def score(name: str, decision: str = "review", *, at: datetime = MAY, number: float | None = 0.4) -> Score:
    return Score(name, at, number, decision, ("RC01",), "", "m1", BATCH, NOW)


def follow(book: Casebook, *told: Score, money: Mapping[str, tuple[float, float]] = {}, now: datetime = NOW) -> None:
    known = Known(money)
    stakes = {name: known.of([name]) for name in casing.wanted(book, told)}
    with book.writing() as db:
        scores.record(db, told)
        casing.follow_scores(db, told, stakes, now=now)


def test_the_newest_score_stays_whoever_told_it(casebook: Casebook) -> None:
    old, new = score("x"), replace(score("x", "decline", at=JUNE, number=None), source=SERVICE)
    for some in ([new], [old], [score("y"), replace(score("y"), model_version="m2")]):
        with casebook.writing() as db:
            scores.record(db, some)
    with casebook.reading() as db:
        assert scores.newest(db, ["x", "y", "z"]) == {"x": new, "y": replace(score("y"), model_version="m2")}
        assert db.execute(select(application_scores.c.recorded_at)).scalars().all() == [NOW, NOW]


def test_who_is_to_be_looked_at_has_a_case_and_who_passes_has_none(casebook: Casebook) -> None:
    follow(casebook, score("x"), score("y", "pass"), score("z", "decline", number=None))
    found = case(casebook, "x", APPLICATION)
    assert (found.size, found.score, found.savable, found.reasons, found.opened_because) == (
        1, 0.4, 1e4, ("RC01",), "scored",
    )  # fmt: skip
    assert case(casebook, "z", APPLICATION).score == casing.CERTAIN
    with casebook.reading() as db:
        assert set(cases.living(db, APPLICATION)) == {"x", "z"}


def test_nobody_looks_at_the_settled_or_the_old(book: Casebook) -> None:
    follow(book, score("x", at=MAY - timedelta(days=31)), score("y"), score("z"), money={"y": (0.0, 0.0)})
    with book.reading() as db:
        assert set(cases.living(db, APPLICATION)) == {"z"}


def test_a_score_that_falls_stands_on_the_case(book: Casebook) -> None:
    follow(book, score("x"))
    follow(book, score("x", "pass", number=0.01), now=LATER)
    assert (case(book, "x", APPLICATION).score, case(book, "x", APPLICATION).changed_at) == (0.01, LATER)


def test_a_closed_application_opens_again_for_a_higher_score_only(book: Casebook) -> None:
    follow(book, score("x"))
    with book.writing() as db:
        cases.change(db, case(book, "x", APPLICATION).id, status=CLOSED, outcome="no_finding", closed_at=NOW)
    follow(book, score("x", number=0.49))
    assert case(book, "x", APPLICATION).closed
    follow(book, score("x", number=0.5))
    assert case(book, "x", APPLICATION).status == OPEN


def test_an_application_in_a_ring_is_worked_on_there(book: Casebook) -> None:
    follow(book, score("a"), score("o"))
    run(book, "abc", as_of=MAY)
    assert case(book, "a", APPLICATION).outcome == "merged"
    follow(book, score("b"), score("a", number=0.9))
    with book.reading() as db:
        assert set(cases.living(db, APPLICATION)) == {"o"}


def test_money_that_was_paid_out_is_not_savable_any_more(book: Casebook) -> None:
    follow(book, score("o"))
    with book.reading() as db:
        alone = cases.money(db, APPLICATION)
    recording = casing.RingCases([ring("abc")], Known({"o": (1e4, 0.0)}), alone)  # type: ignore[arg-type]
    with book.writing() as db:
        recording.record(db, runs.Run(MAY, 120, MAY, 7, frozenset("abco")), now=LATER)
    found = case(book, "o", APPLICATION)
    assert (found.savable, found.exposure, found.changed_at, found.score) == (0.0, 1e4, LATER, 0.4)
