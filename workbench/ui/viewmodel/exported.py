"""What is on a canvas as a table or as GraphML, and the line at the foot of a picture: masked, as the screen has it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import networkx as nx

from graph.records import from_millis
from workbench.services.canvas.exports import Stamp, Taken
from workbench.services.canvas.graph_shapes import Picture, Shown, edge_id, element_id
from workbench.services.canvas.sheets import sheet
from workbench.services.canvas.workbooks import workbook
from workbench.ui.i18n import t, when
from workbench.ui.viewmodel import elements, sentences

STATES = {
    "fraud": lambda: t("Labelled as fraud"),
    "suspected": lambda: t("Labelled as suspected"),
    "legit": lambda: t("Cleared"),
}


def footer(stamp: Stamp) -> str:
    """Who took it, when, of what and as of when."""
    then = t("as of {time}", time=when(stamp.as_of)) if stamp.as_of else t("as it stands")
    name = f"{stamp.who.display_name} ({stamp.who.name})"
    return " · ".join(["Ringroad", stamp.subject.name, then, t("masked"), name, when(stamp.at)])


def file_name(stamp: Stamp, kind: str) -> str:
    return f"{stamp.subject.name}-{stamp.at:%Y%m%d-%H%M}.{kind}"


def csv(taken: Taken) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    return ("\ufeff" + sheet(_fields(), map(_row, taken.picture.nodes))).encode()


def xlsx(taken: Taken) -> bytes:
    name = taken.stamp.subject.name
    return workbook(name, _fields(), map(_row, taken.picture.nodes), note=footer(taken.stamp))


def graphml(taken: Taken) -> bytes:
    """As networkx writes it: keys are element ids, values what a screen shows."""
    into = io.BytesIO()
    nx.write_graphml(_graph(taken), into, encoding="utf-8", prettyprint=False)
    return into.getvalue()


def _fields() -> list[str]:
    return [
        t("Type"), t("Name"), t("Mask or code"), t("More"), t("Score"), t("Marks"), t("Infrastructure"),
        t("Links in all"), t("Amount"), t("Known since"),
    ]  # fmt: skip


def _row(one: Shown) -> Sequence[object]:
    name, *role = elements.label(one).split("\n")
    marks = [*role, *([STATES[one.label]()] if one.label in STATES else [])]
    amount = one.properties.get("amount")
    return [
        sentences.node_type(one.ref.type),
        name,
        one.masked or one.ref.key,
        elements.second(one),
        None if one.score is None else round(one.score, 3),
        " · ".join(marks),
        sentences.kind(one.infrastructure) if one.infrastructure else "",
        one.links,
        amount if isinstance(amount, int | float) else None,
        _day(one.known_at),
    ]


def _graph(taken: Taken) -> Any:
    picture: Picture = taken.picture
    made: Any = nx.MultiDiGraph(ringroad=footer(taken.stamp))
    for one in picture.nodes:
        told = {
            "type": one.ref.type, "label": elements.label(one).replace("\n", " · "), "known": _day(one.known_at),
            "links": one.links, "label_state": one.label, "role": one.role, "infrastructure": one.infrastructure,
            "score": one.score, "decision": one.decision,
        }  # fmt: skip
        made.add_node(element_id(one.ref), **_said(told))
    for tie in picture.ties:
        edge = {
            "relation": tie.relation, "says": sentences.relation(tie.relation), "time": _day(tie.event_time),
            "known": _day(tie.known_at), "confidence": tie.confidence, "innocent": bool(tie.innocent),
        }  # fmt: skip
        made.add_edge(element_id(tie.source), element_id(tie.target), key=edge_id(tie), **_said(edge))
    return made


def _said(told: dict[str, Any]) -> dict[str, Any]:
    """GraphML has no word for nothing, and XML none for some characters."""
    return {name: _clean(value) if isinstance(value, str) else value for name, value in told.items()
            if value not in (None, "")}  # fmt: skip


def _clean(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def _day(millis: int) -> str:
    return f"{from_millis(millis):%Y-%m-%d}" if millis > 0 else ""
