"""What the lines of the why panel say, in the language of who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from graph.signs import SIGNS
from workbench.services.cases.typologies import Text
from workbench.services.reasons import ring_lines
from workbench.services.reasons.ring_lines import Line, Thing
from workbench.ui.i18n import language, number, share, t
from workbench.ui.viewmodel import sentences

Words = Mapping[str, Callable[[], str]]

DEGRADED: Words = {
    "no_graph": lambda: t("There was no graph to score from"),
    "stale_graph": lambda: t("The graph that scores are read from is too old"),
    "not_recorded": lambda: t("The request could not be put on record"),
    "fault": lambda: t("The score could not be made"),
    "graph_incomplete": lambda: t("Some of what was told is missing in the graph for scores"),
    "vault": lambda: t("Keys were being changed"),
    "untrained": lambda: t("No model was ever trained: rules and an isolation forest speak"),
    "model_refused": lambda: t("The model was refused: rules and an isolation forest speak"),
}
"""Named modes in which an answer is worth less; such an answer never passes anybody."""

DECIDED_BY: Words = {
    "model": lambda: t("by the model"),
    "rules": lambda: t("by rules"),
    "degraded": lambda: t("because the answer is degraded"),
}
UNSHARED: Words = {
    "money": lambda: t("no account: nobody is seen to pay for the others"),
    "car": lambda: t("no car: none is financed twice"),
    "buyer": lambda: t("no person: their cars did not go to one buyer"),
    "voice": lambda: t("no voice: each is heard to answer alone"),
}
"""Telling things that a ring does not share."""

HELD: Words = {
    "APPLIED": lambda: t("Applicant"),
    "HAS_PHONE": lambda: t("Own phone"),
    "WORK_PHONE": lambda: t("Work phone"),
    "CONTACT_OF": lambda: t("Contact's phone"),
    "USED_DEVICE": lambda: t("Device"),
    "HAS_DEVICE": lambda: t("Device signed in with"),
    "FROM_IP": lambda: t("IP address"),
    "ON_WIFI": lambda: t("WiFi"),
    "LIVES_AT": lambda: t("Home address"),
    "WORKS_AT": lambda: t("Employer"),
    "FINANCES": lambda: t("Car"),
    "PAID_DOWNPAYMENT": lambda: t("Account that paid the down payment"),
    "REPAID_BY": lambda: t("Account that repays"),
    "PROCEEDS_TO": lambda: t("Account that got the resale money"),
    "TRANSFER_ACCOUNT": lambda: t("Account paid at the transfer"),
    "TRANSFERRED_TO": lambda: t("Person who took over the car"),
    "INSURED_BY": lambda: t("Insured party"),
    "LAST_SEEN_AT": lambda: t("Place where cars were last seen"),
    "USES_TEMPLATE": lambda: t("Document template"),
    "SPOKE_AS": lambda: t("Voice"),
}
"""What is shared, by the relation through which most hold it."""

LINK_KINDS: Words = {
    "phone": lambda: t("own phone"),
    "work_phone": lambda: t("work phone"),
    "contact": lambda: t("contact"),
    "other_phone": lambda: t("phone in another role"),
    "device": lambda: t("device"),
    "ip": lambda: t("IP address"),
    "wifi": lambda: t("WiFi"),
    "address": lambda: t("address"),
    "employer": lambda: t("employer"),
    "payer": lambda: t("account that paid"),
    "template": lambda: t("papers"),
    "vehicle": lambda: t("car"),
    "account": lambda: t("account that paid"),
    "document": lambda: t("papers"),
    "dealer": lambda: t("dealer"),
}
"""What two applications share, and what one may leave untold."""

PARTS: Words = {
    "typology": lambda: t("kind of fraud"),
    "shared": lambda: t("what is shared"),
    "size": lambda: t("how many"),
    "pace": lambda: t("how fast"),
    "place": lambda: t("where"),
}


def of(words: Words, code: str) -> str:
    return words[code]() if code in words else code


def both(text: Text) -> str:
    return text.zh if language.get() == "zh" else text.en


def pair(told: Mapping[str, str]) -> str:
    """Of {"en": …, "zh": …}."""
    return told["zh" if language.get() == "zh" else "en"]


def parted(said: str) -> tuple[str, str, str]:
    """An investigator's reason as `gnn/explain.py` writes it, "head (figures); where it was seen": the three parts."""
    head, bracket, rest = said.partition("(")
    depth = 1
    for at, each in enumerate(rest):
        depth += (each == "(") - (each == ")")
        if not depth:
            return head.strip(), rest[:at], rest[at + 1 :].lstrip("; ")
    return said, "", rest if not bracket else ""


def all_of(texts: Iterable[Text]) -> list[str]:
    return [both(each) for each in texts]


def title(line: Line) -> str:
    return _TITLES[line.kind](line)


def detail(line: Line) -> str:
    """What stands under the title, in figures."""
    return _DETAILS[line.kind](line)


def thing(one: Thing) -> str:
    return sentences.typed(one.type, one.masked)


def _shared(line: Line) -> str:
    return of(HELD, line.name)


def _shared_detail(line: Line) -> str:
    told = line.of
    if told["number"] == 1:
        return t("one, held by {most} of {people} people", most=told["most"], people=told["people"])
    return t(
        "{number} of them, each held by up to {most} of {people} people",
        number=told["number"], most=told["most"], people=told["people"],
    )  # fmt: skip


def _sign(line: Line) -> str:
    words = sentences.SIGN_ZH[line.name] if language.get() == "zh" else _sign_en(line.name)
    return words[:1].upper() + words[1:]


def _sign_en(name: str) -> str:
    return next(each.words for each in SIGNS if each.name == name)


def _sign_detail(line: Line) -> str:
    return t("{count} of {all} applications ({rule})", **line.of)


def _pace(line: Line) -> str:
    if line.of["days"] == 1:
        return t("All on one day")
    return t("{count} applications in {days} days", count=line.of["count"], days=line.of["days"])


def _pace_detail(line: Line) -> str:
    first, last = (date.fromisoformat(line.of[each]) for each in ("first", "last"))
    return t(
        "{first} to {last}; {busiest} within one week", first=_day(first), last=_day(last), busiest=line.of["busiest"]
    )


def _day(at: date) -> str:
    return f"{at.month}月{at.day}日" if language.get() == "zh" else f"{at.day} {at:%b}"


def _dealer(line: Line) -> str:
    return t("One dealer") if line.of["number"] == 1 else t("{number} dealers", number=line.of["number"])


def _dealer_detail(line: Line) -> str:
    who = " ".join(filter(None, (line.of["name"], line.of["key"])))
    return t("{most} of {all} at {who}", most=line.of["most"], all=line.of["all"], who=who)


def _staff(_line: Line) -> str:
    return t("One salesperson")


def _staff_detail(line: Line) -> str:
    return t("{key} handled {most} of {all}", key=line.of["key"], most=line.of["most"], all=line.of["all"])


_TITLES: Mapping[str, Callable[[Line], str]] = {
    ring_lines.SHARED: _shared,
    ring_lines.SIGN: _sign,
    ring_lines.PACE: _pace,
    ring_lines.DEALER: _dealer,
    ring_lines.STAFF: _staff,
}
_DETAILS: Mapping[str, Callable[[Line], str]] = {
    ring_lines.SHARED: _shared_detail,
    ring_lines.SIGN: _sign_detail,
    ring_lines.PACE: _pace_detail,
    ring_lines.DEALER: _dealer_detail,
    ring_lines.STAFF: _staff_detail,
}


CAUSES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("labels ", lambda rest: t("labels {numbers}", numbers=rest.replace(" to ", "–"))),
    ("label ", lambda rest: t("label {number}", number=rest)),
    ("end of innocent link ", lambda rest: t("the end of innocent link {number}", number=rest)),
    ("end of override ", lambda rest: t("the end of override {number}", number=rest)),
    ("innocent link ", lambda rest: t("innocent link {number}", number=rest)),
    ("override ", lambda rest: t("override {number}", number=rest)),
)


def cause(text: str) -> str:
    """Of a ring that was found anew: what somebody decided."""
    for begins, said in CAUSES:
        if text.startswith(begins):
            return said(text.removeprefix(begins))
    return text


def rank(above: int, all_: int) -> str:
    """Of a ring among those that are listed."""
    if all_ <= 1:
        return t("the only ring that is listed")
    return t("{place} of {all} rings that are listed", place=above + 1, all=all_)


def higher(portion: float, all_: int) -> str:
    """Of an application in the portfolio."""
    shown = share(portion, 2 if portion < 0.01 else 1 if portion < 0.1 else 0)
    return t("{share} of {all} scored applications score higher", share=shown, all=number(all_))
