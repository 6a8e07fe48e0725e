"""The slider over the canvas: every run and every decision is a stop, and the graph is drawn as it stood there.

The browser moves it (`assets/passport.js`) and writes AS_OF; the server only says which stops there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from workbench.services.all import Services
from workbench.services.lenses.passport import Stop
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui import ids
from workbench.ui.aria import aria
from workbench.ui.i18n import day, t
from workbench.ui.icons import icon
from workbench.ui.viewmodel import passport_words

BEFORE, AFTER = "M15 5l-7 7 7 7", "M9 5l7 7-7 7"
DECISIVE = ("run", "label", "outcome")
"""Kinds that colour a tick, the first that is there; all others are decisions."""


def as_of_bar(services: Services, who: Person, subject: Subject) -> Any:
    stops = services.passport.stops(who, subject)
    return html.Div(
        className="asof",
        id="asof",
        role="group",
        children=[
            dcc.Store(id=ids.AS_OF_STOPS, data=told(subject, stops)),
            dcc.Store(id=ids.AS_OF_JUMP),
            html.Span(t("Graph as of"), className="rr-h asof-name"),
            _button("prev", BEFORE, t("One stop back")),
            html.Div(
                className="asof-track",
                children=[
                    html.Div(id="asof-ticks", className="asof-ticks", children=ticks(stops), **aria(hidden="true")),
                    dmc.Slider(
                        id="asof-slider",
                        min=0,
                        max=len(stops),
                        value=len(stops),
                        step=1,
                        size="xs",
                        color="blue.7",
                        thumbSize=14,
                        updatemode="mouseup",
                        label={"function": "asOfStop"},
                        thumbLabel=t("As of which stop; the right end is now"),
                        disabled=not stops,
                    ),
                ],
            ),
            _button("next", AFTER, t("One stop on")),
            html.Span(id="asof-said", className="asof-said rr-num", children=t("now"), **aria(live="polite")),
            html.Button(t("Now"), className="asof-now", type="button", hidden=True, id="asof-now", **_does("now")),
        ],
        **aria(label=t("As of when the graph is drawn")),
    )


def told(subject: Subject, stops: Sequence[Stop]) -> dict[str, Any]:
    """What the browser needs: the times, and what each says; of another subject it goes back to now."""
    return {
        "of": subject.href,
        "at": [one.at.isoformat() for one in stops],
        "said": [passport_words.at(one.at, passport_words.stop(one)) for one in stops],
        "short": [day(one.at) for one in stops],
        "now": t("now"),
    }


def ticks(stops: Sequence[Stop]) -> list[Any]:
    """Over the slider, in the colour of what happened."""
    return [
        html.I(className=f"asof-tick asof-{_kind(one)}", style={"left": f"{100 * at / len(stops):.3f}%"})
        for at, one in enumerate(stops)
    ]


def _kind(one: Stop) -> str:
    return next((kind for kind in DECISIVE if kind in one.kinds), "decision")


def _button(to: str, path: str, label: str) -> html.Button:
    said = aria(label=label)
    return html.Button(icon(path, 14), className="asof-step", type="button", title=label, **_does(to), **said)


def _does(to: str) -> dict[str, Any]:
    return {"data-asof": to}
