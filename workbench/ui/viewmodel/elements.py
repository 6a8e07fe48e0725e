"""From a picture of the graph to what a browser draws: masked text, opaque ids, and every styled fact in `data`.

Facts that do not hold are left out rather than false: cytoscape asks `[fact]`, and a thousand elements travel.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from graph.ontology import EDGES
from graph.records import to_millis
from workbench.casebook import roles
from workbench.services.canvas.graph_shapes import Count, Picture, Shown, Tie, edge_id, element_id
from workbench.ui.i18n import t
from workbench.ui.viewmodel import sentences

Element = dict[str, dict[str, Any]]

NAMED = {"Person": "name_masked", "Dealer": "name", "Employer": "name"}
"""What people call them; other things go by their mask, or the lender's own code."""

STARS = re.compile(r"\*{5,}")
"""A long mask is told by its end."""


def elements(
    picture: Picture,
    *,
    seen: datetime | None = None,
    joined: Collection[str] = (),
    as_of: datetime | None = None,
) -> list[Element]:
    """Nodes first. `seen`: when who looks looked last; what became known since is `fresh`, and so are the
    applications that have `joined` since."""
    since = None if seen is None else to_millis(seen)
    now = None if as_of is None else to_millis(as_of)
    twins = _twins(picture.ties)
    return [
        *({"data": _node(one, since, joined)} for one in picture.nodes),
        *({"data": _edge(one, since, now, twins)} for one in picture.ties),
    ]


def _node(one: Shown, since: int | None, joined: Collection[str]) -> dict[str, Any]:
    late = since is not None and one.known_at > since
    facts = {
        "member": int(one.member),
        "held": one.held_by if not one.member and one.held_by > 1 else 0,
        "score": None if one.score is None else round(one.score, 3),
        "decision": one.decision,
        "state": one.label,
        "role": one.role,
        "infra": one.infrastructure,
        "infraSays": sentences.kind(one.infrastructure) if one.infrastructure else "",
        "fresh": int(late or (one.ref.type == "Application" and one.ref.key in joined)),
        "amount": one.properties.get("amount"),
        "sub": second(one),
    }
    kept = {name: value for name, value in facts.items() if value not in ("", 0, None)}
    return {
        "id": element_id(one.ref),
        "type": one.ref.type,
        "label": label(one),
        "links": one.links,
        "known": one.known_at,
        **kept,
    }


def _edge(one: Tie, since: int | None, now: int | None, twins: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    facts = {
        "weight": EDGES[one.relation].weight,
        "alike": int(one.alike),
        "innocent": one.innocent,
        "ended": int(bool(one.valid_to) and now is not None and (one.valid_to or 0) <= now),
        "fresh": int(since is not None and one.known_at > since),
        "twin": int(twins[_pair(one)] > 1),
        "ref": "" if one.alike else one.ref,
    }
    kept = {name: value for name, value in facts.items() if value not in ("", 0, None)}
    return {
        "id": edge_id(one),
        "source": element_id(one.source),
        "target": element_id(one.target),
        "relation": one.relation,
        "says": sentences.relation(one.relation),
        "time": one.event_time,
        "known": one.known_at,
        **kept,
    }


def label(one: Shown) -> str:
    """What stands under the glyph: a name or a mask, and the role that somebody plays."""
    named = one.properties.get(NAMED.get(one.ref.type, ""))
    text = STARS.sub("…", str(named or one.masked or _code(one.ref.type, one.ref.key)))
    return f"{text}\n{role(one.role)}" if one.role else text


def _code(type_: str, key: str) -> str:
    """A template goes by its kind and the end of its hash."""
    kind, found, rest = key.partition(":")
    return f"{kind} …{rest[-4:]}" if type_ == "DocTemplate" and found else key


def second(one: Shown) -> str:
    """A second line for who looks closer."""
    told = one.properties
    if one.ref.type == "Vehicle":
        return " ".join(str(told[name]) for name in ("brand", "series", "model_year") if name in told)
    if one.ref.type in ("Person", "Dealer", "Employer"):
        return one.masked or one.ref.key
    if one.ref.type == "Phone":
        return str(told.get("city", ""))
    return ""


def role(code: str) -> str:
    """Of a scheme, as somebody said it or the graph suggests it."""
    words = {
        roles.ORGANISER: t("organiser"),
        roles.RECRUITER: t("recruiter"),
        roles.BORROWER: t("straw borrower"),
        roles.ADVANCER: t("down-payment advancer"),
        roles.RECEIVER: t("car receiver"),
        roles.INSIDER: t("dealer insider"),
    }
    return words.get(code, code)


def count(one: Count) -> dict[str, Any]:
    """For a list of what a node's neighbours are, before any is shown."""
    return {
        "relation": one.relation,
        "outgoing": one.outgoing,
        "type": one.type,
        "says": sentences.relation(one.relation),
        "typeSays": sentences.node_type(one.type),
        "shown": one.shown,
        "total": one.total,
    }


def _pair(one: Tie) -> tuple[str, str]:
    first, second = sorted((element_id(one.source), element_id(one.target)))
    return first, second


def _twins(ties: Iterable[Tie]) -> dict[tuple[str, str], int]:
    """How many links join the same two nodes: more than one are drawn apart."""
    found: dict[tuple[str, str], int] = {}
    for one in ties:
        found[_pair(one)] = found.get(_pair(one), 0) + 1
    return found
