"""Filters and views under a name: one's own and shared ones, bounded, and nothing but what they may hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from graph.errors import InputError, NodeNotFound
from workbench.casebook import saved
from workbench.casebook.opening import Casebook
from workbench.casebook.people_tables import audit as log
from workbench.casebook.queue_query import Query
from workbench.services.cases.saved import SavedThings
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
LI, XU = (Person(name, name.title(), Role.INVESTIGATOR) for name in ("li", "xu"))
RING = Subject("ring", "R1")
VIEW: dict[str, Any] = {"nodes": ["Application~A1"], "positions": {"Application~A1": [1, 2]}, "zoom": {"level": 1.5}}


@dataclass
class Kept:
    things: SavedThings
    casebook: Casebook

    def log(self) -> list[tuple[str, str, str]]:
        with self.casebook.reading() as db:
            return [(row.actor, row.action, row.subject) for row in db.execute(select(log).order_by(log.c.id))]


@pytest.fixture(scope="module")
def casebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{tmp_path_factory.mktemp('saved') / 'casebook.sqlite'}") as opened:
        yield opened


@pytest.fixture
def kept(casebook: Casebook) -> Kept:
    with casebook.writing() as db:
        db.exec_driver_sql("DELETE FROM saved")
    office = Office.__new__(Office)
    office.casebook, office.clock = casebook, lambda: NOW
    return Kept(SavedThings(office), casebook)


def names(kept: Kept, who: Person) -> list[str]:
    return [each.name for each in kept.things.filters(who)]


def test_a_filter_comes_back_as_it_was_saved(kept: Kept) -> None:
    asked = Query(typology=("T01",), savable_from=1e5, order="funding")
    number = kept.things.add_filter(LI, " Urgent  straw ", asked)
    assert kept.things.query(LI, number) == asked
    assert names(kept, LI) == ["Urgent straw"]
    assert kept.log()[-1] == ("li", "saved.added", f"filter/{number}")


def test_saved_again_under_its_name_it_is_written_over(kept: Kept) -> None:
    first = kept.things.add_filter(LI, "mine", Query(tab="mine"))
    assert kept.things.add_filter(LI, "mine", Query(tab="new")) == first
    assert kept.things.query(LI, first).tab == "new"


def test_others_see_what_is_shared_and_change_nothing_of_it(kept: Kept) -> None:
    own, shared = kept.things.add_filter(LI, "b own", Query()), kept.things.add_filter(LI, "a", Query(), shared=True)
    kept.things.add_filter(XU, "z", Query())
    assert (names(kept, LI), names(kept, XU)) == (["a", "b own"], ["z", "a"])
    with pytest.raises(NodeNotFound):
        kept.things.query(XU, own)
    for act in (lambda: kept.things.remove(XU, shared), lambda: kept.things.rename(XU, shared, "c")):
        with pytest.raises(InputError, match="this one is li's"):
            act()
    with pytest.raises(NodeNotFound):
        kept.things.remove(XU, own)


def test_one_renames_and_deletes_ones_own(kept: Kept) -> None:
    one, two = (kept.things.add_filter(LI, name, Query()) for name in ("one", "two"))
    assert kept.things.rename(LI, one, "first").name == "first"
    with pytest.raises(InputError, match="one of this name already"):
        kept.things.rename(LI, two, "first")
    kept.things.remove(LI, one)
    assert names(kept, LI) == ["two"]
    assert [each[1] for each in kept.log()[-2:]] == ["saved.renamed", "saved.removed"]


def test_a_view_is_of_its_ring_only(kept: Kept) -> None:
    number = kept.things.add_view(LI, RING, "desk", VIEW)
    assert kept.things.get(LI, number).content == VIEW
    assert [each.name for each in kept.things.views(LI, RING)] == ["desk"]
    assert list(kept.things.views(LI, Subject("ring", "R2"))) == []
    with pytest.raises(InputError, match="no filter"):
        kept.things.query(LI, number)
    assert kept.log()[-1] == ("li", "saved.added", "ring/R1")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"nodes": []}, "needs positions"),
        (VIEW | {"script": "x"}, "nothing called 'script'"),
        (VIEW | {"nodes": "x"}, "nodes of a view is no list"),
        (VIEW | {"nodes": [1]}, "element ids"),
        (VIEW | {"zoom": {"level": float("nan")}}, "no JSON"),
        (VIEW | {"filters": {"a": [[[[[[[[1]]]]]]]]}}, "8 levels"),
        (VIEW | {"positions": {f"Application~{at:030}": [at, at] for at in range(7000)}}, "256 at most"),
    ],
)
def test_what_is_no_view_is_refused(kept: Kept, content: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        kept.things.add_view(LI, RING, "desk", content)
    assert list(kept.things.views(LI, RING)) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "call 138 0013 8000", "a\x00b"])
def test_a_name_is_short_plain_words(kept: Kept, name: str) -> None:
    with pytest.raises(InputError):
        kept.things.add_filter(LI, name, Query())


def test_there_is_an_end_to_saving(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST", 2)
    for name in ("a", "b"):
        kept.things.add_filter(LI, name, Query())
    with pytest.raises(InputError, match="delete one first"):
        kept.things.add_filter(LI, "c", Query())
    kept.things.add_filter(LI, "a", Query(tab="new"))
    kept.things.add_filter(XU, "c", Query())
