"""The vehicle lens: what is odd about a car by the rules' own columns, and its life line with two clocks."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn.book import aside_from, open_book
from gnn.rules import read_settings
from gnn.rules.cars import car_columns
from gnn.rules.catalogue import BY_CODE
from graph.errors import NodeNotFound, NotAllowed
from graph.records import DAY, NodeRef, to_millis
from workbench.casebook import audit
from workbench.services.all import Services
from workbench.services.lenses import dealer_table, vehicle_table, vehicle_units
from workbench.services.lenses.ledger import EVENTS, Facts, Instalments
from workbench.services.lenses.vehicle_life import LANE_OF, LANES
from workbench.services.lenses.vehicle_table import SIGNS, CarTable
from workbench.services.lenses.vehicle_units import Lot
from workbench.services.lenses.vehicles import AskedCars, Vehicles
from workbench.services.permissions import Person, Role

AUDITOR, LIN = Person("he", "He", Role.AUDITOR), Person("lin", "Lin", Role.INVESTIGATOR)
EARLIER = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def facts(services: Services) -> Facts:
    return services.ledger.facts()


@pytest.fixture(scope="module")
def vehicles(services: Services) -> Vehicles:
    return services.vehicles


def _made(services: Services, facts: Facts, at: datetime) -> CarTable:
    moment = services.ledger.moment(facts, at)
    _, labels = services.ledger.labels(facts)
    each = dealer_table.applications(facts, labels, {}, moment)
    return vehicle_table.table(facts, vehicle_table.cars(facts, moment), each, moment)


# Signs ---------------------------------------------------------------------------------------------------


def test_signs_are_what_the_rules_say(services: Services, facts: Facts, vehicles: Vehicles) -> None:
    _, table, *_ = vehicles._table(None)
    events = {name: services.office.store.events(name) for name in ("vehicle_events", "gps_pings")}
    book = open_book(facts.snapshot, events, post_loan=True)
    book = book.with_aside(aside_from(book, [table.moment.known]))
    columns = car_columns(book, table.moment.today)
    vehicle = book.latest("vehicle", at=np.full(len(book), table.moment.known))
    for sign, code in (("passed_on", "R21"), ("withdrawn", "R22"), ("silent", "R23"), ("together", "R24"),
                       ("plated_elsewhere", "R20")):  # fmt: skip
        hit = BY_CODE[code].holds(columns, read_settings().thresholds[code]) & (vehicle >= 0)
        assert hit.any() or sign == "together"
        assert set(np.flatnonzero(table.odd[:, SIGNS.index(sign)])) == set(vehicle[hit])


def test_a_car_that_two_people_borrow_on(services: Services, facts: Facts) -> None:
    """The portfolio may hold none: one application's car becomes another's."""
    now = services.office.clock()
    _, labels = services.ledger.labels(facts)
    each = dealer_table.applications(facts, labels, {}, services.ledger.moment(facts, now))
    finances = facts.snapshot.edges["FINANCES"]
    one, two, declined = (*np.flatnonzero(~each.closed[finances.source])[:2], np.flatnonzero(each.closed)[0])
    sign = SIGNS.index("financed_twice")
    before = _made(services, facts, now)
    for other, more in ((two, 1), (int(np.flatnonzero(finances.source == declined)[0]), 0)):
        target = finances.target.copy()
        target[other] = target[one]
        edges = {**facts.snapshot.edges, "FINANCES": dataclasses.replace(finances, target=target)}
        changed = dataclasses.replace(facts, snapshot=dataclasses.replace(facts.snapshot, edges=edges))
        after = _made(services, changed, now)
        assert int(after.odd[:, sign].sum()) - int(before.odd[:, sign].sum()) == more


def test_one_person_who_applies_again_borrows_once(services: Services, facts: Facts) -> None:
    """A corrected or repeated application on the same car is no second loan."""
    moment = services.ledger.moment(facts, services.office.clock())
    _, labels = services.ledger.labels(facts)
    each = dealer_table.applications(facts, labels, {}, moment)
    slow = vehicle_table.cars(facts, moment)
    one, two = np.flatnonzero(~each.closed & each.there & (slow.vehicle >= 0))[:2]
    vehicle, person = slow.vehicle.copy(), slow.person.copy()
    vehicle[two], person[two] = vehicle[one], person[one]
    for who, odd in ((slow.person, True), (person, False)):
        changed = dataclasses.replace(slow, vehicle=vehicle, person=who)
        table = vehicle_table.table(facts, changed, each, moment)
        assert table.loans[vehicle[one]] == 2
        assert bool(table.odd[vehicle[one], SIGNS.index("financed_twice")]) == odd


def test_three_transfers_in_six_months(services: Services, facts: Facts) -> None:
    told = facts.events["vehicle_events"]
    assert told is not None
    owner = facts.snapshot.nodes["Vehicle"].ids[5]
    start = facts.newest - 300 * DAY
    names = told.schema.names
    sign = SIGNS.index("transfers")
    for days, odd in (((0, 60, 150), True), ((0, 120, 250), False)):
        rows = [
            {**dict.fromkeys(names), "owner": owner, "type": "title_transfer", "event_time": start + day * DAY,
             "known_at": start + day * DAY, "party_from": 0, "party_to": 0}
            for day in days
        ]  # fmt: skip
        kept = told.filter(pc.not_equal(told["owner"], owner))
        more = pa.concat_tables([kept, pa.Table.from_pylist(rows, schema=told.schema)]).sort_by(
            [("owner", "ascending"), ("event_time", "ascending")]
        )
        changed = dataclasses.replace(facts, events={**facts.events, "vehicle_events": more})
        table = _made(services, changed, services.office.clock())
        assert table.transfers[5] == 3
        assert bool(table.odd[5, sign]) == odd


def test_a_mortgage_that_is_missing_long_after_the_money_went_out(services: Services, facts: Facts) -> None:
    told, sign = facts.events["vehicle_events"], SIGNS.index("unregistered")
    assert told is not None
    before = _made(services, facts, services.office.clock())
    registered = pc.equal(told["type"], "mortgage_registered")
    owners = told.filter(pc.and_(registered, pc.less(told["event_time"], facts.newest - 60 * DAY)))["owner"].to_pylist()
    cars = facts.snapshot.nodes["Vehicle"]
    at = {owner: int(cars.index_of(np.array([owner]))[0]) for owner in owners}
    owner = next(each for each in owners if before.loans[at[each]] == 1 and not before.odd[at[each], sign])

    def without(which: pa.ChunkedArray) -> CarTable:
        kept = told.filter(pc.invert(pc.and_(registered, which)))
        changed = dataclasses.replace(facts, events={**facts.events, "vehicle_events": kept})
        return _made(services, changed, services.office.clock())

    after = without(pc.equal(told["owner"], owner))
    assert set(np.flatnonzero(after.odd[:, sign])) - set(np.flatnonzero(before.odd[:, sign])) == {at[owner]}
    assert not without(pc.is_valid(told["owner"])).odd[:, sign].any(), "where nobody reports it, nobody is late"


def test_nothing_of_the_future_is_seen(services: Services, facts: Facts) -> None:
    at = to_millis(EARLIER)
    kept: dict[str, pa.Table | None] = {}
    for name in EVENTS:
        told = facts.events[name]
        assert told is not None
        kept[name] = told.filter(pc.less_equal(told["known_at"], at))
    then = dataclasses.replace(
        facts, events=kept, instalments=Instalments(*(np.zeros(0, dtype=np.int64) for _ in range(5)))
    )
    one, other = (_made(services, each, EARLIER) for each in (facts, then))
    assert one.odd.any()
    for name in ("odd", "loans", "people", "amount", "savable", "transfers", "last_event", "over"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.last_event <= at).all()


# The list ------------------------------------------------------------------------------------------------


def test_the_oddest_car_comes_first(vehicles: Vehicles) -> None:
    listed = vehicles.list(AUDITOR, AskedCars(), start=0, end=50)
    points = [each.points for each in listed.rows]
    assert points == sorted(points, reverse=True)
    assert points[-1] > 0
    assert listed.total < vehicles.list(AUDITOR, AskedCars(every=True), start=0, end=1).total
    assert all("*" in each.masked for each in listed.rows)
    sign = listed.rows[0].signs[0]
    only = vehicles.list(AUDITOR, AskedCars(sign=sign), start=0, end=10_000)
    assert only.total == listed.counts[sign] == len(only.rows)
    assert all(sign in each.signs for each in only.rows)


def test_cars_are_found_by_what_may_be_seen(vehicles: Vehicles) -> None:
    one = vehicles.list(AUDITOR, AskedCars(), start=0, end=1).rows[0]
    for text in (one.masked.lstrip("*"), one.application.lower(), one.model.split()[0]):
        found = vehicles.list(AUDITOR, AskedCars(text=text), start=0, end=10_000)
        assert one.token in {each.token for each in found.rows}
    assert vehicles.list(AUDITOR, AskedCars(text="(((", every=True), start=0, end=1).total == 0


def test_taking_the_list_out_is_on_record(services: Services, vehicles: Vehicles) -> None:
    with pytest.raises(NotAllowed):
        vehicles.export(AUDITOR, AskedCars())
    text = vehicles.export(LIN, AskedCars(sign="withdrawn"))
    with services.office.casebook.reading() as db:
        (entry, *_) = audit.newest(db, audit.Asked(action="vehicles.export"), start=0, limit=1)
    assert entry.detail["rows"] == text.count("\n") - 1


# One car -------------------------------------------------------------------------------------------------


def test_a_life_has_two_clocks_and_no_identifier(services: Services, vehicles: Vehicles) -> None:
    one = vehicles.list(AUDITOR, AskedCars(sign="passed_on"), start=0, end=1).rows[0]
    life = vehicles.life(AUDITOR, one.token)
    kinds = {each.kind for each in life.facts}
    assert {"submitted", "funded", "invoice", "title_transfer"} <= kinds
    assert {each.lane for each in life.facts} <= set(LANES)
    assert all(each.known_at >= each.at for each in life.facts if each.lane != "gps")
    assert any(each.known_at > each.at for each in life.facts)
    assert [each.at for each in life.facts] == sorted(each.at for each in life.facts)
    assert life.loans[0].application == one.application
    told = repr(life)
    table = services.office.snapshot().nodes["Vehicle"].table
    at = services.office.snapshot().index(NodeRef("Vehicle", one.token))
    assert table["masked"][at].as_py() in told
    assert services.office.vault.reveal("vin", one.token) not in told


def test_a_life_as_it_was_known_then(vehicles: Vehicles) -> None:
    rows = vehicles.list(AUDITOR, AskedCars(sign="passed_on"), start=0, end=1).rows
    now = vehicles.life(AUDITOR, rows[0].token)
    moment = next(each.known_at for each in now.facts if each.kind == "title_transfer")
    before = vehicles.life(AUDITOR, rows[0].token, as_of=datetime.fromtimestamp(moment.timestamp() - 1, UTC))
    assert {each.kind for each in before.facts} == {
        each.kind for each in now.facts if each.known_at < moment and each.kind not in ("last_report", "first_missed")
    } | ({"last_report"} if before.stops else set())
    assert all(each.known_at < moment for each in before.facts)


def test_a_car_nobody_knows(vehicles: Vehicles) -> None:
    with pytest.raises(NodeNotFound):
        vehicles.life(AUDITOR, "0" * 32)


def test_every_event_has_its_lane() -> None:
    from loaders.tables import BY_NAME  # noqa: PLC0415

    assert set(BY_NAME["vehicle_events"].column("type").values) == set(LANE_OF)
    assert set(LANE_OF.values()) < set(LANES)


def test_who_stood_beside_it(facts: Facts, vehicles: Vehicles) -> None:
    """Against every pair of reports at one place, one by one."""
    _, table, each, ring_ids = vehicles._table(None)
    told = facts.events["gps_pings"]
    assert told is not None
    rows = [one for one in told.to_pylist() if one["last_seen_cell"]]
    places, cars = facts.snapshot.nodes["Place"], facts.snapshot.nodes["Vehicle"]
    public = {int(places.ids[at]) for at in np.flatnonzero(table.public)}
    by_cell: dict[int, list[tuple[int, int]]] = {}
    for one in rows:
        by_cell.setdefault(one["last_seen_cell"], []).append((one["owner"], one["event_time"]))
    cell = next(c for c, some in by_cell.items() if c not in public and 1 < len({who for who, _ in some}) < 10)
    owner = by_cell[cell][0][0]
    near = {
        other
        for c, some in by_cell.items()
        if c not in public
        for who, when in some
        if who == owner
        for other, then in some
        if other != owner and abs(then - when) <= vehicle_units.NEAR_DAYS * DAY
    }
    at = int(cars.index_of(np.array([owner]))[0])
    found = vehicle_units.beside(Lot(facts, table, each, ring_ids), at)
    keys = cars.table["key"].to_pylist()
    expected = {keys[int(cars.index_of(np.array([one]))[0])] for one in near}
    assert {one.token for one in found} == expected or len(found) == vehicle_units.MOST_BESIDE
    assert [one.days_apart for one in found] == sorted(one.days_apart for one in found)
