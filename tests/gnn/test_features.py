"""Features against an oracle that compares every application with every other; and canaries of the future."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gnn.book import Book, aside_from, month_starts, open_book
from gnn.features.assemble import Features, features
from graph.records import DAY, Ints, NodeRef
from graph.snapshot import Snapshot
from tests.gnn.conftest import Events, Portfolio
from tests.gnn.worlds import Held, One, Oracle, Said, World, made
from tests.graph.facts import customer, edge, node, taken

SEEDS = range(12)


def opened(world: World, folder: Path) -> Book:
    return open_book(world.snapshot(folder), world.events())


def assert_said(seen: Features, row: int, expected: Mapping[str, float], name: str) -> None:
    for column, value in expected.items():
        np.testing.assert_allclose(seen[column][row], np.float32(value), rtol=1e-6, err_msg=f"{name} {column}")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_application_against_every_other(tmp_path: Path, seed: int) -> None:
    world = made(seed)
    oracle, seen = Oracle(world), features(opened(world, tmp_path))
    for row, one in enumerate(oracle.rows):
        assert_said(seen, row, oracle.links(one), one.name)
        assert_said(seen, row, oracle.history(one), one.name)
        assert_said(seen, row, oracle.crowd(one, lambda each: each.dealer, "dealer"), one.name)
        assert_said(seen, row, oracle.crowd(one, lambda each: each.salesperson, "salesperson"), one.name)
        assert_said(seen, row, {f"seen_{role}": count for role, count in oracle.seen(one).items()}, one.name)
        if one.as_of >= min(round(each.known * DAY) for each in world.asked):
            assert_said(seen, row, oracle.bureau(one), one.name)


# Canaries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_what_is_dated_later_changes_nothing(tmp_path: Path, seed: int) -> None:
    """New applications, things, labels, decisions and inquiries from after an application's file."""
    world = made(seed, size=30)
    at = sorted(one.as_of for one in world.ones)[20]
    day = at / DAY + 1 / DAY
    some = world.ones[0]
    held = [each._replace(known=day) for each in some.held]
    later = World(
        [*world.ones, One("LATER", some.person, day, day, "D1", "S1", "L1", held)],
        {**world.owned, some.person: [*world.owned.get(some.person, []), Held("phone", "N0", day)]},
        [*world.said, *(Said(one.name, day, "CONFIRMED_FRAUD", "E1") for one in world.ones)],
        [*world.asked, world.asked[0]._replace(person=some.person, happened=day, known=day)],
    )
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before, after = opened(world, tmp_path / "before"), opened(later, tmp_path / "after")
    old, new = features(before), features(after)
    place = dict(zip(after.ids.tolist(), range(len(after)), strict=True))
    there = np.array([place[each] for each in before.ids.tolist()])
    early, late = np.flatnonzero(before.as_of <= at), np.flatnonzero(before.as_of > at)
    assert differing(old, early, new, there[early]) == set()
    assert differing(old, late, new, there[late]), "there was something to see"


def differing(one: Features, rows: Ints, other: Features, there: Ints) -> set[str]:
    first, second = one.values[rows], other.values[there]
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    return {one.names[at] for at in np.flatnonzero(~same.all(axis=0))}


def with_nights(snapshot: Snapshot, events: Events) -> Book:
    book = open_book(snapshot, events)
    return book.with_aside(aside_from(book, month_starts(book)))


def test_point_in_time_equality(tiny: Portfolio) -> None:
    """Features at t from all that was known at t are those from all there is."""
    whole = with_nights(*tiny.known())
    at = int(np.sort(whole.as_of)[len(whole) * 2 // 3])
    then = with_nights(*tiny.known(at))
    now, before = features(whole), features(then)
    row = dict(zip(whole.ids.tolist(), range(len(whole)), strict=True))
    arrived = np.flatnonzero(then.as_of <= at)
    assert len(arrived) > 1000
    rows = np.array([row[each] for each in then.ids[arrived].tolist()])
    assert differing(now, rows, before, arrived) == set()
    np.testing.assert_array_equal(linked(whole, now, rows), linked(then, before, arrived))


def linked(book: Book, seen: Features, rows: Ints) -> Ints:
    """The ids of the linked applications."""
    links = seen.links.row[rows]
    return np.where(links >= 0, book.ids[links], -1)


AFTER_FUNDING = ("repayments", "gps_pings", "vehicle_events", "call_events", "payments", "staff_actions")


def test_tables_from_after_funding_change_nothing(tiny: Portfolio) -> None:
    snapshot, events = tiny.known()
    without = {name: table for name, table in events.items() if name not in AFTER_FUNDING}
    whole, bare = features(open_book(snapshot, events)), features(open_book(snapshot, without))
    np.testing.assert_array_equal(whole.values, bare.values)


# Single cases --------------------------------------------------------------------------------------------


def test_nobody_is_seen_before_the_form_is_sent(tmp_path: Path) -> None:
    """Who opened the form first sends it last: the other one does not see it, and is seen by it."""
    slow, fast = One("A1", "P1", 400.0, 400.1), One("A2", "P2", 400.01, 400.01)
    for one in (slow, fast):
        one.held.append(Held("device", "X", one.known))
    book = opened(World([slow, fast], {}, [], []), tmp_path)
    seen = features(book)
    assert book.ids.tolist() == [NodeRef("Application", name).id for name in ("A1", "A2")]
    assert seen["device_30d"].tolist() == [1, 0]
    assert seen["seen_device"].tolist() == [1, 0]
    assert (seen.links.row == -1).all(), "links lead along the rows, and these would not"


def test_a_person_who_applies_again_is_asked_about_the_new_phone(tmp_path: Path) -> None:
    """The new number was known to the lender as somebody else's before the old one."""
    facts = [
        node("Phone", "old", 395, tenure_months=50.0),
        node("Phone", "new", 380, tenure_months=1.0),
        *customer("1", 395),
        node("Application", "A2", 400, submitted_at=400 * DAY),
        edge("APPLIED", "P1", "A2", 400),
        edge("HAS_PHONE", "P1", "old", 395),
        edge("HAS_PHONE", "P1", "new", 400),
    ]
    assert features(open_book(taken(tmp_path, facts), {}))["phone_tenure_months"].tolist() == [50, 1]


def test_evidence_is_what_it_was_then(tmp_path: Path) -> None:
    """Suspicion on day 401, proof on 410, cleared on 420, proof again on 430."""
    ones = [One(f"A{at}", f"P{at}", day, day, held=[Held("device", "X", day)])
            for at, day in enumerate((400.0, 405.0, 415.0, 425.0, 435.0))]  # fmt: skip
    told = ((401, "CONFIRMED_FRAUD", "E3"), (410, "CONFIRMED_FRAUD", "E1"), (420, "CLEARED_BENIGN", ""),
            (430, "CONFIRMED_FRAUD", "E1"))  # fmt: skip
    world = World(ones, {}, [Said("A0", day, label, level) for day, label, level in told], [])
    assert features(opened(world, tmp_path))["linked_fraud"].tolist() == [0, 0.5, 1, 0, 1]


def test_infrastructure_counts_from_its_night_on(tmp_path: Path) -> None:
    world = World([One(f"A{at}", f"P{at}", 400.0 + at, 400.0 + at, held=[Held("wifi", "W", 400.0 + at)])
                   for at in range(4)], {}, [], [])  # fmt: skip
    book = opened(world, tmp_path)
    since = book.aside_from.copy()
    since[book.offsets["WiFi"]] = round(402.5 * DAY)
    seen = features(book.with_aside(since))
    assert seen["wifi_30d"].tolist() == [0, 1, 2, 0]
    assert seen["linked_set_aside"].tolist() == [0, 0, 0, 1]


def test_a_wrong_clock_moves_nobody(tmp_path: Path) -> None:
    """Submitted, it says, in eighty years, or in 1970."""
    facts = [*customer("1", 400), *customer("2", 401), *customer("3", 402)]
    facts[0].properties["submitted_at"] = 30_000 * DAY  # type: ignore[union-attr, index]
    facts[5].properties["submitted_at"] = DAY  # type: ignore[union-attr, index]
    book = open_book(taken(tmp_path, facts), {})
    assert (book.as_of // DAY).tolist() == [400, 401, 402]
    assert features(book)["dealer_volume_7d"].tolist() == [0, 1, 1]


@pytest.mark.parametrize("size", [0, 1])
def test_next_to_nothing(tmp_path: Path, size: int) -> None:
    """No application, and one of which nothing is known."""
    snapshot = taken(tmp_path, [node("Application", f"A{at}", 400) for at in range(size)])
    book = open_book(snapshot, {})
    seen = features(book.with_aside(aside_from(book, month_starts(book))))
    assert seen.values.shape == (size, len(seen.names))
    if size:
        assert np.isnan(seen["dealer_volume_7d"][0])
        assert np.isnan(seen["inquiries_7d"][0])
        assert np.isnan(seen["documents"][0])
        assert seen["linked_people_120d"][0] == 0


def test_more_people_than_can_be_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those met last are not counted, and the next row is as if nothing had been."""
    from gnn.walk import links  # noqa: PLC0415

    ones = [One(f"A{at}", f"P{at}", 400 + at / 100, 400 + at / 100, held=[Held("device", f"X{at % 20}", 400.0)])
            for at in range(400)]  # fmt: skip
    ones.append(One("B", "PB", 410, 410, held=[Held("device", f"X{at}", 410) for at in range(20)]))
    ones.append(One("C", "PC", 411, 411, held=[Held("device", "X3", 411)]))
    book = opened(World(ones, {}, [], []), tmp_path)
    whole = features(book)
    assert whole["linked_people_120d"][-2:].tolist() == [400, 21]
    scratch = links.Scratch.room(int(book.person.max()) + 1, len(book), len(links.KINDS))
    few = scratch._replace(**{name: getattr(scratch, name)[:50] for name in ("who", "newest", "mask", "kin", "best")})
    monkeypatch.setattr("gnn.features.assemble.scratch_of", lambda _: few)
    tight = features(book)
    assert tight["linked_people_120d"][-2:].tolist() == [50, 21]
    assert (few.slot_of == -1).all()
    assert not few.visited.any()
    np.testing.assert_array_equal(tight.values[:-2], whole.values[:-2])


def test_rows_in_any_order_and_in_parts(tmp_path: Path) -> None:
    from gnn.features import assemble  # noqa: PLC0415

    book = opened(made(3), tmp_path)
    whole = features(book)
    facts, ledger, scratch = assemble.read_facts(book), assemble.Ledger.of(book), assemble.scratch_of(book)
    values = np.empty_like(whole.values)
    order = book.arrival(np.arange(len(book)))
    for at in range(0, len(book), 7):
        rows = order[at : at + 7][::-1].copy()
        values[rows] = assemble.row_features(book, rows, facts.of(rows), ledger, scratch).values
    np.testing.assert_array_equal(values, whole.values)
    assert replace(whole, values=values).names == whole.names
