"""Going on from the last run finds what a whole run finds; an excerpt shows its applications as the whole does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph import rerun as continued
from graph import snapshot
from graph.errors import InputError
from graph.excerpt import count_holders, excerpt, held, holders, rows_at, rows_since
from graph.incidence import holdings
from graph.ontology import NODES
from graph.opinions import Opinions
from graph.overrides import Override
from graph.records import DAY, Edge, Node, batch_of, from_millis
from graph.rerun import Run, rerun, run
from graph.rings import Ring, find_rings
from graph.snapshot import Snapshot
from graph.stores import open_store
from loaders.portfolio import generate
from tests.graph.facts import LATE, Facts, customer, edge, taken
from tests.loaders.lender import Home

WINDOW = 120


def at(day: float) -> int:
    return round(day * DAY)


def ring(name: str, people: int, day: float, *, shop: str = "", every: float = 1) -> Facts:
    """People who share a device and a payer, a day apart."""
    facts: Facts = []
    for number in range(people):
        who, when = f"{name}{number}", day + every * number
        facts += customer(who, when, shop or f"D{name}")
        facts += [edge("USED_DEVICE", f"A{who}", f"dev-{name}", when)]
        facts += [edge("PAID_DOWNPAYMENT", f"acc-{name}", f"A{who}", when)]
    return facts


def sets(found: list[Ring] | tuple[Ring, ...]) -> set[tuple[str, ...]]:
    return {each.application_ids for each in found}


def both(snap: Snapshot, first: float, then: float) -> tuple[Run, Run]:
    """Continued and whole."""
    before = run(snap, as_of=at(first), window_days=WINDOW)
    return rerun(before, snap, as_of=at(then)), run(snap, as_of=at(then), window_days=WINDOW)


def test_a_ring_that_grows_a_new_one_and_one_left_alone(tmp_path: Path) -> None:
    facts = ring("old", 4, 380) + ring("grows", 3, 385) + ring("new", 3, 395)
    facts += [*customer("late", 396, "Dgrows"), edge("USED_DEVICE", "Alate", "dev-grows", 396)]
    facts += [edge("PAID_DOWNPAYMENT", "acc-grows", "Alate", 396)]
    again, whole = both(taken(tmp_path, facts), 390, 400)
    assert sets(again.found.rings) == sets(whole.found.rings)
    assert {len(each) for each in sets(again.found.rings)} == {3, 4}
    assert [each.score for each in again.found.rings] == [each.score for each in whole.found.rings]
    assert again.found.applications == whole.found.applications


def test_a_new_fact_about_old_applications_makes_a_ring(tmp_path: Path) -> None:
    facts = [each for n in range(3) for each in customer(f"o{n}", 380 + n)]
    facts += [edge("REPAID_BY", f"Ao{n}", "payer", 395) for n in range(3)]
    again, whole = both(taken(tmp_path, facts), 390, 400)
    assert sets(again.found.rings) == sets(whole.found.rings) == {("Ao0", "Ao1", "Ao2")}


def test_rings_end_with_the_window_and_money_moves(tmp_path: Path) -> None:
    facts = ring("old", 4, 281) + ring("paid", 3, 380)
    for number in range(3):
        apps = Node(facts[0].ref.__class__("Application", f"Apaid{number}"), at(380 + number), "",
                    {"submitted_at": at(380 + number), "amount": 100_000.0, "funded_at": at(395)})  # fmt: skip
        facts = [each for each in facts if not (isinstance(each, Node) and each.ref == apps.ref)] + [apps]
    again, whole = both(taken(tmp_path, facts), 390, 402)
    assert sets(again.found.rings) == sets(whole.found.rings)
    (paid,) = (each for each in again.found.rings if each.application_ids[0] == "Apaid0")
    assert paid.undisbursed == 0
    before = run(taken(tmp_path, []), as_of=at(390), window_days=WINDOW)
    assert {each.undisbursed for each in before.found.rings if each.application_ids[0] == "Apaid0"} == {300_000}


def test_nothing_new_changes_nothing(tmp_path: Path) -> None:
    snap = taken(tmp_path, ring("one", 4, 380) + ring("two", 3, 370))
    before = run(snap, as_of=at(390), window_days=WINDOW)
    assert rerun(before, snap, as_of=at(390)).found.rings == before.found.rings
    assert rerun(before, snap, as_of=at(391)).found.rings == before.found.rings


def test_nothing_of_tomorrow_is_seen(tmp_path: Path) -> None:
    snap = taken(tmp_path, ring("one", 4, 380) + ring("later", 4, 396))
    again, _ = both(snap, 390, 395)
    assert sets(again.found.rings) == {("Aone0", "Aone1", "Aone2", "Aone3")}


def test_not_back_in_time(tmp_path: Path) -> None:
    snap = taken(tmp_path, ring("one", 4, 380))
    with pytest.raises(InputError, match="back in time"):
        rerun(run(snap, as_of=at(390), window_days=WINDOW), snap, as_of=at(389))


def test_what_was_set_aside_stays_aside(tmp_path: Path) -> None:
    snap = taken(tmp_path, ring("shop", 40, 200, every=5))
    before, whole = run(snap, as_of=at(380), window_days=WINDOW), run(snap, as_of=at(400), window_days=WINDOW)
    assert {*before.aside} == {*whole.aside}
    again = rerun(before, snap, as_of=at(400))
    assert sets(again.found.rings) == sets(whole.found.rings)


def test_people_s_decisions_count_in_both(tmp_path: Path) -> None:
    snap = taken(tmp_path, ring("one", 4, 380) + ring("two", 3, 394))
    aside = [
        Override(type_, key, infrastructure=True, kind="", reason="known", until=LATE)
        for type_, key in (("Device", "dev-two"), ("Account", "acc-two"))
    ]
    before = run(snap, as_of=at(390), window_days=WINDOW, opinions=Opinions(tuple(aside)))
    assert sets(rerun(before, snap, as_of=at(400), opinions=Opinions(tuple(aside))).found.rings) == {
        tuple(f"Aone{n}" for n in range(4))
    }
    assert sets(find_rings(snap, as_of=at(400), window_days=WINDOW, opinions=Opinions(tuple(aside))).rings) == {
        tuple(f"Aone{n}" for n in range(4))
    }


def test_on_a_refreshed_snapshot(tmp_path: Path) -> None:
    """New rows stand beside the arrays, not in them."""
    first, then = ring("old", 4, 380), ring("new", 3, 395)
    then += [*customer("late", 396, "Dold"), edge("USED_DEVICE", "Alate", "dev-old", 396)]
    then += [edge("PAID_DOWNPAYMENT", "acc-old", "Alate", 396)]
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as store:
        for number, facts in enumerate((first, then)):
            nodes = [each for each in facts if isinstance(each, Node)]
            store.write(batch_of(str(number), nodes, [each for each in facts if isinstance(each, Edge)]))
            if number == 0:
                base = snapshot.build(store, as_of=from_millis(at(390)))
                before = run(base, as_of=at(390), window_days=WINDOW)
        fresh = snapshot.refresh(base, store, as_of=from_millis(at(400)))
        assert fresh.appended
        whole = find_rings(snapshot.build(store, as_of=from_millis(at(400))), as_of=at(400), window_days=WINDOW)
    assert sets(rerun(before, fresh, as_of=at(400)).found.rings) == sets(whole.rings)


# A portfolio -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("rerun")
    generate(folder / "tiny", preset="tiny", seed=11)
    home = Home(folder / "home")
    home.load(folder / "tiny" / "input")
    with home.store() as store:
        return snapshot.build(store, as_of=LATE)


def test_a_portfolio_continued_finds_the_same_strong_rings(portfolio: Snapshot) -> None:
    """Though 150 of 3,000 applications are new each time. Weak groups of so small a portfolio come and go."""
    known = np.sort(portfolio.nodes["Application"].known_at)
    moments = [int(known[int(len(known) * share) - 1]) for share in (0.9, 0.95, 1.0)]
    again = run(portfolio, as_of=moments[0], window_days=WINDOW)
    for moment in moments[1:]:
        again = rerun(again, portfolio, as_of=moment)
        whole = run(portfolio, as_of=moment, window_days=WINDOW)
        ours, theirs = ({one.application_ids for one in each.rings if one.score >= 0.6} for each in (again, whole))
        assert ours == theirs
        assert ours


def test_an_excerpt_shows_its_applications_as_the_whole_does(portfolio: Snapshot) -> None:
    as_of = int(portfolio.nodes["Application"].known_at.max())
    some = np.arange(0, len(portfolio.nodes["Application"]), 7)
    part = excerpt(portfolio, some, as_of=as_of).part
    assert part.nodes["Application"].table["key"].to_pylist() == [
        portfolio.nodes["Application"].table["key"][at].as_py() for at in some.tolist()
    ]
    whole, cut = (holdings(each, as_of=as_of).found for each in (portfolio, part))
    for name in cut:
        if name == "DocTemplate":
            continue  # which page of several alike stands for all hangs on which are there
        mine = whole[name].only(np.isin(whole[name].application, some))
        ids = [
            set(zip(each.application.tolist(), nodes.ids[each.entity].tolist(), strict=True))
            for each, nodes in ((mine, portfolio.nodes[name]), (cut[name], part.nodes[name]))
        ]
        numbered = {(int(some[application]), entity) for application, entity in ids[1]}
        assert numbered == ids[0]


def test_holders_are_counted_as_the_projection_counts_them(portfolio: Snapshot) -> None:
    as_of = int(np.median(portfolio.nodes["Application"].known_at))
    own = holdings(portfolio, as_of=as_of).own
    for name, incidence in own.items():
        if name in {"DocTemplate", "VoiceCluster"}:
            continue
        things, count = np.unique(incidence.entity, return_counts=True)
        ours = count_holders(portfolio, name, things, as_of=as_of)
        assert (ours == count).mean() > 0.99, f"{name}: only deals of two people may differ"


def test_things_lead_back_to_their_holders(portfolio: Snapshot) -> None:
    as_of = int(portfolio.nodes["Application"].known_at.max())
    one = np.array([17])
    things = held(portfolio, one, as_of=as_of)
    assert set(things) <= {name for name, node in NODES.items() if node.lead}
    assert 17 in holders(portfolio, things, as_of=as_of)
    assert holders(portfolio, {}, as_of=as_of).tolist() == []


def test_rows_of_a_time(portfolio: Snapshot) -> None:
    early, late = (int(np.quantile(portfolio.nodes["Application"].known_at, each)) for each in (0.4, 0.6))
    every = portfolio.columns("USED_DEVICE", as_of=late)
    new = rows_since(portfolio, "USED_DEVICE", after=early, as_of=late)
    assert len(new["source"]) == (every["known_at"] > early).sum() > 0
    nodes = np.unique(every["target"])[:50]
    mine = rows_at(portfolio, "USED_DEVICE", nodes, outgoing=False, as_of=late)
    assert len(mine["source"]) == np.isin(every["target"], nodes).sum() > 0
    assert mine["known_at"].max() <= late


def test_things_judged_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tablet that became the shop's since the last run is set aside by the next one."""
    facts = [each for n in range(60) for each in customer(f"t{n}", 150 + 4 * n)]
    snap = taken(tmp_path, [*facts, *(edge("USED_DEVICE", f"At{n}", "tablet", 150 + 4 * n) for n in range(60))])
    before = run(snap, as_of=at(170), window_days=WINDOW)
    assert "Device" not in before.aside
    assert "Device" in run(snap, as_of=at(400), window_days=WINDOW).aside
    assert "Device" in rerun(before, snap, as_of=at(400)).aside
    lead = Override("Device", "tablet", infrastructure=False, kind="", reason="not theirs", until=LATE)
    assert "Device" not in rerun(before, snap, as_of=at(400), opinions=Opinions((lead,))).aside
    monkeypatch.setattr(continued, "LEAST_JUDGED", {"Device": 1000})
    assert "Device" not in rerun(before, snap, as_of=at(400)).aside
