"""Reasons: what the score rests on and nothing else, two texts that never mix, evidence of the time of the score."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gnn.book import ROLE, ROLES, Book, open_book
from gnn.evidence import EARLIER
from gnn.explain import CODES, LEAST, MOST, RULES, WORDS, Reason, clusters, reasons, with_evidence, without
from gnn.features.assemble import features
from gnn.features.catalogue import CATALOGUE, CLUSTERS, PASSED, model_names
from gnn.models.boosted import Boosted
from graph.errors import InputError
from graph.ontology import EDGES, NODES
from graph.records import DAY, Node, NodeRef
from tests.gnn.conftest import outcomes
from tests.graph.facts import Facts, customer, edge, node, taken

NAMES = model_names()
PLANTED = {
    "device_30d": 1.2, "contact_60d": 1.0, "reserved_phone_match": -2.0, "work_phone_mobile": 1.5, "inquiries_30d": 0.6,
    "price_over_market": 5.0, "template_weight": 0.8, "face_score": -4.0, "linked_fraud": 1.6, "dealer_fraud": 0.8,
    "payer_30d": 1.4, "points": 0.05,
}  # fmt: skip
"""What makes fraud in the toy set, in log-odds a unit from neutral."""

Values = npt.NDArray[np.float32]


def drawn(seed: int, rows: int) -> tuple[Values, npt.NDArray[np.bool_]]:
    """Most features at their neutral values; a fifth of them beyond, on the side that raises doubt."""
    rng = np.random.default_rng(seed)
    x = np.empty((rows, len(NAMES)), dtype=np.float32)
    logit = np.full(rows, -5.0)
    for at, name in enumerate(NAMES):
        each, far = CATALOGUE[name], rng.random(rows) < 0.2
        if np.isnan(each.neutral):
            x[:, at] = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
            continue
        size = (
            1.0
            if each.unit == "0/1"
            else rng.random(rows)
            if each.neutral in (1, PASSED)
            else rng.poisson(1.5, rows) + 1
        )
        x[:, at] = each.neutral + far * size * (-1 if each.below else 1)
        logit += PLANTED.get(name, 0.0) * (x[:, at] - each.neutral)
    return x, rng.random(rows) < 1 / (1 + np.exp(-logit))


X, Y = drawn(1, 3000)
LATER, _ = drawn(2, 1000)


@pytest.fixture(scope="module")
def model() -> Boosted:
    return Boosted(rounds=60, colsample_bytree=1.0).fit(X, Y, names=NAMES)


@pytest.fixture(scope="module")
def flagged(model: Boosted) -> Values:
    return LATER[np.argsort(-model.score(LATER))[:200]]


def explained(model: Boosted, rows: Values) -> list[tuple[Reason, ...]]:
    return [reasons(parts, row, NAMES) for parts, row in zip(model.contributions(rows), rows, strict=True)]


def parts_of(**given: float) -> npt.NDArray[np.float64]:
    """Contributions of a row, the base -3."""
    parts = np.zeros(len(NAMES) + 1)
    parts[-1] = -3.0
    for name, each in given.items():
        parts[NAMES.index(name)] = each
    return parts


def values_of(**given: float) -> Values:
    """An ordinary row."""
    values = np.array([CATALOGUE[name].neutral for name in NAMES], dtype=np.float32)
    for name, each in given.items():
        values[NAMES.index(name)] = each
    return values


# What is cited carries the score ---------------------------------------------------------------------------


def test_without_what_it_cites_the_score_falls(model: Boosted, flagged: Values) -> None:
    before = model.score(flagged)
    top = [each[0].code for each in explained(model, flagged)]
    after = model.score(np.stack([without(row, NAMES, code) for row, code in zip(flagged, top, strict=True)]))
    assert len(set(top)) >= 5
    assert (after < before).mean() >= 0.95
    other = [each[-1].code if len(each) > 1 else None for each in explained(model, flagged)]
    assert sum(code is not None for code in other) > 100
    lesser = np.array(
        [model.score(without(row, NAMES, code or "RC01")[None])[0] for row, code in zip(flagged, other, strict=True)]
    )
    assert (after < lesser).mean() > 0.8, "the first reason carries more than the last"


def test_codes_are_sums_of_contributions_most_important_first(model: Boosted, flagged: Values) -> None:
    parts = model.contributions(flagged)
    for row, told in enumerate(explained(model, flagged)):
        assert 1 <= len(told) <= MOST
        assert [each.strength for each in told] == sorted((each.strength for each in told), reverse=True)
        assert all(each.strength > 0 and each.share >= LEAST for each in told)
        assert sum(each.share for each in told) <= 1 + 1e-9
        for each in told:
            changed = without(flagged[row], NAMES, each.code) != flagged[row]
            changed &= ~(np.isnan(flagged[row]))
            assert each.strength == pytest.approx(parts[row, :-1][changed].sum())
            assert {NAMES[at] for at in np.flatnonzero(changed & (parts[row, :-1] > 0))} == set(each.features)


def test_what_is_absent_is_no_reason() -> None:
    """A car that nobody else financed may raise the score; it is still no "financed before"."""
    absent = parts_of(vehicle_30d=2.0, price_over_market=1.0, device_30d=0.5)
    (only,) = reasons(absent, values_of(price_over_market=0.9, device_30d=3), NAMES)
    assert (only.code, only.features, only.strength, only.share) == ("RC01", ("device_30d",), 0.5, 1.0)


def test_where_only_the_absent_raises_the_score_the_overall_assessment_says_so() -> None:
    (only,) = reasons(parts_of(vehicle_30d=2.0, age=-0.5), values_of(), NAMES)
    assert (only.code, only.strength) == ("RC10", 1.5)


def test_nothing_against_an_application_gives_no_reason() -> None:
    assert reasons(parts_of(device_30d=-1.0), values_of(device_30d=1), NAMES) == ()


def test_without_touches_nothing_but_what_raises_doubt() -> None:
    row = values_of(device_30d=4, price_over_market=1.3, phone_tenure_months=2, phone_held_months=200)
    for code, left in (("RC01", "device_30d"), ("RC07", "price_over_market"), ("RC03", "phone_tenure_months")):
        changed = without(row, NAMES, code)
        differ = [name for at, name in enumerate(NAMES) if not np.array_equal(changed[at], row[at], equal_nan=True)]
        assert differ == [left]
        assert changed[NAMES.index(left)] == CATALOGUE[left].neutral
        assert changed.dtype == row.dtype
    np.testing.assert_array_equal(without(np.stack([row, row]), NAMES, "RC01")[1], without(row, NAMES, "RC01"))


# Rules and auxiliaries -------------------------------------------------------------------------------------


def test_auxiliaries_and_rules_count_for_their_codes() -> None:
    told = reasons(
        parts_of(device_30d=0.5),
        values_of(device_30d=3),
        NAMES,
        auxiliaries={"gnn": 0.7, "isolation": -0.2, RULES: 1.0},
        hits=[("R06", "RC01", 40), ("R18", "RC07", 10)],
    )
    assert {each.code: round(each.strength, 9) for each in told} == {"RC01": 1.3, "RC10": 0.5, "RC07": 0.2}
    assert told[0].investigator.en == (
        "device, network or home shared, or an odd session "
        "(rule R06 (40 points); strangers with its device in 30 days: 3)"
    )
    assert "图神经网络：+0.70" in told[1].investigator.zh
    assert "isolation" not in told[1].investigator.en


def test_a_rule_that_holds_is_told_even_where_the_model_sees_nothing() -> None:
    strong = {"device_30d": 5.0, "contact_60d": 4.0, "work_phone_30d": 3.0, "inquiries_30d": 2.0, "dealer_fraud": 1.0}
    row = values_of(**dict.fromkeys(strong, 3))
    told = reasons(parts_of(**strong), row, NAMES, hits=[("R02", "RC06", 100)])
    assert [each.code for each in told] == ["RC01", "RC02", "RC04", "RC05", "RC06"]
    assert (told[-1].strength, told[-1].features) == (0, ())
    assert "R02" in told[-1].investigator.zh


def test_columns_that_are_outputs_of_auxiliaries_have_a_code() -> None:
    (only,) = reasons(np.array([0.4, -3.0]), np.array([0.9], dtype=np.float32), ["gnn_7"])
    assert only.code == "RC10"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: reasons(np.zeros(2), np.zeros(1), ["shoe_size"]), "shoe_size"),
        (lambda: reasons(np.zeros(3), np.zeros(1), ["amount"]), "3 contributions for 1 features"),
        (lambda: reasons(np.zeros(2), np.zeros(1), ["amount"], auxiliaries={"oracle": 1.0}), "oracle"),
        (lambda: without(np.zeros(1), ["amount"], "RC13"), "RC13"),
    ],
)
def test_what_is_not_known_is_refused_by_name(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()


# Two texts -------------------------------------------------------------------------------------------------


def test_the_applicant_reads_fixed_sentences_without_numbers_or_names(model: Boosted, flagged: Values) -> None:
    for told in explained(model, flagged):
        for each in told:
            assert each.applicant is WORDS[each.code].applicant
            assert each.applicant.en not in each.investigator.en
            assert each.applicant.zh not in each.investigator.zh
    for words in WORDS.values():
        for text in words.applicant:
            assert not re.search(r"\d|RC|[{}%*]", text)
            assert not re.search(r"device|dealer|ring|other applic|设备|团伙|他人|账户|资金", text)


def test_the_applicant_is_not_told_that_money_is_looked_at() -> None:
    assert WORDS["RC12"].applicant == WORDS["RC10"].applicant
    assert sorted(CODES) == [f"RC{number:02}" for number in range(1, 13)]


def test_the_investigator_reads_numbers_with_their_units() -> None:
    given = {
        "invoice_price": 128000.0, "down_ratio": 0.125, "licence_held": 0.0, "phone_tenure_months": 1.0,
        "price_over_market": 1.25, "product": 1.0,
    }  # fmt: skip
    told = reasons(parts_of(**dict.fromkeys(given, 0.1)), values_of(**given), NAMES)
    said = {each.code: each.investigator for each in told}
    assert "price on the invoice: 128,000 RMB; down payment of the price: 12%; product: used" in said["RC10"].en
    assert "number in use for: 1 months" in said["RC03"].en
    assert "车价与市场价之比：1.25" in said["RC07"].zh


# Detector clusters -----------------------------------------------------------------------------------------


def test_a_cluster_moves_the_base_rate_by_its_own_contributions_alone() -> None:
    parts = parts_of(device_30d=1.0, face_score=2.0, dealer_fraud=-1.0)
    odds: Mapping[str, float] = {"identity": -1.0, "document": -3.0, "ring": -2.0, "channel": -4.0, "behaviour": -3.0}
    assert clusters(parts, NAMES) == pytest.approx({name: 1 / (1 + np.exp(-each)) for name, each in odds.items()})
    assert tuple(odds) == CLUSTERS


def test_the_clusters_share_out_the_whole_score(model: Boosted, flagged: Values) -> None:
    parts = model.contributions(flagged)
    points = np.random.default_rng(3).integers(0, 3, (len(flagged), len(CLUSTERS))).astype(float) * 10
    points[0] = 0
    others = {
        "gnn": np.full(len(flagged), 0.3),
        "isolation": np.full(len(flagged), -0.1),
        RULES: points.sum(axis=1) / 50,
    }
    scores = clusters(parts, NAMES, others, points)
    logits = sum(np.log(each / (1 - each)) - parts[:, -1] for each in scores.values())
    np.testing.assert_allclose(logits, parts[:, :-1].sum(axis=1) + sum(others.values()), atol=1e-9)
    for row in (0, 1, 7):
        alone = clusters(parts[row], NAMES, {name: each[row] for name, each in others.items()}, points[row])
        assert alone == {name: each[row] for name, each in scores.items()}


# Evidence --------------------------------------------------------------------------------------------------


def device(key: str, masked: str) -> Node:
    return Node(NodeRef("Device", key), 0, masked, {})


def path_of(book: Book, name: str, **cited: float) -> tuple[Reason, ...]:
    row = book.snapshot.nodes["Application"].table["key"].to_pylist().index(name)
    told = reasons(parts_of(**dict.fromkeys(cited, 1.0)), values_of(**cited), NAMES)
    return with_evidence(told, book, row)


def test_the_path_leads_to_the_newest_earlier_holders(tmp_path: Path) -> None:
    """Fourteen people with one device: the thirteenth sees the ten before it, not the one after it, nor an old one."""
    days = [200, *range(400, 413)]
    facts: Facts = [
        *chain.from_iterable(customer(str(at), day) for at, day in enumerate(days)),
        device("secret", "ab***9"),
    ]
    facts += [edge("USED_DEVICE", f"A{at}", "secret", day) for at, day in enumerate(days)]
    book = open_book(taken(tmp_path, facts), {})
    (reason,) = path_of(book, "A12", device_30d=11)
    (path,) = reason.evidence
    assert path.earlier == tuple(f"A{at}" for at in range(11, 1, -1))
    assert len(path.earlier) == EARLIER
    assert (path.application, path.relation, path.type, path.label) == ("A12", "USED_DEVICE", "Device", "ab***9")
    assert path.thing == NodeRef("Device", "secret").id
    assert reason.investigator.en.endswith("30 days: 11); device ab***9 also in " + ", ".join(path.earlier))
    assert reason.investigator.zh.endswith("设备ab***9亦见于" + "、".join(path.earlier))
    assert reason.applicant is WORDS["RC01"].applicant
    assert path_of(book, "A0", device_30d=1)[0].evidence == ()
    (second,) = path_of(book, "A2", device_30d=1)
    assert [each.earlier for each in second.evidence] == [("A1",)]


def test_only_what_the_reason_cites_is_shown(tmp_path: Path) -> None:
    facts = [
        *customer("1", 400), *customer("2", 401), *(edge("USED_DEVICE", f"A{at}", "X", 401) for at in (1, 2)),
        edge("HAS_PHONE", "P1", "T", 400), edge("CONTACT_OF", "T", "A2", 401),
    ]  # fmt: skip
    book = open_book(taken(tmp_path, facts), {})
    by_code = {each.code: each for each in path_of(book, "A2", device_30d=1, other_phone_30d=1, linked_weight=2)}
    assert [each.type for each in by_code["RC01"].evidence] == ["Device"]
    assert [each.relation for each in by_code["RC02"].evidence] == ["CONTACT_OF"]
    assert [each.type for each in by_code["RC10"].evidence] == ["Device", "Phone"]
    (path,) = by_code["RC02"].evidence
    assert path.label == "", "a number without a mask is not shown by its key"
    assert not path_of(book, "A2", contact_30d=1)[0].evidence, "nobody else has it as a contact"
    assert path_of(book, "A2", seen_contact=1)[0].evidence == (path,), "plainly seen before, in whatever role"


def test_a_thing_that_many_hold_by_nature_is_no_evidence(tmp_path: Path) -> None:
    facts = [*customer("1", 400), *customer("2", 401), *(edge("USED_DEVICE", f"A{at}", "X", 401) for at in (1, 2))]
    book = open_book(taken(tmp_path, facts), {})
    assert path_of(book, "A2", device_30d=1)[0].evidence
    aside = book.aside_from.copy()
    aside[book.pairs.thing[book.pairs.role == ROLE["device"]]] = 401 * DAY
    assert not path_of(book.with_aside(aside), "A2", device_30d=1)[0].evidence


def test_own_history_and_the_fraud_of_a_dealer_have_paths(tmp_path: Path) -> None:
    facts: Facts = [
        *customer("1", 300), *customer("2", 390), *customer("3", 400), node("Dealer", "D1", 1),
        node("Application", "A4", 401, submitted_at=401 * DAY),
        edge("APPLIED", "P3", "A4", 401), edge("SOLD_BY", "A4", "D1", 401),
    ]  # fmt: skip
    snapshot = taken(tmp_path, facts)
    book = open_book(snapshot, {"outcomes": outcomes(snapshot, np.array([1]), np.array([395 * DAY]))})
    told = {each.code: each for each in path_of(book, "A4", own_applications_30d=1, dealer_fraud=1)}
    assert [each.earlier for each in told["RC05"].evidence] == [("A3",)]
    assert [(each.label, each.earlier) for each in told["RC11"].evidence] == [("D1", ("A2",))]
    assert told["RC11"].investigator.en.endswith("dealer D1 with known fraud in A2")
    book = open_book(snapshot, {"outcomes": outcomes(snapshot, np.array([1]), np.array([402 * DAY]))})
    (later,) = path_of(book, "A4", dealer_fraud=1)
    assert [each.earlier for each in later.evidence] == [()], "what was known later is not told"


def test_who_comes_within_the_minute_is_not_there_yet(tmp_path: Path) -> None:
    """Application 1's contact becomes known after application 2 with the same contact, before 1 is scored: 2 is not
    there yet when 1 is scored, and 1 is when 2 is."""
    second = 1 / 86_400
    facts: Facts = [*customer("1", 400), *customer("2", 400 + 20 * second)]
    facts += [edge("CONTACT_OF", "T", "A1", 400 + 40 * second), edge("CONTACT_OF", "T", "A2", 400 + 20 * second)]
    book = open_book(taken(tmp_path, facts), {})
    assert not path_of(book, "A1", contact_30d=1)[0].evidence
    assert features(book)["contact_30d"].tolist() == [0, 1]


@pytest.mark.parametrize("seed", [1, 2])
def test_all_paths_together_lead_to_the_people_that_the_features_count(tmp_path: Path, seed: int) -> None:
    """Numbers are known before or after the application; the last ten people come a second time."""
    rng = np.random.default_rng(seed)
    facts: Facts = list(chain.from_iterable(customer(str(at), 400 + at) for at in range(40)))
    for at in range(40, 50):
        facts.append(node("Application", f"A{at}", 400 + at, submitted_at=(400 + at) * DAY))
        facts.append(edge("APPLIED", f"P{at - 10}", f"A{at}", 400 + at))
    for at in range(50):
        day = 400 + at
        facts.append(edge("USED_DEVICE", f"A{at}", f"X{rng.integers(12)}", day))
        facts.append(edge("CONTACT_OF", f"T{rng.integers(25)}", f"A{at}", day + int(rng.integers(2)) * 5))
        facts.append(edge("PAID_DOWNPAYMENT", f"C{rng.integers(30)}", f"A{at}", day))
        if at < 40:
            facts.append(edge("HAS_PHONE", f"P{at}", f"T{rng.integers(25)}", day - int(rng.integers(2)) * 5))
    book = open_book(taken(tmp_path, facts), {})
    counted = features(book)["linked_people_120d"]
    keys = book.snapshot.nodes["Application"].table["key"].to_pylist()
    for row, name in enumerate(keys):
        (reason,) = path_of(book, name, linked_weight=1)
        seen = {keys.index(each) for path in reason.evidence for each in path.earlier}
        assert all(each < row for each in seen)
        assert len({int(book.person[each]) for each in seen}) == counted[row]
    assert counted.max() > 3


def test_no_key_of_an_identifier_is_ever_shown(tmp_path: Path) -> None:
    """Every relation leads to a thing with a telling key and no mask; keys of lenders' own codes may be shown."""
    facts: Facts = [*customer("1", 400, dealer="D1"), *customer("2", 401, dealer="D1")]
    for role in ROLES:
        if not role.relation or role.post or role.relation in ("APPLIED", "SOLD_BY", "FINANCES"):
            continue
        kind = EDGES[role.relation]
        for name in "12":
            source, target = (
                f"{type_[0]}{name}" if type_ in ("Application", "Person") else "TELLTALE"
                for type_ in (kind.source, kind.target)
            )
            facts.append(edge(role.relation, source, target, 399 + int(name)))
    book = open_book(taken(tmp_path, facts), {})
    told = path_of(book, "A2", linked_weight=5, device_30d=1, seen_ip=1, dealer_fraud=1)
    paths = {path for each in told for path in each.evidence}
    assert len({path.type for path in paths}) >= 6
    for path in paths:
        assert path.label == "" if NODES[path.type].kind else path.label
    hidden = {path.type for path in paths if NODES[path.type].kind}
    assert {"Phone", "Device", "IP", "Account", "Address"} <= hidden


# Time ------------------------------------------------------------------------------------------------------


def test_one_application_is_explained_in_time(model: Boosted, flagged: Values, tmp_path: Path) -> None:
    """The best of twenty, by the time of this process: the machine may be busy, the code may not."""
    facts: Facts = list(chain.from_iterable(customer(str(at), 400 + at / 10) for at in range(60)))
    for at in range(60):
        for relation, thing in (("USED_DEVICE", "X"), ("FROM_IP", "I"), ("ON_WIFI", "W"), ("USES_TEMPLATE", "F")):
            facts.append(edge(relation, f"A{at}", thing, 400 + at / 10))
        facts.append(edge("LIVES_AT", f"P{at}", "H", 400 + at / 10))
    book = open_book(taken(tmp_path, facts), {})
    parts = model.contributions(flagged[:1])[0]
    bare, whole = [], []
    for _ in range(20):
        begun = time.process_time()
        told = reasons(parts, flagged[0], NAMES, auxiliaries={"gnn": 0.5})
        clusters(parts, NAMES, {"gnn": 0.5})
        bare.append(time.process_time() - begun)
        evident = with_evidence(told, book, 59)
        whole.append(time.process_time() - begun)
    assert any(each.evidence for each in evident)
    assert min(bare) <= 0.0015
    assert min(whole) <= 0.005
