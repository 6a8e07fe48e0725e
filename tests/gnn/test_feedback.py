"""What reviews leave behind in a portfolio: labels from their own time on, and nothing of what was stopped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest

from gnn import training
from gnn.book import FOREVER
from gnn.feedback import after, fed_back
from gnn.replay import RINGS, SCORE, Reviews
from gnn.training import Prepared
from graph.records import DAY
from tests.gnn.conftest import Portfolio


@pytest.fixture(scope="module")
def ready(tiny: Portfolio) -> Prepared:
    return training.prepare(*tiny.known())


@pytest.fixture(scope="module")
def told(ready: Prepared) -> Reviews:
    """Every ninth application of the third and fourth month, half of them said to be fraud."""
    book, nodes = ready.book, ready.snapshot.nodes["Application"]
    first = int(book.submitted.min())
    row = np.flatnonzero((book.submitted > first + 60 * DAY) & (book.submitted < first + 120 * DAY))[::9]
    at = book.as_of[row] + DAY // 4
    paid = nodes.times("funded_at", as_of=FOREVER - 1)[row]
    fraud = np.arange(len(row)) % 2 == 0
    source = np.where(np.arange(len(row)) % 3 == 0, RINGS, SCORE)
    return Reviews(row, at, at + 2 * DAY, fraud, source, fraud & (paid > at))


def owned(table: pa.Table, ids: np.ndarray) -> pa.Table:
    return table.filter(pa.array(np.isin(table["owner"].to_numpy(), ids)))


def test_decisions_before_an_outcome_was_told_do_not_know_of_it(ready: Prepared, told: Reviews) -> None:
    fed, first = fed_back(ready, told), int(told.at.min())
    before = ready.book.as_of <= first
    assert np.array_equal(fed.seen.values[before], ready.seen.values[before], equal_nan=True)
    assert not np.array_equal(fed.seen.values, ready.seen.values, equal_nan=True)
    assert all(np.array_equal(fed.rule_columns[name][before], each[before], equal_nan=each.dtype.kind == "f")
               for name, each in ready.rule_columns.items())  # fmt: skip


def test_a_review_is_a_label_from_its_own_time_on(ready: Prepared, told: Reviews) -> None:
    labels, own = fed_back(ready, told).book.labels, ready.book.labels
    bad, fine = told.among(told.stopped), told.among(~told.fraud)
    quiet = own.fraud_from[bad.row] > bad.at
    assert np.array_equal(labels.fraud_from[bad.row][quiet], bad.told_at[quiet])
    assert (labels.cleared_from[fine.row] <= fine.told_at).all()
    others = np.setdiff1d(np.arange(len(ready.book)), told.row)
    assert np.array_equal(labels.fraud_from[others], own.fraud_from[others])


def test_nothing_happens_to_what_was_stopped(ready: Prepared, told: Reviews) -> None:
    snapshot, events = after(ready.snapshot, ready.events, told)
    stopped = told.among(told.stopped)
    ids = ready.snapshot.nodes["Application"].ids[stopped.row]
    since = dict(zip(ids.tolist(), stopped.at.tolist(), strict=True))
    for name, table in tables(events).items():
        left = owned(table, ids)
        late = [
            known > since[owner]
            for owner, known in zip(left["owner"].to_pylist(), left["known_at"].to_pylist(), strict=True)
        ]
        assert sum(late) == (len(stopped) if name == "outcomes" else 0), name
    assert len(owned(tables(ready.events)["repayments"], ids))
    repaid = snapshot.columns("REPAID_BY", as_of=FOREVER)["source"]
    assert not np.isin(repaid, stopped.row).any()
    nodes = snapshot.nodes["Application"]
    assert (nodes.times("funded_at", as_of=FOREVER - 1)[stopped.row] == 0).all()
    assert np.array_equal(nodes.times("decided_at", as_of=FOREVER - 1)[stopped.row], stopped.told_at)


def test_what_was_not_stopped_goes_its_way(ready: Prepared, told: Reviews) -> None:
    _, events = after(ready.snapshot, ready.events, told)
    stopped = ready.snapshot.nodes["Application"].ids[told.row[told.stopped]]
    for name, table in tables(ready.events).items():
        if name in ("repayments", "call_events", "documents"):
            kept = table.filter(pa.array(~np.isin(table["owner"].to_numpy(), stopped)))
            now = tables(events)[name]
            assert len(now.filter(pa.array(~np.isin(now["owner"].to_numpy(), stopped)))) == len(kept)


def test_without_reviews_nothing_is_made_anew(ready: Prepared) -> None:
    assert fed_back(ready, Reviews.none()) is ready


def tables(events: Mapping[str, pa.Table | None]) -> dict[str, pa.Table]:
    return {name: each for name, each in events.items() if each is not None}
