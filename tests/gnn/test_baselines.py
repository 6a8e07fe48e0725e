"""The ways that ours is compared with: each does what its name says, on what was known at the time."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from gnn.baselines.clusters import clustered
from gnn.baselines.propagation import SINK, propagated
from gnn.baselines.shuffled import EXACT, KEPT, shuffled, shuffled_features
from gnn.book import ROLE, ROLES, Book, open_book
from gnn.comparing import METHODS, PROBABILITIES, TREES, UNTRAINED, compared, plain_targets
from gnn.features.assemble import features
from gnn.features.catalogue import count_names, names, no_graph_names
from gnn.priors import PriorLinks
from gnn.rules import read_settings
from gnn.told import Labels
from gnn.training import prepare, train
from graph.records import CHINA, DAY
from tests.gnn.conftest import Portfolio, outcomes
from tests.graph.facts import Facts, customer, edge, taken

# Label propagation ---------------------------------------------------------------------------------------


def line(tmp_path: Path, days: list[float], fraud_from: dict[int, float], cleared: dict[int, float]) -> Book:
    """Applications on these days, with labels by row and day."""
    facts = [*chain.from_iterable(customer(f"{at:02}", day) for at, day in enumerate(days))]
    tmp_path.mkdir(exist_ok=True)
    book = open_book(taken(tmp_path, facts), {})
    told = Labels.silent(len(days))
    told.evidence[:] = 1.0
    for row, day in fraud_from.items():
        told.fraud_from[row] = round(day * DAY)
    for row, day in cleared.items():
        told.cleared_from[row] = round(day * DAY)
    return replace(book, labels=told)


def linked(*pairs: tuple[int, int]) -> PriorLinks:
    source, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return PriorLinks(("device",), source, target, np.zeros(len(pairs), np.int64), np.ones(len(pairs), np.float32))


def test_fraud_flows_along_links_and_thins_out(tmp_path: Path) -> None:
    """0 is fraud; 1 hangs on 0, 2 on 1; 3 on nobody. The last day's 4 to 6 hang on 0, 1 and 2."""
    book = line(tmp_path, [380, 381, 382, 383, 390, 390.1, 390.2], {0: 385}, {})
    links = linked((0, 1), (1, 2), (0, 4), (1, 5), (2, 6))
    near, second, third = propagated(book, links, np.array([4, 5, 6]))
    assert near == pytest.approx(1 / (1 + SINK))
    assert near > second > third > 0
    assert propagated(book, links, np.array([3])) == 0


def test_a_cleared_neighbour_stops_the_flow(tmp_path: Path) -> None:
    days, links = [380, 381, 390.0], linked((0, 1), (1, 2))
    suspect = propagated(line(tmp_path / "a", days, {0: 385}, {}), links, np.array([2]))
    cleared = propagated(line(tmp_path / "b", days, {0: 385}, {1: 386}), links, np.array([2]))
    assert suspect > 0
    assert cleared == 0


def test_labels_of_later_do_not_flow(tmp_path: Path) -> None:
    """What was said in the night before counts; what is said on the day itself does not."""
    midnight = 390 - CHINA / DAY
    links, rows = linked((0, 1)), np.array([1])
    for day, flows in ((midnight - 0.01, True), (midnight + 0.01, False), (395, False)):
        book = line(tmp_path / str(day), [380, midnight + 0.5], {0: day}, {})
        assert (propagated(book, links, rows) > 0).item() is flows


def test_fraud_flows_back_to_those_before_but_never_from_those_after(tmp_path: Path) -> None:
    """1 is fraud, 0 before it is linked with it, 2 with 0; 3, fraud too, comes after 2 and must not reach it."""
    days, links = [380, 381, 390, 391.0], linked((0, 1), (0, 2), (0, 3))
    one = propagated(line(tmp_path / "a", days, {1: 385}, {}), links, np.array([2]))
    other = propagated(line(tmp_path / "b", days, {1: 385, 3: 385}, {}), links, np.array([2]))
    assert one > 0
    assert one == other


# Clusters ------------------------------------------------------------------------------------------------


def ring(day: float = 389.0) -> Facts:
    """Five share a device and an account within two days; strangers do not; one more joins a day later."""
    people = [customer(name, day + at / 4) for at, name in enumerate(("r1", "r2", "r3", "r4", "r5"))]
    strangers = [customer(f"s{at}", day + at / 9, dealer=f"E{at}") for at in range(9)]
    things = [
        each
        for name in ("r1", "r2", "r3", "r4", "r5")
        for each in (
            edge("USED_DEVICE", f"A{name}", "X", day + 1.9),
            edge("PAID_DOWNPAYMENT", "payer", f"A{name}", day + 1.9),
        )
    ]
    late = [*customer("late", day + 3), edge("USED_DEVICE", "Alate", "X", day + 3), *customer("alone", day + 3.1)]
    return [*chain.from_iterable([*people, *strangers]), *things, *late]


def test_who_joins_a_ring_gets_its_score(tmp_path: Path) -> None:
    book = open_book(taken(tmp_path, ring()), {})
    seen = features(book)
    keys = book.snapshot.nodes["Application"].table["key"].to_pylist()
    rows = np.array([keys.index(name) for name in ("Alate", "Aalone", "As3")])
    late, alone, stranger = clustered(book, seen.links, rows, every_days=1)
    assert 0 < late < 1
    assert alone == stranger == 0
    first = np.array([keys.index("Ar1")])
    assert clustered(book, seen.links, first, every_days=1) == 0  # there was no ring yet


# Shuffled edges ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tiny: Portfolio) -> Book:
    return open_book(*tiny.known())


def test_shuffling_keeps_counts_and_changes_who(book: Book) -> None:
    mixed = shuffled(book, seed=3)
    one, other = book.pairs, mixed.pairs
    size = len(ROLES)
    for columns in ((one.application, other.application), (one.thing, other.thing)):
        held = [np.bincount(column * size + pairs.role) for column, pairs in zip(columns, (one, other), strict=True)]
        np.testing.assert_array_equal(*held)
    kept = np.isin(one.role, [ROLE[name] for name in KEPT])
    np.testing.assert_array_equal(one.thing[kept], other.thing[np.isin(other.role, [ROLE[name] for name in KEPT])])
    shared = np.flatnonzero((one.rank > 0) & ~kept)
    assert (one.thing[shared] != other.thing[shared]).mean() > 0.5


def test_how_often_each_thing_was_seen_stays(book: Book) -> None:
    """For most of what few held before; who holds a thing in the same month may change places. By chance it would
    be one in five at best."""
    seen, mixed = features(book), shuffled(book, seed=3)
    again = shuffled_features(book, seen, seed=3)
    for name in names("attributes"):
        np.testing.assert_array_equal(seen[name], again[name])
    for name in ("seen_phone", "seen_address", "seen_employer", "seen_payer"):
        few = (seen[name] >= 1) & (seen[name] <= EXACT)
        assert (seen[name][few] == again[name][few]).mean() > 0.6, name
    assert not np.array_equal(seen["device_weight"], again["device_weight"])
    np.testing.assert_array_equal(mixed.pairs.thing, shuffled(book, seed=3).pairs.thing)
    assert not np.array_equal(mixed.pairs.thing, shuffled(book, seed=4).pairs.thing)


# All of them ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_every_method_scores_the_same_rows(tiny: Portfolio) -> None:
    facts, events = tiny.known()
    submitted = facts.nodes["Application"].times("submitted_at", as_of=facts.as_of)
    until = int(np.quantile(submitted, 0.75))
    odd = np.flatnonzero(facts.nodes["Application"].numbers("amount") > 150_000)[::3]
    told = outcomes(facts, odd, submitted[odd] + DAY)
    ready = prepare(facts, {**events, "outcomes": told})
    trained = train(ready, until=until, settings=read_settings())
    rows = np.flatnonzero(ready.book.submitted >= until)
    scores = compared(ready, trained, until=until, rows=rows)
    assert tuple(scores) == METHODS
    assert all(np.isfinite(each).all() and each.shape == rows.shape for each in scores.values())
    for name in PROBABILITIES:
        assert ((scores[name] >= 0) & (scores[name] <= 1)).all(), name
    again = compared(ready, trained, until=until, rows=rows, methods=(*UNTRAINED, *TREES))
    for name, each in again.items():
        np.testing.assert_array_equal(each, scores[name], err_msg=name)


def test_the_plain_labels_are_those_of_the_day(tiny: Portfolio) -> None:
    facts, events = tiny.known()
    ready = prepare(facts, events)
    until = int(np.quantile(ready.book.submitted, 0.75))
    targets = plain_targets(ready, until)
    assert ready.book.as_of[targets.rows].max() <= until
    assert set(np.unique(targets.degree)) == {0.0, 1.0}
    fraud = targets.rows[targets.degree == 1]
    assert (ready.book.labels.fraud_from[fraud] <= until).all()
    assert not set(no_graph_names()) - set(count_names())
    assert not [name for name in count_names() if name.startswith(("linked_", "dealer_volume"))]
