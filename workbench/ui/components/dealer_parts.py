"""The page of a dealer, from its figures to its people."""

from __future__ import annotations

import math
from typing import Any

from dash import html

from workbench.services.lenses.dealer_cut import CutRing
from workbench.services.lenses.dealer_people import Reviewer, Salesperson
from workbench.services.lenses.dealer_rows import Estimate
from workbench.services.lenses.dealers import DealerPage
from workbench.services.lenses.shrinkage import JUMP
from workbench.ui.components.lens_parts import badge, card, dealer_link, ring_link, table, tile
from workbench.ui.i18n import day, money, number, share, t
from workbench.ui.viewmodel import case_words, dealer_figures, dealer_words, sentences
from workbench.ui.viewmodel.dealer_words import KINDS, percent
from workbench.ui.viewmodel.plots import plot
from workbench.ui.viewmodel.regions import region


def whole(page: DealerPage) -> html.Div:
    weekly = dealer_figures.weeks(page.weeks)
    row = page.row
    return html.Div([
        _head(page),
        html.Div(_tiles(page), className="lens-tiles"),
        html.Div(className="lens-cards", children=[
            card(t("Applications a week"), plot(weekly, said=_weeks_said(page)) if page.weeks else _none(),
                 more="lens-w7", note=t("usual: the median of the 26 weeks before, times the season")),
            _cut(page),
            card(t("Beside its peers"), plot(dealer_figures.rates(row), said=_rates_said(page)),
                 note=t("other dealers of its region and type")),
            card(t("Share of fraud, half-years"), plot(dealer_figures.trend(page.trend), said=_trend_said(page)),
                 note=t("by day of application, as known now")) if page.trend else None,
            card(t("Rings it sells into"), _rings(page)),
            card(t("Salespeople"), _salespeople(page)),
            card(t("Who reviewed its applications"), _reviewers(page)),
            card(t("Dealers of the same people"), _tied(page)),
        ]),
    ])  # fmt: skip


def _none() -> html.Div:
    return html.Div(t("No applications in the last year."), className="lens-nothing")


def _head(page: DealerPage) -> html.Div:
    row = page.row
    facts = [
        row.code, region(row.region), case_words.of(KINDS, row.kind),
        t("the lender grades it {grade}", grade=row.grade) if row.grade else "",
        t("since {day}", day=day(page.onboarded_at)) if page.onboarded_at else "",
        t("closed since {day}", day=day(page.closed_at)) if page.closed_at else "",
        t("group {group}", group=page.group) if page.group else "",
    ]  # fmt: skip
    marks = [
        badge(t("Alert R25: far more losses than its region")) if row.alert else None,
        badge(t("Volume jumped"), "odd") if row.jump >= JUMP else None,
    ]
    return html.Div([
        html.H1([row.name or row.code, *filter(None, marks)]),
        html.Div(" · ".join(filter(None, facts)), className="rr-soft"),
        html.Div(dealer_words.graded(row)),
        html.Div(t("Counted up to {day}", day=day(page.today)), className="rr-soft rr-small"),
    ], className="lens-about")  # fmt: skip


def _tiles(page: DealerPage) -> list[Any]:
    row = page.row
    return [
        _rate(t("Fraud"), row.fraud),
        _rate(t("Early default"), row.early),
        tile(t("Linked to others"), f"{number(row.shared.times, 1)}×", t("{share} of its applications", share=percent(
            row.shared.mean)), tone="lens-bad" if row.shared.surely_more else "", said=dealer_words.said(row.shared)),
        tile(t("Applications, 12 months"), number(row.year), t("{count} in 30 days", count=number(row.month))),
        tile(t("Open exposure"), money(row.exposure), t("{money} not paid out", money=money(row.savable))),
        tile(t("In rings"), number(row.in_rings), t("applications, in rings: {count}", count=number(row.rings)),
             tone="lens-bad" if row.rings else ""),
    ]  # fmt: skip


def _rate(name: str, one: Estimate) -> Any:
    below = t("{low} to {high}; peers {expected}", low=percent(one.low), high=percent(one.high),
              expected=percent(one.expected))  # fmt: skip
    tone = "lens-bad" if one.surely_more else ""
    return tile(name, percent(one.mean), below, tone=tone, said=dealer_words.said(one))


# Suspended -----------------------------------------------------------------------------------------------


def _cut(page: DealerPage) -> Any:
    told = page.cut
    figures = [
        (number(len(told.rings)), t("of its rings cut, of which fall apart: {apart}", apart=number(told.apart))),
        (money(told.held), t("not paid out yet, {money} in rings", money=money(told.held_in_rings))),
        (number(told.good, 1), t("good applications a month, {money}", money=money(told.good_money))),
    ]
    return card(
        t("If it were suspended"),
        html.Div(className="lens-cut", children=[
            html.Div(className="lens-cut-figures", children=[
                html.Div([html.Div(value, className="lens-value rr-num"), html.Div(name, className="lens-below")])
                for value, name in figures
            ]),
            html.P(dealer_words.cut_sentence(told)),
            html.P(dealer_words.good_sentence(told)),
            html.P(t("Good: not in a ring, not known as bad, times the share of its loans that turn out well."),
                   className="rr-soft rr-small"),
        ]),
        more="lens-w5",
    )  # fmt: skip


def _rings(page: DealerPage) -> Any:
    head = (t("Ring"), t("Pattern"), t("Members sold here"), t("Score"), t("At stake"), t("Held back"), t("Suspended"))
    rows = [_ring(one) for one in page.cut.rings]
    return table(head, rows, nothing=t("No ring holds an application of this dealer."), numbers=(2, 3, 4, 5))


def _ring(one: CutRing) -> list[Any]:
    falls = html.Span(t("falls apart"), className="lens-bad-text") if one.apart else t("hangs together")
    return [
        ring_link(one.ring_id), case_words.typology(one.typology),
        t("{count} of {total}", count=number(one.lost), total=number(one.size)), f"{one.score:.2f}",
        money(one.exposure), money(one.held) if one.held else "–", falls,
    ]  # fmt: skip


# People --------------------------------------------------------------------------------------------------


def _salespeople(page: DealerPage) -> Any:
    head = (t("Salesperson"), t("Applications"), t("Fraud"), t("95 %"), t("Linked"), t("In rings"), t("Also sold for"))
    rows = [_salesperson(one, page) for one in page.salespeople]
    return table(head, rows, nothing=t("Nobody is named on its applications."), numbers=(1, 2, 3, 4, 5))


def _salesperson(one: Salesperson, page: DealerPage) -> list[Any]:
    worse = one.low > page.row.fraud.mean
    fraud = html.Span(percent(one.fraud), className="lens-bad-text" if worse else "", title=t(
        "{cases} of {number} known as fraud", cases=number(one.cases), number=number(one.applications)))  # fmt: skip
    places: list[Any] = []
    for other in one.elsewhere[:3]:
        until = t("{count} until {day}", count=number(other.applications), day=day(other.last))
        places += [dealer_link(other.dealer), html.Span(f" {until} ", className="rr-soft rr-small")]
    return [
        one.code, number(one.applications), fraud, f"{percent(one.low)}–{percent(one.high)}", number(one.linked),
        number(one.in_rings) if one.in_rings else "–", html.Span(places) if places else "–",
    ]  # fmt: skip


def _reviewers(page: DealerPage) -> Any:
    head = (t("Reviewer"), t("Reviewed"), t("Share"), t("Approved"), t("elsewhere"), t("Overrides"), t("Fraud since"))
    rows = [_reviewer(one) for one in page.reviewers]
    return table(head, rows, nothing=t("None of its applications was reviewed by hand."), numbers=(1, 2, 3, 4, 5, 6))


def _reviewer(one: Reviewer) -> list[Any]:
    elsewhere = "–" if math.isnan(one.approved_elsewhere) else share(one.approved_elsewhere)
    return [
        one.code, number(one.reviewed), share(one.share), share(one.approved), elsewhere, number(one.overrides),
        number(one.confirmed),
    ]  # fmt: skip


def _tied(page: DealerPage) -> Any:
    rows = [[dealer_link(one.code), one.name, ", ".join(sentences.relation(each) for each in one.by)]
            for one in page.tied]  # fmt: skip
    return table(
        (t("Dealer"), t("Name"), t("Tied by")), rows, nothing=t("No other dealer shares owner, account or group.")
    )


# For who sees no plot ------------------------------------------------------------------------------------


def _weeks_said(page: DealerPage) -> str:
    most = max((count for _, count, _, _ in page.weeks), default=0)
    jumped = sum(z >= JUMP for *_, z in page.weeks)
    return t("{weeks} weeks, at most {most} applications, {jumps} jumps", weeks=number(len(page.weeks)),
             most=number(most), jumps=number(jumped))  # fmt: skip


def _rates_said(page: DealerPage) -> str:
    row = page.row
    return "; ".join(
        f"{name}: {dealer_words.said(one)}"
        for name, one in ((t("Fraud"), row.fraud), (t("Early default"), row.early), (t("Linked to others"), row.shared))
    )


def _trend_said(page: DealerPage) -> str:
    last = page.trend[-1]
    return t("newest half-year: {share}, region {region}", share=percent(last.fraud), region=percent(last.region))
