"""Portfolios nobody would make up: nothing shared, everything shared, one dealer, clocks of the future."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Run
from tests.loaders import lender

Rows = dict[str, lender.Row]
Change = Callable[[int, Rows], Any]
PEOPLE = 400


def crowd(folder: Path, change: Change, *, people: int = PEOPLE) -> Path:
    """Strangers, ten a day, each at a dealer of their own; `change` gets the rows of each."""
    tables: lender.Tables = {}
    for n in range(1, people + 1):
        when = lender.time(n // 10, n % 10 + 8)
        rows = {
            "applicants": {"applicant_id": f"C{n}", "id_type": "resident", "id_number": lender.id_number(n),
                           "phone": lender.phone(n), "known_at": when},
            "applications": {"application_id": f"A{n}", "applicant_id": f"C{n}", "dealer_id": f"D{n}",
                             "submitted_at": when, "amount": "100000", "channel": "app", "known_at": when},
            "device_events": {"event_id": f"E{n}", "application_id": f"A{n}", "applicant_id": f"C{n}",
                              "device_id": f"fingerprint-own-{n:05}", "event_time": when, "known_at": when},
            "payments": {"payment_id": f"P{n}", "application_id": f"A{n}", "kind": "down_payment", "amount": "20000",
                         "from_account_token": f"acct_own_{n:05}", "event_time": when, "known_at": when},
        }  # fmt: skip
        change(n, rows)
        for name, row in rows.items():
            tables.setdefault(name, []).append(row)
    return lender.written(folder, tables)


def told(ringroad: Run, folder: Path, *arguments: object) -> dict[str, Any]:
    assert ringroad("load", folder).code == 0
    content: dict[str, Any] = json.loads(ringroad("rings", *arguments, "--json").out)
    return content


def test_nothing_is_shared(ringroad: Run, tmp_path: Path) -> None:
    run = told(ringroad, crowd(tmp_path / "input", lambda n, rows: None))
    assert (run["rings"], run["applications"], run["links"]) == ([], PEOPLE, 0)
    said = ringroad("rings", "--out", tmp_path / "rings.csv").out
    assert f"0 rings among {PEOPLE} applications of 120 days to 2025-04-10 in 0 links" in said
    assert "nothing that three or more applications share stands out" in said
    assert (tmp_path / "rings.csv").read_text(encoding="utf-8").count("\n") == 1
    assert "no last run" not in ringroad("rings", "--since-last").out


@pytest.mark.parametrize("known", ["from_account_token", "device_id"])
def test_everybody_shares_one_thing(ringroad: Run, tmp_path: Path, known: str) -> None:
    """One giant component: no ring of everybody."""

    def same(_: int, rows: Rows) -> None:
        table = "payments" if known == "from_account_token" else "device_events"
        rows[table][known] = "everybody-has-this-one"

    run = told(ringroad, crowd(tmp_path / "input", same))
    assert sum(each["size"] for each in run["rings"]) < 0.2 * PEOPLE
    assert ringroad("rings").code == 0


def test_everybody_is_linked_in_a_chain(ringroad: Run, tmp_path: Path) -> None:
    """Each shares a device with the last and an account with the next: one component, and no two things alike."""

    def chained(n: int, rows: Rows) -> None:
        rows["device_events"]["device_id"] = f"fingerprint-own-{n // 2:05}"
        rows["payments"]["from_account_token"] = f"acct_own_{(n + 1) // 2:05}"

    run = told(ringroad, crowd(tmp_path / "input", chained))
    assert run["links"] > 0
    assert max((each["size"] for each in run["rings"]), default=0) < 0.2 * PEOPLE


def test_one_dealer(ringroad: Run, tmp_path: Path) -> None:
    """A ring of five among four hundred customers of the only dealer, who all used its tablet."""

    def one_shop(n: int, rows: Rows) -> None:
        rows["applications"]["dealer_id"] = "D1"
        if n in range(200, 205):
            rows["payments"]["from_account_token"] = "acct_ring"
        rows["device_events"]["device_id"] = "fingerprint-ring" if n in range(200, 205) else "tablet-of-the-shop"

    run = told(ringroad, crowd(tmp_path / "input", one_shop))
    assert [each["application_ids"] for each in run["rings"][:1]] == [[f"A{n}" for n in range(200, 205)]]
    assert sum(each["size"] for each in run["rings"]) < 0.2 * PEOPLE


# Clocks ------------------------------------------------------------------------------------------------


def postponed(rows: Rows, later: datetime) -> None:
    for row in rows.values():
        row.update(dict.fromkeys({"submitted_at", "known_at"} & set(row), f"{later:%Y-%m-%d} 10:00:00"))


def test_an_application_of_the_future_does_not_move_the_default(ringroad: Run, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=400)

    def ahead(n: int, rows: Rows) -> None:
        if n > 18:
            postponed(rows, later)

    folder = crowd(tmp_path / "input", ahead, people=20)
    run = told(ringroad, folder)
    assert (run["as_of"], run["applications"]) == ("2025-03-02T08:00:00+00:00", 18)
    assert run["notes"] == [f"2 applications lie in the future, up to {later:%Y-%m-%d}, and count only with --as-of"]
    assert "2 applications lie in the future" in ringroad("rings").out
    assert "in the future" in ringroad("rings", "--since-last").out
    asked = ringroad("rings", "--as-of", f"{later:%Y-%m-%d}").out
    assert "2 applications of 120 days" in asked
    assert "count only with" not in asked
    assert "its time lies ahead" in asked


def test_only_applications_of_the_future(ringroad: Run, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=30)

    def ahead(_: int, rows: Rows) -> None:
        postponed(rows, later)

    assert ringroad("load", crowd(tmp_path / "input", ahead, people=5)).code == 0
    for more in ((), ("--since-last",)):
        run = ringroad("rings", *more)
        assert (run.code, f"all applications lie in the future, the first on {later:%Y-%m-%d}" in run.err) == (2, True)
    assert ringroad("rings", "--as-of", f"{later + timedelta(days=1):%Y-%m-%d}").code == 0


def test_known_before_it_was_submitted(ringroad: Run, tmp_path: Path) -> None:
    """Whatever the loader makes of it, it is no fault, and the default time stays among the others."""

    def early(n: int, rows: Rows) -> None:
        if n > 15:
            rows["applications"] |= {"submitted_at": "2031-01-01 10:00:00" if n > 18 else "2025-03-20 10:00:00"}

    run = told(ringroad, crowd(tmp_path / "input", early, people=20))
    assert run["as_of"][:4] == "2025"
    assert ringroad("rings").code == 0
    assert ringroad("rings", "--since-last").code == 0
