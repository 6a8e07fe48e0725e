"""The dealer lens: rates that are fair to small dealers, nothing of the future, and what a suspension cuts."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.special import betaincinv

from gnn.book import open_book
from gnn.rules.night_columns import CREDIBLE, PRIOR, YEAR, _dealers, _late
from gnn.told import read_labels
from graph.errors import NodeNotFound, NotAllowed
from graph.opinions import Opinions
from graph.records import DAY, from_millis
from workbench.casebook import audit, labels
from workbench.services.all import Services
from workbench.services.canvas.sheets import sheet
from workbench.services.lenses import dealer_table
from workbench.services.lenses.dealer_cut import cut
from workbench.services.lenses.dealer_rows import Asked
from workbench.services.lenses.ledger import Facts, Instalments, Moment, _newest
from workbench.services.lenses.shrinkage import Floats, expected, jumps, jumps_and_usual, shrunk
from workbench.services.permissions import Person, Role
from workbench.services.ring_book import Standing, standing

AUDITOR, LIN = Person("he", "He", Role.AUDITOR), Person("lin", "Lin", Role.INVESTIGATOR)
EARLIER = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def facts(services: Services) -> Facts:
    return services.ledger.facts()


# Rates ---------------------------------------------------------------------------------------------------

GROUPS = np.arange(60) % 6, np.arange(60) % 4


def test_a_dealer_without_loans_stands_at_its_peers_and_one_with_many_at_its_own_share() -> None:
    number = np.full(60, 200.0)
    cases = np.full(60, 2.0)
    number[0], cases[0] = 0, 0
    number[1], cases[1] = 1e6, 5e4
    told = shrunk(cases, number, *GROUPS)
    assert told.mean[0] == pytest.approx(told.expected[0])
    assert told.mean[1] == pytest.approx(0.05, rel=0.01)
    assert (told.low < told.mean).all()
    assert (told.mean < told.high).all()


def test_what_is_expected_of_a_dealer_does_not_depend_on_it() -> None:
    number, cases = np.full(60, 200.0), np.arange(60) % 5 * 1.0
    worse = cases.copy()
    worse[7] = 150
    before, after = expected(cases, number, *GROUPS), expected(worse, number, *GROUPS)
    mates = np.flatnonzero((GROUPS[0] == GROUPS[0][7]) & (np.arange(60) != 7))
    assert (after[mates] > before[mates]).all(), "its region's others are held against it"
    overall = [each.sum() / number.sum() for each in (cases, worse)]
    assert after[7] / before[7] < overall[1] / overall[0], "it moves itself less than it moves the whole"


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(5)
    true = rng.beta(0.8, 40, 3000)
    number = rng.integers(5, 300, 3000).astype(float)
    cases = rng.binomial(number.astype(int), true).astype(float)
    told = shrunk(cases, number, rng.integers(0, 30, 3000), rng.integers(0, 4, 3000))
    inside = ((told.low <= true) & (true <= told.high)).mean()
    assert 0.93 < inside < 0.97
    small = number < 50
    raw, pulled = (np.abs(each - true)[small].mean() for each in (cases / number, told.mean))
    assert pulled < 0.7 * raw
    assert told.strength == pytest.approx(40.8, rel=0.15)


def test_nobody_lost_anything_yet() -> None:
    told = shrunk(np.zeros(5), np.full(5, 10.0), np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64))
    assert (told.mean < 1e-4).all()
    assert np.isfinite(told.high).all()


# Jumps ---------------------------------------------------------------------------------------------------


def _volume(seed: int = 3, dealers: int = 40, weeks: int = 52) -> Floats:
    return np.random.default_rng(seed).poisson(8, (dealers, weeks)).astype(float)


def test_a_jump_stands_out_and_a_season_does_not() -> None:
    weekly = _volume()
    weekly[:, -2] *= 3
    assert np.nanmax(np.abs(jumps(weekly, 4)[:, 2])) < 4.5, "everybody sold three times as much: a season"
    weekly[9, -1] = 40
    z = jumps(weekly, 4)
    assert z[9, -1] > 8
    assert np.nanargmax(z[:, -1]) == 9


def test_a_jump_is_counted_against_the_weeks_before_it_alone() -> None:
    weekly = _volume()
    later = weekly.copy()
    later[:, -1] = 99
    assert np.array_equal(jumps(weekly, 5)[:, :4], jumps(later, 5)[:, :4])


def test_a_new_dealer_has_no_jump_yet() -> None:
    weekly = _volume()
    weekly[4, :-3] = 0
    z, usual = jumps_and_usual(weekly, 2)
    assert np.isnan(z[4]).all()
    assert np.isnan(usual[4]).all()


def test_weeks_before_the_portfolio_began_are_no_season() -> None:
    weekly = _volume(weeks=60)
    weekly[:, :20] = 0
    z, usual = jumps_and_usual(weekly, 30)
    assert 4 < np.nanmin(usual) < np.nanmax(usual) < 16
    assert np.nanmax(np.abs(z)) < 6


def test_one_week_by_hand() -> None:
    weekly = _volume(dealers=12)
    before, now = weekly[5, -27:-1], weekly[5, -1]
    others = weekly.sum(axis=0) - weekly[5]
    level = np.median(before) * others[-1] / np.median(others[-27:-1])
    spread = max(1.4826 * np.median(np.abs(before - np.median(before))), np.sqrt(max(level, 1)))
    assert jumps(weekly, 1)[5, 0] == pytest.approx((now - level) / spread)


# The table -----------------------------------------------------------------------------------------------


def _table(services: Services, facts: Facts, at: datetime) -> dealer_table.DealerTable:
    moment = services.ledger.moment(facts, at)
    _, told = services.ledger.labels(facts)
    rings = standing(services.office, at)
    each = dealer_table.applications(facts, told, rings.members, moment)
    return dealer_table.table(facts, each, dealer_table.links(facts, moment, Opinions()), tuple(rings.rings), moment)


def test_nothing_of_the_future_is_seen(services: Services, facts: Facts) -> None:
    """Taking out of the facts what was told later changes nothing."""
    moment = services.ledger.moment(facts, EARLIER)
    outcomes = services.office.store.events("outcomes")
    assert outcomes is not None
    past = facts.instalments.only(facts.instalments.known <= moment.known)
    then = dataclasses.replace(facts, instalments=past)
    told_then = read_labels(facts.snapshot, outcomes.filter(pc.less_equal(outcomes["known_at"], moment.known)))
    made = []
    for of, said in ((facts, read_labels(facts.snapshot, outcomes)), (then, told_then)):
        each = dealer_table.applications(of, said, {}, moment)
        made.append(dealer_table.table(of, each, dealer_table.links(of, moment, Opinions()), (), moment))
    for name in ("fraud", "early", "shared"):
        one, other = (getattr(each, name) for each in made)
        assert one.cases.sum() > 0, "there is something to leak"
        for column in ("cases", "number", "mean", "low", "high"):
            np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    for name in ("weekly", "exposure", "savable", "year", "alert"):
        np.testing.assert_array_equal(getattr(made[0], name), getattr(made[1], name))


def test_a_missed_instalment_counts_from_when_it_was_told(services: Services, facts: Facts) -> None:
    moment = services.ledger.moment(facts, EARLIER)
    due, told_at = moment.today - 60 * DAY, moment.known + DAY
    row = int(np.flatnonzero(facts.snapshot.nodes["Application"].known_at < due)[0])
    others = facts.instalments.only(facts.instalments.row != row)
    one = [np.array([each]) for each in (row, 1, due, 0, told_at)]
    columns = (others.row, others.number, others.due, others.paid, others.known)
    both = Instalments(*(np.concatenate(pair) for pair in zip(columns, one, strict=True)))
    order = np.lexsort((both.known, both.number, both.row))
    changed = dataclasses.replace(facts, instalments=both.only(order))
    _, said = services.ledger.labels(facts)
    for known, missed in ((moment.known, False), (told_at, True)):
        each = dealer_table.applications(changed, said, {}, Moment(known, moment.today))
        assert bool(each.early_default[row]) == missed
        assert bool(each.first_due[row]) == missed


def test_who_came_later_is_not_there_yet(services: Services, facts: Facts) -> None:
    table = _table(services, facts, EARLIER)
    known = facts.snapshot.nodes["Application"].known_at
    assert int(table.weekly.sum()) == int((table.each.there & (known > table.moment.known - 420 * DAY)).sum())
    assert not table.each.there[known > table.moment.known].any()
    assert 0 < table.each.there.sum() < len(known)


def test_what_is_paid_out_later_could_still_be_saved(services: Services, facts: Facts) -> None:
    table = _table(services, facts, EARLIER)
    nodes = facts.snapshot.nodes["Application"]
    funded = nodes.times("funded_at", as_of=2 * facts.newest)
    later = table.each.there & (funded > table.moment.known)
    assert later.any()
    assert not table.each.funded[later].any()
    waiting = np.bincount(table.each.dealer[later], weights=table.each.amount[later], minlength=len(table.savable))
    assert (table.savable >= waiting).all()


def test_the_alert_is_rule_25(services: Services, facts: Facts) -> None:
    night = facts.newest
    outcomes, repayments = (services.office.store.events(name) for name in ("outcomes", "repayments"))
    book = open_book(facts.snapshot, {"outcomes": outcomes, "repayments": repayments}, post_loan=True)
    columns = _dealers(book, _late(book, night), night)
    moment = Moment(night, night)
    each = dealer_table.applications(facts, read_labels(facts.snapshot, outcomes), {}, moment)
    table = dealer_table.table(facts, each, dealer_table.links(facts, moment, Opinions()), (), moment)
    rows = np.flatnonzero(each.there)
    loans, times = np.zeros((2, len(table.alert)))
    loans[each.dealer[rows]], times[each.dealer[rows]] = (columns[name][rows] for name in columns)
    np.testing.assert_array_equal(table.alert, (loans >= 20) & (times > 3))
    np.testing.assert_allclose(table.times_region[loans > 0], times[loans > 0])
    assert times.max() > 1
    bad = each.fraud | each.early_default
    year = each.there & (each.submitted >= night - YEAR * DAY) & (bad | (each.submitted <= night - 60 * DAY))
    number = np.bincount(each.dealer[year], minlength=len(table.alert))
    np.testing.assert_array_equal(number[loans > 0], loans[loans > 0])
    assert PRIOR == 20
    assert betaincinv(1.0, 1.0, CREDIBLE) == pytest.approx(CREDIBLE)


def test_a_label_counts_as_soon_as_it_is_told(services: Services, facts: Facts) -> None:
    office, dealers = services.office, services.dealers
    _, table = dealers._table(None)
    at = int(np.argmax(table.year - 1000 * table.fraud.cases))
    code = facts.snapshot.nodes["Dealer"].table["key"][at].as_py()
    before = dealers.page(AUDITOR, code).row.fraud
    names = facts.snapshot.nodes["Application"].table["key"]
    mine = np.flatnonzero(table.each.there & (table.each.dealer == at) & ~table.each.fraud)
    told = labels.Label(names[int(mine[0])].as_py(), "CONFIRMED_FRAUD", "review", "final", "lin", typology="T09",
                        evidence_level="E2", second_author="zhou")  # fmt: skip
    earlier = dealers.page(AUDITOR, code, as_of=EARLIER).row.fraud
    with office.casebook.writing() as db:
        labels.add(db, told, request_key="dealers", now=office.clock())
    after = dealers.page(AUDITOR, code).row.fraud
    assert after.cases == before.cases + 1
    assert after.mean > before.mean
    assert dealers.page(AUDITOR, code, as_of=EARLIER).row.fraud == earlier


# The list ------------------------------------------------------------------------------------------------


def test_rows_come_sorted_filtered_and_in_parts(services: Services) -> None:
    every = services.dealers.list(AUDITOR, Asked(order="year"), start=0, end=10_000)
    assert every.total == len(every.rows)
    assert [each.year for each in every.rows] == sorted((each.year for each in every.rows), reverse=True)
    part = services.dealers.list(AUDITOR, Asked(order="year"), start=3, end=6)
    assert list(part.rows) == list(every.rows[3:6])
    one = every.rows[0]
    found = services.dealers.list(AUDITOR, Asked(text=one.code.lower()), start=0, end=10)
    assert [each.code for each in found.rows] == [one.code]
    near = services.dealers.list(AUDITOR, Asked(region=one.region[:2], kind=one.kind), start=0, end=10_000)
    assert {(each.region[:2], each.kind) for each in near.rows} == {(one.region[:2], one.kind)}
    ringed = services.dealers.list(AUDITOR, Asked(only="rings"), start=0, end=10_000)
    assert ringed.rows
    assert all(each.rings for each in ringed.rows)
    assert services.dealers.list(AUDITOR, Asked(order="nothing of the kind"), start=0, end=1).total == every.total


def test_a_dealer_nobody_knows(services: Services) -> None:
    with pytest.raises(NodeNotFound):
        services.dealers.page(AUDITOR, "D-none")


def test_taking_the_list_out_is_on_record(services: Services) -> None:
    with pytest.raises(NotAllowed):
        services.dealers.export(AUDITOR, Asked())
    text = services.dealers.export(LIN, Asked(least=20))
    assert text.startswith("code,name,region")
    with services.office.casebook.reading() as db:
        (entry, *_) = audit.newest(db, audit.Asked(action="dealers.export"), start=0, limit=1)
    assert entry.actor == "lin"
    assert entry.detail["rows"] == text.count("\n") - 1


def test_a_name_is_no_formula() -> None:
    assert sheet(("name",), [("=HYPERLINK(1)",), ("plain",), (-3,)]).splitlines() == [
        "name",
        "'=HYPERLINK(1)",
        "plain",
        "-3",
    ]


# Suspended -----------------------------------------------------------------------------------------------


def test_what_a_suspension_cuts_by_hand(services: Services, facts: Facts) -> None:
    """Against a graph library, ring by ring."""
    _, table = services.dealers._table(None)
    rings = standing(services.office, None).rings
    names = facts.snapshot.nodes["Application"].table["key"].to_pylist()
    row = {name: at for at, name in enumerate(names)}
    graph: nx.Graph[int] = nx.Graph(zip(table.links.first.tolist(), table.links.second.tolist(), strict=True))
    seen = 0
    for dealer in np.unique(table.each.dealer[table.each.ring >= 0]).tolist():
        told = cut(table, dealer, rings)
        for ring in told.rings:
            members = [row[name] for name in rings[ring.ring_id].members]
            mine = [at for at in members if table.each.dealer[at] == dealer]
            sizes = []
            for kept in (members, [at for at in members if at not in mine]):
                people = {int(table.links.party[at]) for at in kept}
                part = graph.subgraph(people).copy()
                part.add_nodes_from(people)
                sizes.append(max((len(each) for each in nx.connected_components(part)), default=0))
            assert ring.apart == (2 * sizes[1] < sizes[0] or sizes[1] < 2)
            assert (ring.size, ring.lost) == (len(members), len(mine))
            seen += 1
        assert told.members == sum(ring.lost for ring in told.rings)
        assert told.good_low <= told.good <= told.good_high
        assert told.held_in_rings <= told.held
    assert seen >= 10


def test_one_person_alone_is_no_ring(services: Services) -> None:
    """Of two who share something, each sold by another dealer, one is left."""
    _, table = services.dealers._table(None)
    one, two = int(table.links.first[0]), int(table.links.second[0])
    dealer, ring = table.each.dealer.copy(), np.full(len(table.each.ring), -1, dtype=np.int64)
    dealer[one], dealer[two], ring[[one, two]] = 0, 1, 0
    there = table.each.there.copy()
    there[[one, two]] = True
    each = dataclasses.replace(table.each, dealer=dealer, ring=ring, there=there)
    small = dataclasses.replace(table, each=each, ring_ids=("R1",))
    (told,) = cut(small, 0, {"R1": Standing("R1", 0.5, 1.0, 1.0, "T05", ("x", "y"))}).rings
    assert (told.size, told.lost, told.apart) == (2, 1, True)


def test_a_page_tells_the_whole_dealer(services: Services) -> None:
    code = services.dealers.list(AUDITOR, Asked(only="rings"), start=0, end=1).rows[0].code
    page = services.dealers.page(AUDITOR, code)
    assert page.row.code == code
    assert page.cut.rings
    assert sum(each.applications for each in page.salespeople) >= page.row.year
    assert sum(each.share for each in page.reviewers) == pytest.approx(1) or not page.reviewers
    assert all(one.low <= one.fraud <= one.high for one in page.salespeople)
    assert page.weeks[-1][0] == page.today
    assert page.trend[-1].at <= page.today - timedelta(days=60)


# Waiting -------------------------------------------------------------------------------------------------


def test_whoever_comes_first_hears_how_far_it_is(services: Services) -> None:
    fresh = Services(services.office)
    told = fresh.dealers.waiting(AUDITOR)
    assert told is not None
    assert told.step in ("snapshot", "repayments", "vehicle_events", "gps_pings", "cars", "links")
    fresh.dealers.list(AUDITOR, Asked(), start=0, end=1)
    assert fresh.dealers.waiting(AUDITOR) is None


def test_an_instalment_told_again_is_one() -> None:
    one = np.array([0, 0], dtype=np.int64)
    told = Instalments(one, one + 1, one + 100, np.array([0, 40 * DAY]), np.array([50, 41 * DAY]))
    assert told.told(60).paid.tolist() == [0]
    assert told.told(42 * DAY).paid.tolist() == [40 * DAY]
    assert told.told(42 * DAY).days_late(50 * DAY).tolist() == [39]
    assert told.told(10).row.tolist() == []


def test_a_few_stragglers_are_no_business(facts: Facts) -> None:
    """The demo scores some applications live, long after its portfolio ends."""
    assert from_millis(facts.newest).year == 2025
    assert isinstance(facts.events["vehicle_events"], pa.Table)
    nodes = facts.snapshot.nodes["Application"]
    late = nodes.table.slice(0, 1).set_column(3, "known_at", pa.array([facts.newest + 400 * DAY]))
    more = dataclasses.replace(nodes, table=pa.concat_tables([nodes.table, late]))
    snapshot = dataclasses.replace(facts.snapshot, nodes={**facts.snapshot.nodes, "Application": more})
    assert _newest(snapshot, facts.events, facts.newest + 500 * DAY) == facts.newest
    assert _newest(snapshot, facts.events, facts.newest - 40 * DAY) <= facts.newest - 40 * DAY
