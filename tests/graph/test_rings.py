"""The planted ring is found with the right reason and sums, whatever the keys, and nothing later known changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph import rings, snapshot
from graph.keyring import Keyring
from graph.records import Edge, NodeRef, batch_of, to_millis
from graph.rings import Found, Ring, find_rings
from tests.loaders import lender
from tests.loaders.lender import Home

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


def test_an_empty_store(tmp_path: Path) -> None:
    assert not found(Home(tmp_path / "home")).rings


def test_a_ring_without_a_reason_cannot_be_built(home: Home) -> None:
    (ring,) = found(home).rings
    assert isinstance(ring, Ring)
    for lost in ({"because": ""}, {"shared": ()}):
        with pytest.raises(ValueError, match="because"):
            replace(ring, **lost)
