"""A letter goes out once: to servers that take it, refuse it, hang, and die when they have it."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from graph.errors import InputError, NodeNotFound
from graph.settings import Settings
from tests.schedule import post_office
from tests.schedule.conftest import NIGHT, Clock
from tests.schedule.test_tick import _until
from tests.service.conftest import environment, free_port
from workbench.casebook import report_mails
from workbench.casebook.opening import Casebook
from workbench.casebook.report_mails import LEASE, Letter
from workbench.schedule import mail, post, slots
from workbench.schedule.job import Did, Turn
from workbench.schedule.mail_settings import MailSettings
from workbench.schedule.post import Ended, Outcome, hand_over
from workbench.schedule.settings import Plan
from workbench.schedule.slots import Cadence

ANN, BOB = "ann@lender.example", "bob@lender.example"
PAGES = {"zh.pdf": b"%PDF-1.7 zh", "en.pdf": b"%PDF-1.7 en", "en.html": "<p>报告</p>".encode()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "daily" / "2025-07-01"
    folder.mkdir(parents=True)
    for name, content in PAGES.items():
        (folder / f"ringroad-daily-2025-07-01-{name}").write_bytes(content)
    (folder / "ringroad-daily-2025-07-01-en-01-table.csv").write_text("a,b\n")
    return tmp_path


@pytest.fixture
def kept(home: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{home / 'casebook.sqlite'}") as opened:
        yield opened


def deliver(home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, there: MailSettings | None) -> Did:
    monkeypatch.setattr(MailSettings, "read", classmethod(lambda cls: there))
    slot = slots.of(Cadence.DAILY, clock.now)
    return mail.deliver(Turn(Settings.read({"RINGROAD_HOME": str(home)}), Plan(), slot, clock))


def queued(casebook: Casebook, *recipients: str) -> None:
    with casebook.writing() as db:
        report_mails.queue(db, "daily", "2025-07-01", recipients, now=NIGHT)


def letters(casebook: Casebook) -> dict[str, Letter]:
    with casebook.reading() as db:
        return {each.recipient: each for each in report_mails.listed(db)}


def statuses(casebook: Casebook) -> list[str]:
    return [each.status for each in letters(casebook).values()]


# Sending -------------------------------------------------------------------------------------------------


def test_each_gets_one_letter_with_the_pages(home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    queued(kept, ANN, BOB, ANN)
    queued(kept, ANN)
    with post_office.opened() as office:
        assert deliver(home, Clock(), monkeypatch, office.settings) == Did({"sent": 2})
        assert deliver(home, Clock(NIGHT + timedelta(days=2)), monkeypatch, office.settings) == Did()
    assert statuses(kept) == ["sent", "sent"]
    assert [to for to, _ in office.letters] == [ANN, BOB]
    letter = office.letters[0][1]
    assert letter["To"] == ANN
    assert letter["From"] == f"Ringroad <{post_office.SENDER}>"
    assert "2025-07-01" in letter["Subject"]
    assert letter["Message-ID"].endswith("@lender.example>")
    assert letter["Message-ID"] != office.letters[1][1]["Message-ID"]
    assert {each.get_filename(): each.get_content() for each in letter.iter_attachments()} == {
        f"ringroad-daily-2025-07-01-{name}": content.decode() if name.endswith("html") else content
        for name, content in PAGES.items()
    }
    body = letter.get_body()
    assert body is not None
    assert "It is attached as PDF" in body.get_content()
    assert "报告已作为 PDF" in body.get_content()
    assert all(each < 128 for raw in office.raw for each in raw)


def test_a_letter_has_the_same_name_whenever_it_is_sent(home: Path, kept: Casebook) -> None:
    queued(kept, ANN)
    one, settings = letters(kept)[ANN], Settings.read({"RINGROAD_HOME": str(home)})
    there = MailSettings("127.0.0.1", 1, "plain", post_office.SENDER)
    names = {mail.written(each, there, settings, Plan())["Message-ID"] for each in (one, replace(one, tries=3))}
    assert len(names) == 1
    assert "ann" not in names.pop()


def test_what_is_too_large_is_not_attached_but_said_where_it_lies(home: Path, kept: Casebook) -> None:
    queued(kept, ANN)
    there = MailSettings("127.0.0.1", 1, "plain", post_office.SENDER, most=20)
    letter = mail.written(letters(kept)[ANN], there, Settings.read({"RINGROAD_HOME": str(home)}), Plan())
    assert list(letter.iter_attachments()) == []
    assert "reports/daily/2025-07-01 in RINGROAD_HOME" in letter.get_content()


def test_without_its_files_it_waits_and_says_how_to_make_them(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(kept, ANN)
    for each in (home / "reports" / "daily" / "2025-07-01").iterdir():
        each.unlink()
    with post_office.opened() as office:
        assert "are gone" in deliver(home, Clock(), monkeypatch, office.settings).trouble
    assert statuses(kept) == ["waiting"]


# What goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer", "told"),
    [
        ("RCPT", "550 no such ann@lender.example", "given_up: the mail server refuses the recipient (550)"),
        ("RCPT", "451 later", "waiting: the mail server refuses the recipient (451); letters that wait: 1"),
        ("DATA", "554 spam", "given_up: the mail server refuses the letter (554)"),
        ("DATA", "452 full", "waiting: the mail server refuses the letter (452); letters that wait: 1"),
        ("MAIL", "550 who", "waiting: the mail server refuses RINGROAD_SMTP_FROM (550); letters that wait: 1"),
    ],
)
def test_a_server_that_refuses(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: str, answer: str, told: str
) -> None:
    with (
        Casebook.open(f"sqlite:///{home / 'casebook.sqlite'}") as kept,
        post_office.opened(**{command: answer}) as office,
    ):
        queued(kept, ANN)
        did = deliver(home, Clock(), monkeypatch, office.settings)
        assert f"{statuses(kept)[0]}: {did.trouble}" == told
    assert office.letters == []


def test_a_server_that_dies_with_the_letter_is_never_asked_twice_but_a_person_may(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    queued(kept, ANN)
    with post_office.opened(DATA="die") as office:
        assert "may have arrived" in deliver(home, clock, monkeypatch, office.settings).trouble
    assert statuses(kept) == ["uncertain"]
    with post_office.opened() as office:
        for _ in range(30):
            clock.forward(hours=1)
            assert deliver(home, clock, monkeypatch, office.settings) == Did()
        with kept.writing() as db:
            assert report_mails.again(db, "daily", "2025-07-01", now=clock.now) == 1
        assert deliver(home, clock, monkeypatch, office.settings) == Did({"sent": 1})
        with kept.writing() as db, pytest.raises(NodeNotFound, match="uncertain or given up"):
            report_mails.again(db, "daily", "2025-07-01", now=clock.now)
    assert [to for to, _ in office.letters] == [ANN]


def test_a_server_that_is_away_is_asked_ever_more_rarely_and_given_up_after_a_day(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, tries = Clock(), list[datetime]()
    queued(kept, ANN)
    away = MailSettings("127.0.0.1", free_port(), "plain", post_office.SENDER)
    for _ in range(2 * 24 * 12):
        with kept.reading() as db:
            due = mail.wanted(db, clock.now)
        if due:
            tries.append(clock.now)
            assert "does not answer (refused)" in deliver(home, clock, monkeypatch, away).trouble
        clock.forward(minutes=5)
    assert statuses(kept) == ["given_up"]
    pauses = [later - before for before, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 6 <= len(tries) <= 12
    assert timedelta(hours=12) < tries[-1] - NIGHT <= timedelta(days=1)


def test_one_silent_server_does_not_hold_up_all_letters(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SECONDS", 0.05)
    queued(kept, ANN, BOB)
    with post_office.silent() as office:
        did = deliver(home, Clock(), monkeypatch, office.settings)
    assert did == Did({"later": 1}, "the mail server does not answer (silence); letters that wait: 2")


def test_a_server_that_says_a_byte_now_and_then_is_cut_off() -> None:
    """Each byte comes in time; the whole never does."""
    with post_office.silent(one_byte_every=0.02) as office:
        letter = post_office.EmailMessage()
        outcome = hand_over(letter, ANN, office.settings, lambda: True, total=0.2)
    assert (outcome.ended, outcome.reached) == (Ended.LATER, False)


def test_without_a_server_letters_wait_and_say_what_to_set(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(kept, ANN)
    assert "set RINGROAD_SMTP_HOST" in deliver(home, Clock(), monkeypatch, None).trouble
    assert statuses(kept) == ["waiting"]


# Two processes, and one that is killed -------------------------------------------------------------------


def test_what_another_process_sends_does_not_leave_here(casebook: Casebook) -> None:
    """On both databases: claimed, lost, claimed by another; the first one must not let it out."""
    clock = Clock()
    queued(casebook, ANN)
    with casebook.writing() as db:
        mine = report_mails.claim(db, now=clock.now)
        assert mine is not None
        assert report_mails.claim(db, now=clock.now) is None
        clock.forward(seconds=LEASE.total_seconds())
        other = report_mails.claim(db, now=clock.now)
        assert other is not None
        assert not report_mails.sending(db, mine)
        assert report_mails.sending(db, other)
        assert not report_mails.sent(db, mine, now=clock.now)
        assert report_mails.sent(db, other, now=clock.now)
        clock.forward(days=3)
        assert report_mails.claim(db, now=clock.now) is None
    with post_office.opened() as office:
        outcome = hand_over(post_office.EmailMessage(), ANN, office.settings, lambda: False)
    assert outcome == Outcome(Ended.TAKEN, "another process sends it")
    assert office.letters == []


SENDER = """
    import sys, time
    from datetime import datetime
    from pathlib import Path
    from graph.settings import Settings
    from workbench.schedule import mail, post, slots
    from workbench.schedule.job import Turn
    from workbench.schedule.settings import Plan
    from workbench.schedule.slots import Cadence

    home, now, where = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), sys.argv[3]

    def hang(*_):
        (home / "begun").touch()
        time.sleep(60)

    mail._title = lambda report, code: "Report"  # reports take seconds to import
    if where == "before":
        post._addressed = hang
    else:
        post._left = hang
    mail.deliver(Turn(Settings.read({"RINGROAD_HOME": str(home)}), Plan(), slots.of(Cadence.DAILY, now), lambda: now))
"""


@pytest.mark.parametrize(("where", "then"), [("before", "sent"), ("sending", "uncertain")])
def test_killed_before_it_leaves_it_is_sent_by_another_and_killed_after_by_nobody(
    home: Path, kept: Casebook, monkeypatch: pytest.MonkeyPatch, where: str, then: str
) -> None:
    queued(kept, ANN)
    with post_office.opened() as office:
        told = {"RINGROAD_SMTP_HOST": "127.0.0.1", "RINGROAD_SMTP_PORT": str(office.port),
                "RINGROAD_SMTP_SECURITY": "plain", "RINGROAD_SMTP_FROM": post_office.SENDER}  # fmt: skip
        command = [sys.executable, "-c", textwrap.dedent(SENDER), str(home), NIGHT.isoformat(), where]
        dying = subprocess.Popen(command, env=environment(home, **told))
        _until((home / "begun").exists)
        os.kill(dying.pid, signal.SIGKILL)
        dying.wait()
        deliver(home, Clock(NIGHT + LEASE - timedelta(seconds=1)), monkeypatch, office.settings)
        assert office.letters == []
        deliver(home, Clock(NIGHT + LEASE), monkeypatch, office.settings)
        deliver(home, Clock(NIGHT + 9 * LEASE), monkeypatch, office.settings)
    assert statuses(kept) == [then]
    assert len(office.letters) == int(then == "sent")


# Settings ------------------------------------------------------------------------------------------------

SET = {"RINGROAD_SMTP_HOST": "mail.lender.example", "RINGROAD_SMTP_FROM": post_office.SENDER}


def test_what_is_set(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    assert MailSettings.read({}) is None
    assert MailSettings.read(SET) == MailSettings("mail.lender.example", 587, "starttls", post_office.SENDER)
    told = MailSettings.read(SET | {
        "RINGROAD_SMTP_SECURITY": "tls", "RINGROAD_SMTP_USER": "ringroad", "RINGROAD_SMTP_MAX_MB": "2",
        "RINGROAD_SMTP_PASSWORD_FILE": str(secret),
    })  # fmt: skip
    assert told is not None
    assert (told.port, told.password, told.most) == (465, "s3cret", 2_000_000)
    assert "s3cret" not in repr(told)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"RINGROAD_SMTP_SECURITY": "ssl"}, "RINGROAD_SMTP_SECURITY='ssl' is none of starttls, tls, plain"),
        ({"RINGROAD_SMTP_SECURITY": "plain"}, "on this machine only"),
        ({"RINGROAD_SMTP_FROM": "Ringroad <a@b>"}, "RINGROAD_SMTP_FROM is no mail address"),
        ({"RINGROAD_SMTP_PORT": "99999"}, "RINGROAD_SMTP_PORT='99999' is no whole number from 1 to 65,535"),
        ({"RINGROAD_SMTP_MAX_MB": "0"}, "RINGROAD_SMTP_MAX_MB='0'"),
        ({"RINGROAD_SMTP_USER": "u"}, "belong together"),
        ({"RINGROAD_SMTP_PASSWORD": "p"}, "belong together"),
        ({"RINGROAD_SMTP_PASSWORD_FILE": "/nowhere/at/all"}, "RINGROAD_SMTP_PASSWORD_FILE cannot be read"),
    ],
)
def test_what_is_set_wrong_is_said(more: dict[str, str], says: str) -> None:
    with pytest.raises(InputError) as refused:
        MailSettings.read(SET | more)
    assert says in refused.value.message


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_is_spoken_with_a_server_that_is_trusted_and_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = _certificate(tmp_path)
    context.load_cert_chain(certificate)
    letter = post_office.EmailMessage()
    with post_office.secured(context, at_once=security == "tls") as office:
        there = replace(office.settings, security=security)
        refused = hand_over(letter, ANN, there, lambda: True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert hand_over(letter, ANN, there, lambda: True) == Outcome(Ended.SENT)
    assert refused.trouble == "the mail server has no certificate that this machine trusts"
    assert len(office.letters) == 1


def test_a_server_without_tls_gets_no_letter_that_is_to_be_secret() -> None:
    with post_office.opened() as office:
        outcome = hand_over(
            post_office.EmailMessage(), ANN, replace(office.settings, security="starttls"), lambda: True
        )
    assert outcome.trouble == "the mail server has no TLS, or no way to sign in"
    assert office.letters == []


def _certificate(folder: Path) -> Path:
    """Of this machine, signed by itself, with its key."""
    from ipaddress import ip_address  # noqa: PLC0415

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
