"""A case as a row of the queue: plain text in the language of who looks, and codes for colours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_skeleton

from gnn.explain import WORDS as REASONS
from workbench.casebook.cases import RING, Case
from workbench.casebook.queue import Row
from workbench.casebook.queue_query import DONE
from workbench.ui.i18n import CHINA, language, money, number, t, when
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.case_words import OUTCOME, STATUS, typology
from workbench.ui.viewmodel.regions import province, region

HIGH, MIDDLE = 0.7, 0.5
SOON = timedelta(days=1)

Names = Mapping[str, str]
"""Display names by user."""


def row(one: Row, *, names: Names, me: str, now: datetime) -> dict[str, Any]:
    """`seen` goes back with every act: the newest entry that was on the screen."""
    case = one.case
    locked = case.locked_by if case.locked(now) else ""
    return {
        "id": str(case.id),
        "seen": one.entry,
        "case": case.name,
        "href": f"/{case.kind}/{case.subject}",
        "kind": case.kind,
        "kind_said": kind(case.kind),
        "subject": case.subject,
        "pattern": pattern(case),
        "score": round(case.score, 4),
        "score_said": f"{case.score:.2f}",
        "level": "high" if case.score >= HIGH else "middle" if case.score >= MIDDLE else "low",
        "savable": money(case.savable) if case.savable else "",
        "exposure": money(case.exposure),
        "apps": number(case.size),
        "grown": f"+{case.grown}" if case.grown else "",
        "age": since(case.opened_at, now),
        "opened": when(case.opened_at) if case.opened_at else "",
        "deadline": until(case.deadline, now, over=True),
        "deadline_is": how_soon(case.deadline, now),
        "funding": until(case.pays_out_at, now) if case.savable else "",
        "funding_is": how_soon(case.pays_out_at, now) if case.savable else "",
        "owner": names.get(case.assignee, case.assignee),
        "mine": case.assignee == me,
        "locked": names.get(locked, locked),
        "status": status(case, now),
        "status_is": "snoozed" if case.snoozed(now) else case.status,
        "ended": case.ended_at is not None,
        "region": province(case.region),
        "town": region(case.region),
        "dealer": case.dealer,
        "fresh": one.fresh,
    }


def kind(code: str) -> str:
    return t("Ring") if code == RING else t("Application")


def pattern(case: Case) -> str:
    """Of a ring its typology; of an application the first reason of its score, and how many more there are."""
    if case.kind == RING:
        return typology(case.typology)
    if not case.reasons:
        return ""
    first, more = case.reasons[0], len(case.reasons) - 1
    words = REASONS.get(first)
    said = first if words is None else words.investigator.zh if language.get() == "zh" else words.investigator.en
    return t("{reason} (+{count})", reason=said, count=more) if more else said


def status(case: Case, now: datetime) -> str:
    if case.closed:
        return case_words.of(OUTCOME, case.outcome)
    if case.snoozed(now) and case.snoozed_until is not None:
        return t("Till {day}", day=short_day(case.snoozed_until))
    return case_words.of(STATUS, case.status)


def short_day(at: datetime) -> str:
    """Without its year: 27 Nov, 11月27日."""
    return format_skeleton("MMMd", at.astimezone(CHINA), locale="zh_CN" if language.get() == "zh" else "en_GB")


def span(time: timedelta) -> str:
    """Short: 5 min, 3 h, 12 d."""
    minutes = time.total_seconds() / 60
    if minutes < 60:
        return t("{count} min", count=max(int(minutes), 0))
    if minutes < 48 * 60:
        return t("{count} h", count=int(minutes // 60))
    return t("{count} d", count=number(minutes // 1440))


def since(at: datetime | None, now: datetime) -> str:
    return "" if at is None else span(now - at)


def until(at: datetime | None, now: datetime, *, over: bool = False) -> str:
    """`over`: what is past says by how much."""
    if at is None:
        return ""
    if at > now:
        return span(at - now)
    return t("{time} over", time=span(now - at)) if over else t("now")


def how_soon(at: datetime | None, now: datetime) -> str:
    """past, soon, later; "" for no time."""
    if at is None:
        return ""
    return "past" if at <= now else "soon" if at - now <= SOON else "later"


def tab_title(tab: str) -> str:
    return {
        "all": t("All"),
        "mine": t("Mine"),
        "new": t("New"),
        "snoozed": t("Snoozed"),
        DONE: t("Closed"),
    }[tab]


def order_title(order: str) -> str:
    return {
        "savable": t("Savable"),
        "score": t("Score"),
        "age": t("Age"),
        "exposure": t("Exposure"),
        "deadline": t("Deadline"),
        "grown": t("Growth"),
        "funding": t("Payout"),
    }[order]
