"""Training on what it cannot learn from: a clear sentence, and rules and isolation forest as the honest answer."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gnn.comparing import UNTRAINED, compared
from gnn.rules import read_settings
from gnn.training import Prepared, Trained, prepare, train
from graph.errors import InputError
from graph.records import DAY, Ints
from graph.snapshot import Snapshot
from tests.gnn.conftest import Portfolio, drawn, outcomes
from tests.graph.facts import Facts, customer, edge, node, taken

pytestmark = pytest.mark.usefixtures("quick")

PEOPLE = 120
END = 400 * DAY


def crowd(people: int = PEOPLE) -> Facts:
    """Strangers, one every three hours; every fifth of them on one device."""
    each = (customer(f"{at:03}", 380 + at / 8, thin_file=at % 7 == 0) for at in range(people))
    shared = (edge("USED_DEVICE", f"A{at:03}", "X", 380 + at / 8) for at in range(0, people, 5))
    return [*chain.from_iterable(each), *shared]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return taken(tmp_path_factory.mktemp("crowd"), crowd())


def with_labels(snapshot: Snapshot, *tables: pa.Table) -> Prepared:
    return prepare(snapshot, {"outcomes": pa.concat_tables(tables)} if tables else {})


def told(ready: Prepared, until: int = END) -> Trained:
    return train(ready, until=until, settings=read_settings())


def every(snapshot: Snapshot) -> Ints:
    return np.arange(len(snapshot.nodes["Application"]))


def assert_rules_and_isolation_speak(found: Trained, ready: Prepared, *reasons: str) -> None:
    """No model, why in one sentence, a score for everybody that promises no probability."""
    assert found.scorer.main is None
    assert found.targets is None
    assert len(found.notes) == 1
    assert found.notes[0].startswith("no model was trained: ")
    for each in reasons:
        assert each in found.notes[0]
    scores = found.scorer.score(ready.seen, ready.book, columns=ready.rule_columns)
    assert ((scores.score > 0) & (scores.score < 1)).all()
    assert len(np.unique(scores.score)) > 1
    assert np.isnan(scores.main).all()
    assert scores.added == {}
    assert 0 < (scores.score >= found.scorer.review_from).mean() < 0.5


# Labels --------------------------------------------------------------------------------------------------


def test_no_labels_at_all(snapshot: Snapshot) -> None:
    ready = with_labels(snapshot)
    assert_rules_and_isolation_speak(told(ready), ready, "0 applications are labelled CONFIRMED_FRAUD", "outcomes")


def test_fewer_labels_than_a_model_needs(snapshot: Snapshot) -> None:
    rows = np.arange(3)
    ready = with_labels(snapshot, outcomes(snapshot, rows, np.full(3, END - DAY)))
    assert_rules_and_isolation_speak(told(ready), ready, "3 applications", "needs 10")


def test_everybody_is_fraud(snapshot: Snapshot) -> None:
    rows = every(snapshot)
    ready = with_labels(snapshot, outcomes(snapshot, rows, np.full(len(rows), END - DAY)))
    assert_rules_and_isolation_speak(told(ready), ready, "all of one class")


def test_everybody_was_cleared(snapshot: Snapshot) -> None:
    rows = every(snapshot)
    ready = with_labels(snapshot, outcomes(snapshot, rows, np.full(len(rows), END - DAY), "CLEARED_BENIGN"))
    assert_rules_and_isolation_speak(told(ready), ready, "0 applications are labelled CONFIRMED_FRAUD")


def test_labels_of_the_future(snapshot: Snapshot) -> None:
    """They count as none, and nothing is different from there being none."""
    rows = np.arange(0, PEOPLE, 5)
    ready = with_labels(snapshot, outcomes(snapshot, rows, np.full(len(rows), END + 1)))
    found, without = told(ready), with_labels(snapshot)
    assert_rules_and_isolation_speak(found, ready, "0 applications are labelled CONFIRMED_FRAUD before that day")
    np.testing.assert_array_equal(ready.seen.values, without.seen.values)


def test_fraud_that_was_taken_back(snapshot: Snapshot) -> None:
    """Labelled, and cleared before the day of training."""
    rows = np.arange(0, PEOPLE, 5)
    said = outcomes(snapshot, rows, np.full(len(rows), END - 3 * DAY))
    cleared = outcomes(snapshot, rows, np.full(len(rows), END - 2 * DAY), "CLEARED_BENIGN")
    ready = with_labels(snapshot, said, cleared)
    assert_rules_and_isolation_speak(told(ready), ready, "0 applications")


def test_labels_of_applications_nobody_knows(snapshot: Snapshot) -> None:
    strange = outcomes(snapshot, np.arange(20), np.full(20, END - DAY))
    strange = strange.set_column(1, "owner", pa.array(np.arange(20, dtype=np.int64)))
    ready = with_labels(snapshot, strange)
    assert_rules_and_isolation_speak(told(ready), ready, "0 applications")


def test_labels_alone_are_no_contrast(snapshot: Snapshot) -> None:
    """Where everybody else is too young to count as honest, there is one class only."""
    rows = np.arange(0, PEOPLE, 10)
    ready = with_labels(snapshot, outcomes(snapshot, rows, snapshot.nodes["Application"].known_at[rows] + DAY // 2))
    assert_rules_and_isolation_speak(told(ready), ready, "all of one class")


def test_few_labels_train_a_model_with_a_rough_calibration(snapshot: Snapshot) -> None:
    rows = np.arange(0, PEOPLE, 10)
    ready = with_labels(snapshot, outcomes(snapshot, rows, snapshot.nodes["Application"].known_at[rows] + DAY // 2))
    found = told(ready, until=END + 100 * DAY)
    assert found.scorer.main is not None
    assert found.scorer.calibration.kind != "none"
    assert ["rough calibration" in note for note in found.notes] == [True]
    scores = found.scorer.score(ready.seen, ready.book, columns=ready.rule_columns)
    assert np.isfinite(scores.score).all()


def ready_soon(
    snapshot: Snapshot, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return snapshot.nodes["Application"].known_at[rows] + DAY // 2


def test_labels_that_come_within_days_do_not_make_everybody_a_fraud(tiny: Portfolio) -> None:
    """One in ten is labelled after five days. Who came last is labelled, or too young to be taken as honest: it must
    not be read as "all who came last are fraud"."""
    facts, events = tiny.known()
    submitted = facts.nodes["Application"].times("submitted_at", as_of=facts.as_of)
    rows = drawn(len(submitted), 0.1, seed=1)
    ready = prepare(facts, {**events, "outcomes": outcomes(facts, rows, submitted[rows] + 5 * DAY)})
    found = told(ready, until=int(np.quantile(submitted, 0.75)))
    scores = found.scorer.score(ready.seen, ready.book, columns=ready.rule_columns)
    assert 0.02 < scores.score.mean() < 0.5
    assert 0.0 < (scores.score >= found.scorer.review_from).mean() < 0.2


# Applications --------------------------------------------------------------------------------------------


def test_an_empty_portfolio(tmp_path: Path) -> None:
    ready = prepare(taken(tmp_path, []), {})
    assert len(ready.seen.rows) == 0
    with pytest.raises(InputError, match="fewer than two applications were known by that day"):
        told(ready)


def test_nobody_applied_by_that_day(snapshot: Snapshot) -> None:
    with pytest.raises(InputError, match="train until a later one"):
        told(with_labels(snapshot), until=100 * DAY)


def test_an_application_with_nothing_but_an_id(snapshot: Snapshot, tmp_path: Path) -> None:
    """It can be scored, and nothing about the others changes."""
    whole = prepare(snapshot, {})
    bare = prepare(taken(tmp_path, [*crowd(), node("Application", "bare", 399)]), {})
    assert len(bare.book) == len(whole.book) + 1
    np.testing.assert_array_equal(bare.seen.values[:-1], whole.seen.values)
    for until in (END, 399 * DAY - 1):
        found = told(bare, until=until)
        last = found.scorer.score(bare.seen, bare.book, np.array([PEOPLE]), bare.rule_columns)
        assert np.isfinite(last.score).all()
        assert last.rules.advises(0) == "pass"


# Tables --------------------------------------------------------------------------------------------------


def test_tables_are_missing(tiny: Portfolio) -> None:
    """Each event table by itself, then all of them: the features are there, and NaN says what is not known."""
    facts, events = tiny.known()
    whole = prepare(facts, events)
    for name in ("outcomes", "bureau_inquiries", "repayments", "vehicle_events", "gps_pings", "call_events"):
        assert events[name] is not None, f"the portfolio should have {name}, else this tests nothing"
        ready = prepare(facts, {kind: each for kind, each in events.items() if kind != name})
        assert ready.seen.names == whole.seen.names
    until = int(np.quantile(whole.book.submitted, 0.75))
    rows = np.arange(0, len(whole.book), 9)
    labels = outcomes(facts, rows, whole.book.submitted[rows] + 61 * DAY)
    ready = prepare(facts, {"outcomes": labels})
    assert np.isnan(ready.seen["inquiries_30d"]).all()
    found = told(ready, until=until)
    assert found.scorer.main is not None
    assert np.isfinite(found.scorer.score(ready.seen, ready.book, columns=ready.rule_columns).score).all()


# Comparing -----------------------------------------------------------------------------------------------


def test_without_a_model_the_untrained_ways_are_compared(snapshot: Snapshot) -> None:
    ready = with_labels(snapshot)
    rows = np.arange(PEOPLE // 2, PEOPLE)
    scores = compared(ready, told(ready), until=END, rows=rows)
    assert tuple(scores) == tuple(name for name in scores if name in UNTRAINED)
    assert set(scores) == set(UNTRAINED)
    assert all(np.isfinite(each).all() and each.shape == rows.shape for each in scores.values())
