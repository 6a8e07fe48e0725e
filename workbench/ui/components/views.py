"""Views of a graph under a name: what is on it, where it stands, what is pinned, folded and filtered, and as of when.

How one left a graph is kept besides, without being asked (`assets/views.js`): nobody's arranging is lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.casebook.saved import LONGEST_NAME, Saved
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui.aria import aria, data
from workbench.ui.callbacks import views_act, views_last
from workbench.ui.i18n import day, t
from workbench.ui.icons import icon

BOOKMARK = "M6 3h12v18l-6-5-6 5z"
PENCIL = "M4 20h4L19 9l-4-4L4 16z M13 7l4 4"
BIN = "M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13"


def tools() -> list[Any]:
    """For the bar over the graph."""
    stores = [dcc.Store(id=each) for each in (*views_act.STORES, *views_last.STORES)]
    return [_popover(), *stores, html.Div(id="views-words", hidden=True, **data(words=_words()))]


def register(app: Dash, services: Services) -> None:
    views_act.register(app, services, listed=listed)
    views_last.register(app, services)


def listed(who: Person, found: Sequence[Saved]) -> list[Any]:
    if not found:
        return [html.P(t("None saved yet. Arrange the graph, then give it a name."), className="rr-soft rr-small")]
    return [_row(who, one) for one in found]


def _row(who: Person, one: Saved) -> html.Div:
    mine = one.owner == who.name
    told = [t("shared") if mine else t("by {name}", name=one.owner)] if one.shared else []
    opens = html.Button(
        [html.Span(one.name, className="views-name"), html.Span(" · ".join([*told, day(one.at)]), className="rr-soft")],
        type="button",
        className="views-open",
        **data(view="open", number=one.id),
    )
    acts = [_act("rename", PENCIL, t("Rename view {name}", name=one.name), one)] if mine else []
    acts += [_act("remove", BIN, t("Delete view {name}", name=one.name), one)] if mine else []
    return html.Div([opens, *acts], className="views-row")


def _act(act: str, glyph: str, says: str, one: Saved) -> html.Button:
    return html.Button(
        icon(glyph, 14),
        type="button",
        className="canvas-tool views-act",
        title=says,
        **data(view=act, number=one.id, name=one.name),
        **aria(label=says),
    )


def _popover() -> dmc.Popover:
    button = {"component": "button", "type": "button", "className": "canvas-tool", "title": t("Views"), "w": "auto"}
    return dmc.Popover(
        id="views-popover",
        position="bottom-end",
        width=330,
        trapFocus=True,
        returnFocus=True,
        shadow="md",
        children=[
            dmc.PopoverTarget(icon(BOOKMARK, 17), boxWrapperProps=button | aria(label=t("Views"))),
            dmc.PopoverDropdown(
                className="views",
                children=[
                    html.H2(t("Views of this graph"), className="rr-h"),
                    html.Div(id=views_act.LIST, className="views-list"),
                    _form(),
                    html.Button(
                        t("Forget how I left it, lay out anew"),
                        type="button",
                        className="views-forget",
                        **data(view="forget"),
                    ),
                ],
            ),
        ],
    )


def _form() -> html.Form:
    return html.Form(
        id="views-form",
        className="views-form",
        children=[
            html.Label(t("Save this view as"), htmlFor="views-name", className="rr-small"),
            html.Div(
                [
                    dcc.Input(id="views-name", type="text", maxLength=LONGEST_NAME, className="views-input",
                              placeholder=t("Name")),
                    html.Button(t("Save"), type="submit", className="views-save"),
                ],
                className="views-line",
            ),
            dmc.Checkbox(id="views-shared", label=t("Everybody may open it"), size="xs", mt=8),
        ],
    )  # fmt: skip


def _words() -> str:
    words = {
        "saved": t("View saved: {name}"),
        "name": t("Give the view a name"),
        "opened": t("View opened: {name}"),
        "restored": t("As you left it"),
        "new": t("As you left it; {count} came since and stand beside"),
        "sure": t("Delete?"),
        "large": t("This graph is too large to be remembered; fold or remove some of it"),
        "rename": t("New name"),
    }
    return json.dumps(words, ensure_ascii=False)
