"""Who gets in, for how long, and who may change whom."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import select
from typer.testing import CliRunner

from graph.errors import InputError, NodeNotFound, NotAllowed, NotAuthenticated, StoreBusy
from graph.keyring import Keyring, VaultDamaged
from tests.workbench.door import CHEAP, Clock, cheap, clock, office, opened, user
from workbench import users as command
from workbench.casebook import audit, people
from workbench.casebook.people_tables import sessions, users
from workbench.services.access import passwords, second_factor
from workbench.services.access.door import AT_THE_DOOR, REFUSED, PasswordDue
from workbench.services.access.people import People
from workbench.services.access.roster import DEMO_USERS
from workbench.services.office import Office
from workbench.services.permissions import Act, Operator, Person, Role

__all__ = ["cheap", "clock", "office"]

PASSWORD, OTHER = "quiet-harbour-lantern-19", "orchard-sparrow-tuesday-4"


@pytest.fixture
def door(office: Office) -> People:
    return People(office, pause=lambda _: None)


def log(office: Office) -> list[tuple[str, str, str, dict[str, Any]]]:
    with office.casebook.reading() as db:
        return [(each.actor, each.action, each.subject, dict(each.detail)) for each in audit.each(db, audit.Asked())]


def refused(door: People, name: str, password: str, code: str | None = None) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        door.sign_in(name, password, code)
    return caught.value.message


# Signing in ----------------------------------------------------------------------------------------------


def test_a_session_opens_with_the_right_password_only(office: Office, door: People) -> None:
    lin = user(office, "lin", Role.INVESTIGATOR)
    opened = door.sign_in(" LIN ", PASSWORD)
    assert door.session(opened.token) == (lin, opened.csrf)
    assert refused(door, "lin", PASSWORD + "x") == refused(door, "nobody", PASSWORD) == REFUSED
    for token in ("", "x", opened.csrf, opened.token[:-1], opened.token + "\udcff"):
        with pytest.raises(NotAuthenticated):
            door.session(token)


def test_only_digests_are_kept_and_no_password_is_on_record(office: Office, door: People) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    opened = door.sign_in("lin", PASSWORD)
    refused(door, PASSWORD, "lin")  # the fields mixed up
    with office.casebook.reading() as db:
        kept = str([tuple(row) for table in (users, sessions) for row in db.execute(select(table))])
    assert opened.token not in kept
    assert people.digest(opened.token) in kept
    assert PASSWORD not in str(log(office)) + kept
    assert "$argon2id$" in kept


def test_everything_at_the_door_is_on_record(office: Office, door: People) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    refused(door, "lin", "wrong")
    refused(door, "who", "wrong")
    token = door.sign_in("lin", PASSWORD).token
    door.sign_out(token)
    door.sign_out(token)
    assert log(office) == [
        ("nobody", "sign_in.refused", "lin", {"because": "password"}),
        ("nobody", "sign_in.refused", "an unknown name", {"because": "unknown"}),
        ("lin", "sign_in", "lin", {"second_factor": False}),
        ("lin", "sign_out", "lin", {}),
    ]


def test_wrong_tries_make_the_next_wait_longer_and_longer(office: Office, door: People, clock: Clock) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    for _ in range(3):
        refused(door, "lin", "wrong")
    assert refused(door, "lin", PASSWORD) == REFUSED  # too soon, and nothing says so
    clock.passes(seconds=2)
    refused(door, "lin", "wrong")
    clock.passes(seconds=3)
    refused(door, "lin", PASSWORD)
    clock.passes(seconds=1)
    door.sign_in("lin", PASSWORD)
    refused(door, "lin", "wrong")  # the count began anew
    door.sign_in("lin", PASSWORD)
    assert [each[3]["because"] for each in log(office) if each[1] == "sign_in.refused"].count("early") == 2


def test_a_wait_is_never_longer_than_minutes(office: Office, door: People, clock: Clock) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    for _ in range(30):
        refused(door, "lin", "wrong")
        clock.passes(minutes=5)
    door.sign_in("lin", PASSWORD)


def test_tries_at_once_are_counted_before_they_are_judged(office: Office, door: People) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    judged = []
    real, together = passwords.right, threading.Barrier(3, timeout=10)

    def right(password: str, kept: str | None) -> bool:
        judged.append(kept)
        together.wait()
        return real(password, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "right", right)
        threads = [threading.Thread(target=refused, args=(door, "lin", f"wrong {n}")) for n in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(20)
    assert len(judged) == 3
    with office.casebook.reading() as db:
        assert people.known(db, "lin").failures == 3


def test_a_crowd_at_the_door_is_sent_away(office: Office, door: People, monkeypatch: pytest.MonkeyPatch) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    inside, go_on = threading.Barrier(AT_THE_DOOR + 1, timeout=10), threading.Event()

    def right(*_: object) -> bool:
        inside.wait()
        go_on.wait(10)
        return False

    monkeypatch.setattr(passwords, "right", right)
    threads = [threading.Thread(target=refused, args=(door, "lin", "wrong")) for _ in range(AT_THE_DOOR)]
    for each in threads:
        each.start()
    inside.wait()
    with pytest.raises(StoreBusy):
        door.sign_in("lin", PASSWORD)
    go_on.set()
    for each in threads:
        each.join(20)
    refused_again = threading.Thread(target=refused, args=(door, "nobody", "wrong"))
    monkeypatch.setattr(passwords, "right", lambda *_: False)
    refused_again.start()
    refused_again.join(20)
    assert log(office)[-1][2] == "an unknown name"


def test_a_refusal_takes_as_long_for_a_name_that_is_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    paused: list[float] = []
    door = People(office, pause=paused.append)
    hashed: list[str] = []
    monkeypatch.setattr(passwords, "HASHER", _Counting(hashed))
    refused(door, "lin", "wrong")
    refused(door, "nobody", "wrong")
    assert hashed == ["verify", "hash"]
    assert all(0.3 < each <= 0.6 for each in paused)
    assert len(paused) == 2


class _Counting:
    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self._seen.append(name)
        found: Callable[..., Any] = getattr(CHEAP, name)
        return found


def test_a_new_sign_in_has_a_new_token(office: Office, door: People) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    one, two = door.sign_in("lin", PASSWORD), door.sign_in("lin", PASSWORD)
    assert len({one.token, two.token, one.csrf, two.csrf}) == 4
    assert all(len(base64.urlsafe_b64decode(each + "=")) == 32 for each in (*one[:2], *two[:2]))


def test_a_hash_of_older_parameters_is_made_anew(office: Office, door: People, monkeypatch: pytest.MonkeyPatch) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    stronger = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", stronger)
    door.sign_in("lin", PASSWORD)
    with office.casebook.reading() as db:
        kept = people.known(db, "lin").password_hash
    assert not stronger.check_needs_rehash(kept)
    assert stronger.verify(kept, PASSWORD)


def test_hashes_are_argon2id_and_slow_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    made = passwords.HASHER
    assert (made.type.name, made.time_cost, made.memory_cost, made.parallelism) == ("ID", 3, 65536, 4)


# How long a session lasts --------------------------------------------------------------------------------


def test_a_session_ends_after_half_an_hour_untouched_and_after_twelve_anyway(
    office: Office, door: People, clock: Clock
) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    token = door.sign_in("lin", PASSWORD).token
    clock.passes(minutes=29)
    door.session(token)
    clock.passes(minutes=29)
    door.session(token, active=False)  # a screen that asks by itself
    clock.passes(minutes=2)
    with pytest.raises(NotAuthenticated):
        door.session(token)
    token = door.sign_in("lin", PASSWORD).token
    for _ in range(35):
        clock.passes(minutes=20)
        door.session(token)
    clock.passes(minutes=20)
    with pytest.raises(NotAuthenticated):
        door.session(token)


def test_sessions_end_with_whatever_changes_what_somebody_may_do(office: Office, door: People) -> None:
    lin, wang = user(office, "lin", Role.INVESTIGATOR), user(office, "wang", Role.MANAGER)

    def ended_by(act: Callable[[], object]) -> bool:
        tokens = [door.open_session("lin").token, door.open_session("lin").token]
        act()
        return not any(_lives(door, each) for each in tokens)

    assert ended_by(lambda: door.change_password(lin, PASSWORD, OTHER))
    assert ended_by(lambda: door.set_role(wang, "lin", "senior"))
    assert ended_by(lambda: door.disable(wang, "lin"))
    door.enable(wang, "lin")
    assert ended_by(lambda: door.reset_password(wang, "lin"))
    token = door.open_session("lin").token
    door.sign_out(token)
    assert not _lives(door, token)


def _lives(door: People, token: str) -> bool:
    try:
        door.session(token)
    except PasswordDue:
        return True
    except NotAuthenticated:
        return False
    return True


def test_old_sessions_leave_no_rows(office: Office, door: People, clock: Clock) -> None:
    user(office, "lin", Role.INVESTIGATOR)
    door.sign_in("lin", PASSWORD)
    clock.passes(days=8)
    door.sign_in("lin", PASSWORD)
    with office.casebook.reading() as db:
        assert len(db.execute(select(sessions)).all()) == 1


# Passwords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "", "short-one-1", "a long sentence, " * 17, "pass1word9pass",
        "aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "1234567890123", "20240203040506",
        "passwordpassword", "Password-1234!", "p@ssw0rd12345", "QwertyUiop12345", "admin.admin.2026", "woaini520131400",
        "linxlin2024!", "LINLINLINLINx",
    ],
)  # fmt: skip
def test_passwords_that_others_would_guess_are_refused(password: str) -> None:
    with pytest.raises(InputError) as caught:
        passwords.checked(password, name="linxlin")
    assert not password or password not in caught.value.message


def test_a_password_is_more_than_the_name() -> None:
    for password in ("zhaoxiaoming-Qx", "Qx-ZhaoXiaoMing"):
        with pytest.raises(InputError, match="user's name"):
            passwords.checked(password, name="zhaoxiaoming")


@pytest.mark.parametrize(
    "password", [PASSWORD, "我家门前有两棵老枣树与一口井", "correct horse battery staple", "xK9-vvQ2_mmR7"]
)
def test_passwords_of_ones_own_are_taken(password: str) -> None:
    assert passwords.checked(password, name="lin") == password


def test_a_password_given_by_somebody_else_opens_nothing_but_the_choice_of_another(
    office: Office, door: People
) -> None:
    wang = user(office, "wang", Role.MANAGER)
    given = door.add(wang, "Zhou", "Zhou Min", "senior", "zh")
    assert given.name == "zhou"
    token = door.sign_in("zhou", given.password).token
    with pytest.raises(PasswordDue):
        door.session(token)
    for wrong in (given.password, "too-short"):
        with pytest.raises(InputError):
            door.choose_password(token, wrong)
    opened = door.choose_password(token, OTHER)
    assert door.session(opened.token).person == Person("zhou", "Zhou Min", Role.SENIOR, "zh")
    assert not _lives(door, token)
    with pytest.raises(NotAllowed):  # there, the present one is asked for
        door.choose_password(opened.token, PASSWORD)
    assert refused(door, "zhou", given.password) == REFUSED


def test_the_present_password_is_asked_for_and_wrong_tries_count(office: Office, door: People, clock: Clock) -> None:
    lin = user(office, "lin", Role.INVESTIGATOR)
    for _ in range(3):
        with pytest.raises(NotAllowed):
            door.change_password(lin, "wrong", OTHER)
    with pytest.raises(NotAllowed):
        door.change_password(lin, PASSWORD, OTHER)
    clock.passes(minutes=5)
    with pytest.raises(InputError):
        door.change_password(lin, PASSWORD, PASSWORD)
    door.change_password(lin, PASSWORD, OTHER)
    door.sign_in("lin", OTHER)


# Second factor -------------------------------------------------------------------------------------------


def code(secret: second_factor.Secret, clock: Clock, *, ahead: float = 0) -> str:
    made = TOTP(base64.b32decode(secret.plain), 6, SHA1(), 30)
    return made.generate(int(clock.now.timestamp() + ahead)).decode()


def test_a_code_is_asked_for_once_it_was_confirmed_and_counts_once(office: Office, door: People, clock: Clock) -> None:
    lin = user(office, "lin", Role.INVESTIGATOR)
    secret = door.offer_second_factor(lin, PASSWORD)
    assert secret.plain in secret.uri
    assert secret.uri.startswith("otpauth://totp/Ringroad:lin?")
    door.sign_in("lin", PASSWORD)  # nothing is protected yet
    with pytest.raises(InputError):
        door.confirm_second_factor(lin, "000000")
    first = code(secret, clock)
    door.confirm_second_factor(lin, first)
    clock.passes(minutes=10)
    assert refused(door, "lin", PASSWORD) == refused(door, "lin", PASSWORD, "123") == REFUSED
    clock.passes(minutes=10)
    assert refused(door, "lin", PASSWORD, first) == REFUSED
    clock.passes(minutes=10)
    now = code(secret, clock)
    door.sign_in("lin", PASSWORD, f" {now[:3]} {now[3:]} ")
    assert refused(door, "lin", PASSWORD, now) == REFUSED
    assert refused(door, "lin", PASSWORD, code(secret, clock, ahead=-30)) == REFUSED  # older than the one taken
    door.sign_in("lin", PASSWORD, code(secret, clock, ahead=30))


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    plain = base64.b32encode(b"12345678901234567890").decode()
    ring = Keyring.demo()
    sealed = ring.seal(second_factor.KIND, ["lin"], [plain])[0]
    for at, expected in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        when = datetime.fromtimestamp(at, UTC)
        assert second_factor.taken(expected, "lin", sealed, last=-1, now=when, keyring=ring) == at // 30
        assert second_factor.taken(expected, "lin", sealed, last=at // 30, now=when, keyring=ring) is None
    for wrong in ("", "28708", "2870822", "２８７０８２", "abcdef", "\udcff28708"):
        assert (
            second_factor.taken(wrong, "lin", sealed, last=-1, now=datetime.fromtimestamp(59, UTC), keyring=ring)
            is None
        )


def test_a_secret_is_sealed_to_its_user(office: Office, door: People, clock: Clock) -> None:
    lin = user(office, "lin", Role.INVESTIGATOR)
    user(office, "sun", Role.INVESTIGATOR)
    secret = door.offer_second_factor(lin, PASSWORD)
    door.confirm_second_factor(lin, code(secret, clock))
    with office.casebook.writing() as db:
        kept = people.known(db, "lin")
        assert kept.totp_sealed is not None
        assert secret.plain.encode() not in kept.totp_sealed
        people.change(db, "sun", totp_sealed=kept.totp_sealed, totp_counter=0)
    with pytest.raises(VaultDamaged):
        door.sign_in("sun", PASSWORD, code(secret, clock, ahead=30))


def test_a_second_factor_ends_with_the_password_or_by_a_manager(office: Office, door: People, clock: Clock) -> None:
    lin, wang = user(office, "lin", Role.INVESTIGATOR), user(office, "wang", Role.MANAGER)
    door.confirm_second_factor(lin, code(door.offer_second_factor(lin, PASSWORD), clock))
    with pytest.raises(NotAllowed):
        door.end_second_factor(lin, "wrong")
    door.end_second_factor(lin, PASSWORD)
    door.sign_in("lin", PASSWORD)
    door.confirm_second_factor(lin, code(door.offer_second_factor(lin, PASSWORD), clock))
    door.drop_second_factor(wang, "lin")
    door.sign_in("lin", PASSWORD)


# The roster ----------------------------------------------------------------------------------------------


def test_only_a_manager_changes_users(office: Office, door: People) -> None:
    user(office, "sun", Role.INVESTIGATOR)
    acts: list[Callable[[Person], object]] = [
        door.listed,
        lambda who: door.add(who, "new", "New", "manager"),
        lambda who: door.set_role(who, "sun", "manager"),
        lambda who: door.rename(who, "sun", "Sun"),
        lambda who: door.disable(who, "sun"),
        lambda who: door.enable(who, "sun"),
        lambda who: door.reset_password(who, "sun"),
        lambda who: door.drop_second_factor(who, "sun"),
        door.demo,
    ]
    for role in Role:
        who = Person("somebody", "Somebody", role)
        assert who.may(Act.USERS) == (role is Role.MANAGER)
        if role is not Role.MANAGER:
            for act in acts:
                with pytest.raises(NotAllowed):
                    act(who)
    assert log(office) == []


def test_nobody_changes_his_own_rights(office: Office, door: People) -> None:
    wang = user(office, "wang", Role.MANAGER)
    user(office, "other", Role.MANAGER)
    for act in (
        lambda: door.set_role(wang, "wang", "senior"),
        lambda: door.disable(wang, "wang"),
        lambda: door.reset_password(wang, "wang"),
        lambda: door.drop_second_factor(wang, "wang"),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_last_manager_stays(office: Office, door: People) -> None:
    user(office, "wang", Role.MANAGER)
    root = Operator("wang")  # the machine's user of that name is not the workbench's
    for act in (lambda: door.disable(root, "wang"), lambda: door.set_role(root, "wang", "auditor")):
        with pytest.raises(InputError, match="last manager"):
            act()
    user(office, "other", Role.MANAGER)
    door.disable(root, "wang")
    with pytest.raises(InputError, match="last manager"):
        door.disable(root, "other")
    assert log(office)[-1][:3] == ("wang", "user.disabled", "wang")


def test_who_is_disabled_stays_out(office: Office, door: People) -> None:
    wang = user(office, "wang", Role.MANAGER)
    user(office, "lin", Role.INVESTIGATOR)
    token = door.sign_in("lin", PASSWORD).token
    door.disable(wang, "lin")
    assert not _lives(door, token)
    assert refused(door, "lin", PASSWORD) == REFUSED
    assert [each.name for each in door.colleagues(wang)] == ["wang"]
    door.enable(wang, "lin")
    door.sign_in("lin", PASSWORD)


@pytest.mark.parametrize("name", ["", "9lin", "林", "lin lin", "-lin", "x" * 33, "a/b", "<b>"])
def test_names_are_plain(office: Office, door: People, name: str) -> None:
    with pytest.raises(InputError):
        door.add(Operator("root"), name, "Somebody", "senior")


def test_what_is_none_is_said_so(office: Office, door: People) -> None:
    root = Operator("root")
    with pytest.raises(InputError):
        door.add(root, "lin", "Lin", "chief")
    with pytest.raises(InputError):
        door.add(root, "lin", "Lin", "senior", "fr")
    with pytest.raises(NodeNotFound):
        door.disable(root, "lin")
    door.add(root, "lin", "Lin", "senior")
    with pytest.raises(InputError, match="already"):
        door.add(root, "lin", "Lin", "senior")


def test_demo_users_only_where_nobody_else_is(tmp_path: Path, clock: Clock) -> None:
    with opened(tmp_path / "demo", clock) as office:
        door = People(office, pause=lambda _: None)
        first = door.demo(Operator("root"))
        again = door.demo(Operator("root"))
        assert [each.name for each in first] == [each.name for each in again] == list(DEMO_USERS)
        assert refused(door, first[0].name, first[0].password) == REFUSED
        for each in again:
            token = door.sign_in(each.name, each.password).token
            assert door.session(token).person.role == DEMO_USERS[each.name][1]
        user(office, "real", Role.SENIOR)
        with pytest.raises(NotAllowed):
            door.demo(Operator("root"))


# At the command line -------------------------------------------------------------------------------------


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `ringroad users …` in a home of its own; what it prints as JSON, or the error it fails with."""
    with opened(tmp_path / "home", Clock()):
        pass
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RINGROAD_CASEBOOK", raising=False)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(command.app, [*words, "--json"], catch_exceptions=True)
        if done.exception is not None:
            raise done.exception
        return json.loads(done.output)

    return run


def test_the_first_manager_is_made_at_the_command_line(at: Callable[..., Any]) -> None:
    given = at("add", "wang", "--role", "manager", "--display-name", "Wang Lei", "--author", "ops")
    (listed,) = at("list")
    assert (listed["name"], listed["role"], listed["created_by"]) == ("wang", "manager", "ops")
    assert listed["must_change_password"]
    assert given["password"] not in json.dumps(listed)
    assert "hash" not in json.dumps(listed)
    for words in (("disable", "wang"), ("role", "wang", "senior"), ("password", "wang", "--drop-second-factor")):
        with pytest.raises(InputError):
            at(*words)
    at("add", "lin")
    at("role", "lin", "senior")
    at("disable", "lin")
    assert [(each["role"], each["disabled_at"] is None) for each in at("list")] == [
        ("senior", False),
        ("manager", True),
    ]
    at("disable", "lin", "--undo")
    assert at("password", "lin")["password"] != given["password"]
    with pytest.raises(NotAllowed):
        at("demo", "--yes")


def test_demo_users_are_made_on_a_word_only(at: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="--yes"):
        at("demo")
    made = at("demo", "--yes")
    assert {each["name"]: each["role"] for each in made} == {name: role for name, (_, role) in DEMO_USERS.items()}
