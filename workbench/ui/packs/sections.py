"""The sections of a pack of evidence, each a pure function of the facts, in the language of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from gnn.explain import WORDS
from workbench.casebook.casefile import NOTE
from workbench.services.evidence.pack_facts import Facts, Member
from workbench.services.evidence.pack_request import DEALER, Wanted
from workbench.ui.i18n import language, number, t, when
from workbench.ui.packs import markup as h
from workbench.ui.packs.cover import verify
from workbench.ui.packs.graph import graph
from workbench.ui.packs.timeline import events
from workbench.ui.viewmodel import case_words as words
from workbench.ui.viewmodel import sentences

Made = Callable[[Facts, Wanted], str]


def body(name: str, facts: Facts, wanted: Wanted) -> str:
    return h.section(name, words.of(words.SECTION, name), SECTIONS[name](facts, wanted))


def _summary(facts: Facts, _wanted: Wanted) -> str:
    case, done = facts.case, sum(each.state == "done" for each in facts.checklist)
    subject = t("Ring {name}", name=case.subject) if case.kind == "ring" else t("Application {name}", name=case.subject)
    return h.facts(
        [
            (t("About"), subject),
            (t("Status"), words.of(words.STATUS, case.status)),
            (t("Outcome"), words.of(words.OUTCOME, case.outcome)),
            (t("Closed"), _by(facts, case.closed_by, case.closed_at)),
            (t("Closing reason"), case.closing_reason or ""),
            (t("Kind of fraud"), words.typology(case.typology)),
            (t("Applications"), number(len(facts.members))),
            (t("Dealers"), ", ".join(sorted({each.dealer for each in facts.members if each.dealer}))),
            (t("Score"), number(case.score, 2)),
            (t("Open amount"), yuan(case.exposure)),
            (t("Still savable"), yuan(case.savable)),
            (t("First and last application"), f"{when(case.first_seen)} – {when(case.last_seen)}"),
            (t("Opened"), _by(facts, "", case.opened_at)),
            (t("Owner"), facts.named(case.assignee)),
            (t("Deadline"), _by(facts, "", case.deadline)),
            (t("Checklist"), t("{count} of {total} done", count=done, total=len(facts.checklist))),
        ]
    )


def _reasons(facts: Facts, _wanted: Wanted) -> str:
    ring = facts.ring or {}
    codes = [] if facts.ring else sorted({code for each in facts.members if each.score for code in each.score.reasons})
    played = [
        f"{sentences.of(sentences.ROLES, each['role'])}: {each['who']} ({sentences.said(each['because'])})"
        for each in ring.get("scheme_roles", ())
    ]
    doubts = [sentences.said(each) for each in ring.get("doubts", ())]
    return (
        h.para(sentences.said(str(ring.get("because", facts.case.because))))
        + h.bullets([*map(sentences.said, ring.get("signs", ())), *map(_reason, codes)])
        + (h.para(t("Who may play which role"), "soft") + h.bullets(played) if played else "")
        + h.para(t("What speaks for innocence"), "soft")
        + (h.bullets(doubts) or h.para(t("None of the known innocent patterns fits.")))
    )


def _members(facts: Facts, wanted: Wanted) -> str:
    if wanted.recipient == DEALER:
        rows = [[str(each.number), each.name, each.applicant, _at(each.submitted)] for each in facts.members]
        return h.table([t("No."), t("Application"), t("Applicant"), t("Submitted")], rows)
    clear = any(each.clear for each in facts.members)
    names = [t("No."), t("Application"), t("Applicant"), *([t("In the clear")] if clear else []), t("Dealer"),
             t("Submitted"), t("Amount"), t("Decision"), t("Paid out"), t("Label")]  # fmt: skip
    rows = [
        [f"A{each.number}", each.name, each.applicant, *([each.clear] if clear else []), each.dealer,
         _at(each.submitted), yuan(each.amount), words.of(words.LENDER, each.decision), _at(each.funded),
         _label(each, facts)]
        for each in facts.members
    ]  # fmt: skip
    return h.table(names, rows, numbers=frozenset({6 if clear else 5}))


def _label(member: Member, facts: Facts) -> str:
    """The casebook's word, or the lender's own outcome."""
    if said := member.stands:
        return words.of(words.DISPOSITION, said.label.label)
    return words.of(words.STATE, facts.states.get(member.name, ""))


def _things(facts: Facts, _wanted: Wanted) -> str:
    if not facts.things:
        return h.para(t("Nothing is shared."))
    clear = any(each.clear for each in facts.things)
    names = [
        t("No."),
        t("Kind"),
        t("Shared as"),
        t("Masked"),
        t("People"),
        t("Held by"),
        *([t("In the clear")] if clear else []),
    ]
    rows = [
        [f"S{each.number}", sentences.node_type(each.ref.type), sentences.relation(each.relation), each.masked,
         str(each.people), " ".join(f"A{number}" for number in each.holders), *([each.clear] if clear else [])]
        for each in facts.things
    ]  # fmt: skip
    return h.table(names, rows, numbers=frozenset({4}))


def _timeline(facts: Facts, _wanted: Wanted) -> str:
    return h.table([t("When"), t("What"), ""], [[when(each.at), each.kind, each.text] for each in events(facts)])


def _scores(facts: Facts, _wanted: Wanted) -> str:
    rows = [
        [f"A{each.number}", number(score.score, 3) if score.score is not None else "–",
         words.of(words.DECISION, score.decision), "; ".join(map(_reason, score.reasons)), score.model_version,
         when(score.as_of)]
        for each in facts.members if (score := each.score)
    ]  # fmt: skip
    names = [t("No."), t("Score"), t("Advice"), t("Reasons"), t("Model"), t("As of")]
    return h.table(names, rows, numbers=frozenset({1})) if rows else h.para(t("None of them was scored."))


def _labels(facts: Facts, _wanted: Wanted) -> str:
    rows = [
        [f"A{each.number}", words.of(words.DISPOSITION, said.label.label), words.typology(said.label.typology),
         said.label.evidence_level, facts.named(said.label.author), facts.named(said.label.second_author),
         when(said.known_at), said.label.note, "" if said is each.stands else t("replaced")]
        for each in facts.members for said in each.said
    ]  # fmt: skip
    names = [t("No."), t("Label"), t("Kind of fraud"), t("Evidence"), t("Said by"), t("Confirmed by"), t("When"),
             t("Note"), ""]  # fmt: skip
    return h.table(names, rows) if rows else h.para(t("Nobody labelled any of them."))


def _notes(facts: Facts, wanted: Wanted) -> str:
    chosen = [each for each in facts.entries if each.kind == NOTE and each.id in wanted.notes]
    told = [h.said(f"{when(each.at)} · {facts.named(each.author)}", each.text) for each in chosen]
    return "".join(told) or h.para(t("No note was chosen."))


def _checklist(facts: Facts, _wanted: Wanted) -> str:
    rows = [
        [
            each.item.said(language.get()),
            words.of(words.TICK, each.state),
            each.because,
            _by(facts, each.author, each.at),
        ]
        for each in facts.checklist
    ]
    return h.table([t("Item"), t("State"), t("Because"), t("By")], rows)


def _files(facts: Facts, _wanted: Wanted) -> str:
    rows = [
        [each.name, each.media_type, number(each.size), each.sha256, _by(facts, each.author, each.at),
         _by(facts, each.removed_by, each.removed_at)]
        for each in facts.files
    ]  # fmt: skip
    names = [t("File name"), t("Type"), t("Bytes"), "SHA-256", t("Attached"), t("Removed")]
    return h.table(names, rows, numbers=frozenset({2})) if rows else h.para(t("No file is attached."))


def _queries(facts: Facts, _wanted: Wanted) -> str:
    rows = [[words.of(words.ASKED, each.what), when(each.as_of), number(each.count)] for each in facts.asked]
    return h.para(t("Asked again as of these times, the graph gives the same answer."), "soft") + h.table(
        [t("What"), t("As of"), t("Found")], rows, numbers=frozenset({2})
    )


def _audit(facts: Facts, _wanted: Wanted) -> str:
    rows = [
        [str(each.id), when(each.at), facts.named(each.actor), each.action, each.subject, each.reason, each.hash[:16]]
        for each in facts.trail
    ]
    anchor = facts.anchor
    stood = (
        t("The log stood at row {id} with hash {hash}.", id=anchor.id, hash=anchor.hash)
        if anchor
        else t("The log was empty.")
    )
    names = [t("Row"), t("When"), t("Who"), t("Act"), t("About"), t("Reason"), t("Hash")]
    return h.table(names, rows) + h.para(stood)


def _reason(code: str) -> str:
    if code not in WORDS:
        return code
    text = WORDS[code].investigator
    return f"{code} {text.zh if language.get() == 'zh' else text.en}"


def yuan(amount: float | None) -> str:
    """In full: evidence is not rounded."""
    return "" if amount is None else f"¥{number(amount)}"


def _at(time: datetime | None) -> str:
    return "" if time is None else when(time)


def _by(facts: Facts, who: str | None, time: datetime | None) -> str:
    return " · ".join(each for each in (_at(time), facts.named(who or "")) if each)


SECTIONS: Mapping[str, Made] = {
    "summary": _summary, "reasons": _reasons, "graph": graph, "members": _members, "things": _things,
    "timeline": _timeline, "scores": _scores, "labels": _labels, "notes": _notes, "checklist": _checklist,
    "files": _files, "queries": _queries, "audit": _audit, "verify": verify,
}  # fmt: skip
