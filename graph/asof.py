"""What of a node's properties anybody could have seen at a given moment."""

from __future__ import annotations

from collections.abc import Mapping

from graph.ontology import NODES
from graph.records import Value

DATED: dict[str, dict[str, str]] = {
    node.name: {each.name: each.dated_by for each in node.properties if each.dated_by} for node in NODES.values()
}
"""Per node type: property -> the time property from which on it may be seen."""


def visible(type: str, properties: Mapping[str, Value], as_of: int) -> dict[str, Value]:  # noqa: A002
    """Properties without those dated later than `as_of` (milliseconds), or dated by a time nobody stated:
    a decision without a date could be tomorrow's."""
    dated = DATED[type]
    if not dated:
        return dict(properties)
    return {name: value for name, value in properties.items() if _seen(properties, dated.get(name), as_of)}


def _seen(properties: Mapping[str, Value], clock: str | None, as_of: int) -> bool:
    if clock is None:
        return True
    moment = properties.get(clock)
    return isinstance(moment, int | float) and moment <= as_of
