"""Every line of a why names the very edges that carry it; scores are explained from their record, or made anew."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from gnn.features.facts import COLUMNS, EVENTS, paper_facts, session_facts
from gnn.files import ApplicationFile
from graph.errors import NodeNotFound
from graph.ontology import EDGES
from graph.records import NodeRef
from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import cases, labels, scores
from workbench.casebook.cases import Finding
from workbench.casebook.scores import Score
from workbench.instance import EVERYTHING
from workbench.journal import APPLICATION, Asked, Journal
from workbench.online import sessions
from workbench.services.cases.typologies import FRAUD, INNOCENT
from workbench.services.feedback.marks import ref_of
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.reasons import ring_lines, verify
from workbench.services.reasons.desks import NONE, Desks
from workbench.services.reasons.explaining import BATCH, NOW, SERVICE
from workbench.services.reasons.reasons import Reasons
from workbench.services.rings import Rings

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
PATIENCE = 120.0


@pytest.fixture(scope="module")
def office(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = copied(trained, tmp_path_factory.mktemp("reasons") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as made:
        yield made


@pytest.fixture(scope="module")
def reasons(office: Office) -> Reasons:
    return Reasons(office, Rings(office))


@pytest.fixture(scope="module")
def rings(office: Office) -> list[dict[str, Any]]:
    return list(Rings(office).list(LIN))


# Rings ---------------------------------------------------------------------------------------------------


def test_every_edge_that_is_lit_is_there(reasons: Reasons, rings: list[dict[str, Any]], office: Office) -> None:
    for ring in rings:
        for line in reasons.of_ring(LIN, ring["ring_id"]).lines:
            for relation, source, target in line.edges:
                edge = EDGES[relation]
                assert (ref_of(source).type, ref_of(target).type) == (edge.source, edge.target)
                assert {source, target} <= set(line.nodes)
    ring = reasons.of_ring(LIN, rings[0]["ring_id"])
    refs = {ref_of(each) for line in ring.lines for each in line.nodes}
    assert set(office.store.nodes(sorted(refs), as_of=EVERYTHING)) == refs
    lit = {each for line in ring.lines for each in line.edges}
    for relation, source, target in lit:
        (around,) = office.store.neighbours([ref_of(source)], as_of=EVERYTHING, limit=500, relations=[relation])
        assert any(link.outgoing and link.other == ref_of(target) for link in around.links)


def test_what_is_shared_leads_to_all_who_hold_it(reasons: Reasons, rings: list[dict[str, Any]]) -> None:
    for ring in rings:
        lines = [each for each in reasons.of_ring(LIN, ring["ring_id"]).lines if each.kind == ring_lines.SHARED]
        assert sum(line.strength or 0 for line in lines) == pytest.approx(1)
        assert [line.strength for line in lines] == sorted((line.strength or 0 for line in lines), reverse=True)
        things = {(each.type, each.key): each for line in lines for each in line.things}
        assert len(things) == len(ring["shared"])
        for one in ring["shared"]:
            thing = things[one["type"], one["key"]]
            reached = {end for edge in thing.edges for end in edge[1:]}
            assert {f"Application~{each}" for each in one["holders"]} <= reached
            assert thing.masked == one["masked"]


def test_a_rarer_thing_weighs_more(reasons: Reasons, rings: list[dict[str, Any]]) -> None:
    """As `graph/projection.py` has it: its own weight by relation over the log of how many hold it."""
    ring = rings[0]
    things = [each for line in reasons.of_ring(LIN, ring["ring_id"]).lines for each in line.things]
    device = next(each for each in things if each.relation == "USED_DEVICE")
    network = next(each for each in things if each.relation == "FROM_IP")
    assert device.people >= network.people
    assert device.strength > network.strength


def test_signs_light_those_who_show_them(reasons: Reasons, rings: list[dict[str, Any]]) -> None:
    told = 0
    for ring in rings:
        for line in reasons.of_ring(LIN, ring["ring_id"]).lines:
            if line.kind == ring_lines.SIGN:
                told += 1
                assert len(line.nodes) == line.of["count"]
                assert line.name in verify.OF_SIGN
    assert told == sum(len(each["signs"]) for each in rings)


def test_pace_and_dealers_agree_with_the_rings_own_sentence(reasons: Reasons, rings: list[dict[str, Any]]) -> None:
    for ring in rings:
        lines = {each.kind: each for each in reasons.of_ring(LIN, ring["ring_id"]).lines}
        days, dealers = re.search(r"in (\d+) days? at (\d+) dealer", ring["because"]).groups()  # type: ignore[union-attr]
        assert lines[ring_lines.PACE].of["days"] == int(days)
        assert lines[ring_lines.DEALER].of["number"] == int(dealers)
        assert 1 <= lines[ring_lines.PACE].of["busiest"] <= len(ring["application_ids"])


def test_why_it_may_be_innocent(reasons: Reasons, rings: list[dict[str, Any]], office: Office) -> None:
    for ring in rings:
        why = reasons.of_ring(LIN, ring["ring_id"])
        assert len(why.doubts) == len(ring["doubts"])
        shared = {each["type"] for each in ring["shared"]}
        assert ("money" in why.unshared) == ("Account" not in shared)
    member = rings[1]["application_ids"][0]
    with office.casebook.writing() as db:
        said = labels.Label(member, "CLEARED_BENIGN", "review", "final", "lin")
        labels.add(db, said, request_key="cleared", now=office.clock())
    assert reasons.of_ring(LIN, rings[1]["ring_id"]).cleared == 1


def test_what_a_rings_score_means(reasons: Reasons, rings: list[dict[str, Any]], office: Office) -> None:
    place = reasons.of_ring(LIN, rings[2]["ring_id"]).place
    assert (place.above, place.all, place.fraud, place.innocent) == (2, len(rings), 0, 0)
    for score, outcome in ((0.9, "confirmed_fraud"), (0.8, "false_positive"), (0.1, "no_finding")):
        _closed(office, score, outcome)
    place = reasons.of_ring(LIN, rings[2]["ring_id"]).place
    assert (place.fraud, place.innocent) == (1, 1)


def _closed(office: Office, score: float, outcome: str) -> None:
    now = office.clock()
    found = Finding("ring", f"R{score}", score, 3, 0, 0, "T08", "", (), "", "", now, now)
    with office.casebook.writing() as db:
        cases.open_all(db, [found], because="found", now=now)
        case = cases.latest(db, "ring", found.subject)
        assert case is not None
        cases.change(db, case.id, status="closed", outcome=outcome, closed_at=now)


def test_no_such_ring(reasons: Reasons) -> None:
    with pytest.raises(NodeNotFound):
        reasons.of_ring(LIN, "R0000000000")


# What to verify ------------------------------------------------------------------------------------------


def test_there_is_something_to_verify_about_every_link() -> None:
    carrying = {name for name, edge in EDGES.items() if edge.weight}
    assert carrying <= set(verify.OF_RELATION)
    for texts in (*verify.OF_RELATION.values(), *verify.OF_SIGN.values(), *verify.CLEARED_BY.values()):
        assert texts
        assert all(each.en and re.search("[一-鿿]", each.zh) for each in texts)
    assert {code for codes in verify.ALIKE.values() for code in codes} <= set(INNOCENT)
    assert (len(FRAUD), len(INNOCENT)) == (26, 16)


# Applications --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def suspect(reasons: Reasons, rings: list[dict[str, Any]]) -> str:
    """A member of the first ring; the graph for scores is open by now."""
    name = str(rings[0]["application_ids"][-2])
    reasons.of_application(LIN, name, patience=PATIENCE)
    return name


def test_a_score_is_made_and_explained_at_once(reasons: Reasons, suspect: str) -> None:
    reasons.of_application(LIN, suspect)
    why = reasons.of_application(LIN, suspect)
    one = why.explained
    assert (one.source, one.reasons_from) == (NOW, NOW)
    assert {"score", "decision", "model_version", "graph_as_of", "coverage", "degraded", "as_of"} <= set(one.told)
    assert one.told["reasons"]
    assert why.ring


def test_a_reason_carries_the_score(reasons: Reasons, suspect: str) -> None:
    """Without what a reason cites the score falls."""
    one = reasons.of_application(LIN, suspect).explained
    first = one.told["reasons"][0]["code"]
    assert one.without[first] < one.told["score"]
    assert set(one.without) == {each["code"] for each in one.told["reasons"]}


def test_evidence_is_lit_from_the_application_to_who_held_it_before(reasons: Reasons, suspect: str) -> None:
    why = reasons.of_application(LIN, suspect)
    lit = why.lit[next(code for code, each in why.lit.items() if each.edges)]
    assert f"Application~{suspect}" in lit.nodes
    for relation, source, target in lit.edges:
        assert (ref_of(source).type, ref_of(target).type) == (EDGES[relation].source, EDGES[relation].target)


def test_what_ringroad_score_told_stands_first(reasons: Reasons, rings: list[dict[str, Any]], office: Office) -> None:
    name, now = rings[0]["application_ids"][0], datetime.now(UTC)
    told = Score(name, now, 0.42, "review", ("RC01",), "", "other", scores.BATCH, now)
    others = [Score(f"X{at}", now, at / 10, "pass", (), "", "other", scores.BATCH, now) for at in range(10)]
    with office.casebook.writing() as db:
        scores.record(db, [told, *others])
    why = reasons.of_application(LIN, name, patience=PATIENCE)
    assert (why.explained.source, why.explained.reasons_from) == (BATCH, NOW)
    assert why.explained.told["score"] == 0.42
    assert why.explained.now is not None
    assert why.explained.now["score"] != 0.42
    for _ in range(100):  # it is counted beside whoever asks
        place = reasons.of_application(LIN, name).place
        if place is not None:
            break
        time.sleep(0.1)
    assert place is not None
    assert (place.above, place.all) == (5, 11)


def test_what_the_service_answered_stands_first(reasons: Reasons, rings: list[dict[str, Any]], office: Office) -> None:
    name = rings[0]["application_ids"][1]
    at = datetime.now(UTC) + timedelta(minutes=1)
    answer = {"application_id": name, "score": 0.77, "decision": "review", "reasons": [], "rules": [], "clusters": {},
              "as_of": at.isoformat(), "model_version": "kept", "degraded": ["stale_graph"]}  # fmt: skip
    with Journal(office.settings.home / "journal.sqlite", clock=lambda: 1) as journal:
        _, (noted,) = journal.append([Asked(APPLICATION, name, b"{}", ("k",), "")], after=0)
        assert noted.entry is not None
        journal.keep_answers([(noted.entry.sequence, orjson.dumps(answer))])
    one = reasons.of_application(LIN, name, patience=PATIENCE).explained
    assert (one.source, one.told["score"], one.told["degraded"]) == (SERVICE, 0.77, ["stale_graph"])
    assert one.told["reasons"], "what was passed without reasons is explained now"
    assert one.reasons_from == NOW


def test_nobody_waits_for_the_graph(office: Office) -> None:
    """The first who asks is told that it is being opened."""
    desks = Desks(office)
    assert desks.desk() is None
    assert desks.desk(PATIENCE) is not None


def test_without_a_graph_for_scores(trained: Path, tmp_path: Path) -> None:
    home = copied(trained, tmp_path / "home")
    (home / "desks" / "current").unlink()
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        found = Reasons(office, Rings(office))
        name = office.last_run()["rings"][0]["application_ids"][0]
        one = found.of_application(LIN, name).explained
        assert (one.scored, one.desk) == (False, NONE)
        with pytest.raises(NodeNotFound):
            found.of_application(LIN, "APP0")
    shutil.rmtree(home)


def test_events_are_told_again_as_they_were() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        told = np.concatenate([rng.integers(0, 4, 1), rng.integers(-1, 2, 3), [4], rng.integers(0, 2, 4)])
        if not told[0]:
            told[1:4] = sessions.UNSAID
        file = sessions.with_events(ApplicationFile(1, 1, {}, ()), told.astype(np.int16))
        out = np.full(len(COLUMNS), np.nan)
        session_facts(file.device_events, out)
        paper_facts(file.documents, out)
        again = np.nan_to_num(out[[COLUMNS.index(each) for each in EVENTS]], nan=sessions.UNSAID)
        assert again.tolist() == told.tolist()


def test_of_whom_nobody_loads_events() -> None:
    file = sessions.with_events(ApplicationFile(1, 1, {}, ()), np.full(len(EVENTS), sessions.UNSAID, np.int16))
    assert (file.device_events, file.documents) == (None, None)


def test_a_reference_is_of_the_graph() -> None:
    assert ref_of("Device~abc") == NodeRef("Device", "abc")
