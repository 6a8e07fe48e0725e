"""P17: no identifier without its entry in the log, and the entry comes first."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from graph.errors import InputError, NotAllowed, RingroadError
from graph.vault import NotInVault, Vault
from tests.workbench.door import Clock, cheap, clock, office
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.access.reveal import MOST_AN_HOUR, Reveals, TooManyReveals
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

__all__ = ["cheap", "clock", "office"]

ZHOU, SUN = Person("zhou", "Zhou Min", Role.SENIOR), Person("sun", "Sun Hao", Role.SENIOR)
PHONE, REASON = "+8613900001111", "compare with the number on the payslip"


@pytest.fixture
def token(office: Office) -> str:
    made = office.vault.token("phone", PHONE)
    office.vault.keep("phone", [made], office.vault.seal("phone", [made], [PHONE]))
    return made


def log(office: Office) -> list[audit.Entry]:
    with office.casebook.reading() as db:
        return list(audit.each(db, Asked()))


def test_a_senior_sees_it_and_the_log_says_who_what_and_why(office: Office, token: str) -> None:
    assert Reveals(office).reveal(ZHOU, "Phone", token, f"  {REASON}\n") == PHONE
    (entry,) = log(office)
    assert (entry.actor, entry.action, entry.subject, entry.reason) == ("zhou", "reveal", f"Phone~{token}", REASON)
    assert PHONE not in str(entry)


def test_the_entry_is_there_before_the_vault_is_asked(
    office: Office, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = Vault.reveal

    def asked(vault: Vault, kind: str, key: str) -> str:
        seen.append(len(log(office)))  # by another connection: what is committed
        return real(vault, kind, key)

    monkeypatch.setattr(Vault, "reveal", asked)
    Reveals(office).reveal(ZHOU, "Phone", token, REASON)
    assert seen == [1]


@pytest.mark.parametrize("error", [RingroadError("the disk is full"), RuntimeError("a fault")])
def test_without_its_entry_there_is_no_value(
    office: Office, token: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(audit, "write", failing)
    monkeypatch.setattr(Vault, "reveal", lambda *_: pytest.fail("the vault was asked"))
    with pytest.raises(type(error)):
        Reveals(office).reveal(ZHOU, "Phone", token, REASON)


def test_without_a_commit_there_is_no_value(office: Office, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that takes the entry and cannot keep it."""
    with office.casebook.writing() as db:
        db.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END"
        )
    monkeypatch.setattr(Vault, "reveal", lambda *_: pytest.fail("the vault was asked"))
    with pytest.raises(RingroadError):
        Reveals(office).reveal(ZHOU, "Phone", token, REASON)
    assert log(office) == []


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.MANAGER, Role.AUDITOR])
def test_other_roles_see_it_masked(office: Office, token: str, role: Role) -> None:
    with pytest.raises(NotAllowed):
        Reveals(office).reveal(Person("x", "X", role), "Phone", token, REASON)
    assert log(office) == []


@pytest.mark.parametrize(
    "reason", ["", "   ", "x", "because", "why not", "a b c d", "123 456", "电话", "......", "y e s"]
)
def test_a_reason_says_something(office: Office, token: str, reason: str) -> None:
    with pytest.raises(InputError):
        Reveals(office).reveal(ZHOU, "Phone", token, reason)
    assert log(office) == []


@pytest.mark.parametrize("reason", ["compare with payslip", "与工资单上的号码核对", "客户投诉 please check the number"])
def test_a_few_words_are_enough(office: Office, token: str, reason: str) -> None:
    assert Reveals(office).reveal(ZHOU, "Phone", token, reason) == PHONE


def test_a_reason_holds_no_identifier(office: Office, token: str) -> None:
    for reason in (f"the customer called from {PHONE} today", "the customer wrote from li@example.com today"):
        with pytest.raises(InputError) as caught:
            Reveals(office).reveal(ZHOU, "Phone", token, reason)
        assert PHONE not in caught.value.message


@pytest.mark.parametrize(
    ("type_", "key"), [("Application", "A1"), ("Nothing", "0" * 32), ("Phone", "A1"), ("Phone", "")]
)
def test_what_is_not_masked_is_not_asked_for(office: Office, type_: str, key: str) -> None:
    with pytest.raises(InputError):
        Reveals(office).reveal(ZHOU, type_, key, REASON)
    assert log(office) == []


def test_an_unknown_token_is_on_record_too(office: Office, token: str) -> None:
    with pytest.raises(NotInVault):
        Reveals(office).reveal(ZHOU, "Phone", "0" * 32, REASON)
    with pytest.raises(NotInVault):
        Reveals(office).reveal(ZHOU, "Device", token, REASON)  # another kind's
    assert [each.action for each in log(office)] == ["reveal", "reveal"]


def test_nobody_collects_them(office: Office, token: str, clock: Clock) -> None:
    reveals = Reveals(office)
    for _ in range(MOST_AN_HOUR):
        reveals.reveal(ZHOU, "Phone", token, REASON)
        clock.passes(minutes=1)
    with pytest.raises(TooManyReveals) as caught:
        reveals.reveal(ZHOU, "Phone", token, REASON)
    assert caught.value.status == 429
    reveals.reveal(SUN, "Phone", token, REASON)  # each person for himself
    clock.passes(minutes=31)
    reveals.reveal(ZHOU, "Phone", token, REASON)
    assert len(log(office)) == MOST_AN_HOUR + 2


def test_no_log_line_holds_the_value(office: Office, token: str, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        Reveals(office).reveal(ZHOU, "Phone", token, REASON)
    assert PHONE not in caplog.text
