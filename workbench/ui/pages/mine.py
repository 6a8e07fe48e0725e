"""What waits for me: my cases by deadline, notes that name me, what I worked on lately."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

from dash import Dash, Input, Output, dcc, html

from workbench.casebook.cases import Case
from workbench.casebook.mentions import Mention
from workbench.services.all import Services
from workbench.services.cases.my_cases import Mine
from workbench.services.permissions import Act, Person
from workbench.ui import guard, ids
from workbench.ui.components.case_parts import badges, card, due, subject_link
from workbench.ui.i18n import money, number, t, when
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.viewmodel import sentences

COUNT = "rail-mine-count"
LONGEST = 240


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    mine = services.my_cases.mine(who)
    return html.Div(
        className="rr-inside cs",
        children=[
            html.Div([html.H1(t("My cases")), html.Span(_told(mine), className="rr-soft")], className="rr-title"),
            html.Div(
                className="cs-mine",
                children=[
                    html.Div(
                        [
                            card(t("Assigned to me"), _cases(mine.assigned, mine, _none_assigned())),
                            card(t("Worked on lately"), _cases(mine.worked, mine, _soft(t("Nothing yet.")))),
                        ],
                        className="cs-col",
                    ),
                    card(t("Where I am named"), *_mentions(mine)),
                ],
            ),
        ],
    )


def _told(mine: Mine) -> str:
    late = sum(bool(each.deadline and each.deadline < mine.now) for each in mine.assigned)
    parts = [t("{count} assigned", count=len(mine.assigned))]
    if late:
        parts.append(t("{count} overdue", count=late))
    if mine.unread:
        parts.append(t("{count} unread", count=mine.unread))
    return " · ".join(parts)


def _cases(told: tuple[Case, ...], mine: Mine, nothing: Any) -> Any:
    return html.Div([_case(each, mine) for each in told]) if told else nothing


def _case(one: Case, mine: Mine) -> Any:
    stake = t("{money} savable", money=money(one.savable)) if one.savable > 0 else money(one.exposure)
    return html.Article(
        className="cs-case",
        children=[
            html.Div(
                [
                    dcc.Link(one.name, href=f"/case/{one.id}", className="rr-link"),
                    subject_link(one),
                    *badges(one, mine.now),
                ],
                className="cs-row",
            ),
            html.Span(f"{number(one.score, 2)} · {stake}", className="rr-num rr-soft"),
            html.P(sentences.said(one.because)),
        ],
    )


def _none_assigned() -> Any:
    return html.Div(
        className="rr-empty",
        children=[
            html.H2(t("Nothing is assigned to you")),
            html.P(t("Take the next case from the queue: the most urgent one that nobody has.")),
            dcc.Link(t("To the queue"), href="/queue", className="rr-link"),
        ],
    )


def _mentions(mine: Mine) -> list[Any]:
    if not mine.mentions:
        return [_soft(t("When a colleague writes @ and your name in a note, it stands here."))]
    return [_mention(each, mine) for each in mine.mentions]


def _mention(one: Mention, mine: Mine) -> Any:
    case, text = mine.of_mentions[one.entry.case_id], one.entry.text
    fresh = one.read_at is None
    return html.Article(
        className=f"cs-note{' cs-unread' if fresh else ''}",
        children=[
            html.Div(
                [
                    html.Span(mine.people.get(one.entry.author, one.entry.author), className="cs-who"),
                    dcc.Link(case.name, href=f"/case/{case.id}", className="rr-link"),
                    html.Span(when(one.entry.at), className="cs-by"),
                    *([html.Span(t("unread"), className="cs-badge cs-blue")] if fresh else []),
                    *due(case, mine.now),
                ],
                className="cs-row",
            ),
            html.P(text if len(text) <= LONGEST else f"{text[:LONGEST]}…", className="cs-text"),
        ],
    )


def _soft(text: str) -> Any:
    return html.P(text, className="rr-soft")


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(COUNT, "children"), Input(ids.URL, "pathname"))
    def count(_path: str | None) -> str:
        """Beside the page's name in the rail, at every step from page to page."""
        unread = services.my_cases.unread(guard.person())
        return "" if not unread else str(unread) if unread < 100 else "99+"


PAGE = Page(pattern(r"/mine"), "My cases", Act.READ, layout, register, rail=GLYPHS["cases"], href="/mine")
