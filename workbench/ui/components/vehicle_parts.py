"""The page of a vehicle: its life line, its loans, what it is worth, and who stood beside it."""

from __future__ import annotations

from typing import Any

from dash import html

from workbench.services.lenses.vehicle_life import Fact, Life, Loan
from workbench.services.lenses.vehicle_units import Beside
from workbench.ui.components.lens_parts import (
    application_link,
    badge,
    card,
    dealer_link,
    ring_link,
    table,
    tile,
    vehicle_link,
)
from workbench.ui.i18n import day, money, number, t, when
from workbench.ui.viewmodel import case_words, vehicle_figures, vehicle_words
from workbench.ui.viewmodel.plots import plot
from workbench.ui.viewmodel.regions import region
from workbench.ui.viewmodel.vehicle_words import CONDITIONS, GRAVE, KINDS, LANES, RULES


def whole(life: Life) -> html.Div:
    return html.Div([
        _head(life),
        html.Div(_tiles(life), className="lens-tiles"),
        html.Div(className="lens-cards", children=[
            card(t("Life line"), plot(vehicle_figures.life(life), said=_said(life)), more="lens-w12",
                 note=t("dot: when it happened; tick: when it was known")),
            card(t("Loans on this vehicle"), _loans(life), more="lens-w7"),
            card(t("Other financed vehicles at the same place within 30 days"), _beside(life), more="lens-w5"),
            card(t("Everything that happened"), _facts(life), more="lens-w12"),
        ]),
    ])  # fmt: skip


def _head(life: Life) -> html.Div:
    row = life.row
    about = [
        row.model, str(row.year) if row.year else "", case_words.of(CONDITIONS, row.condition),
        t("plate {plate}", plate=life.plate) if life.plate else "",
        t("plated in {region}", region=region(life.plated_in)) if life.plated_in else "",
    ]  # fmt: skip
    rings: list[Any] = []
    for each in life.rings:
        rings += [" · ", ring_link(each)]
    return html.Div(className="lens-about", children=[
        html.H1([html.Span(row.masked, className="rr-num"), *(_badge(each) for each in row.signs)]),
        html.Div([" · ".join(filter(None, about)), *rings], className="rr-soft"),
        html.Div(t("As known on {day}", day=day(life.as_of)), className="rr-soft rr-small"),
    ])  # fmt: skip


def _badge(sign: str) -> Any:
    rule = f"{RULES[sign]} " if sign in RULES else ""
    return badge(f"{rule}{vehicle_words.sign(sign)}", "grave" if sign in GRAVE else "odd")


def _tiles(life: Life) -> list[Any]:
    row = life.row
    invoices = [loan.invoice for loan in life.loans if loan.invoice]
    invoice = max(invoices) if invoices else None
    dear = "over_market" in row.signs or "under_market" in row.signs
    valued = t("valued {day}", day=day(life.valued_at)) if life.valued_at else t("no valuation known then")
    silent = "silent" in row.signs
    return [
        tile(t("Financed"), money(row.amount), t("{count} loans or open applications", count=number(row.loans)),
             tone="lens-bad" if row.people > 1 else ""),
        tile(t("Invoice"), money(invoice) if invoice else "–", vehicle_words.ratio(row.over) and t(
            "{ratio} of its market price", ratio=vehicle_words.ratio(row.over)), tone="lens-bad" if dear else ""),
        tile(t("Market price"), money(life.market_price) if life.market_price else "–", valued),
        tile(t("List price"), money(life.list_price) if life.list_price else "–"),
        tile(t("Transfers"), number(row.transfers), t("known by then"),
             tone="lens-bad" if {"transfers", "passed_on"} & set(row.signs) else ""),
        tile(t("Last report"), day(life.stops[-1].at) if life.stops else "–",
             life.stops[-1].place if life.stops else t("no unit reports"), tone="lens-bad" if silent else ""),
    ]  # fmt: skip


def _loans(life: Life) -> Any:
    head = (t("Application"), t("Applicant"), t("Dealer"), t("Applied"), t("Decision"), t("Paid out"), t("Amount"),
            t("Instalments"), t("Ring"))  # fmt: skip
    rows = [_loan(one) for one in life.loans]
    return table(head, rows, nothing=t("Nobody applied for a loan on it."), numbers=(6, 7))


def _loan(one: Loan) -> list[Any]:
    paid = t("{paid} of {due}", paid=number(one.paid), due=number(one.due)) if one.due or one.paid else "–"
    missed = html.Div(t("missed from {day}", day=day(one.missed_from)), className="lens-bad-text") if (
        one.missed_from) else None  # fmt: skip
    return [
        application_link(one.application), one.applicant, dealer_link(one.dealer), day(one.submitted_at),
        case_words.of(KINDS, one.decision) or t("open"), day(one.funded_at) if one.funded_at else "–",
        money(one.amount), [paid, missed], ring_link(one.ring),
    ]  # fmt: skip


def _beside(life: Life) -> Any:
    rows = [_other(one) for one in life.beside]
    head = (t("Vehicle"), t("Place"), t("On"), t("Days apart"), t("Application"), t("Ring"))
    return table(head, rows, nothing=t("None, or only at public places."), numbers=(3,))


def _other(one: Beside) -> list[Any]:
    last = html.Div(t("last seen there"), className="rr-soft rr-small") if one.last_there else None
    return [
        vehicle_link(one.token, vehicle_words.short(one.masked)), [one.place, last], day(one.at),
        number(one.days_apart), application_link(one.application), ring_link(one.ring),
    ]  # fmt: skip


def _facts(life: Life) -> Any:
    head = (t("Happened"), t("Known"), t("Lane"), t("What happened"), t("Application"), t("Source"))
    return table(head, [_fact(one) for one in life.facts[::-1]], nothing=t("Nothing is known of it."))


def _fact(one: Fact) -> list[Any]:
    what = html.Span(vehicle_words.fact(one), className="lens-bad-text" if one.grave else "")
    known = when(one.known_at) if one.known_at > one.at else t("at once")
    return [
        html.Span(when(one.at), className="rr-num"), html.Span(known, className="rr-num rr-soft"),
        case_words.of(LANES, one.lane), what, application_link(one.application), one.source,
    ]  # fmt: skip


def _said(life: Life) -> str:
    """For who sees no plot; the table below says all of it."""
    grave = [case_words.of(KINDS, one.kind) for one in life.facts if one.grave]
    text = t("{count} facts, from {first} to {last}", count=number(len(life.facts)), first=day(life.facts[0].at),
             last=day(life.facts[-1].at)) if life.facts else t("Nothing is known of it.")  # fmt: skip
    return f"{text}: {', '.join(dict.fromkeys(grave))}" if grave else text
