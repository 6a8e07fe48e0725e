"""Leakage canaries (domain.md §5.1): each dies when a score, or what it was trained on, knows what it cannot know."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from gnn.features.catalogue import model_names
from gnn.labels import observed
from gnn.rules import read_settings
from gnn.training import Prepared, Trained, prepare, train
from graph.ontology import EDGES
from graph.records import DAY, Edge, Node, NodeRef, batch_of
from graph.snapshot import Snapshot
from tests.gnn.conftest import Events, Portfolio, drawn, known, outcomes
from tests.loaders import lender

pytestmark = pytest.mark.usefixtures("quick")

SHARE = 0.1
SEEDS = range(3)
TRUTH_IS_LATE = 61 * DAY
POST_FUNDING = ("repayments", "gps_pings", "vehicle_events")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    snapshot: Snapshot
    events: Events
    until: int
    """Three quarters of the applications came before."""

    def labelled(self, labels: pa.Table) -> Prepared:
        return prepare(self.snapshot, {**self.events, "outcomes": labels})

    @property
    def submitted(self) -> npt.NDArray[np.int64]:
        return self.snapshot.nodes["Application"].times("submitted_at", as_of=self.snapshot.as_of)


@pytest.fixture(scope="module")
def facts(tiny: Portfolio) -> Facts:
    found, events = tiny.known()
    submitted = found.nodes["Application"].times("submitted_at", as_of=found.as_of)
    return Facts(found, events, int(np.quantile(submitted, 0.75)))


@pytest.fixture(scope="module")
def labels(facts: Facts) -> pa.Table:
    """One in ten is labelled, two months later: as many as it takes for every part of the training to run."""
    rows = drawn(len(facts.submitted), SHARE, seed=1)
    return outcomes(facts.snapshot, rows, facts.submitted[rows] + TRUTH_IS_LATE)


@pytest.fixture(scope="module")
def ready(facts: Facts, labels: pa.Table) -> Prepared:
    return facts.labelled(labels)


@pytest.fixture
def trained(ready: Prepared, facts: Facts) -> Trained:
    return taught(ready, facts.until)


def taught(ready: Prepared, until: int) -> Trained:
    found = train(ready, until=until, settings=read_settings())
    assert found.scorer.main is not None, found.notes
    return found


def scored(trained: Trained, ready: Prepared) -> Floats:
    return trained.scorer.score(ready.seen, ready.book, columns=ready.rule_columns).score


def assert_same_until(until: int, one: Prepared, other: Prepared) -> None:
    """Applications that could be scored by then have the same features to the last bit."""
    rows = np.flatnonzero(one.book.as_of <= until)
    assert len(rows) > 1000
    keys = [each.snapshot.nodes["Application"].ids[rows] for each in (one, other)]
    np.testing.assert_array_equal(*keys)
    different = [
        name
        for name in one.seen.names
        if not np.array_equal(one.seen[name][rows], other.seen[name][rows], equal_nan=True)
    ]
    assert different == []
    np.testing.assert_array_equal(one.seen.links.row[rows], other.seen.links.row[rows])
    for name, column in one.rule_columns.items():
        np.testing.assert_array_equal(column[rows], other.rule_columns[name][rows], err_msg=name)


# Shuffled labels -----------------------------------------------------------------------------------------


def area(facts: Facts, fraud: npt.NDArray[np.int64], known_after: int) -> tuple[float, float]:
    """ROC-AUC of main and final score on the test rows, by labels that were known so long after submission."""
    ready = facts.labelled(outcomes(facts.snapshot, fraud, facts.submitted[fraud] + known_after))
    told = taught(ready, facts.until).scorer.score(ready.seen, ready.book, columns=ready.rule_columns)
    test = ready.book.submitted > facts.until
    y = np.isin(np.arange(len(test)), fraud)[test]
    return float(roc_auc_score(y, told.main[test])), float(roc_auc_score(y, told.score[test]))


def test_shuffled_labels_teach_nothing(facts: Facts) -> None:
    """Some 75 test rows are labelled each time: the mean of three areas has a standard error of .02. The labels are
    there the moment a form comes in, so a row that saw its own, or was trained on later ones, would be found out."""
    areas = np.array([area(facts, drawn(len(facts.submitted), SHARE, seed), known_after=0) for seed in SEEDS])
    assert areas.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.07), areas


def test_the_same_training_finds_what_can_be_learned(facts: Facts, ready: Prepared) -> None:
    """Else the canary above would sing for a model that learns nothing whatever it sees."""
    odd = ready.seen["ltv"] + ready.seen["price_to_income"] / 20
    fraud = np.flatnonzero(odd > np.nanquantile(odd, 1 - SHARE))
    main, final = area(facts, fraud, known_after=0)
    assert min(main, final) > 0.85


# Tomorrow ------------------------------------------------------------------------------------------------


def tomorrow(facts: Facts) -> tuple[list[Node], list[Edge]]:
    """A day after the cut a stranger applies with the devices of fifty applicants, and they turn out to share one."""
    when = facts.until + DAY
    used = facts.snapshot.columns("USED_DEVICE", as_of=facts.until)
    keys = {name: facts.snapshot.nodes[name].table["key"].to_pylist() for name in ("Application", "Device")}

    def link(type_: str, source: str, target: str) -> Edge:
        ends = NodeRef(EDGES[type_].source, source), NodeRef(EDGES[type_].target, target)
        return Edge(type_, *ends, when, when, "tomorrow")

    first = keys["Device"][used["target"][0]]
    edges = [link("APPLIED", "stranger", "tomorrow"), link("SOLD_BY", "tomorrow", "nobody's dealer")]
    for at in range(0, 50 * 7, 7):
        edges.append(link("USED_DEVICE", "tomorrow", keys["Device"][used["target"][at]]))
        edges.append(link("USED_DEVICE", keys["Application"][used["source"][at]], first))
    node = Node(NodeRef("Application", "tomorrow"), when, "", {"submitted_at": when, "amount": 1.0})
    return [node, Node(NodeRef("Person", "stranger"), when, "", {})], edges


def test_an_edge_a_label_and_an_application_of_tomorrow_change_no_score_of_today(  # noqa: PLR0917 - fixtures
    tiny: Portfolio, facts: Facts, labels: pa.Table, ready: Prepared, trained: Trained, tmp_path: Path
) -> None:
    home = lender.Home(tmp_path / "home")
    shutil.copy(tiny.home.path / "graph.sqlite", home.path)
    with home.store() as store:
        assert store.write(batch_of("tomorrow", *tomorrow(facts)))
        later, _ = known(store)
    early = np.flatnonzero(facts.submitted < facts.until)[:500]
    told = outcomes(facts.snapshot, early, np.full(len(early), facts.until + DAY))
    poisoned = prepare(later, {**facts.events, "outcomes": pa.concat_tables([labels, told])})
    assert len(poisoned.book) == len(ready.book) + 1
    assert_same_until(facts.until, ready, poisoned)
    rows = np.flatnonzero(ready.book.as_of <= facts.until)
    np.testing.assert_array_equal(scored(trained, ready)[rows], scored(trained, poisoned)[rows])
    again = taught(poisoned, facts.until)
    np.testing.assert_array_equal(scored(again, poisoned)[rows], scored(trained, ready)[rows])


def test_the_poison_is_felt_the_day_after(facts: Facts, labels: pa.Table, ready: Prepared) -> None:
    """Else it would prove nothing that nobody felt it the day before."""
    early = np.flatnonzero(facts.submitted < facts.until)[:500]
    told = outcomes(facts.snapshot, early, np.full(len(early), facts.until + DAY))
    poisoned = facts.labelled(pa.concat_tables([labels, told]))
    after = ready.book.as_of > facts.until + DAY
    assert (poisoned.seen["dealer_fraud"][after] != ready.seen["dealer_fraud"][after]).any()


# Point in time -------------------------------------------------------------------------------------------


def test_what_was_known_then_is_enough(
    tiny: Portfolio, facts: Facts, labels: pa.Table, ready: Prepared, trained: Trained
) -> None:
    """A model and its scores are the same from data to that day and from data to a month and more later."""
    found, events = tiny.known(facts.until)
    told = labels.filter(pa.compute.less_equal(labels["known_at"], facts.until))
    then = prepare(found, {**events, "outcomes": told})
    assert len(then.book) < len(ready.book) - 500
    assert_same_until(facts.until, ready, then)
    rows = np.flatnonzero(ready.book.as_of <= facts.until)
    np.testing.assert_array_equal(scored(trained, ready)[rows], scored(trained, then)[rows])
    again = taught(then, facts.until)
    np.testing.assert_array_equal(scored(again, then)[rows], scored(trained, ready)[rows])


def test_no_training_row_and_no_training_label_is_of_later(ready: Prepared, facts: Facts, trained: Trained) -> None:
    targets = trained.targets
    assert targets is not None
    assert len(targets.rows) > 1000
    assert ready.book.as_of[targets.rows].max() <= facts.until
    assert ready.book.submitted[targets.rows].max() <= facts.until
    said = observed(ready.book, at=facts.until)
    assert said.fraud.any()
    assert ready.book.labels.fraud_from[said.fraud].max() <= facts.until


# After funding -------------------------------------------------------------------------------------------


def pre_loan_only(source: Path, folder: Path) -> Path:
    """The lender's tables without what exists only once a loan was paid out."""
    shutil.copytree(source, folder)
    for name in POST_FUNDING:
        (folder / f"{name}.csv").unlink()
    only(folder / "payments.csv", lambda row: row["kind"] == "down_payment")
    return folder


def only(file: Path, kept: Callable[[dict[str, str]], bool]) -> None:
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        rows, columns = [row for row in reader if kept(row)], list(reader.fieldnames or ())
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_decisions_do_not_read_what_comes_after_funding(  # noqa: PLR0917 - fixtures
    tiny: Portfolio, facts: Facts, labels: pa.Table, ready: Prepared, trained: Trained, tmp_path: Path
) -> None:
    home = lender.Home(tmp_path / "home")
    home.load(pre_loan_only(tiny.input, tmp_path / "input"))
    with home.store() as store:
        found, events = known(store)
    assert not {name for name, each in events.items() if name in POST_FUNDING and each is not None and len(each)}
    bare = prepare(found, {**events, "outcomes": labels})
    assert_same_until(int(ready.book.as_of.max()), ready, bare)
    np.testing.assert_array_equal(scored(trained, bare), scored(trained, ready))
    assert not set(trained.scorer.names) - set(model_names())
