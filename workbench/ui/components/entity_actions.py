"""What can be done with the chosen thing. Who may not do something does not see it."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from graph.ontology import NODES
from workbench.services.canvas.graph_shapes import element_id
from workbench.services.find.entities import Entity
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria, data
from workbench.ui.i18n import t
from workbench.ui.icons import icon

EXPAND = "M12 5v14 M5 12h14"
PIN = "M9 4h6l-1 6 4 4H6l4-4z M12 14v6"
MARK = "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z M9 12l2 2 4-4"
REVEAL = "M3 12c4-7 14-7 18 0c-4 7-14 7-18 0z M12 15a3 3 0 1 0 0-6a3 3 0 0 0 0 6z"
CENTRE = "M12 3v4 M12 17v4 M3 12h4 M17 12h4 M12 15a3 3 0 1 0 0-6a3 3 0 0 0 0 6z"
OPEN = "M14 4h6v6 M20 4l-9 9 M18 14v6H4V6h6"


def actions(who: Person, one: Entity) -> html.Div:
    made: list[Any] = [
        _button("expand", EXPAND, t("Expand"), one),
        _button("centre", CENTRE, t("Show"), one),
        _button("pin", PIN, t("Pin"), one, **aria(pressed="false")),
    ]
    if who.may(Act.WORK) and NODES[one.ref.type].lead:
        made.append(_button("mark", MARK, t("Mark innocent…"), one))
    if who.may(Act.REVEAL) and NODES[one.ref.type].kind:
        told = data(type=one.ref.type, key=one.ref.key, masked=one.shown.masked)
        made.append(_button("reveal", REVEAL, t("Reveal…"), one, **told))
    if one.page:
        made.append(dcc.Link([icon(OPEN, 14), t("Open its page")], href=one.page, className="ent-act"))
    return html.Div(made, className="rr-section ent-acts", role="group", **aria(label=t("What to do with it")))


def _button(act: str, glyph: str, text: str, one: Entity, **more: Any) -> html.Button:
    return html.Button(
        [icon(glyph, 14), html.Span(text)],
        type="button",
        className="ent-act",
        **(data(ent=act, id=element_id(one.ref)) | more),
    )
