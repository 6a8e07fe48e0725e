"""What people decided counts for whoever looks for rings: links are not there, the cleared leave, fraud weighs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graph import snapshot as snapshots
from graph.errors import InputError
from graph.excerpt import excerpt, held, rows_at, rows_since
from graph.incidence import holdings
from graph.innocent import without
from graph.moved import Moved, told_of
from graph.opinions import CONFIRMED, NOBODY_S, Innocent, Opinions, innocent
from graph.records import DAY, Edge, Node, NodeRef, batch_of, from_millis
from graph.rerun import rerun, run
from graph.rings import Ring, examine, find_rings
from graph.snapshot import Snapshot
from graph.stores import open_store
from tests.graph.facts import LATE, Facts, customer, edge, taken

WINDOW = 120
NOW = 400 * DAY


def ring(name: str, people: int, day: float = 380) -> Facts:
    """People who share a device and a payer, a day apart."""
    facts: Facts = []
    for number in range(people):
        who, when = f"{name}{number}", day + number
        facts += [*customer(who, when, f"D{name}"), edge("USED_DEVICE", f"A{who}", f"dev-{name}", when)]
        facts += [edge("PAID_DOWNPAYMENT", f"acc-{name}", f"A{who}", when)]
    return facts


def rings(snap: Snapshot, opinions: Opinions = NOBODY_S) -> dict[tuple[str, ...], Ring]:
    found = find_rings(snap, as_of=NOW, window_days=WINDOW, opinions=opinions).rings
    return {each.application_ids: each for each in found}


def links(name: str, *numbers: int) -> tuple[Innocent, ...]:
    """All that ties these members to their ring."""
    return tuple(
        each
        for number in numbers
        for each in (
            Innocent("USED_DEVICE", f"A{name}{number}", f"dev-{name}"),
            Innocent("PAID_DOWNPAYMENT", f"acc-{name}", f"A{name}{number}"),
        )
    )


@pytest.fixture(scope="module")
def snap(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return taken(tmp_path_factory.mktemp("innocent"), ring("x", 4) + ring("y", 5, 370))


# Links -------------------------------------------------------------------------------------------------


def test_a_link_that_is_innocent_is_nowhere(snap: Snapshot) -> None:
    one = links("x", 0)[:1]
    left = without(snap, one)
    application, device = snap.index(NodeRef("Application", "Ax0")), snap.index(NodeRef("Device", "dev-x"))
    assert application in snap.links("USED_DEVICE", device, outgoing=False, as_of=NOW)
    assert application not in left.links("USED_DEVICE", device, outgoing=False, as_of=NOW)
    assert device not in left.links("USED_DEVICE", application, outgoing=True, as_of=NOW)
    assert len(left.columns("USED_DEVICE", as_of=NOW)["source"]) == 8
    nodes = np.array([device])
    assert application not in rows_at(left, "USED_DEVICE", nodes, outgoing=False, as_of=NOW)["source"]
    assert len(rows_since(left, "USED_DEVICE", after=0, as_of=NOW)["source"]) == 8
    assert "Device" not in {name for name, each in held(left, np.array([application]), as_of=NOW).items() if len(each)}
    part = excerpt(left, np.array([application]), as_of=NOW).part
    assert not len(part.edges["USED_DEVICE"])
    assert len(holdings(left, as_of=NOW).found["Device"]) == 8


def test_the_arrays_themselves_are_shared(snap: Snapshot) -> None:
    left = without(snap, links("x", 0))
    assert all(left.edges[name] is each for name, each in snap.edges.items())
    assert without(snap, [Innocent("USED_DEVICE", "nobody", "dev-x")]) is snap
    assert without(snap, []) is snap


def test_links_that_came_since_the_arrays_were_made(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as store:
        for number, facts in enumerate((ring("x", 3), ring("x", 4)[-7:])):
            nodes = [each for each in facts if isinstance(each, Node)]
            store.write(batch_of(str(number), nodes, [each for each in facts if isinstance(each, Edge)]))
            if number == 0:
                base = snapshots.build(store, as_of=from_millis(390 * DAY))
        fresh = snapshots.refresh(base, store, as_of=LATE)
    assert "USED_DEVICE" in fresh.appended
    assert set(rings(fresh)) == {("Ax0", "Ax1", "Ax2", "Ax3")}
    assert set(rings(without(fresh, links("x", 3)))) == {("Ax0", "Ax1", "Ax2")}
    assert set(rings(without(fresh, links("x", 0)))) == {("Ax1", "Ax2", "Ax3")}
    twice = without(without(fresh, links("x", 3)), links("x", 0))
    assert not set(rings(twice))


def test_a_ring_without_innocent_links(snap: Snapshot) -> None:
    before = rings(snap)
    assert set(before) == {("Ax0", "Ax1", "Ax2", "Ax3"), ("Ay0", "Ay1", "Ay2", "Ay3", "Ay4")}
    after = rings(snap, Opinions(innocent=links("y", 4)))
    assert set(after) == {("Ax0", "Ax1", "Ax2", "Ax3"), ("Ay0", "Ay1", "Ay2", "Ay3")}
    first = ("Ax0", "Ax1", "Ax2", "Ax3")
    assert after[first] == replace(before[first], rank=after[first].rank)
    weaker = rings(snap, Opinions(innocent=links("x", 0, 1, 2, 3)[::2]))[first]
    assert weaker.score < before[first].score
    assert {each.type for each in weaker.shared} == {"Account"}


def test_only_what_links_can_be_innocent() -> None:
    person, application = NodeRef("Person", "P"), NodeRef("Application", "A")
    with pytest.raises(InputError, match="carries no link"):
        innocent("APPLIED", person, application)
    with pytest.raises(InputError, match="carries no link"):
        innocent("SOLD_BY", application, NodeRef("Dealer", "D"))
    with pytest.raises(InputError, match="carries no link"):
        innocent("NO_SUCH", application, person)
    with pytest.raises(InputError, match="leads from application to device"):
        innocent("USED_DEVICE", NodeRef("Device", "d"), application)
    assert innocent("USED_DEVICE", application, NodeRef("Device", "d")) == ("USED_DEVICE", "A", "d")


def test_whom_a_link_is_about(tmp_path: Path) -> None:
    facts = ring("x", 3)
    facts += [edge("HAS_PHONE", "Px0", "tel"), edge("SPOKE_AS", "Ax1", "v1"), edge("SPOKE_AS", "Ax2", "v2")]
    snap = taken(tmp_path, [*facts, edge("SAME_VOICE", "v1", "v2"), edge("LAST_SEEN_AT", "Vx2", "place")])

    def about(*links: Innocent) -> list[str]:
        rows = told_of(snap, links, as_of=NOW)
        return snap.nodes["Application"].table["key"].take(rows).to_pylist()

    assert about(Innocent("HAS_PHONE", "Px0", "tel")) == ["Ax0"]
    assert about(Innocent("PAID_DOWNPAYMENT", "acc-x", "Ax1")) == ["Ax1"]
    assert about(Innocent("LAST_SEEN_AT", "Vx2", "place")) == ["Ax2"]
    assert about(Innocent("SAME_VOICE", "v1", "v2")) == ["Ax1", "Ax2"]
    assert about(Innocent("HAS_PHONE", "nobody", "tel")) == []


# Labels ------------------------------------------------------------------------------------------------


def test_whoever_was_cleared_links_nobody(snap: Snapshot) -> None:
    after = rings(snap, Opinions(cleared=frozenset({"Ay2", "unheard of"})))
    assert set(after) == {("Ax0", "Ax1", "Ax2", "Ax3"), ("Ay0", "Ay1", "Ay3", "Ay4")}
    assert all("Ay2" not in one.holders for each in after.values() for one in each.shared)
    assert set(rings(snap, Opinions(cleared=frozenset({"Ax0", "Ax1"})))) == {("Ay0", "Ay1", "Ay2", "Ay3", "Ay4")}


def test_fraud_weighs_and_changes_nobody_else(snap: Snapshot) -> None:
    before = rings(snap)
    after = rings(snap, Opinions(risk={"Ax1": CONFIRMED}))
    first, second = ("Ax0", "Ax1", "Ax2", "Ax3"), ("Ay0", "Ay1", "Ay2", "Ay3", "Ay4")
    assert after[first].score > before[first].score
    assert after[second].score == before[second].score, "what is known of one makes no other look less odd"
    half = rings(snap, Opinions(risk={"Ax1": CONFIRMED / 2}))
    assert before[first].score < half[first].score < after[first].score


def test_a_model_and_people_agree_at_most(snap: Snapshot) -> None:
    """Of two opinions on one application the worse counts, not their sum."""
    model = np.zeros(len(snap.nodes["Application"]))
    model[snap.index(NodeRef("Application", "Ax1"))] = 0.75
    said = Opinions(risk={"Ax1": 0.5}).here(snap)
    alone = examine(snap, as_of=NOW, window_days=WINDOW, risk=model)
    both = examine(snap, as_of=NOW, window_days=WINDOW, risk=model, opinions=said)
    assert (alone.signs.points == both.signs.points).all()


# Going on from the last run -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opinions", "moved"),
    [
        (Opinions(innocent=links("y", 4)), Moved(links=links("y", 4))),
        (Opinions(cleared=frozenset({"Ay2"})), Moved(applications={"Ay2"})),
        (Opinions(risk={"Ax1": CONFIRMED}), Moved(applications={"Ax1"})),
    ],
    ids=["link", "cleared", "fraud"],
)
def test_a_run_that_goes_on_sees_what_people_say(snap: Snapshot, opinions: Opinions, moved: Moved) -> None:
    silent, whole = (run(snap, as_of=NOW, window_days=WINDOW, opinions=each) for each in (Opinions(), opinions))
    again = rerun(silent, snap, as_of=NOW, opinions=opinions, moved=moved)
    assert again.found.rings == whole.found.rings != silent.found.rings
    back = rerun(whole, snap, as_of=NOW, moved=moved)
    assert back.found.rings == silent.found.rings
