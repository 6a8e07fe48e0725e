"""Dealers in words and as rows of a grid."""

from __future__ import annotations

import math
from typing import Any

from workbench.services.lenses.dealer_cut import Cut
from workbench.services.lenses.dealer_rows import DealerRow, Estimate
from workbench.services.lenses.shrinkage import JUMP
from workbench.ui.i18n import money, number, share, t
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.regions import province

KINDS: case_words.Words = {
    "4s": lambda: t("4S shop"),
    "second_net": lambda: t("secondary network"),
    "used": lambda: t("used cars"),
    "direct_store": lambda: t("direct store"),
}
STEPS: case_words.Words = {
    "snapshot": lambda: t("the graph"),
    "repayments": lambda: t("repayments"),
    "vehicle_events": lambda: t("what happened to cars"),
    "gps_pings": lambda: t("reports of GPS units"),
    "cars": lambda: t("what is odd about cars"),
    "links": lambda: t("who shares what with whom"),
}
FINDINGS: case_words.Words = {
    "alert": lambda: t("alert R25: far more losses than its region"),
    "far_more_fraud": lambda: t("at least twice the fraud of its peers"),
    "far_more_early": lambda: t("at least twice the early defaults of its peers"),
    "more_fraud": lambda: t("surely more fraud than its peers"),
    "more_early": lambda: t("surely more early defaults than its peers"),
    "linked_and_rings": lambda: t("surely more linked, and more in rings, than its peers"),
    "more_linked": lambda: t("surely more linked than its peers"),
    "jump": lambda: t("volume jumped"),
    "rings": lambda: t("surely more of its applications in rings than of its peers'"),
    "few": lambda: t("too few applications to be graded better"),
    "less": lambda: t("surely less fraud and fewer early defaults than its peers"),
}
TOPS = {"fraud": 0.2, "early": 0.05, "shared": 0.4}
"""Where the scale of a column's bars ends: above it a bar leaves the picture, and the figure tells."""


def row(one: DealerRow) -> dict[str, Any]:
    kind = case_words.of(KINDS, one.kind)
    return {
        "code": one.code, "name": one.name or one.code, "region": province(one.region),
        "under": " · ".join(filter(None, (one.code, kind))), "alert": t("alert R25") if one.alert else "",
        "year": mark(number(one.year), t("{count} in 30 days", count=number(one.month))),
        "fraud": rate(one.fraud, TOPS["fraud"]), "early": rate(one.early, TOPS["early"]),
        "shared": index(one.shared), "jump": jump(one),
        "rings": mark(number(one.rings), t("{count} applications", count=number(one.in_rings))) if one.rings else None,
        "exposure": money(one.exposure), "savable": money(one.savable) if one.savable else "",
        "grade": mark(one.graded.letter, "", strong=one.graded.letter in "DE", said=graded(one)),
    }  # fmt: skip


def graded(one: DealerRow) -> str:
    """The grade with what led to it."""
    why = ", ".join(case_words.of(FINDINGS, each) for each in one.graded.because)
    said = t("Grade {letter}", letter=one.graded.letter)
    return f"{said}: {why}" if why else f"{said}: {t('nothing sure speaks against it')}"


def mark(text: str, under: str, *, strong: bool = False, said: str = "") -> dict[str, Any]:
    return {"text": text, "under": under, "strong": strong, "said": said}


def rate(one: Estimate, top: float) -> dict[str, Any]:
    """For the cell that draws a share with its interval and what peers have; places are parts of the scale."""
    return {
        "text": percent(one.mean),
        "under": t("{cases} of {number}", cases=number(one.cases), number=number(one.number)),
        "low": min(one.low / top, 1), "high": min(one.high / top, 1), "mean": min(one.mean / top, 1),
        "expected": min(one.expected / top, 1), "strong": one.surely_more, "said": said(one),
    }  # fmt: skip


def said(one: Estimate) -> str:
    """A share with all that stands behind it, in a sentence."""
    return t(
        "{mean} (95 %: {low} to {high}), from {cases} of {number}; peers {expected}",
        mean=percent(one.mean), low=percent(one.low), high=percent(one.high), cases=number(one.cases),
        number=number(one.number), expected=percent(one.expected),
    )  # fmt: skip


def index(one: Estimate) -> dict[str, Any]:
    """How many times as many of its applications are linked as of its peers'."""
    text = f"{number(one.times, 1)}×"
    return rate(one, TOPS["shared"]) | {"text": text, "said": f"{text} · {said(one)}"}


def jump(one: DealerRow) -> dict[str, Any]:
    if math.isnan(one.jump):
        return mark("", "", said=t("too new to tell"))
    ago = t("this week") if not one.jumped else t("{count} weeks ago", count=one.jumped)
    told, seen = f"{one.jump:+.1f}σ", one.jump >= 2
    return mark(told if seen else "–", ago if seen else "", strong=one.jump >= JUMP, said=f"{told} · {ago}")


def percent(value: float) -> str:
    """Two figures that count."""
    return share(value, 0 if value >= 0.1 else 1 if value >= 0.01 else 2)


def cut_sentence(told: Cut) -> str:
    """What suspending would do."""
    if not told.rings:
        return t("No ring would lose a member.")
    if len(told.rings) == 1:
        members = t("One ring loses {members} of its members", members=number(told.members))
        return f"{members}; {t('it falls apart.') if told.apart else t('it still hangs together.')}"
    if not told.apart:
        return t("{rings} rings lose {members} members; all of them still hang together.",
                 rings=number(len(told.rings)), members=number(told.members))  # fmt: skip
    return t("{rings} rings lose {members} members, {apart} of them fall apart.",
             rings=number(len(told.rings)), members=number(told.members), apart=number(told.apart))  # fmt: skip


def good_sentence(told: Cut) -> str:
    return t(
        "{good} good applications a month would be lost ({low} to {high}), {money}.",
        good=number(told.good, 1), low=number(told.good_low, 1), high=number(told.good_high, 1),
        money=money(told.good_money),
    )  # fmt: skip
