"""What is known of a thing as lines of name and value, in the language of who looks, in the order of the ontology."""

from __future__ import annotations

from graph.ontology import NODES, Property
from graph.records import Value, from_millis
from workbench.services.canvas.graph_shapes import Shown
from workbench.ui.i18n import day, money, number, share, t, when
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.property_words import CODES, NAMES
from workbench.ui.viewmodel.regions import region

UNSEEN = frozenset({"lat", "lon", "name_masked", "name"})
"""A place on a map says nothing as two numbers, and the name stands in the title."""

MONEY = frozenset({
    "amount", "down_payment", "invoice_price", "extras_amount", "monthly_income", "floorplan_limit", "list_price",
    "market_price",
})  # fmt: skip
SHARES = frozenset({"ltv", "face_score", "liveness_score", "geocode_confidence"})
REGIONS = frozenset({"region", "live_region", "hukou_region", "id_issue_region"})
YEARS = frozenset({"birth_year", "model_year"})
EXACT = frozenset({"submitted_at", "decided_at", "funded_at"})
"""Times whose hour matters."""


def lines(one: Shown) -> list[tuple[str, str]]:
    """(name, value) of all that is known of it then."""
    told = one.properties
    shown = [each for each in NODES[one.ref.type].properties if each.name in told and each.name not in UNSEEN]
    return [(name(each.name), value(each, told[each.name])) for each in shown]


def name(of: str) -> str:
    return NAMES[of]() if of in NAMES else of


def value(of: Property, told: Value) -> str:
    if isinstance(told, bool):
        return t("yes") if told else t("no")
    if isinstance(told, str):
        return _coded(of.name, told)
    if of.type == "time":
        at = from_millis(int(told))
        return when(at) if of.name in EXACT else day(at)
    return _figure(of.name, told)


def _coded(of: str, code: str) -> str:
    if of == "decision":
        return case_words.of(case_words.LENDER, code)
    if of in REGIONS:
        return region(code)
    words = CODES.get(of, {})
    return words[code]() if code in words else code


def _figure(of: str, told: float) -> str:
    if of in MONEY:
        return money(told)
    if of in SHARES:
        return share(told)
    if of in YEARS:
        return str(int(told))
    figure = number(told, 0 if float(told).is_integer() or of == "form_seconds" else 2)
    return _measured(of, figure)


def _measured(of: str, figure: str) -> str:
    if of in {"term_months", "tenure_months"}:
        return t("{count} months", count=figure)
    if of == "form_seconds":
        return t("{count} s", count=figure)
    return t("{count} km", count=figure) if of == "mileage_km" else figure
