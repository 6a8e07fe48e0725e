"""The rules' own columns on small portfolios: what counts, what excuses, nothing from later, one row as among all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gnn.book import FOREVER, Book, open_book
from gnn.features.assemble import features, hindsight
from gnn.rules import Stage, coverage, evaluate, read_settings
from gnn.rules import columns as at_decision
from gnn.rules import night_columns as at_night
from gnn.rules.columns import Peers, decision_columns, fleet_from
from gnn.rules.night_columns import night_columns, pagerank
from gnn.walk import Links
from graph.records import DAY, Edge, Node, NodeRef
from tests.graph.facts import Facts, edge, node, taken

SETTINGS = read_settings()
NIGHT = 500 * DAY
Events = dict[str, pa.Table]


def events(type_: str, *rows: dict[str, Any]) -> pa.Table:
    """`owner` is a key, `day` when it happened and was known."""
    return pa.Table.from_pylist([
        {
            "ref": str(at), "owner": NodeRef(type_, row.pop("owner")).id, "event_time": round(row["day"] * DAY),
            "known_at": round(row.pop("day") * DAY), **row,
        }
        for at, row in enumerate(rows)
    ])  # fmt: skip


def applies(
    name: str, day: float = 390, dealer: str = "D1", *, car: str = "", person: str = "", **stated: Any
) -> Facts:
    """As `customer`, of a car and a person with another name where one is given."""
    person = person or f"P{name}"
    return [
        node("Application", f"A{name}", day, submitted_at=round(day * DAY), **({"amount": 100_000.0} | stated)),
        node("Person", person, min(day, 300)),
        edge("APPLIED", person, f"A{name}", day),
        edge("FINANCES", f"A{name}", car or f"V{name}", day),
        edge("SOLD_BY", f"A{name}", dealer, day),
    ]


def opened(folder: Path, facts: Facts, told: Events | None = None, *, post_loan: bool = False) -> Book:
    return open_book(taken(folder, facts), told or {}, post_loan=post_loan)


def decided(book: Book, fleets: Any = None) -> dict[str, dict[str, float]]:
    """Per application its decision columns by name."""
    found = features(book)
    table = {name: found.values[:, at] for at, name in enumerate(found.names)}
    own = decision_columns(book, np.arange(len(book)), table, Peers.fit(book, table, fleet_from=fleets))
    keys = book.snapshot.nodes["Application"].table["key"].to_pylist()
    return {key: {name: column[at] for name, column in own.items()} for at, key in enumerate(keys)}


def that_night(book: Book, night: int = NIGHT) -> dict[str, dict[str, float]]:
    columns = night_columns(book, night=night, links=hindsight(book, night=night).links)
    keys = np.array(book.snapshot.nodes["Application"].table["key"].to_pylist())[book.as_of <= night]
    return {str(key): {name: column[at] for name, column in columns.items()} for at, key in enumerate(keys)}


# The car -------------------------------------------------------------------------------------------------

FUNDED = {"decision": "approve", "decided_at": 381 * DAY, "funded_at": 382 * DAY}
RELEASED = {"vehicle_events": events("Vehicle", {"owner": "VX", "day": 386, "type": "mortgage_released"})}


@pytest.mark.parametrize(
    ("first", "second", "told", "conflicts"),
    [
        (FUNDED, {}, {}, 1),
        ({}, {}, {}, 1),
        (FUNDED, {"day": 386.5}, RELEASED, 1),  # a decision reads nothing that exists only after funding
        (FUNDED | {"term_months": 1}, {"day": 412.5}, {}, 1),
        (FUNDED | {"term_months": 1}, {"day": 413.5}, {}, 0),
        ({"decision": "decline", "decided_at": 381 * DAY}, {}, {}, 0),
        ({"decision": "decline", "decided_at": 395 * DAY}, {}, {}, 1),
        ({}, {"day": 441}, {}, 0),
        (FUNDED, {"day": 641}, {}, 1),
        (FUNDED | {"term_months": 36}, {"day": 380 + 400}, {}, 0),  # it may have been paid off and sold
        (FUNDED | {"deal_id": "one"}, {"deal_id": "one"}, {}, 0),
        (FUNDED, {"person": "Pfirst"}, {}, 0),
    ],
)
def test_a_car_is_financed_twice_while_the_other_is_open_or_runs(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], told: Events, conflicts: int
) -> None:
    facts = [*applies("first", 380, car="VX", **first), *applies("second", **({"day": 390, "car": "VX"} | second))]
    columns = decided(opened(tmp_path, facts, told))
    assert columns["Asecond"]["vehicle_conflicts"] == conflicts
    assert columns["Afirst"]["vehicle_conflicts"] == 0, "nobody sees who comes later"


# Groups --------------------------------------------------------------------------------------------------


def group(*, apart_days: float = 2) -> Facts:
    """Three people of three dealers on one device, with one contact."""
    facts: Facts = []
    for at in range(3):
        day = 380 + at * apart_days
        facts += [
            *applies(f"{at}", day, f"D{at}"),
            edge("USED_DEVICE", f"A{at}", "device", day),
            edge("CONTACT_OF", "number", f"A{at}", day),
        ]
    return facts


def test_a_group_counts_strangers_and_independent_kinds(tmp_path: Path) -> None:
    last = decided(opened(tmp_path, group()))["A2"]
    assert (last["group_people_120d"], last["group_kinds_120d"], last["near_dealers_30d"]) == (2, 2, 3)


def test_a_session_is_one_kind_and_a_home_is_no_group(tmp_path: Path) -> None:
    facts: Facts = []
    for at in range(3):
        day = 380 + at
        facts += [*applies(f"{at}", day), edge("USED_DEVICE", f"A{at}", "device", day)]
        facts += [edge("FROM_IP", f"A{at}", "ip", day), edge("LIVES_AT", f"P{at}", "home" if at else "elsewhere", day)]
    last = decided(opened(tmp_path, facts))["A2"]
    assert (last["group_people_120d"], last["group_kinds_120d"]) == (1, 1)


def test_a_group_of_long_ago_is_none(tmp_path: Path) -> None:
    last = decided(opened(tmp_path, group(apart_days=70)))["A2"]
    assert (last["group_people_120d"], last["near_dealers_30d"]) == (1, 1)


@pytest.mark.parametrize(("registered", "people"), [("1960-01-01", 0), ("1970-10-01", 2)])
def test_colleagues_share_papers_without_being_a_group_unless_the_employer_is_new(
    tmp_path: Path, registered: str, people: int
) -> None:
    facts: Facts = [node("Employer", "works", 1, reg_date=registered)]
    for at in range(3):
        day = 380 + at
        facts += [*applies(f"{at}", day), edge("WORKS_AT", f"P{at}", "works", day)]
        facts += [edge("USES_TEMPLATE", f"A{at}", "template", day)]
    last = decided(opened(tmp_path, facts))["A2"]
    assert (last["template_people_90d"], last["group_people_120d"]) == (people, people)


def test_what_is_set_aside_counts_for_nobody(tmp_path: Path) -> None:
    book = opened(tmp_path, group())
    aside = np.zeros_like(book.aside_from)
    last = decided(book.with_aside(aside))["A2"]
    assert (last["group_people_120d"], last["near_dealers_30d"]) == (0, 1)


def test_a_fleet_is_known_from_the_night_on_which_its_insurance_shows(tmp_path: Path) -> None:
    facts: Facts = []
    for at in range(6):
        facts += [*applies(f"{at}", 380 + at), edge("WORKS_AT", f"P{at}", "fleet", 380 + at)]
        facts += [edge("INSURED_BY", f"V{at}", "company", 400)]
    facts += [*applies("late", 420), edge("WORKS_AT", "Plate", "fleet", 420)]
    since = fleet_from(opened(tmp_path, facts, post_loan=True), [390 * DAY, 410 * DAY, 430 * DAY])
    assert since.tolist() == [410 * DAY]
    book = open_book(taken(tmp_path, []), {})
    columns = decided(book, since)
    assert (columns["A5"]["of_fleet"], columns["Alate"]["of_fleet"]) == (0, 1)
    assert np.isnan(decided(book)["Alate"]["of_fleet"]), "nobody looked"


def test_an_account_that_a_dealer_names_is_the_dealers(tmp_path: Path) -> None:
    facts = [edge("PAYEE_ACCOUNT", "D1", "desk", 1)]
    for name, account in (("X", "desk"), ("Y", "other")):
        facts += [*applies(name), edge("PAID_DOWNPAYMENT", account, f"A{name}")]
    columns = decided(opened(tmp_path, [*facts, *applies("Z")]))
    assert [columns[f"A{name}"]["payer_is_dealer"] for name in "XY"] == [1, 0]
    assert np.isnan(columns["AZ"]["payer_is_dealer"])


def test_a_resident_whose_number_was_refused_is_known_by_the_lenders_own(tmp_path: Path) -> None:
    facts = [*applies("good"), *applies("bad"), *applies("guest")]
    for name, masked, type_ in (
        ("good", "110***11", "resident"), ("bad", "ap***19", "resident"), ("guest", "E1***7", "passport")
    ):  # fmt: skip
        facts.append(Node(NodeRef("Person", f"P{name}"), 300 * DAY, masked, {"id_type": type_}))
    columns = decided(
        opened(
            tmp_path,
            [
                each
                for each in facts
                if not (isinstance(each, Node) and each.masked == "" and each.ref.type == "Person")
            ],
        )
    )
    assert [columns[f"A{name}"]["id_number_refused"] for name in ("good", "bad")] == [0, 1]
    assert np.isnan(columns["Aguest"]["id_number_refused"])


# Peers ---------------------------------------------------------------------------------------------------


def priced(count: int, **last: Any) -> Facts:
    """So many buyers of one model in forty days, then one more."""
    facts: Facts = []
    for at in range(count):
        facts += applies(f"{at}", 300 + 40 * at / count, f"D{at % 5}", **buyer(at, 1.0 + at / 1000))
        facts += [node("Vehicle", f"V{at}", 300, model_code="M", market_price=100_000.0)]
    return [*facts, *applies("last", 400, **(buyer(0, 1.0) | last))]


def buyer(at: int, over: float) -> dict[str, Any]:
    return {"product": "new", "invoice_price": 100_000 * over, "amount": 80_000.0 + at, "auto_limit_flag": True}


def test_peers_are_those_of_the_weeks_before(tmp_path: Path) -> None:
    facts = [each for each in priced(150) if not (isinstance(each, Node) and each.ref.type == "Person")]
    facts += [node("Person", f"P{at}", 300, monthly_income=1000.0) for at in [*range(150), "last"]]
    columns = decided(opened(tmp_path, [*facts, node("Vehicle", "Vlast", 300, model_code="M", market_price=1e5)]))
    assert columns["Alast"]["peers_price_to_income"] == pytest.approx(np.quantile(100 + np.arange(150) / 10, 0.99))
    assert columns["Alast"]["model_over_market"] == pytest.approx(1.0745)
    assert np.isnan(columns["A0"]["peers_price_to_income"])
    assert np.isnan(columns["A0"]["model_over_market"])


def test_the_limit_is_what_was_approved_automatically_in_the_thirty_days_before(tmp_path: Path) -> None:
    facts = applies("big", 380, amount=200_000.0, auto_limit_flag=True) + applies("by hand", 385, amount=900_000.0)
    facts += applies("near", 390, amount=198_000.0, auto_limit_flag=True) + applies("late", 425, amount=198_000.0)
    columns = decided(opened(tmp_path, facts))
    assert columns["Anear"]["limit_share"] == pytest.approx(0.99)
    assert np.isnan(columns["Abig"]["limit_share"]), "one's own amount is no limit"
    assert np.isnan(columns["Alate"]["limit_share"])


def test_one_row_has_the_bits_it_has_among_all_even_when_it_is_newer_than_the_fit(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before, new = [*group(), *priced(120)], [*applies("new", 410, "D1"), edge("USED_DEVICE", "Anew", "device", 410)]
    old, book = opened(tmp_path / "before", before), opened(tmp_path / "after", [*before, *new])
    fit_on, found = features(old), features(book)
    peers = Peers.fit(old, {name: fit_on.values[:, at] for at, name in enumerate(fit_on.names)})
    table = {name: found.values[:, at] for at, name in enumerate(found.names)}
    rows = np.arange(len(book))
    together = decision_columns(book, rows, table, peers)
    for row in (2, 60, len(book) - 1):
        one = {name: column[row : row + 1] for name, column in table.items()}
        alone = decision_columns(book, rows[row : row + 1], one, peers)
        for name, column in together.items():
            assert np.array_equal(alone[name], column[row : row + 1], equal_nan=True), name
    assert together["group_people_120d"][-1] == 3


# At night ------------------------------------------------------------------------------------------------


def loan(name: str, **stated: Any) -> Facts:
    return applies(
        name, **({"day": 380, "decision": "approve", "decided_at": 381 * DAY, "funded_at": 382 * DAY} | stated)
    )


def car(name: str, *types: tuple[str, float], **more: Any) -> list[dict[str, Any]]:
    return [{"owner": f"V{name}", "day": day, "type": type_, **more} for type_, day in types]


@pytest.mark.parametrize(
    ("happened", "column", "value"),
    [
        ([("title_transfer", 392)], "days_to_passed_on", 10),
        ([], "days_to_passed_on", 9999),
        ([("mortgage_released", 391), ("title_transfer", 392)], "paid_off", 1),
        ([("insured", 383), ("policy_cancelled", 390)], "days_to_uninsured", 8),
        ([("insured", 383), ("policy_cancelled", 390), ("insured", 391)], "days_to_uninsured", 9999),
        ([("insured", 383), ("insured", 388), ("policy_cancelled", 390)], "days_to_uninsured", 9999),
        ([("invoice", 382), ("invoice_reversed", 390)], "days_to_uninvoiced", 8),
        ([("invoice", 382), ("invoice_reversed", 390), ("invoice", 390.5)], "days_to_uninvoiced", 9999),
        ([("title_transfer", 501)], "days_to_passed_on", 9999),
    ],
)
def test_papers_after_funding(tmp_path: Path, happened: list[tuple[str, float]], column: str, value: float) -> None:
    told = {"vehicle_events": events("Vehicle", *car("other", ("plated", 383)), *car("X", *happened, party_to=0))}
    columns = that_night(opened(tmp_path, [*loan("X"), *applies("unpaid")], told, post_loan=True))
    assert columns["AX"][column] == pytest.approx(value)
    assert np.isnan(columns["Aunpaid"][column])


@pytest.mark.parametrize(
    ("to", "condition", "days"),
    [("PX", "new", 9999), ("Psomebody", "new", 10), ("", "new", 10), ("", "used", 9999), ("Psomebody", "used", 10)],
)
def test_who_buys_a_used_car_gets_it_by_a_transfer_too(tmp_path: Path, to: str, condition: str, days: float) -> None:
    party = NodeRef("Person", to).id if to else 0
    told = {"vehicle_events": events("Vehicle", *car("X", ("title_transfer", 392), party_to=party))}
    facts = [*loan("X"), node("Vehicle", "VX", 300, condition=condition), node("Person", "Psomebody", 300)]
    columns = that_night(opened(tmp_path, facts, told, post_loan=True))
    assert columns["AX"]["days_to_passed_on"] == pytest.approx(days)


def pings(*cars: tuple[str, float], place: str = "yard") -> list[dict[str, Any]]:
    """Daily from funding to the last day of each car."""
    cell = NodeRef("Place", place).id
    return [
        {"owner": f"V{name}", "day": day, "last_seen_cell": cell}
        for name, last in cars
        for day in np.arange(383, last + 1).tolist()
    ]


def test_silence_is_what_others_do_not_keep_and_a_workshop_excuses(tmp_path: Path) -> None:
    names = [f"{at}" for at in range(30)]
    told = {
        "gps_pings": events("Vehicle", *pings(*[(name, 400 if at < 4 else 499) for at, name in enumerate(names)])),
        "vehicle_events": events("Vehicle", *car("3", ("repair", 401))),
    }
    facts = [fact for name in names for fact in loan(name)] + [edge("LAST_SEEN_AT", "V0", "yard", 383)]
    book = opened(tmp_path, facts, told, post_loan=True)
    columns = that_night(book)
    silent, talks = columns["A0"], columns["A9"]
    assert (silent["gps_ended_days"], silent["gps_silent_hours"]) == (18, 99 * 24)
    assert silent["gps_peers_ended"] == pytest.approx(4 / 30)
    assert (talks["gps_silent_hours"], talks["place_cars_30d"]) == (0, 0)
    assert [columns[f"A{at}"]["in_repair"] for at in (0, 3)] == [0, 1]
    assert silent["place_cars_30d"] == 4
    aside = np.full_like(book.aside_from, FOREVER)
    aside[book.offsets["Place"] :][: len(book.snapshot.nodes["Place"])] = 0
    assert np.isnan(that_night(book.with_aside(aside))["A0"]["place_cars_30d"]), "a public place is no place"


def test_one_voice_of_strangers_but_not_of_a_family(tmp_path: Path) -> None:
    facts: Facts = []
    calls = []
    for name in ("X", "Y", "wife"):
        facts += [*applies(name, 380), edge("HAS_PHONE", f"P{name}", f"number {name}", 380)]
        facts += [edge("SPOKE_AS", f"A{name}", f"voice {name}", 381)]
        voice = NodeRef("VoiceCluster", f"voice {name}").id
        calls.append({"owner": f"A{name}", "day": 381, "voice_ref": voice, "callee_role": "applicant"})
    ends = [NodeRef("VoiceCluster", f"voice {name}") for name in ("X", "Y", "wife")]
    matches = [Edge("SAME_VOICE", ends[0], other, 382 * DAY, 382 * DAY, "test", confidence=score)
               for other, score in ((ends[1], 0.85), (ends[2], 0.95))]  # fmt: skip
    facts += [*matches, edge("CONTACT_OF", "number wife", "AX", 380)]
    columns = that_night(opened(tmp_path, facts, {"call_events": events("Application", *calls)}, post_loan=True))
    assert columns["AX"]["voice_people_90d"] == 0, "his contact, and the other is not sure enough"
    assert columns["AX"]["voice_similar_people_90d"] == 1
    assert columns["AY"]["voice_similar_people_90d"] == 2


def test_a_contact_of_a_defaulter_is_known_once_the_instalment_is_late(tmp_path: Path) -> None:
    facts = [*loan("bad"), edge("CONTACT_OF", "number", "Abad", 380)]
    facts += [*applies("X", 430), edge("HAS_PHONE", "PX", "number", 430)]
    due = {"owner": "Abad", "day": 420, "instalment_no": 1.0, "due_date": 420 * DAY, "paid_at": None, "dpd": 0.0}
    paid = {"owner": "Abad", "day": 390, "instalment_no": 2.0, "due_date": 390 * DAY, "paid_at": 391 * DAY, "dpd": 1.0}
    told = {"repayments": events("Application", due, paid)}
    book = opened(tmp_path, facts, told, post_loan=True)
    found = [that_night(book, night=night * DAY)["AX"]["contact_of_defaulters"] for night in (440, 460)]
    assert found == [0, 1]


@pytest.mark.parametrize(("region", "elsewhere"), [("440300", 1), ("320500", 0), ("310115", 0), ("330100", 0)])
def test_a_plate_from_nowhere_near(tmp_path: Path, region: str, elsewhere: float) -> None:
    facts = [
        *[each for each in loan("X") if not (isinstance(each, Node) and each.ref.type == "Person")],
        node("Person", "PX", 300, live_region="310101", hukou_region="330102"),
        node("Dealer", "D1", 300, region="320505"), node("Region", region, 300), edge("PLATED_IN", "VX", region, 390),
    ]  # fmt: skip
    columns = that_night(opened(tmp_path, facts, post_loan=True))["AX"]
    assert (columns["plate_elsewhere"], columns["home_city"]) == (elsewhere, 3100)


def test_a_dealer_is_judged_against_the_other_dealers_of_its_region(tmp_path: Path) -> None:
    facts: Facts = [node("Dealer", f"D{at}", 1, region="310100") for at in (1, 2, 3)]
    for at in range(150):
        facts += loan(f"{at}", dealer=f"D{1 + at % 3}")
    told = {"outcomes": events("Application", *[
        {"owner": f"A{at}", "day": 450, "label": "CONFIRMED_FRAUD", "evidence_level": "E1", "source": "police"}
        for at in range(0, 90, 3)
    ])}  # fmt: skip
    columns = that_night(opened(tmp_path, facts, told, post_loan=True))
    assert (columns["A0"]["dealer_loans"], columns["A1"]["dealer_loans"]) == (50, 50)
    assert columns["A0"]["dealer_times_region"] > 3
    assert columns["A1"]["dealer_times_region"] < 1


def test_near_is_who_is_linked_to_fraud_and_fraud_itself_is_not_asked(tmp_path: Path) -> None:
    facts = group()
    for at in range(20):
        facts += applies(f"alone {at}", 390)
    told = {"outcomes": events("Application", {"owner": "A0", "day": 450, "label": "CONFIRMED_FRAUD",
                                               "evidence_level": "E1", "source": "police"})}  # fmt: skip
    book = opened(tmp_path, facts, told, post_loan=True)
    columns = that_night(book)
    assert np.isnan(columns["A0"]["pagerank_percentile"])
    assert columns["A1"]["pagerank_percentile"] > 0.9
    assert columns["Aalone 1"]["pagerank_percentile"] == 0
    assert np.isnan(that_night(book, night=449 * DAY)["A1"]["pagerank_percentile"]), "nobody knew"


def test_pagerank_keeps_its_mass_among_who_is_linked() -> None:
    links = Links.nothing(4)
    links.row[2, 0], links.weight[2, 0] = 0, 1.0
    near = pagerank(links, np.array([1.0, 0, 0, 0]))
    assert near.sum() == pytest.approx(1)
    assert near[0] > near[2] > near[1] == near[3] == 0


# Together ------------------------------------------------------------------------------------------------


def test_rules_find_every_column_and_the_group_is_reviewed(tmp_path: Path) -> None:
    book = opened(tmp_path, group())
    found = features(book)
    table = {name: found.values[:, at] for at, name in enumerate(found.names)}
    own = decision_columns(book, found.rows, table, Peers.fit(book, table))
    assert set(own) == set(at_decision.COLUMNS)
    verdicts = evaluate(table | own, SETTINGS)
    assert verdicts.silent == ()
    assert [rule.code for rule in verdicts.of(2)] == ["R27", "R06", "R08", "R12"]
    assert (verdicts.advises(1), verdicts.advises(2)) == ("pass", "decline")
    post = replace(open_book(book.snapshot, {}, post_loan=True))
    later = night_columns(post, night=NIGHT, links=hindsight(post, night=NIGHT).links)
    assert set(later) == set(at_night.COLUMNS)
    why = {each.code: each.why for each in coverage(table | own | later, SETTINGS, stages=tuple(Stage))}
    assert not [code for code, each in why.items() if each.startswith("no column")]
    assert why["R21"] == "days_to_passed_on not stated for anybody"


def test_an_empty_portfolio_has_columns_without_rows(tmp_path: Path) -> None:
    book = opened(tmp_path, [node("Dealer", "D1", 1)])
    rows = np.zeros(0, dtype=np.int64)
    names = ("amount", "automatic", "product", "price_to_income", "price_over_market")
    table = {name: np.zeros(0) for name in names}
    own = decision_columns(book, rows, table, Peers.fit(book, table))
    assert {len(column) for column in own.values()} == {0}
    later = night_columns(book, night=NIGHT, links=Links.nothing(0))
    assert {len(column) for column in later.values()} == {0}
