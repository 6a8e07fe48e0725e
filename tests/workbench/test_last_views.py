"""How somebody left a graph is there again, for him alone."""

from __future__ import annotations

import pytest

from graph.errors import InputError
from tests.workbench.door import cheap, clock, office
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.canvas.views import LastViews
from workbench.services.cases.saved import SavedThings
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

__all__ = ["cheap", "clock", "office"]

LIN, SUN = Person("lin", "Lin Yue", Role.INVESTIGATOR), Person("sun", "Sun Hao", Role.AUDITOR)
RING, OTHER = Subject("ring", "R0A1B2C3D4E"), Subject("ring", "R1A1B2C3D4E")
VIEW = {"nodes": ["Phone~a"], "positions": {"Phone~a": [1, -2]}, "pinned": ["Phone~a"], "hidden": [], "as_of": "",
        "filters": {"off": ["Dealer"], "range": None, "folds": [], "fresh": False},
        "zoom": {"level": 1.2, "x": 3, "y": 4, "w": 800, "h": 600}}  # fmt: skip


@pytest.fixture
def views(office: Office) -> LastViews:
    return LastViews(office)


def test_the_last_one_counts_for_each_person_and_subject(views: LastViews) -> None:
    assert views.last(LIN, RING) is None
    views.remember(LIN, RING, VIEW | {"nodes": []})
    views.remember(LIN, RING, VIEW)
    views.remember(SUN, OTHER, VIEW | {"pinned": []})
    assert views.last(LIN, RING) == VIEW
    assert views.last(SUN, RING) is None
    assert views.last(LIN, OTHER) is None
    views.forget(LIN, RING)
    assert views.last(LIN, RING) is None
    assert views.last(SUN, OTHER) is not None


def test_it_has_no_name_and_is_on_no_list_nor_in_the_log(office: Office, views: LastViews) -> None:
    views.remember(LIN, RING, VIEW)
    assert SavedThings(office).views(LIN, RING) == []
    with office.casebook.reading() as db:
        assert not list(audit.each(db, Asked()))
    number = SavedThings(office).add_view(LIN, RING, "desk", VIEW)
    assert SavedThings(office).get(LIN, number).content == VIEW
    assert views.last(LIN, RING) == VIEW


@pytest.mark.parametrize(
    "content",
    [{}, {"nodes": []}, VIEW | {"nodes": [1]}, VIEW | {"html": "<b>"}, VIEW | {"nodes": ["x" * 300] * 1000}],
)
def test_what_is_no_view_is_not_kept(views: LastViews, content: dict[str, object]) -> None:
    with pytest.raises(InputError):
        views.remember(LIN, RING, content)
