"""The planted ring is found with the right reason and sums, whatever the keys, and nothing later known changes it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from graph import rings, snapshot
from graph.keyring import Keyring
from graph.ontology import EDGES
from graph.records import Edge, Node, NodeRef, batch_of, to_millis
from graph.rings import Found, Ring, find_rings
from tests.loaders import lender
from tests.loaders.lender import Home
from workbench.render import ring_table

LATE = datetime(9999, 1, 1, tzinfo=UTC)
NOW = to_millis(datetime(2025, 4, 1, tzinfo=UTC))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.load(lender.written(tmp_path / "input", lender.tables()))
    return home


def found(home: Home, *, as_of: int = NOW) -> Found:
    with home.store() as store:
        return find_rings(snapshot.build(store, as_of=LATE), as_of=as_of, window_days=120)


def test_the_planted_ring(home: Home) -> None:
    (ring,) = found(home).rings
    assert ring.application_ids == lender.RING
    assert (ring.rank, ring.size, ring.first_seen, ring.last_seen) == (1, 4, "2025-03-02", "2025-03-05")
    assert ring.exposure == 101_000 + 102_000 + 103_000, "the declined one is no longer at stake"
    assert ring.undisbursed == 102_000 + 103_000, "the first one is paid out"
    assert ring.because.startswith("4 applications in 4 days at 1 dealer share ")
    for words in ("1 account (paid the down payment of, 4 of 4)", "1 device (used device, 4 of 4)", "2 phones"):
        assert words in ring.because
    shared = {(one.type, one.holders) for one in ring.shared}
    assert shared == {
        ("Account", lender.RING), ("Device", lender.RING), ("Phone", ("A1", "A3")), ("Phone", ("A2", "A4")),
    }  # fmt: skip
    assert all(one.masked and one.masked != one.key for one in ring.shared)


def test_other_keys_same_rings(tmp_path: Path, home: Home) -> None:
    """Tokens differ, so node ids, their order and every array differ; what an investigator reads does not."""
    with_file = Home(tmp_path / "other", Keyring.create(tmp_path / "vault.key"))
    with_file.load(tmp_path / "input")
    ours, theirs = found(home).rings, found(with_file).rings
    assert rings.as_csv(ours) == rings.as_csv(theirs)
    seen = [[(one.type, one.masked, one.holders) for ring in each for one in ring.shared] for each in (ours, theirs)]
    assert seen[0] == seen[1]
    keys = [{one.key for ring in each for one in ring.shared} for each in (ours, theirs)]
    assert not keys[0] & keys[1]


def test_the_same_after_the_index_key_was_rotated(tmp_path: Path) -> None:
    keyring = Keyring.create(tmp_path / "vault.key")
    home = Home(tmp_path / "home", keyring)
    home.load(lender.written(tmp_path / "input", lender.tables()))
    before = rings.as_csv(found(home).rings)
    with home.store() as store, home.vault() as vault:
        vault.rotate_index(store.retoken)
    assert rings.as_csv(found(home).rings) == before


def test_nothing_known_later_changes_rings_of_before(home: Home) -> None:
    before = found(home)
    later = NOW + 86_400_000
    links = [
        Edge("USED_DEVICE", NodeRef("Application", name), NodeRef("Device", "later"), NOW - 1, later, "test")
        for name in ("A1", "A5", "A6")
    ]
    links += [
        Edge("SOLD_BY", NodeRef("Application", f"A{n}"), NodeRef("Dealer", "D9"), NOW - 1, later, "test")
        for n in (2, 3)
    ]
    with home.store() as store:
        store.write(batch_of("later", edges=links))
    after = found(home)
    assert rings.as_csv(after.rings) == rings.as_csv(before.rings)
    assert (after.applications, after.links, after.infrastructure) == (
        before.applications,
        before.links,
        before.infrastructure,
    )
    assert rings.as_csv(found(home, as_of=later).rings) != rings.as_csv(before.rings)


def test_a_decision_of_tomorrow_is_not_known_today(tmp_path: Path) -> None:
    content = lender.tables()
    content["applications"][0]["funded_at"] = content["applications"][3]["decided_at"] = lender.time(20)
    home = Home(tmp_path / "home")
    home.load(lender.written(tmp_path / "input", content))
    before, after = (found(home, as_of=to_millis(datetime(2025, 3, day, tzinfo=UTC))).rings[0] for day in (10, 25))
    assert (before.exposure, before.undisbursed) == (410_000, 410_000)
    assert (after.exposure, after.undisbursed) == (306_000, 205_000)


def test_as_of_its_first_days_a_ring_is_smaller(home: Home) -> None:
    (ring,) = found(home, as_of=to_millis(datetime(2025, 3, 4, 10, tzinfo=UTC))).rings
    assert ring.application_ids == ("A1", "A2", "A3")
    assert not found(home, as_of=to_millis(datetime(2025, 3, 1, tzinfo=UTC))).rings


def test_a_growing_ring_keeps_its_name(home: Home) -> None:
    early, late = (found(home, as_of=to_millis(datetime(2025, 3, day, 12, tzinfo=UTC))).rings[0] for day in (4, 5))
    assert (early.ring_id, early.size, late.size) == (late.ring_id, 3, 4)


def test_repeat_applications_of_one_person_are_no_ring(tmp_path: Path) -> None:
    content = lender.tables()
    for row in content["applications"][:4] + content["device_events"][:4]:
        row["applicant_id"] = "C1"
    home = Home(tmp_path / "home")
    home.load(lender.written(tmp_path / "input", content))
    assert not found(home).rings


def test_a_second_application_joins_its_person_s_ring(tmp_path: Path) -> None:
    """It counts as money at stake, not as another member."""
    content = lender.tables()
    content["applications"][4]["applicant_id"] = "C4"
    home = Home(tmp_path / "home")
    home.load(lender.written(tmp_path / "input", content))
    (ring,) = found(home).rings
    assert ring.application_ids == (*lender.RING, "A5")
    assert ring.because.startswith("5 applications of 4 people in 5 days at 2 dealers (4 at one) share ")
    assert max(one.people for one in ring.shared) == 4


def test_an_empty_store(tmp_path: Path) -> None:
    assert not found(Home(tmp_path / "home")).rings


def test_a_ring_without_a_reason_cannot_be_built(home: Home) -> None:
    (ring,) = found(home).rings
    assert isinstance(ring, Ring)
    for lost in ({"because": ""}, {"shared": ()}):
        with pytest.raises(ValueError, match="because"):
            replace(ring, **lost)


# Ranking -----------------------------------------------------------------------------------------------

STRONG = ("USED_DEVICE", "PAID_DOWNPAYMENT", "HAS_PHONE", "SPOKE_AS", "LAST_SEEN_AT", "TRANSFERRED_TO")


def group(name: str, people: int, relations: Sequence[str], *, apart_days: int = 0) -> tuple[list[Node], list[Edge]]:
    """So many people at one dealer who all share one thing through each relation."""
    nodes, edges = [], []
    for number in range(people):
        own = {each: f"{name}-{each[0]}{number}" for each in ("Application", "Person", "Vehicle")}
        at = NOW - 86_400_000 * (1 + apart_days * number)
        nodes.append(Node(NodeRef("Application", own["Application"]), at, "", {"submitted_at": at}))
        held = {**own, "Dealer": f"{name}-D"}
        links = [("APPLIED", own), ("FINANCES", own), ("SOLD_BY", held)]
        links += [(each, {"Device": "", "Account": "", "Phone": "", **own}) for each in relations]
        for relation, ends in links:
            kind = EDGES[relation]
            shared = relation in relations
            far = kind.source if kind.source == "Account" else kind.target
            keys = {
                end: f"{name}-{relation}" if shared and end == far else ends.get(end, "")
                for end in (kind.source, kind.target)
            }
            ends_of = (NodeRef(end, keys[end]) for end in (kind.source, kind.target))
            edges.append(Edge(relation, *ends_of, at, at, "test"))
    return nodes, edges


@pytest.fixture
def ranked(tmp_path: Path) -> Callable[..., list[Ring]]:
    def rank(*groups: tuple[list[Node], list[Edge]]) -> list[Ring]:
        home = Home(tmp_path / str(len(list(tmp_path.iterdir()))))
        with home.store() as store:
            for number, (nodes, edges) in enumerate(groups):
                store.write(batch_of(str(number), nodes, edges))
        return list(found(home).rings)

    return rank


Rank = Callable[..., list[Ring]]


def test_scores_do_not_saturate(ranked: Rank) -> None:
    """Each further kind tells, even of a group in which everybody shares everything."""
    told = ranked(*(group(f"G{kinds}", 8, STRONG[:kinds]) for kinds in range(1, len(STRONG) + 1)))
    assert [ring.application_ids[0][:2] for ring in told] == ["G6", "G5", "G4", "G3", "G2", "G1"]
    scores = [ring.score for ring in told]
    assert all(high - low >= 0.01 for high, low in pairwise(scores))
    assert scores[0] < 0.95


def test_the_score_s_unit(ranked: Rank) -> None:
    """Three people whose down payments one account made, on one day at one dealer: one half."""
    (ring,) = ranked(group("G", 3, ("PAID_DOWNPAYMENT",)))
    assert ring.score == pytest.approx(0.5, abs=0.002)


def test_a_burst_ranks_before_the_same_spread_over_months(ranked: Rank) -> None:
    told = ranked(group("slow", 4, STRONG[:3], apart_days=14), group("fast", 4, STRONG[:3], apart_days=1))
    assert [ring.application_ids[0][:4] for ring in told] == ["fast", "slow"]


def test_ties_are_ordered_by_name(ranked: Rank) -> None:
    groups = [group(name, 4, STRONG[:2]) for name in ("one", "two", "three")]
    told, turned = ranked(*groups), ranked(*reversed(groups))
    assert len({ring.score for ring in told}) == 1
    assert [ring.ring_id for ring in told] == sorted(ring.ring_id for ring in told)
    assert rings.as_csv(told) == rings.as_csv(turned)


def test_colleagues_are_no_ring(ranked: Rank) -> None:
    assert not ranked(group("staff", 6, ("WORKS_AT", "USES_TEMPLATE", "WORK_PHONE")))


@pytest.mark.parametrize("columns", [80, 120])
def test_printed_rings_fit_the_screen(ranked: Rank, columns: int) -> None:
    told = ranked(*(group(f"G{kinds}", 12, STRONG[:kinds]) for kinds in range(1, len(STRONG) + 1)))
    told = [replace(ring, exposure=98_765_432.0, undisbursed=98_765_432.0, rank=90 + ring.rank) for ring in told]
    screen = Console(width=columns, file=io.StringIO())
    screen.print(ring_table(Found(told, 12, 12, {}), datetime(2025, 4, 1, tzinfo=UTC), 120, 10))
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 4 + 2 * len(told)
    assert "    12 share an account, 12 a device, 12 a voice cluster and 3 more kinds" in lines
