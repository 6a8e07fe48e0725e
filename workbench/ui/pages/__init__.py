"""All pages, in the order of the rail."""

from __future__ import annotations

from workbench.ui.pages import (
    audit,
    case,
    dealer,
    dealers,
    investigate,
    labels,
    me,
    mine,
    models,
    overview,
    queue,
    users,
    vehicle,
    vehicles,
)
from workbench.ui.pages.page import Page

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    queue.PAGE,
    investigate.PAGE,
    mine.PAGE,
    case.PAGE,
    dealers.PAGE,
    dealer.PAGE,
    vehicles.PAGE,
    vehicle.PAGE,
    labels.PAGE,
    models.PAGE,
    audit.PAGE,
    users.PAGE,
    me.PAGE,
)
