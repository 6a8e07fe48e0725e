"""Cars in words and as rows of a grid."""

from __future__ import annotations

import math
from typing import Any

from workbench.services.lenses.vehicle_life import Fact
from workbench.services.lenses.vehicles import VehicleRow
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.dealer_words import mark

SIGNS: case_words.Words = {
    "financed_twice": lambda: t("financed twice"),
    "silent": lambda: t("GPS silent"),
    "together": lambda: t("seen together"),
    "passed_on": lambda: t("passed on"),
    "withdrawn": lambda: t("cover withdrawn"),
    "transfers": lambda: t("many transfers"),
    "over_market": lambda: t("above market"),
    "under_market": lambda: t("far below market"),
    "plated_elsewhere": lambda: t("plated elsewhere"),
    "unregistered": lambda: t("mortgage missing"),
}
RULES = {"silent": "R23", "together": "R24", "passed_on": "R21", "withdrawn": "R22", "over_market": "R18",
         "plated_elsewhere": "R20"}  # fmt: skip
GRAVE = ("financed_twice", "silent", "together", "passed_on", "withdrawn", "transfers")

LANES: case_words.Words = {
    "loan": lambda: t("Loans"),
    "papers": lambda: t("Papers"),
    "plate": lambda: t("Plate"),
    "owner": lambda: t("Ownership"),
    "insurance": lambda: t("Insurance"),
    "workshop": lambda: t("Workshop"),
    "gps": lambda: t("GPS"),
}
KINDS: case_words.Words = {
    "submitted": lambda: t("applied"),
    "approve": lambda: t("approved"),
    "decline": lambda: t("declined"),
    "review": lambda: t("under review"),
    "cancel": lambda: t("cancelled"),
    "pending": lambda: t("pending"),
    "decided": lambda: t("decided"),
    "funded": lambda: t("paid out"),
    "first_missed": lambda: t("instalment missed"),
    "invoice": lambda: t("invoice"),
    "invoice_reversed": lambda: t("invoice reversed"),
    "mortgage_registered": lambda: t("mortgage registered"),
    "mortgage_released": lambda: t("mortgage released"),
    "plated": lambda: t("plated"),
    "title_transfer": lambda: t("transferred"),
    "export": lambda: t("exported"),
    "insured": lambda: t("insured"),
    "policy_cancelled": lambda: t("policy cancelled"),
    "inspection": lambda: t("inspection"),
    "repair": lambda: t("repair"),
    "first_report": lambda: t("first report"),
    "last_report": lambda: t("last report"),
    "tampered": lambda: t("tampered with"),
    "unplugged": lambda: t("power cut"),
}
CONDITIONS: case_words.Words = {"new": lambda: t("new car"), "used": lambda: t("used car")}


def row(one: VehicleRow) -> dict[str, Any]:
    about = (one.model, str(one.year) if one.year else "", case_words.of(CONDITIONS, one.condition))
    people = t("{count} people", count=number(one.people)) if one.people > 1 else ""
    return {
        "name": short(one.masked), "under": " · ".join(filter(None, about)), "alert": "", "signs": chips(one.signs),
        "loans": mark(number(one.loans), people, strong=one.people > 1),
        "transfers": number(one.transfers) if one.transfers else "", "over": ratio(one.over),
        "amount": money(one.amount), "savable": money(one.savable) if one.savable else "",
        "in_rings": number(one.in_rings) if one.in_rings else "", "application": one.application,
        "last": day(one.last) if one.last else "",
    }  # fmt: skip


def short(masked: str) -> str:
    """A VIN has seventeen places; the stars that hide most of them need not all be seen."""
    shown = masked.lstrip("*")
    return f"…{shown}" if shown != masked else masked


def ratio(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}×"


def chips(signs: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"text": sign(each), "tone": "grave" if each in GRAVE else "odd"} for each in signs]


def sign(code: str) -> str:
    return case_words.of(SIGNS, code)


def fact(one: Fact) -> str:
    """What happened, with what there is to say of it."""
    more = [
        money(one.amount) if one.amount else "",
        t("to {who}", who=one.who) if one.who else "",
        one.where,
    ]
    return " · ".join(filter(None, (case_words.of(KINDS, one.kind), *more)))
