"""Each loan and rule is told once, on the case where the loan is worked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from tests.schedule.conftest import NIGHT
from workbench.casebook import cases, loan_alerts
from workbench.casebook.case_tables import case_entries
from workbench.casebook.cases import APPLICATION, RING, Finding
from workbench.casebook.loan_alerts import Hit, Recorded
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import ring_members, ring_runs, rings, webhook_deliveries, webhook_events, webhooks
from workbench.casing import ALERT, Worked, follow_alerts
from workbench.schedule.alerts import recent
from workbench.stakes import Stake
from workbench.ui.i18n import language
from workbench.ui.viewmodel import case_words
from workbench.webhooks import events

DAY = timedelta(days=1)
STAKE = Stake("D1", "330100", 80_000.0, 0.0, NIGHT - 9 * DAY, NIGHT - 9 * DAY, None)


def hit(name: str = "A1", rule: str = "R21", strength: str = "strong", *, calls: bool = True) -> Hit:
    return Hit(
        name,
        rule,
        strength,
        "RC10",
        80_000.0,
        {"columns": {"days_to_passed_on": 8.0}, "nodes": [7]},
        calls,
        NIGHT - 9 * DAY,
    )


def recorded(casebook: Casebook, night: int, *hits: Hit) -> Recorded:
    at = NIGHT + night * DAY
    with casebook.writing() as db:
        return loan_alerts.record(db, hits, as_of=at, now=at)


def follow(db: Connection, *hits: Hit, now: datetime = NIGHT) -> Worked:
    return follow_alerts(db, hits, {each.application_id: STAKE for each in hits}, now=now)


def entries(db: Connection, case: int) -> list[tuple[str, Any]]:
    rows = select(case_entries.c.kind, case_entries.c.content).where(case_entries.c.case_id == case)
    return [(row.kind, row.content) for row in db.execute(rows.order_by(case_entries.c.id))]


# Nights --------------------------------------------------------------------------------------------------


def test_a_rule_is_told_once_ends_with_the_night_and_may_go_on(casebook: Casebook) -> None:
    assert recorded(casebook, 0, hit(), hit("A2")) == Recorded([hit(), hit("A2")], 0, first=True)
    assert recorded(casebook, 0, hit(), hit("A2")) == Recorded([], 0)
    assert recorded(casebook, 1, hit()) == Recorded([], 1)
    with casebook.reading() as db:
        assert [each.application_id for each in loan_alerts.standing(db)] == ["A1"]
    assert recorded(casebook, 2, hit("A2")) == Recorded([], 1)
    with casebook.reading() as db:
        one, two = loan_alerts.of_applications(db, ["A1", "A2"])
    assert (one.as_of, one.last_as_of, one.ended_as_of) == (NIGHT, NIGHT + DAY, NIGHT + 2 * DAY)
    assert (two.as_of, two.last_as_of, two.ended_as_of) == (NIGHT, NIGHT + 2 * DAY, None)
    assert one.evidence == {"columns": {"days_to_passed_on": 8.0}, "nodes": [7]}


def test_an_earlier_night_rewrites_nothing(casebook: Casebook) -> None:
    recorded(casebook, 1, hit())
    assert recorded(casebook, 0, hit("A2")) == Recorded(unrecorded="a later night was looked at before")
    with casebook.reading() as db:
        assert [each.application_id for each in loan_alerts.standing(db)] == ["A1"]


def test_on_the_first_night_only_loans_paid_out_lately_call_for_somebody() -> None:
    old, young = replace(hit(), paid_out_at=NIGHT - 61 * DAY), hit("A2")
    assert [each.calls for each in recent(Recorded([old, young], first=True), NIGHT)] == [False, True]
    assert recent(Recorded([old, young]), NIGHT) == [old, young]


# Cases ---------------------------------------------------------------------------------------------------


def test_what_calls_opens_a_case_with_its_reasons_and_what_follows_stands_on_it(open_sqlite: Casebook) -> None:
    with open_sqlite.writing() as db:
        quiet = follow(db, hit("A9", "R20", "weak", calls=False))
        worked = follow(db, hit(), hit(rule="R25", strength="review", calls=False))
        again = follow(db, hit(rule="R22"))
        case = cases.get(db, worked.cases["A1"])
        told = entries(db, case.id)
    assert quiet == Worked({}, 0)
    assert (worked.opened, again.opened) == (1, 0)
    assert again.cases == worked.cases
    assert (case.opened_because, case.reasons, case.score, case.exposure) == (ALERT, ("RC10",), 1.0, 80_000.0)
    assert [kind for kind, _ in told] == ["opened", ALERT, ALERT]
    assert told[1][1] == {"application": "A1", "rules": ["R21", "R25"], "exposure": 80_000.0}


@pytest.mark.parametrize(
    ("outcome", "reopens"), [("false_positive", True), ("no_finding", True), ("confirmed_fraud", False)]
)
def test_a_closed_case_opens_again_unless_it_is_fraud_anyway(
    open_sqlite: Casebook, outcome: str, reopens: bool
) -> None:
    with open_sqlite.writing() as db:
        number = follow(db, hit()).cases["A1"]
        cases.change(db, number, status="closed", outcome=outcome, closed_at=NIGHT, closed_by="ann")
        weak = follow(db, hit(rule="R20", strength="weak", calls=False))
        assert cases.get(db, number).closed
        worked = follow(db, hit(rule="R22"))
        case = cases.get(db, number)
    assert (weak.opened, worked.opened) == (0, int(reopens))
    assert case.closed == (not reopens)
    assert case.opened_because == ALERT
    assert worked.cases == {"A1": number}


def test_a_snoozed_case_wakes(open_sqlite: Casebook) -> None:
    with open_sqlite.writing() as db:
        number = follow(db, hit()).cases["A1"]
        cases.change(db, number, snoozed_until=NIGHT + 9 * DAY)
        follow(db, hit(rule="R20", strength="weak", calls=False))
        assert cases.get(db, number).snoozed(NIGHT)
        follow(db, hit(rule="R22"))
        assert not cases.get(db, number).snoozed(NIGHT)


def _ring(db: Connection, members: Sequence[str]) -> int:
    found = Finding(RING, "R0A1", 0.5, len(members), 1e5, 0.0, "T01", "They share.", ("USED_DEVICE",), "D1", "330100",
                    NIGHT, NIGHT)  # fmt: skip
    run = {"id": 1, "as_of": NIGHT, "window_days": 120, "overrides_as_of": NIGHT, "sequence": 1, "created_at": NIGHT,
           "rings": 1, "applications": 9}  # fmt: skip
    db.execute(insert(ring_runs).values(run))
    db.execute(insert(rings).values(ring_id="R0A1", born_at=NIGHT, last_as_of=NIGHT, status="alive"))
    each = {"ring_id": "R0A1", "joined_run": 1, "joined_as_of": NIGHT}
    db.execute(insert(ring_members), [each | {"application_id": name} for name in members])
    cases.open_all(db, [found], because=cases.FOUND, now=NIGHT)
    case = cases.latest(db, RING, "R0A1")
    assert case is not None
    return case.id


def test_a_member_of_a_ring_is_told_on_the_ring_s_case_which_opens_again_once(open_sqlite: Casebook) -> None:
    with open_sqlite.writing() as db:
        number = _ring(db, ["A1", "A2"])
        worked = follow(db, hit(), hit("A2", "R22"))
        assert worked == Worked({"A1": number, "A2": number}, 0)
        assert cases.latest(db, APPLICATION, "A1") is None
        cases.change(db, number, status="closed", outcome="no_finding", closed_at=NIGHT, closed_by="ann")
        again = follow(db, hit(rule="R23", strength="weak"), hit("A2", "R23", "weak"))
        case, told = cases.get(db, number), [kind for kind, _ in entries(db, number)]
    assert again.opened == 1
    assert (case.closed, case.opened_because, case.reasons) == (False, ALERT, ("USED_DEVICE",))
    assert told == ["opened", ALERT, ALERT, ALERT, "reopened", ALERT]


def test_alerts_know_the_case_they_are_worked_on(open_sqlite: Casebook) -> None:
    fresh = recorded(open_sqlite, 0, hit(), hit("A9", "R20", "weak", calls=False)).fresh
    with open_sqlite.writing() as db:
        worked = follow(db, *fresh)
        loan_alerts.assign(db, fresh, worked.cases)
        one, other = loan_alerts.of_applications(db, ["A1", "A9"])
    assert (one.case_id, other.case_id) == (worked.cases["A1"], None)


def test_it_is_told_by_webhook_once_without_the_evidence(open_sqlite: Casebook) -> None:
    with open_sqlite.writing() as db:
        hook = {"id": 1, "url": "https://hooks.example/x", "kinds": ["loan.alert"], "salt": "1.x", "author": "ann"}
        db.execute(insert(webhooks).values(hook | {"created_at": datetime(2025, 1, 1, tzinfo=UTC)}))
        one, weak = hit(), hit("A9", "R20", "weak", calls=False)
        assert events.loan_alerts(db, [one, weak], as_of=NIGHT, now=NIGHT) == 1
        assert events.loan_alerts(db, [one], as_of=NIGHT + DAY, now=NIGHT + DAY) == 0
        [told] = db.execute(select(webhook_events)).all()
        assert len(db.execute(select(webhook_deliveries)).all()) == 1
    assert (told.kind, told.subject) == ("loan.alert", "A1")
    assert told.content.keys() == {"application_id", "rule", "strength", "reason", "exposure", "as_of", "trace_id"}


@pytest.mark.parametrize(
    ("code", "because", "told"),
    [
        ("en", "something changed after funding", "A1: car passed on soon after funding, new link to confirmed fraud"),
        ("zh", "放款后出现变化", "A1: 放款后短期过户, 新增与已确认欺诈的关联"),
    ],
)
def test_the_workbench_has_words_for_it(code: str, because: str, told: str) -> None:
    before = language.set(code)
    try:
        assert case_words.of(case_words.OPENED_BECAUSE, ALERT) == because
        assert case_words.entry("reopened", "", {"because": ALERT}) == because
        assert case_words.entry(ALERT, "", {"application": "A1", "rules": ["R21", "LINK"]}) == told
        assert case_words.of(case_words.KIND, ALERT) != ALERT
    finally:
        language.reset(before)
