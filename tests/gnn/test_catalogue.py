"""The catalogue: every feature that is made is declared, once, and no model sees what the law forbids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.book import open_book
from gnn.explain import WORDS
from gnn.features import catalogue
from gnn.features.assemble import Features, features, hindsight
from gnn.features.catalogue import CATALOGUE, CLUSTERS, GROUPS, count_names, model_names, names, no_graph_names
from graph.ontology import NODES
from graph.records import DAY
from tests.graph.facts import Facts, customer, edge, taken

PAGE = Path(__file__).parents[2] / "gnn/FEATURES.md"
FORBIDDEN = re.compile("ethnic|nation|religio|gender|sex|male", re.IGNORECASE)


def shared(**person: Any) -> Facts:
    people = [customer(name, 390 + at, **person) for at, name in enumerate("123")]
    things = [edge("USED_DEVICE", f"A{name}", "X", 390 + at) for at, name in enumerate("123")]
    return [*chain.from_iterable(people), *things]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Features:
    return features(open_book(taken(tmp_path_factory.mktemp("made"), shared()), {}))


def assert_same(declared: Iterable[str], computed: Iterable[str]) -> None:
    assert sorted(set(computed) - set(declared)) == [], "declare these in gnn/features/catalogue.py"
    assert sorted(set(declared) - set(computed)) == [], "these are computed no more"


def test_every_feature_at_decision_time_is_declared(made: Features) -> None:
    assert_same(names(), made.names)


def test_every_feature_of_a_night_is_declared(tmp_path: Path) -> None:
    book = open_book(taken(tmp_path, shared()), {}, post_loan=True)
    assert_same(names(night=True), hindsight(book, night=400 * DAY).names)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue.markdown(), "run: python -m gnn.features.catalogue"


def test_each_is_declared_once_and_whole() -> None:
    declared = [each.name for each in catalogue._all()]
    assert len(declared) == len(set(declared))
    for each in CATALOGUE.values():
        assert each.group in GROUPS, each
        assert each.cluster in CLUSTERS, each
        assert all((each.en, each.zh, each.unit)), each
        assert each.monitoring == (each.reason == ""), each
        assert each.reason in {"", *WORDS}, each
        assert each.decision or each.night, each
    for words in ([each.en for each in CATALOGUE.values()], [each.zh for each in CATALOGUE.values()]):
        assert sorted({each for each in words if words.count(each) > 1}) == []


def test_an_application_without_links_has_the_neutral_values_of_links(made: Features) -> None:
    """The first one shares nothing with anybody before it."""
    for name in names("links", "history"):
        np.testing.assert_equal(float(made[name][0]), CATALOGUE[name].neutral, err_msg=name)


def test_the_ablations_nest() -> None:
    assert set(no_graph_names()) < set(count_names()) < set(model_names())
    graph = [name for name in no_graph_names() if name.startswith(("seen_", "linked_", "own_"))]
    assert graph == []
    assert {name for name in count_names() if name not in no_graph_names()} == set(names("counts"))
    assert not set(model_names()) & set(names("behaviour", night=True))


def test_nothing_that_is_forbidden_has_a_name_or_a_place_in_the_graph() -> None:
    stored = [each.name for node in NODES.values() for each in node.properties]
    assert [name for name in (*CATALOGUE, *stored) if FORBIDDEN.search(name)] == ["gender"]


def test_where_people_come_from_is_monitored_and_in_no_model() -> None:
    monitored = {each.name for each in CATALOGUE.values() if each.monitoring}
    assert monitored == {"live_province", "dealer_province", "far_from_birthplace", "id_issued_elsewhere"}
    for night in (False, True):
        assert not monitored & set(model_names(night=night))
        assert monitored <= set(names(night=night))


@pytest.mark.parametrize(
    ("said", "moved"),
    [
        ({"gender": "female"}, set()),
        ({"hukou_region": "510104"}, {"far_from_birthplace"}),
        ({"id_issue_region": "510104"}, {"id_issued_elsewhere"}),
    ],
)
def test_saying_who_somebody_is_or_comes_from_moves_no_model(
    tmp_path: Path, said: dict[str, object], moved: set[str]
) -> None:
    about: dict[str, object] = {
        "gender": "male", "live_region": "310101", "hukou_region": "310101", "id_issue_region": "310101",
    }  # fmt: skip
    made = []
    for name, each in (("one", about), ("other", about | said)):
        (tmp_path / name).mkdir()
        made.append(features(open_book(taken(tmp_path / name, shared(**each)), {})))
    one, other = made
    differ = {name for name in one.names if one[name].tobytes() != other[name].tobytes()}
    assert differ == moved
