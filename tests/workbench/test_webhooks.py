"""Subscriptions keep no secret; what the casebook recorded is told once, and never what a person wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from graph.errors import InputError, NodeNotFound
from graph.keyring import KeyFileError, Keyring
from graph.rings import Ring, Shared
from workbench.casebook import labels, runs, tables
from workbench.casebook.opening import Casebook
from workbench.webhooks import events, hooks
from workbench.webhooks.addresses import Policy, Refused
from workbench.webhooks.growing import Standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAY, JUNE, JULY, AUGUST = (datetime(2025, month, 30, 16, tzinfo=UTC) for month in (5, 6, 7, 8))
WINDOW = frozenset("abcdefghijklmnopqrstuvwxyz")
PHONE, NAME = "13800138000", "Zhang San"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "vault.key")


def add(
    casebook: Casebook, keyring: Keyring, url: str = "https://hooks.example/x", *kinds: str, at: datetime = NOW
) -> int:
    with casebook.writing() as db:
        made = hooks.add(db, url, kinds or hooks.KINDS, keyring=keyring, policy=Policy(), author="ann", now=at)
    return made.hook.id


def ring(rank: int, members: str, money: float | None = None, score: float = 0.5) -> Ring:
    shared = Shared("Device", "USED_DEVICE", "0" * 32, PHONE, tuple(members), len(members))
    exposure = 1000.0 * len(members) if money is None else money
    because = f"they share the phone {PHONE} of {NAME}"
    days = ("2025-05-01", "2025-05-02")
    return Ring(
        f"RN{min(members)}", rank, score, tuple(sorted(members)), *days, exposure, 500.0, "T08", because, (shared,)
    )


def run(casebook: Casebook, *found: Ring | str, as_of: datetime, now: datetime = NOW) -> runs.Change:
    rings = [each if isinstance(each, Ring) else ring(rank, each) for rank, each in enumerate(found, start=1)]
    with casebook.writing() as db:
        return runs.record(db, rings, runs.Run(as_of, 120, as_of, 7, WINDOW), now=now)


def told(casebook: Casebook, kind: str = "") -> list[dict[str, Any]]:
    with casebook.reading() as db:
        rows = db.execute(select(tables.webhook_events).order_by(tables.webhook_events.c.id)).all()
    return [dict(row.content) | {"kind": row.kind} for row in rows if row.kind.startswith(kind)]


def deliveries(casebook: Casebook) -> list[tuple[int, int]]:
    with casebook.reading() as db:
        columns = (tables.webhook_deliveries.c.event_id, tables.webhook_deliveries.c.webhook_id)
        return [(row[0], row[1]) for row in db.execute(select(*columns).order_by(*columns))]


def publish(casebook: Casebook) -> list[tuple[str, str]]:
    """(kind, ring) of what is new."""
    before = len(told(casebook))
    number = events.publish(casebook, now=NOW)
    fresh = told(casebook)[before:]
    assert len(fresh) == number
    return [(each["kind"], each.get("ring_id", "")) for each in fresh]


# Subscriptions ----------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_kept_nowhere(casebook: Casebook, keyring: Keyring, tmp_path: Path) -> None:
    with casebook.writing() as db:
        made = hooks.add(
            db, "https://hooks.example/x", hooks.KINDS, keyring=keyring, policy=Policy(), author="ann", now=NOW
        )
    assert made.secret.startswith("whsec_")
    assert len(made.secret) == len("whsec_") + 44
    key = made.secret.removeprefix("whsec_")
    with casebook.reading() as db:
        rows = repr(db.execute(select(tables.webhooks)).all()).encode()
    kept = rows + b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert made.hook.salt.encode() in kept
    for secret in (key.encode(), key.rstrip("=").encode(), *made.hook.keys(keyring, now=NOW)):
        assert secret not in kept
    assert key not in repr(made)
    assert made.hook.salt not in repr(made)
    assert not [name for name in made.hook.shown() if "salt" in name]


def test_another_key_file_makes_another_secret_and_rotated_vault_keys_the_same(
    casebook: Casebook, keyring: Keyring, tmp_path: Path
) -> None:
    add(casebook, keyring)
    with casebook.reading() as db:
        hook = hooks.get(db, 1)
    before = hook.keys(keyring, now=NOW)
    copy = Keyring.open(Path(shutil.copy2(tmp_path / "vault.key", tmp_path / "copy.key")))
    keyring.add_seal_version()
    keyring.begin_rotation()
    keyring.end_rotation(keep=2)
    assert hook.keys(keyring, now=NOW) == before
    other = Keyring.create(tmp_path / "other.key")
    assert hook.keys(other, now=NOW) != before
    add(casebook, keyring, "https://hooks.example/y")
    with casebook.reading() as db:
        later = hooks.get(db, 2)
    with pytest.raises(KeyFileError, match="seal version 2"):
        later.keys(copy, now=NOW)


def test_two_secrets_sign_for_a_day_after_a_rotation(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring)
    with casebook.writing() as db:
        first = hooks.get(db, 1).keys(keyring, now=NOW)
        made = hooks.rotate(db, 1, keyring=keyring, author="bob", now=NOW)
    day = timedelta(days=1)
    new = made.hook.keys(keyring, now=NOW + day)
    assert len(new) == 1
    assert new != first
    assert made.hook.keys(keyring, now=NOW + day - timedelta(seconds=1)) == (*new, *first)
    assert (made.hook.rotated_by, made.hook.rotated_at) == ("bob", NOW)
    with casebook.writing() as db:
        leaked = hooks.rotate(db, 1, keyring=keyring, author="bob", now=NOW, at_once=True)
    assert len(leaked.hook.keys(keyring, now=NOW)) == 1


def test_what_cannot_be_added_is_refused(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring)
    with pytest.raises(InputError, match="webhook 1 tells this address already"):
        add(casebook, keyring)
    with pytest.raises(InputError, match=r"ring\.died is never told"):
        add(casebook, keyring, "https://hooks.example/y", "ring.died")
    with pytest.raises(InputError, match="never told"):
        add(casebook, keyring, "https://hooks.example/y", hooks.TEST)
    with pytest.raises(Refused, match="plain HTTP"):
        add(casebook, keyring, "http://hooks.example/y")
    with casebook.writing() as db, pytest.raises(InputError, match="say who"):
        hooks.add(db, "https://hooks.example/y", hooks.KINDS, keyring=keyring, policy=Policy(), author=" ", now=NOW)


def test_fifty_are_the_most_and_an_ended_one_makes_room(casebook: Casebook, keyring: Keyring) -> None:
    for number in range(50):
        add(casebook, keyring, f"https://hooks.example/{number}")
    with pytest.raises(InputError, match="50 webhooks"):
        add(casebook, keyring, "https://hooks.example/more")
    with casebook.writing() as db:
        hooks.end(db, 7, author="bob", now=NOW)
    assert add(casebook, keyring, "https://hooks.example/more") == 51
    with casebook.reading() as db:
        ended = [each for each in hooks.listed(db) if each.ended_at]
    assert [(each.id, each.ended_by, each.author) for each in ended] == [(7, "bob", "ann")]


def test_what_is_unknown_or_has_ended_is_said(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring)
    with casebook.writing() as db:
        hooks.end(db, 1, author="bob", now=NOW)
        for action in (
            lambda: hooks.end(db, 1, author="bob", now=NOW),
            lambda: hooks.rotate(db, 1, keyring=keyring, author="bob", now=NOW),
            lambda: events.trial(db, 1, now=NOW),
        ):
            with pytest.raises(InputError, match="webhook 1 ended"):
                action()
        with pytest.raises(NodeNotFound, match="no webhook 9"):
            hooks.get(db, 9)


# Rings ------------------------------------------------------------------------------------------------


def test_rings_are_told_when_born_and_when_they_grow(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", "fghi", as_of=MAY)
    assert publish(casebook) == [("ring.born", "RNa"), ("ring.born", "RNf")]
    assert publish(casebook) == []
    run(casebook, "abcd", "fghi", as_of=JUNE)
    assert publish(casebook) == [("ring.grew", "RNa")]
    [grew] = told(casebook, "ring.grew")
    assert grew == {
        "kind": "ring.grew", "ring_id": "RNa", "as_of": "2025-06-30T16:00:00.000Z", "run": 2, "rank": 1,
        "score": 0.5, "size": 4, "exposure": 4000.0, "undisbursed": 500.0, "typology": "T08",
        "application_ids": ["a", "b", "c", "d"], "new_application_ids": ["d"], "grew_in": ["money", "members"],
        "before": {"exposure": 3000.0, "score": 0.5, "size": 3}, "trace_id": grew["trace_id"],
    }  # fmt: skip
    assert len(grew["trace_id"]) == 32


@pytest.mark.parametrize(
    ("now", "grew"),
    [
        (Standing(2, 0.5, 1199.0, frozenset("abc")), ()),
        (Standing(2, 0.5, 1200.0, frozenset("abc")), ("money",)),
        (Standing(2, 0.599, 1000.0, frozenset("abc")), ()),
        (Standing(2, 0.6, 1000.0, frozenset("abc")), ("risk",)),
        (Standing(2, 0.5, 1000.0, frozenset("abx")), ("members",)),
        (Standing(2, 0.1, 10.0, frozenset("ab")), ()),
        (Standing(2, 0.5, 1000.0, frozenset("abc"), revived=True), ("revival",)),
        (Standing(1, 0.5, 1000.0, frozenset("abc"), revived=True), ()),
    ],
)
def test_what_counts_as_growth(now: Standing, grew: Sequence[str]) -> None:
    assert now.grew_in(Standing(1, 0.5, 1000.0, frozenset("abc"))) == grew


def test_growth_from_nothing_counts_and_nothing_from_nothing_does_not() -> None:
    nothing = Standing(1, 0.0, 0.0, frozenset("abc"))
    assert nothing.grew_in(nothing) == ()
    assert replace(nothing, exposure=1.0).grew_in(nothing) == ("money",)


def test_small_steps_add_up(casebook: Casebook, keyring: Keyring) -> None:
    """Each night is compared with what was last told, not with the night before."""
    add(casebook, keyring, at=MAY)
    found = []
    for step, factor in enumerate((1.0, 1.15, 1.3, 1.45, 1.6)):
        run(casebook, ring(1, "abc", 1000.0 * factor), as_of=MAY + timedelta(days=step))
        found += [(step, kind) for kind, _ in publish(casebook)]
    assert found == [(0, "ring.born"), (2, "ring.grew"), (4, "ring.grew")]


def test_nights_that_nobody_read_are_told_one_by_one(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", as_of=MAY)
    run(casebook, "abcd", as_of=JUNE)
    run(casebook, "abcde", "fgh", as_of=JULY)
    assert publish(casebook) == [
        ("ring.born", "RNa"), ("ring.grew", "RNa"), ("ring.grew", "RNa"), ("ring.born", "RNf"),
    ]  # fmt: skip
    assert [each["application_ids"] for each in told(casebook, "ring")][:3] == [
        list("abc"),
        list("abcd"),
        list("abcde"),
    ]


def test_members_are_those_of_the_run_that_is_told(casebook: Casebook, keyring: Keyring) -> None:
    """Neither who has left by then nor who came or left later."""
    add(casebook, keyring, at=MAY)
    run(casebook, "abcd", as_of=MAY)
    run(casebook, "bcdx", as_of=JUNE)
    run(casebook, "cdxyz", as_of=JULY)
    publish(casebook)
    assert ["".join(each["application_ids"]) for each in told(casebook)] == ["abcd", "bcdx", "cdxyz"]


def test_what_was_there_before_the_first_webhook_is_told_to_nobody(casebook: Casebook, keyring: Keyring) -> None:
    run(casebook, "abc", "fgh", as_of=MAY, now=NOW)
    assert publish(casebook) == [], "without a webhook nothing is read"
    add(casebook, keyring, at=NOW + timedelta(hours=1))
    assert publish(casebook) == []
    later = NOW + timedelta(hours=2)
    run(casebook, ring(1, "abc", 3400.0), ring(2, "fghi"), as_of=JUNE, now=later)
    assert publish(casebook) == [("ring.grew", "RNf")], "compared with how it stood when telling began"
    run(casebook, ring(1, "abc", 3800.0), ring(2, "fghi"), as_of=JULY, now=later)
    assert publish(casebook) == [("ring.grew", "RNa")], "+13 % and +12 % since then"
    assert told(casebook, "ring.grew")[-1]["before"] == {"exposure": 3000.0, "score": 0.5, "size": 3}


def test_a_ring_found_again_is_told(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", as_of=MAY)
    run(casebook, as_of=JUNE)
    run(casebook, "abc", as_of=JULY)
    assert publish(casebook) == [("ring.born", "RNa"), ("ring.grew", "RNa")]
    assert told(casebook)[-1]["grew_in"] == ["revival"]
    run(casebook, "abc", as_of=JULY, now=NOW + timedelta(hours=1))
    assert publish(casebook) == []


def test_a_run_on_better_data_tells_what_is_new_in_it_only(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", "fgh", as_of=MAY)
    publish(casebook)
    run(casebook, "abc", "fgh", as_of=MAY, now=NOW + timedelta(hours=1))
    assert publish(casebook) == []
    run(casebook, "abcd", "fgh", "klm", as_of=MAY, now=NOW + timedelta(hours=2))
    assert publish(casebook) == [("ring.grew", "RNa"), ("ring.born", "RNk")]
    run(casebook, "abcde", "fgh", as_of=MAY, now=NOW + timedelta(hours=3))
    assert publish(casebook) == [("ring.grew", "RNa")]
    assert told(casebook)[-1]["new_application_ids"] == ["e"]


def test_who_wants_it_and_was_there_gets_it(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    add(casebook, keyring, "https://hooks.example/labels", "label.confirmed", at=MAY)
    add(casebook, keyring, "https://hooks.example/ended", at=MAY)
    add(casebook, keyring, "https://hooks.example/late", at=NOW + timedelta(seconds=1))
    with casebook.writing() as db:
        hooks.end(db, 3, author="bob", now=NOW)
    run(casebook, "abc", as_of=MAY)
    publish(casebook)
    assert deliveries(casebook) == [(1, 1)]


# Labels and models ------------------------------------------------------------------------------------


def label(casebook: Casebook, key: str, **other: Any) -> int:
    said = labels.Label(
        application_id="APP1", label="CONFIRMED_FRAUD", source="police", maturity="final", author="ann",
        occurred_at=MAY, typology="T08", evidence_level="E1", second_author="bob", note=f"his wife {NAME} called",
    )  # fmt: skip
    with casebook.writing() as db:
        return labels.add(db, replace(said, **other), request_key=key, now=NOW).id


def test_confirmed_labels_are_told_and_others_are_not(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    label(casebook, "alone", second_author="")
    label(casebook, "not final", maturity="provisional")
    label(casebook, "cleared", label="CLEARED_BENIGN", typology="B01", evidence_level="")
    number = label(casebook, "both")
    assert publish(casebook) == [("label.confirmed", "")]
    assert publish(casebook) == []
    [content] = told(casebook)
    trace = content.pop("trace_id")
    assert content == {
        "kind": "label.confirmed", "label": number, "application_id": "APP1", "typology": "T08",
        "evidence_level": "E1", "source": "police", "maturity": "final", "occurred_at": "2025-05-30T16:00:00.000Z",
        "as_of": "2026-01-01T00:00:00.000Z", "supersedes": None,
    }  # fmt: skip
    label(casebook, "again", application_id="APP2")
    assert publish(casebook) == [("label.confirmed", "")]
    assert told(casebook)[-1]["trace_id"] != trace


def test_labels_from_before_the_first_webhook_are_not_told(casebook: Casebook, keyring: Keyring) -> None:
    label(casebook, "old")
    add(casebook, keyring, at=NOW + timedelta(seconds=1))
    assert publish(casebook) == []


def test_a_degraded_model_is_told_once_a_day(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    evening = datetime(2026, 1, 1, 15, 59, tzinfo=UTC)  # 23:59 in China
    said = []
    for at in (evening - timedelta(hours=1), evening, evening + timedelta(minutes=1)):
        with casebook.writing() as db:
            said.append(
                events.degraded(db, "20251001T080000-1f3a9c2e", "psi", {"psi": 0.31, "limit": float("nan")}, at)
            )
    assert said == [True, False, True]
    assert told(casebook)[0]["numbers"] == {"psi": 0.31, "limit": None}
    assert len(deliveries(casebook)) == 2


def test_no_words_get_in_as_the_name_of_a_number(casebook: Casebook) -> None:
    for version, what, numbers in (
        (f"v {PHONE}", "psi", {}), ("v1", f"called {NAME}", {}), ("v1", "psi", {f"of {NAME}": 1.0}),
    ):  # fmt: skip
        with casebook.writing() as db, pytest.raises(InputError) as error:
            events.degraded(db, version, what, numbers, NOW)
        assert PHONE not in str(error.value)
        assert NAME not in str(error.value)


def test_no_identifier_and_no_note_is_kept_for_telling(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", as_of=MAY)
    run(casebook, ring(1, "abcd"), as_of=JUNE)
    label(casebook, "one")
    publish(casebook)
    assert len(told(casebook)) == 3
    kept = json.dumps(told(casebook), ensure_ascii=False)
    for canary in (PHONE, NAME, "wife", "ann", "bob", "share", "0" * 32):
        assert canary not in kept


# Once, whatever happens -------------------------------------------------------------------------------

AGAIN = """
import sys
from datetime import UTC, datetime
from workbench.casebook.opening import Casebook
from workbench.webhooks import events
with Casebook.open(sys.argv[1]) as casebook:
    print(events.publish(casebook, now=datetime(2026, 1, 1, tzinfo=UTC)))
"""


def test_two_processes_tell_everything_once(casebook: Casebook, keyring: Keyring) -> None:
    add(casebook, keyring, at=MAY)
    for day in range(9):
        run(casebook, "abcdefghijklm"[: 3 + day], "nopqr", as_of=MAY + timedelta(days=day))
    command = [sys.executable, "-c", AGAIN, casebook.url.render_as_string()]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    numbers = [int(each.communicate(timeout=120)[0]) for each in both]
    assert sorted(numbers) == [0, 0, len(told(casebook))]
    assert [(each["kind"], each["ring_id"]) for each in told(casebook)] == [
        ("ring.born", "RNa"), ("ring.born", "RNn"), *[("ring.grew", "RNa")] * 8,
    ]  # fmt: skip


def test_stopped_anywhere_it_is_told_once(
    casebook: Casebook, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(casebook, keyring, at=MAY)
    run(casebook, "abc", as_of=MAY)
    label(casebook, "one")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("_known", "_numbered", "_delivery", "_keep", "_label"):
        with monkeypatch.context() as patched:
            patched.setattr(events, name, killed)
            with pytest.raises(KeyboardInterrupt):
                events.publish(casebook, now=NOW)
        assert told(casebook) == [], name
    assert publish(casebook) == [("ring.born", "RNa"), ("label.confirmed", "")]
    assert deliveries(casebook) == [(1, 1), (2, 1)]
