"""What a search found, as rows of the list under the box: masked, with a hint of the rings that hold it."""

from __future__ import annotations

from typing import Any

from graph.normalise import REASONS
from workbench.services.canvas.graph_shapes import Shown, element_id
from workbench.services.find.search import CASE, Answer, Group, Hit
from workbench.services.subject import RING
from workbench.ui.i18n import language, money, number, t
from workbench.ui.viewmodel import case_words, elements, sentences

KINDS = {
    "id_number": lambda: t("ID number"),
    "phone": lambda: t("Phone number"),
    "vin": lambda: t("VIN"),
    "uscc": lambda: t("Credit code"),
    "plate": lambda: t("Plate"),
    "card": lambda: t("Card number"),
    "ip": lambda: t("IP address"),
    "bssid": lambda: t("WiFi address"),
}


def answer(found: Answer, sequence: object) -> dict[str, Any]:
    """`sequence` names the question: an answer to an older one is dropped."""
    return {"sequence": sequence, "note": _note(found), "groups": [_group(one) for one in found.groups]}


def _note(found: Answer) -> str:
    """What the text was taken for, where that helps: it hides what was typed."""
    if found.kind:
        name = f"{KINDS[found.kind]()} {found.masked}"
        hit = any(hit.exact for group in found.groups for hit in group.hits)
        if found.kind == "plate":
            return (
                t("{what}: plates are kept masked, others may look the same", what=name)
                if found.total
                else (t("{what}: not in the graph", what=name))
            )
        return name if hit else t("{what}: not in the graph", what=name)
    if found.fault:
        reason = REASONS[found.fault]
        return reason.zh if language.get() == "zh" else reason.en
    return "" if found.total else t("Found nothing")


def _group(one: Group) -> dict[str, Any]:
    many = f"{number(one.total)}+" if one.more else number(one.total)
    return {"name": one.name, "title": _title(one.name), "total": many, "hits": [_hit(each) for each in one.hits]}


def _title(name: str) -> str:
    if name == RING:
        return t("Rings")
    return t("Cases") if name == CASE else sentences.node_type(name)


def _hit(one: Hit) -> dict[str, Any]:
    told = _ring(one) if one.group == RING else _case(one) if one.group == CASE else _node(one)
    return {"group": one.group, "href": one.href, "exact": one.exact, **told}


def _ring(one: Hit) -> dict[str, Any]:
    ring: Any = one.ring or {}
    size = t("{count} applications", count=number(ring["size"]))
    return {
        "title": one.name,
        "sub": " · ".join(filter(None, [size, money(ring["exposure"]), case_words.typology(ring["typology"])])),
        "score": _score(ring["score"]),
    }


def _case(one: Hit) -> dict[str, Any]:
    case = one.case
    assert case is not None  # noqa: S101 - a fault of ours
    state = case_words.of(case_words.OUTCOME if case.outcome else case_words.STATUS, case.outcome or case.status)
    return {
        "title": f"C{case.id}",
        "sub": " · ".join(filter(None, [case.subject, state, case.assignee])),
        "score": _score(case.score),
    }


def _node(one: Hit) -> dict[str, Any]:
    node = one.node
    assert node is not None  # noqa: S101 - a fault of ours
    shown = Shown(node.ref, node.masked, node.known_at, node.properties)
    told = {
        "id": element_id(node.ref),
        "title": elements.label(shown),
        "sub": _sub(one.group, shown),
        "rings": [{"name": each.ring_id, "score": _score(each.score)} for each in one.held[:2]],
        "score": "" if one.score is None else _score(one.score),
    }
    return {name: value for name, value in told.items() if value not in ("", [])}


def _sub(type_: str, one: Shown) -> str:
    told = one.properties
    if type_ == "Application":
        money_ = told.get("amount")
        return money(float(money_)) if isinstance(money_, int | float) else ""
    if type_ == "Vehicle":
        names = [str(told[name]) for name in ("brand", "series", "model_year") if name in told]
        return " ".join([*names, str(told.get("plate_masked", ""))]).strip()
    if type_ in ("Dealer", "Employer"):
        return one.ref.key if told.get("name") else ""
    if type_ == "Person":
        return one.masked if told.get("name_masked") else ""
    return str(told.get("city", "")) if type_ == "Phone" else ""


def _score(value: float) -> str:
    return f"{value:.2f}"
