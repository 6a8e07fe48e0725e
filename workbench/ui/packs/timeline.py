"""What happened around a case, in order: applications, the ring's life, labels, and the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from workbench.casebook.casefile import ITEM, NOTE, TICK, Entry
from workbench.services.evidence.pack_facts import Facts, Member
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel import case_words as words

QUIET = frozenset({NOTE, TICK, ITEM, "locked", "unlocked"})
"""Entries that stand elsewhere, or say nothing of the case."""

APPLICATION, RING, LABEL, CASE = "application", "ring", "label", "case"


class Event(NamedTuple):
    """`of` is what it concerns: an application, the ring, a label or the case."""

    at: datetime
    of: str
    kind: str
    text: str


def events(facts: Facts) -> list[Event]:
    return around(facts.members, (facts.ring or {}).get("lineage"), facts.entries, facts.people)


def around(
    members: Sequence[Member], lineage: Mapping[str, Any] | None, entries: Iterable[Entry], people: Mapping[str, str]
) -> list[Event]:
    found = [
        *(event for each in members for event in of_member(each)),
        *of_ring(lineage),
        *(event for each in members for event in of_labels(each, people)),
        *of_entries(entries, people),
    ]
    return sorted(found)


def of_member(one: Member) -> Iterator[Event]:
    name = f"A{one.number} {one.name}"
    if one.submitted:
        amount = "" if one.amount is None else f" · ¥{number(one.amount)}"
        yield Event(one.submitted, APPLICATION, t("Submitted"), f"{name}{amount}")
    if one.decided:
        yield Event(one.decided, APPLICATION, t("Decided"), f"{name} · {words.of(words.LENDER, one.decision)}")
    if one.funded:
        yield Event(one.funded, APPLICATION, t("Paid out"), name)


def of_ring(lineage: Mapping[str, Any] | None) -> Iterator[Event]:
    for each in (lineage or {}).get("events", ()):
        at = datetime.fromisoformat(each["as_of"])
        other = f" · {each['other']}" if each.get("other") else ""
        count = len(each["application_ids"])
        told = t("{count} applications", count=count) if count else ""
        yield Event(at, RING, words.of(words.LINEAGE, each["kind"]), f"{told}{other}".removeprefix(" · "))


def of_labels(one: Member, people: Mapping[str, str]) -> Iterator[Event]:
    for said in one.said:
        label, by = said.label, people.get(said.label.author, said.label.author)
        text = f"A{one.number} {one.name} · {words.of(words.DISPOSITION, label.label)} · {by}"
        yield Event(said.known_at, LABEL, t("Label"), text)


def of_entries(
    entries: Iterable[Entry], people: Mapping[str, str], *, quiet: frozenset[str] = QUIET
) -> Sequence[Event]:
    return [
        Event(each.at, CASE, words.of(words.KIND, each.kind), _told(each, people))
        for each in entries if each.kind not in quiet
    ]  # fmt: skip


def _told(each: Entry, people: Mapping[str, str]) -> str:
    said = words.entry(each.kind, each.text, each.content)
    return " · ".join(part for part in (said, people.get(each.author, each.author)) if part)
