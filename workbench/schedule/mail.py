"""Letters with reports: what stands in them, and sending those that are due."""
# ruff: noqa: PLC0415 - what reports import takes seconds; a tick that has no letter needs none of it

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from sqlalchemy import Connection

from graph.errors import InputError
from graph.settings import Settings
from workbench.casebook import report_mails
from workbench.casebook.opening import Casebook
from workbench.casebook.report_mails import Letter
from workbench.instance import open_casebook
from workbench.schedule.job import Did, Turn
from workbench.schedule.mail_settings import MEGABYTE, MailSettings
from workbench.schedule.post import Ended, Outcome, hand_over
from workbench.schedule.settings import Plan

AT_ONCE = 20
"""Letters of one turn; the next one takes the others."""

REPORTS = "reports"
"""Folder under RINGROAD_HOME; in it one for each report, and in that one for each slot."""

POLICY = SMTP.clone(cte_type="7bit", max_line_length=78)
"""Every server takes it."""

TYPES: dict[str, tuple[str, str, dict[str, str]]] = {
    ".pdf": ("application", "pdf", {}),
    ".html": ("text", "html", {"charset": "utf-8"}),
}
PAGES = tuple(TYPES)


def deliver(turn: Turn) -> Did:
    """Sends the letters that are due. Where the server does not answer, the others wait for the next turn."""
    with open_casebook(turn.settings) as casebook:
        there = MailSettings.read()
        ended: Counter[str] = Counter()
        troubles: list[str] = []
        for _ in range(AT_ONCE):
            with casebook.writing() as db:
                letter = report_mails.claim(db, now=turn.clock())
            if letter is None:
                break
            outcome = _send(casebook, letter, there, turn)
            ended[str(outcome.ended)] += 1
            troubles += [outcome.trouble] if outcome.trouble else []
            if not outcome.reached:
                break
        with casebook.reading() as db:
            waiting = report_mails.counted(db).get(report_mails.WAITING, 0)
    return Did(dict(ended), _told(troubles, waiting))


def wanted(db: Connection, now: datetime) -> bool:
    return report_mails.due(db, now=now)


def _told(troubles: Sequence[str], waiting: int) -> str:
    if not troubles:
        return ""
    return "; ".join([*dict.fromkeys(troubles), *([f"letters that wait: {waiting}"] if waiting else [])])


def _send(casebook: Casebook, letter: Letter, there: MailSettings | None, turn: Turn) -> Outcome:
    """And write down how that ended."""

    def leaving() -> bool:
        with casebook.writing() as db:
            return report_mails.sending(db, letter)

    if there is None:
        outcome = Outcome(Ended.LATER, "no mail server is named; set RINGROAD_SMTP_HOST", reached=False)
    else:
        try:
            message = written(letter, there, turn.settings, turn.plan)
            outcome = hand_over(message, letter.recipient, there, leaving)
        except InputError as error:
            outcome = Outcome(Ended.LATER, error.message)
    _record(casebook, letter, outcome, turn.clock())
    return outcome


def _record(casebook: Casebook, letter: Letter, outcome: Outcome, now: datetime) -> None:
    with casebook.writing() as db:
        if outcome.ended is Ended.SENT:
            report_mails.sent(db, letter, now=now)
        elif outcome.ended is Ended.UNCERTAIN:
            report_mails.uncertain(db, letter, outcome.trouble)
        elif outcome.ended is not Ended.TAKEN:
            for_good = outcome.ended is Ended.NEVER
            report_mails.refused(db, letter, outcome.trouble, for_good=for_good, now=now)


# A letter ------------------------------------------------------------------------------------------------


def written(letter: Letter, there: MailSettings, settings: Settings, plan: Plan) -> EmailMessage:
    """The same letter has the same name (`Message-ID`) whenever it is sent. Raises InputError without its files."""
    folder = settings.home / REPORTS / letter.report / letter.slot
    languages = plan.report(letter.report).languages
    files = [
        each
        for each in sorted(folder.glob("ringroad-*"))
        if each.suffix in PAGES and each.stem.rpartition("-")[2] in languages
    ]
    if not files:
        raise InputError(f"the files of {letter.report} {letter.slot} are gone; `ringroad schedule again` makes them")
    fits = sum(each.stat().st_size for each in files) <= there.most
    message = EmailMessage(policy=POLICY)
    message["From"] = Address("Ringroad", addr_spec=there.sender)
    message["To"] = Address(addr_spec=letter.recipient)
    message["Subject"] = f"{_title(letter.report, languages[0])} · {letter.slot}"
    message["Date"] = letter.queued_at
    message["Message-ID"] = f"<{_name(letter)}@{there.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_words(letter, code, fits, there.most) for code in languages) + "\n")
    for each in files if fits else ():
        kind, form, more = TYPES[each.suffix]
        message.add_attachment(_read(each), maintype=kind, subtype=form, filename=each.name, params=more)
    return message


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from None


def _name(letter: Letter) -> str:
    """Tells nothing about whom it goes to."""
    about = f"{letter.report}|{letter.slot}|{letter.recipient}"
    return f"ringroad.{hashlib.sha256(about.encode()).hexdigest()[:32]}"


def _title(report: str, code: str) -> str:
    from workbench.reports.catalogue import kind_of, spoken

    with spoken(code):
        return kind_of(report).title()


def _words(letter: Letter, code: str, fits: bool, most: int) -> str:
    from workbench.reports.catalogue import spoken
    from workbench.ui.i18n import t

    title = _title(letter.report, code)
    with spoken(code):
        about = t("{title} for {slot}.", title=title, slot=letter.slot)
        if fits:
            return f"{about} {t('It is attached as PDF and as a page for the browser. Names and numbers are masked.')}"
        place = f"{REPORTS}/{letter.report}/{letter.slot}"
        told = t(
            "Its files are larger than {size} MB together, and stay where they were made: {place} in RINGROAD_HOME.",
            size=most // MEGABYTE, place=place,
        )  # fmt: skip
        return f"{about} {told}"
