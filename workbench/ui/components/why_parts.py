"""Pieces of the why panel: a line that lights what it rests on, bars, what to verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.ui.aria import aria, data
from workbench.ui.i18n import t
from workbench.ui.icons import icon

CHECK = "M4 12l5 5L20 6"
FIND = "M12 12m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0 M12 3v3 M12 18v3 M3 12h3 M18 12h3"


@dataclass
class Lights:
    """What lines light, by key; goes to the browser once, so that the pointer need not ask the server.

    Panels that stand side by side have different `prefix`es.
    """

    prefix: str = "k"
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, nodes: Sequence[str], edges: Sequence[Sequence[str]]) -> str:
        """The key; "" where there is nothing to light."""
        if not nodes and not edges:
            return ""
        key = f"{self.prefix}{len(self.told)}"
        self.told[key] = {"nodes": list(nodes), "edges": [list(each) for each in edges]}
        return key


def section(title: str, *inside: Any, tools: Any = None, more: str = "") -> html.Section:
    head = html.Div(className="why-head", children=[html.H2(title, className="rr-h"), tools])
    return html.Section(className=f"rr-section why-section {more}", children=[head, *inside], **aria(label=title))


def bar(part: float, *, tone: str = "") -> html.Div:
    """Of 0 to 1; the figure stands beside it for who sees no bar."""
    width = f"{100 * min(max(part, 0.0), 1.0):.1f}%"
    return html.Div(className=f"why-bar {tone}", children=html.Div(style={"width": width}), **aria(hidden="true"))


def line(
    title: str, detail: str, *, key: str, part: float | None = None, figure: str = "", inside: Sequence[Any] = (),
    opened: bool = False,
) -> Any:  # fmt: skip
    """A row that lights `key` under the pointer or the keyboard, and unfolds what there is to verify."""
    text = html.Div(className="why-text", children=[html.Span(title, className="why-title"), _soft(detail)])
    measure = [] if part is None else [bar(part), html.Span(figure, className="why-figure rr-num")]
    row = [text, *([html.Div(className="why-measure", children=measure)] if measure else [])]
    lit = data(why_lit=key) if key else {}
    if not inside:
        pressed: dict[str, Any] = {"role": "button", "tabIndex": 0} if key else {}
        return html.Div(className="why-line why-plain", children=row, **lit, **pressed)
    summary = html.Summary(className="why-line", children=row, **lit)
    return html.Details(
        className="why-fold", open=opened, children=[summary, html.Div(className="why-inside", children=list(inside))]
    )


def _soft(text: str) -> html.Span:
    return html.Span(text, className="why-detail")


def checks(texts: Sequence[str], *, title: str = "") -> Any:
    """What to verify, as a list."""
    if not texts:
        return None
    items = [html.Li([icon(CHECK, 13), html.Span(each)]) for each in texts]
    return html.Div(
        className="why-checks",
        children=[html.Div(title or t("What to verify"), className="why-small"), html.Ul(items)],
    )


def lit_button(text: str, key: str, *, focus: str = "") -> html.Button:
    """A thing of a line: lights alone, and is brought into view when it is clicked."""
    return html.Button(text, className="why-thing", type="button", **data(why_lit=key, why_focus=focus))


def innocent_button(element: str, where: str) -> html.Button:
    """Asks what a thing is; `where` it stands, for it may stand in two places."""
    asked = {"t": "innocent-ask", "in": where, "id": element}
    return html.Button(t("It is innocent…"), id=asked, className="why-action", type="button")


def badge(text: str, colour: str = "gray") -> dmc.Badge:
    return dmc.Badge(text, color=colour, variant="light", size="sm", radius="sm", className="why-badge")


def note(text: str, tone: str = "") -> html.Div:
    return html.Div(text, className=f"why-note {tone}")


def gauge(score: float | None, *, label: str) -> Any:
    """The score as a ring; colour never stands alone, the figure is in it."""
    value = 0.0 if score is None else 100 * score
    text = "–" if score is None else f"{score:.2f}"
    return dmc.RingProgress(
        size=64,
        thickness=7,
        roundCaps=True,
        sections=[{"value": value, "color": tone(score)}],
        label=html.Div(text, className="why-score rr-num"),
        **aria(label=label),
    )


def tone(score: float | None) -> str:
    if score is None:
        return "gray.5"
    return "red.7" if score >= 0.7 else "orange.7" if score >= 0.4 else "yellow.7" if score >= 0.1 else "teal.7"


def figures(told: Mapping[str, str]) -> html.Dl:
    """Names and values in two columns."""
    return html.Dl(className="why-figures", children=[
        each for name, value in told.items() for each in (html.Dt(name), html.Dd(value))
    ])  # fmt: skip
