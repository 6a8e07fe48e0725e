"""API keys: known by a digest only, refused alike whatever is wrong, and good while the casebook is down."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from graph.errors import InputError, NodeNotFound, NotAllowed, NotAuthenticated, StoreError
from workbench.casebook import keys, tables
from workbench.casebook.keys import SCOPES, UNKNOWN, Key, Keys, Made
from workbench.casebook.opening import Casebook, CasebookError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def made(casebook: Casebook, owner: str = "engine", *scopes: str, at: datetime = NOW, **how: Any) -> Made:
    with casebook.writing() as db:
        return keys.create(
            db,
            owner=owner,
            scopes=scopes or ["score"],
            author="li",
            now=at,
            per_second=how.pop("per_second", 50),
            **how,
        )


def revoked(casebook: Casebook, kid: str, *, at: datetime = NOW) -> None:
    with casebook.writing() as db:
        keys.revoke(db, kid, author="wang", now=at)


# On record ---------------------------------------------------------------------------------------------


def test_a_key_opens_what_it_was_made_for(casebook: Casebook) -> None:
    one = made(casebook, "engine", "events", "score", per_second=200)
    key = Keys.of(casebook).check(one.presented, "score", NOW)
    assert key == one.key
    assert (key.owner, key.scopes, key.per_second) == ("engine", ("score", "events"), 200)
    assert key.expires_at == NOW + timedelta(days=365)


def test_the_secret_is_long_and_not_kept(casebook: Casebook) -> None:
    one = made(casebook)
    kid, secret = one.presented.split(".")
    assert kid == one.key.kid
    assert len(secret) >= 43, "256 bits in base64"
    with casebook.reading() as db:
        (row,) = db.execute(select(tables.api_keys)).all()
        shown = repr(keys.listed(db))
    assert row.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(tuple(row))
    assert secret not in shown
    assert row.secret_sha256 not in shown


def test_no_two_keys_are_alike(casebook: Casebook) -> None:
    secrets = {made(casebook, f"engine {chr(97 + number)}").presented for number in range(20)}
    assert len({each.partition(".")[2] for each in secrets}) == len({each.partition(".")[0] for each in secrets}) == 20


def test_an_owner_rotates_with_two_keys_and_no_third(casebook: Casebook) -> None:
    first, second = made(casebook), made(casebook)
    with pytest.raises(InputError, match=f"engine has 2 keys .*{first.key.kid}.*revoke one"):
        made(casebook)
    made(casebook, "another")
    asked = Keys.of(casebook)
    assert {asked.check(each.presented, "score", NOW).kid for each in (first, second)} == {
        first.key.kid, second.key.kid,
    }  # fmt: skip
    revoked(casebook, first.key.kid)
    asked.refresh()
    asked.check(second.presented, "score", NOW)
    with pytest.raises(NotAuthenticated, match="revoked"):
        asked.check(first.presented, "score", NOW)
    made(casebook)


def test_an_expired_key_makes_room(casebook: Casebook) -> None:
    made(casebook, lasts=DAY)
    made(casebook, lasts=DAY)
    assert made(casebook, at=NOW + DAY).key.created_at == NOW + DAY


def test_what_cannot_be_revoked(casebook: Casebook) -> None:
    one = made(casebook)
    revoked(casebook, one.key.kid)
    with pytest.raises(InputError, match="was revoked before"):
        revoked(casebook, one.key.kid)
    with pytest.raises(NodeNotFound, match="no API key 'rr0'"):
        revoked(casebook, "rr0")
    with casebook.reading() as db:
        (key,) = keys.listed(db)
    assert (key.revoked_at, key.revoked_by, key.lives(NOW)) == (NOW, "wang", False)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"scopes": ["score", "all"]}, "scope 'all' is none; there are score, events"),
        ({"scopes": []}, "needs a scope"),
        ({"owner": " "}, "owner is empty"),
        ({"owner": "x" * 65}, "owner has 65 characters"),
        ({"per_second": 0.0}, "per_second is 0"),
        ({"per_second": float("nan")}, "per_second is nan"),
        ({"per_second": 1e9}, "up to 10000"),
        ({"lasts": timedelta()}, "1 to 3650 days"),
        ({"lasts": timedelta(days=3651)}, "1 to 3650 days"),
    ],
)
def test_keys_that_cannot_be_made(casebook: Casebook, how: dict[str, Any], words: str) -> None:
    told = {"owner": "engine", "scopes": ["score"], "per_second": 50.0} | how
    with casebook.writing() as db, pytest.raises(InputError, match=words):
        keys.create(db, author="li", now=NOW, **told)
    with casebook.reading() as db:
        assert list(keys.listed(db)) == []


# At the door -------------------------------------------------------------------------------------------

SECRET = "s" * 43


def key(**changed: Any) -> Key:
    told = {
        "kid": "rr1", "owner": "engine", "scopes": ("score",), "per_second": 50.0, "author": "li", "created_at": NOW,
        "expires_at": NOW + DAY, "revoked_at": None, "revoked_by": None,
    }  # fmt: skip
    return Key(**(told | changed))


def ring(**changed: Any) -> dict[str, tuple[Key, str]]:
    return {"rr1": (key(**changed), hashlib.sha256(SECRET.encode()).hexdigest())}


def door(read: Callable[[], Any] = ring, **how: Any) -> Keys:
    asked = Keys(read, **how)
    asked.refresh()
    return asked


@pytest.mark.parametrize(
    "presented",
    ["", ".", "rr1", "rr1.", f"rr1.{SECRET}s", f"rr1.{SECRET[1:]}", f"rr2.{SECRET}", SECRET, f".{SECRET}", "rr1.\ud800",
     f" rr1.{SECRET}", f"rr1.{SECRET} ", f"rr1..{SECRET}", "x" * 100_000],
)  # fmt: skip
def test_an_unknown_key_and_a_wrong_secret_are_refused_alike(presented: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        door().check(presented, "score", NOW)
    assert (str(refused.value), refused.value.status) == (UNKNOWN, 401)


@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_else_opens(kid: str, secret: str) -> None:
    with pytest.raises(NotAuthenticated):
        door().check(f"{kid}.{secret}", "score", NOW)


def test_secrets_are_compared_in_constant_time_also_for_unknown_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(keys.hmac, "compare_digest", compare)
    asked = door()
    for presented in (f"rr1.{SECRET}", "rr1.wrong", f"rr2.{SECRET}"):
        try:
            asked.check(presented, "score", NOW)
        except NotAuthenticated:
            continue
    assert [len(one) == len(other) == 64 for one, other in compared] == [True] * 3


def test_a_scope_that_a_key_does_not_have() -> None:
    asked = door(lambda: ring(scopes=("events",)))
    for scope in SCOPES:
        if scope == "events":
            assert asked.check(f"rr1.{SECRET}", scope, NOW).kid == "rr1"
            continue
        with pytest.raises(NotAllowed, match=f"may events, not {scope}") as refused:
            asked.check(f"rr1.{SECRET}", scope, NOW)
        assert refused.value.status == 403


def test_a_key_ends_on_its_day_and_only_its_owner_is_told() -> None:
    asked = door()
    asked.check(f"rr1.{SECRET}", "score", NOW + DAY - timedelta(microseconds=1))
    with pytest.raises(NotAuthenticated, match="expired 2026-01-02"):
        asked.check(f"rr1.{SECRET}", "score", NOW + DAY)
    with pytest.raises(NotAuthenticated, match="unknown"):
        asked.check("rr1.wrong", "score", NOW + DAY)


class Desk:
    """A casebook that can be down, and a clock."""

    def __init__(self) -> None:
        self.content: dict[str, tuple[Key, str]] = ring()
        self.down, self.now, self.reads = False, 0.0, 0
        self.answers = threading.Event()
        self.answers.set()

    def read(self) -> dict[str, tuple[Key, str]]:
        self.reads += 1
        self.answers.wait(60)
        if self.down:
            raise CasebookError("casebook: no route to host")
        return self.content

    def keys(self) -> Keys:
        return Keys(self.read, every=3, clock=lambda: self.now)


def soon(holds: Callable[[], bool]) -> bool:
    for _ in range(6000):
        if holds():
            return True
        time.sleep(0.005)
    return False


def opens(asked: Keys) -> bool:
    try:
        asked.check(f"rr1.{SECRET}", "score", NOW)
    except NotAuthenticated:
        return False
    return True


def test_a_revoked_key_opens_nothing_after_the_next_reading() -> None:
    desk = Desk()
    asked = desk.keys()
    asked.refresh()
    desk.content = {}
    desk.now = 2.9
    assert opens(asked)
    assert desk.reads == 1
    desk.now = 3.0
    assert soon(lambda: not opens(asked))


def test_while_the_casebook_is_down_the_last_known_keys_hold_and_say_how_old_they_are() -> None:
    desk = Desk()
    asked = desk.keys()
    assert asked.age == float("inf")
    assert asked.refresh()
    desk.down = True
    for desk.now in (10.0, 20.0, 600.0):
        reads = desk.reads
        assert opens(asked)
        assert soon(lambda reads=reads: desk.reads > reads), "it is asked again and again"  # type: ignore[misc]
    assert asked.age == 600
    assert not asked.refresh()
    desk.down, desk.now = False, 700.0
    assert opens(asked)
    assert soon(lambda: asked.age == 0)


def test_where_keys_were_never_read_nobody_is_called_unknown() -> None:
    desk = Desk()
    desk.down = True
    asked = desk.keys()
    with pytest.raises(StoreError, match="cannot be read") as refused:
        asked.check(f"rr1.{SECRET}", "score", NOW)
    assert refused.value.status == 503
    assert soon(lambda: desk.reads == 1)
    desk.down, desk.now = False, 3.0

    def there() -> bool:
        try:
            return opens(asked)
        except StoreError:
            return False

    assert soon(there)


def test_no_call_waits_for_a_casebook_that_hangs() -> None:
    desk = Desk()
    asked = desk.keys()
    asked.refresh()
    desk.answers.clear()
    try:
        begun = time.monotonic()
        for desk.now in range(100, 200):
            assert opens(asked)
        assert time.monotonic() - begun < 30
        assert soon(lambda: desk.reads == 2), "and one reading waits, not a hundred"
    finally:
        desk.answers.set()


def test_a_casebook_that_is_damaged_when_the_service_begins(tmp_path: Path) -> None:
    file = tmp_path / "casebook.sqlite"
    with Casebook.open(f"sqlite:///{file}") as casebook:
        one = made(casebook)
        casebook.close()
        file.rename(tmp_path / "aside")
        file.write_bytes(b"nonsense" * 999)
        asked = Keys.of(casebook)
        assert asked.age == float("inf")
        with pytest.raises(StoreError, match="cannot be read"):
            asked.check(one.presented, "score", NOW)
        (tmp_path / "aside").rename(file)
        assert asked.refresh()
        assert asked.check(one.presented, "score", NOW) == one.key
        assert asked.age < 60
