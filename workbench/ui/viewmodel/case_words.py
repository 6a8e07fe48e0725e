"""Names of what happens on a case, in the language of who looks. Codes that nobody declared are shown as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gnn.rules.catalogue import BY_CODE
from workbench.services.cases.typologies import name as typology_name
from workbench.ui.i18n import language, t, when

Words = Mapping[str, Callable[[], str]]
"""Asked for when somebody looks: only then the language is known."""

STATUS: Words = {
    "open": lambda: t("Open"),
    "working": lambda: t("In work"),
    "waiting": lambda: t("Waiting"),
    "closed": lambda: t("Closed"),
}
OUTCOME: Words = {
    "confirmed_fraud": lambda: t("Confirmed fraud"),
    "valuable": lambda: t("Valuable lead"),
    "false_positive": lambda: t("Innocent after all"),
    "no_finding": lambda: t("No finding"),
    "merged": lambda: t("Became part of another case"),
}
DISPOSITION: Words = {
    "CONFIRMED_FRAUD": lambda: t("Confirmed fraud"),
    "SUSPECTED": lambda: t("Suspected"),
    "CLEARED_BENIGN": lambda: t("Innocent"),
    "DATA_ERROR": lambda: t("Data error"),
    "INSUFFICIENT": lambda: t("Not enough evidence"),
    "OUT_OF_SCOPE_CREDIT": lambda: t("Credit risk, no fraud"),
}
STATE: Words = {
    "fraud": lambda: t("Fraud"),
    "suspected": lambda: t("Suspected"),
    "legit": lambda: t("Innocent"),
}
"""What holds of an application, by the casebook's or the lender's own word."""

KIND: Words = {
    "note": lambda: t("Note"),
    "tick": lambda: t("Checklist"),
    "item": lambda: t("Own item"),
    "attached": lambda: t("File attached"),
    "removed": lambda: t("File removed"),
    "exported": lambda: t("Evidence pack made"),
    "opened": lambda: t("Opened"),
    "reopened": lambda: t("Opened again"),
    "closed": lambda: t("Closed"),
    "status": lambda: t("Status"),
    "assigned": lambda: t("Assigned"),
    "taken": lambda: t("Taken"),
    "locked": lambda: t("Locked"),
    "unlocked": lambda: t("Freed"),
    "snoozed": lambda: t("Snoozed"),
    "woke": lambda: t("Woken"),
    "deadline": lambda: t("Deadline"),
    "label": lambda: t("Label"),
    "grew": lambda: t("The ring grew"),
    "ended": lambda: t("The ring ended"),
    "merged": lambda: t("Became part of another case"),
    "took_in": lambda: t("Took in another case"),
    "alert": lambda: t("Alert after funding"),
}
TICK: Words = {
    "open": lambda: t("to do"),
    "done": lambda: t("done"),
    "not_done": lambda: t("not done"),
}
DECISION: Words = {
    "pass": lambda: t("Pass"),
    "review": lambda: t("Review"),
    "decline": lambda: t("Decline"),
    "unscored": lambda: t("Not scored"),
}
LENDER: Words = {
    "approve": lambda: t("approved"),
    "decline": lambda: t("declined"),
    "review": lambda: t("under review"),
    "cancel": lambda: t("cancelled"),
    "pending": lambda: t("pending"),
}
"""What the lender decided on an application."""

ASKED: Words = {
    "ring": lambda: t("The ring: its applications and what they share"),
    "applications": lambda: t("Properties of the applications"),
    "applicants and dealers": lambda: t("Who applied, and who sold"),
    "nodes of the drawing": lambda: t("Things of the drawing"),
    "links of the drawing": lambda: t("Links between them"),
    "scores": lambda: t("Newest scores of the applications"),
    "labels": lambda: t("All labels of the applications"),
}
LINEAGE: Words = {
    "birth": lambda: t("The ring was born"),
    "revival": lambda: t("The ring was found again"),
    "join": lambda: t("Joined the ring"),
    "leave": lambda: t("Left the ring"),
    "split": lambda: t("The ring split"),
    "merge": lambda: t("The ring merged"),
    "death": lambda: t("The ring ended"),
}
OPENED_BECAUSE: Words = {
    "found": lambda: t("found by a run"),
    "grew": lambda: t("it grew"),
    "scored": lambda: t("called by its score"),
    "by_hand": lambda: t("opened by hand"),
    "alert": lambda: t("something changed after funding"),
    "merged": lambda: t("another case became part of it"),
}
RECIPIENT: Words = {
    "internal": lambda: t("Inside the company"),
    "police": lambda: t("Police or court"),
    "dealer": lambda: t("Dealer or partner"),
}
SECTION: Words = {
    "summary": lambda: t("Summary"),
    "reasons": lambda: t("Reasons and doubts"),
    "graph": lambda: t("Graph"),
    "members": lambda: t("Applications"),
    "things": lambda: t("What is shared"),
    "timeline": lambda: t("Timeline"),
    "scores": lambda: t("Scores"),
    "labels": lambda: t("Labels"),
    "notes": lambda: t("Notes"),
    "checklist": lambda: t("Checklist"),
    "files": lambda: t("Files"),
    "queries": lambda: t("What was asked of the graph"),
    "audit": lambda: t("Audit log"),
    "verify": lambda: t("Please verify"),
    "seal": lambda: t("Seal"),
}


def of(words: Words, code: str) -> str:
    return words[code]() if code in words else code


def typology(code: str) -> str:
    """Code and name; "" for none."""
    return f"{code} {typology_name(code, language.get())}" if code else ""


def entry(kind: str, text: str, content: Mapping[str, Any]) -> str:
    """What a line of the activity log says after its kind."""
    says = ENTRIES.get(kind)
    return text if says is None else says(text, content)


def _tick(text: str, content: Mapping[str, Any]) -> str:
    state = of(TICK, str(content.get("state", "")))
    return f"{content.get('words', content.get('item', ''))}: {state}" + (f" ({text})" if text else "")


def _began(_text: str, content: Mapping[str, Any]) -> str:
    return of(OPENED_BECAUSE, str(content.get("because", "")))


def _assigned(_text: str, content: Mapping[str, Any]) -> str:
    name = str(content.get("assignee", ""))
    return t("to {name}", name=f"@{name}") if name else t("to nobody: back to the queue")


def _deadline(_text: str, content: Mapping[str, Any]) -> str:
    return _time(content.get("to")) or t("none")


def _snoozed(text: str, content: Mapping[str, Any]) -> str:
    return t("until {time}: {because}", time=_time(content.get("until")), because=text)


def _closed(text: str, content: Mapping[str, Any]) -> str:
    return f"{of(OUTCOME, str(content.get('outcome', '')))} · {text}"


def _reopened(text: str, content: Mapping[str, Any]) -> str:
    return text or _began(text, content)


def _time(text: object) -> str:
    return when(datetime.fromisoformat(text)) if isinstance(text, str) else ""


def _other_case(_text: str, content: Mapping[str, Any]) -> str:
    return f"C{content.get('into', content.get('case', ''))}"


def _alert(_text: str, content: Mapping[str, Any]) -> str:
    told = ", ".join(rule(str(each)) for each in content.get("rules", ()))
    return f"{content.get('application', '')}: {told}"


def rule(code: str) -> str:
    """Its name; of the one that is no rule of the catalogue, too."""
    if code == "LINK":
        return t("new link to confirmed fraud")
    found = BY_CODE.get(code)
    return code if found is None else found.zh if language.get() == "zh" else found.en


ENTRIES: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "tick": _tick,
    "opened": _began,
    "reopened": _reopened,
    "assigned": _assigned,
    "deadline": _deadline,
    "snoozed": _snoozed,
    "closed": _closed,
    "status": lambda _, content: of(STATUS, str(content.get("status", ""))),
    "grew": lambda _, content: t("{count} applications joined", count=content.get("count", 0)),
    "removed": lambda text, content: f"{text} ({content.get('because', '')})",
    "exported": lambda _, content: t("for {recipient}", recipient=of(RECIPIENT, str(content.get("recipient", "")))),
    "merged": _other_case,
    "took_in": _other_case,
    "alert": _alert,
}
