"""Tiers of loans: the gravest finding decides, near fraud is who shares with it, alerts count while they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import loan_alerts
from workbench.casebook.loan_alerts import Hit
from workbench.reports.catalogue import Asked
from workbench.reports.ground import Ground
from workbench.reports.kinds.loan_tiers import LoanTiers
from workbench.reports.loan_tiers import ACT, FINDINGS, NO_LOAN, USUAL, WATCH, near_fraud, tiered
from workbench.schedule.slots import Cadence, named
from workbench.services.all import Services
from workbench.services.office import Office

MONTH = named(Cadence.MONTHLY, "2025-06")


@pytest.fixture(scope="module")
def services(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    home = copied(trained, tmp_path_factory.mktemp("tiers") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        yield Services(office)


def ground(services: Services) -> Ground:
    return Ground.of(Asked(services, MONTH, MONTH.end + timedelta(hours=2)))


def test_the_gravest_finding_decides(services: Services) -> None:
    at = ground(services)
    told = tiered(at)
    loan = at.each.there & at.each.funded & ~at.each.closed
    assert ((told.tier == NO_LOAN) == ~loan).all()
    for row in np.flatnonzero(loan).tolist():
        assert told.tier[row] == min((FINDINGS[name] for name in told.because(row)), default=USUAL)
    assert {int(each) for each in np.unique(told.tier[loan])} >= {ACT, WATCH, USUAL}
    assert (told.tier[at.each.fraud & loan] == ACT).all()


def test_near_fraud_is_who_shares_something_with_it(services: Services) -> None:
    """Word for word, pair by pair; who is a fraud himself is not near one."""
    at = ground(services)
    links, fraud = at.dealers.links, at.each.fraud
    bad = set(links.party[fraud].tolist())
    near = {two for one, two in zip(links.first.tolist(), links.second.tolist(), strict=True) if one in bad}
    near |= {one for one, two in zip(links.first.tolist(), links.second.tolist(), strict=True) if two in bad}
    found = near_fraud(at)
    assert found.any()
    assert found.tolist() == [party in near - bad for party in links.party.tolist()]


def test_an_alert_counts_while_it_holds(services: Services) -> None:
    at = ground(services)
    names = at.facts.snapshot.nodes["Application"].table["key"].to_pylist()
    strong, weak, over = np.flatnonzero(tiered(at).tier == USUAL)[:3].tolist()

    def hit(row: int, strength: str) -> Hit:
        return Hit(names[row], "R21", strength, "RC10", 1.0, {}, calls=True, paid_out_at=MONTH.start)

    with services.office.casebook.writing() as db:
        first = [hit(strong, "strong"), hit(weak, "weak"), hit(over, "strong")]
        loan_alerts.record(db, first, as_of=MONTH.end - timedelta(days=9), now=MONTH.end)
        loan_alerts.record(db, first[:2], as_of=MONTH.end - timedelta(days=5), now=MONTH.end)
        loan_alerts.record(db, [], as_of=MONTH.end + timedelta(days=1), now=MONTH.end)
    told = tiered(at)
    assert [int(told.tier[row]) for row in (strong, weak, over)] == [ACT, WATCH, USUAL]
    facts = LoanTiers().gather(at.asked)
    assert set(facts.moved(up=True).tolist()) >= {strong, weak}
    assert over not in facts.moved(up=True)
