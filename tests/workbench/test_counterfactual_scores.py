"""What a score rests on: applied, the score is low enough, and no part of it does that; nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from gnn import training
from gnn.counterfactual import _Bench, clearing
from graph.incidence import near_is_source
from graph.innocent import without
from graph.ontology import EDGES
from graph.opinions import Innocent, links
from graph.settings import Settings
from graph.snapshot import PAGED, Snapshot
from tests.service.conftest import copied
from workbench import scoring
from workbench.services.feedback.rescoring import Rescoring
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.reasons.counterfactual import Counterfactuals
from workbench.services.reasons.desks import Desk, Desks

LI = Person("li", "Li", Role.SENIOR)


@pytest.fixture(scope="module")
def office(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = copied(trained, tmp_path_factory.mktemp("rests") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as one:
        yield one


@pytest.fixture(scope="module")
def desks(office: Office) -> Desks:
    made = Desks(office)
    assert made.desk(60) is not None
    return made


@pytest.fixture(scope="module")
def desk(desks: Desks) -> Desk:
    found = desks.desk()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def highest(desk: Desk) -> list[tuple[float, int]]:
    """The scores of the last applications, the highest first, and their rows."""
    assessor = desk.view.assessor
    rows = range(assessor.desk.start.rows - 150, assessor.desk.start.rows)
    return sorted(((float(assessor.again(row, desk.file_of(row)).scores.score[0]), row) for row in rows), reverse=True)


def test_enough_and_no_part_of_it_and_nothing_is_left_behind(desk: Desk, highest: list[tuple[float, int]]) -> None:
    assessor, book = desk.view.assessor, desk.view.assessor.desk.book
    below, linked = highest[20][0], 0
    for score, row in highest[:8]:
        file = desk.file_of(row)
        before = [each.copy() for each in (*book.pairs, *(each[row] for each in assessor.desk.links))]
        found = clearing(assessor, row, file, below=below, codes=("RC10", "RC01", "RC07"))
        after = (*book.pairs, *(each[row] for each in assessor.desk.links))
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        assert float(assessor.again(row, file).scores.score[0]) == score
        assert found is not None
        assert found == clearing(assessor, row, file, below=below, codes=("RC10", "RC01", "RC07")), "twice the same"
        if found.enough and not found.codes:
            linked += 1
            bench = _Bench.of(assessor, row, file, ())
            places = tuple(bench.paths.index(each) for each in found.things)
            assert bench.score(places) == found.left < below
            parts = [part for size in range(len(places)) for part in combinations(sorted(places), size)]
            assert all(bench.score(part) >= below for part in parts)
    assert linked
    assert clearing(assessor, highest[0][1], desk.file_of(highest[0][1]), below=1.0) is None


def innocent_links(snapshot: Snapshot, row: int, person: int, type_: str, id_: int) -> list[Innocent]:
    """All edges by which an application, or its applicant, holds a thing, under any of its names."""
    node = snapshot.nodes[type_].index_of(np.array([id_]))
    names = snapshot.nodes[type_].table["key"].take(snapshot.pages.alike(node) if type_ == PAGED else node).to_pylist()
    own = {"Application": row, "Person": person}
    keys = {near: snapshot.nodes[near].table["key"][at].as_py() for near, at in own.items()}
    found = []
    for name, edge in EDGES.items():
        near, far = (edge.source, edge.target) if near_is_source(edge) else (edge.target, edge.source)
        if links(name) and far == type_ and near in keys:
            ends = [(keys[near], each) if near_is_source(edge) else (each, keys[near]) for each in names]
            found += [Innocent(name, *each) for each in ends]
    return found


def test_it_is_what_follows_when_the_links_are_innocent(
    office: Office, desk: Desk, highest: list[tuple[float, int]]
) -> None:
    """By the code that scores a portfolio, on a snapshot without them."""
    assessor, below = desk.view.assessor, highest[20][0]
    found, row = next(
        (found, row)
        for _, row in highest[:8]
        if (found := clearing(assessor, row, desk.file_of(row), below=below)) is not None and found.enough
    )
    snapshot = office.here.snapshot()
    person = int(assessor.desk.book.person[row])
    every = [link for each in found.things for link in innocent_links(snapshot, row, person, each.type, each.thing)]
    ready = training.prepare(without(snapshot, every), scoring.events_of(office.here))
    told = assessor.scorer.score(ready.seen, ready.book, np.array([row]), ready.rule_columns)
    assert float(told.score[0]) < below
    assert float(told.score[0]) == pytest.approx(found.left, rel=0.5)


def test_on_the_canvas(office: Office, desks: Desks, desk: Desk, highest: list[tuple[float, int]]) -> None:
    rests = Counterfactuals(office, Rescoring(office), desks)
    names = [desk.view.assessor.desk.application(row) for _, row in highest[:8]]
    told = [rests.of_application(LI, name, below=highest[20][0]) for name in names]
    assert [each.score for each in told] == [score for score, _ in highest[:8]]
    things = [(one, each.application_id) for each in told for one in each.things]
    assert things
    for one, name in things:
        assert one.earlier
        assert f"{one.type}~{one.key}" in one.nodes
        assert f"Application~{name}" in one.nodes
        assert one.edges
    assert "came after" in rests.of_application(LI, "of this minute").note
    assert rests.of_application(LI, names[0], below=1.0) == type(told[0])(names[0], told[0].score, 1.0)
