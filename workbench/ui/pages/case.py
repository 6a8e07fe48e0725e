"""The file of one case: how it stands, what is to do, what was found, by whom; and the way out of the house, on record.

What all gestures on a case need is registered here; the tab of the investigate page (`components/case_panel.py`) shows
the same parts, fewer of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui import ids
from workbench.ui.aria import aria
from workbench.ui.callbacks import case_close, case_evidence, case_files, case_refresh, case_tick, case_work
from workbench.ui.callbacks.case_common import PAGE as WHERE
from workbench.ui.callbacks.case_refresh import (
    FILES,
    HEAD,
    KINDS,
    LINE,
    LIST,
    LOG,
    MEMBERS,
    NEXT,
    NOTES,
    SUMMARY,
    boxes,
    drawn,
    group_names,
    store,
)
from workbench.ui.components import notes
from workbench.ui.components.case_parts import card
from workbench.ui.i18n import t
from workbench.ui.pages.page import Page


def layout(services: Services, who: Person, match: Mapping[str, str]) -> Any:
    number = int(match["number"])
    services.my_cases.read(who, number)
    file = services.casefiles.file(who, number)
    part = boxes(drawn(services, who, file, WHERE))
    open_ = file.may_work and not file.case.closed
    return html.Div(
        className="rr-inside cs",
        children=[
            dcc.Store(id=ids.CASE, data=store(file, WHERE)),
            dcc.Store(id=ids.CASE_CHANGED),
            part[HEAD],
            part[NEXT],
            html.Div(
                className="cs-grid",
                children=[
                    html.Div(
                        [
                            card(t("What is it about"), part[SUMMARY]),
                            card(t("Checklist"), part[LIST], *([case_tick.adder()] if open_ else [])),
                            card(
                                t("Notes"),
                                notes.composer(services.casefiles.colleagues(who), may=file.may_note),
                                part[NOTES],
                            ),
                            card(t("Files"), *([case_files.drop(number)] if open_ else []), part[FILES]),
                        ],
                        className="cs-col",
                    ),
                    html.Div(
                        [
                            card(t("Applications"), part[MEMBERS]),
                            card(t("Timeline"), part[LINE]),
                            card(t("Activity"), _filter(), part[LOG]),
                        ],
                        className="cs-col",
                    ),
                ],
            ),
            *dialogs(),
        ],
    )


def dialogs() -> list[Any]:
    return [
        case_tick.dialog(), case_files.dialog(), case_close.dialog(), case_work.dialog(), case_evidence.dialog(),
    ]  # fmt: skip


def _filter() -> Any:
    return dmc.Select(
        id=KINDS, data=group_names(), value="all", size="xs", allowDeselect=False, mb=8,
        **aria(label=t("Which activity")),
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    for each in (notes, case_refresh, case_tick, case_files, case_close, case_work, case_evidence):
        each.register(app, services)


PAGE = Page(pattern(r"/case/C?(?P<number>[0-9]{1,9})"), "Case", Act.READ, layout, register, href="/mine")
