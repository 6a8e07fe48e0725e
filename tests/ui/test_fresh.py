"""What is new since the last visit is told as a fact of each node and link, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from graph.records import NodeRef, to_millis
from workbench.services.canvas.graph_shapes import Picture, Shown, Tie
from workbench.ui.viewmodel.elements import elements

SEEN = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = (to_millis(SEEN + timedelta(days=days)) for days in (-1, 1))
APP, LATE, PHONE = NodeRef("Application", "A1"), NodeRef("Application", "A2"), NodeRef("Phone", "A1")


def fresh(seen: datetime | None, joined: frozenset[str] = frozenset()) -> set[str]:
    nodes = [Shown(APP, "", OLD, {}), Shown(LATE, "", NEW, {}), Shown(PHONE, "m", OLD, {})]
    ties = [Tie("CONTACT_OF", PHONE, APP, "", NEW, OLD), Tie("CONTACT_OF", PHONE, LATE, "", OLD, NEW)]
    told = elements(Picture(nodes, ties), seen=seen, joined=joined)
    return {each["data"]["id"] for each in told if each["data"].get("fresh")}


def test_what_became_known_since_is_new() -> None:
    assert fresh(SEEN) == {"Application~A2", "CONTACT_OF~Phone~A1~Application~A2~"}


def test_the_first_visit_has_no_halo() -> None:
    assert fresh(None) == set()


def test_an_application_that_joined_since_is_new_however_old() -> None:
    assert fresh(SEEN, frozenset({"A1"})) - fresh(SEEN) == {"Application~A1"}  # and not the phone of that key
