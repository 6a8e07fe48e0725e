"""Innocent links hold from when they were made to their end, one on an edge, and follow when tokens change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from graph.errors import InputError, NodeNotFound
from graph.opinions import CONFIRMED, SUSPICION, Innocent
from graph.overrides import Override
from graph.records import NodeRef
from workbench.casebook import innocent, labels, opinions, roles, updates
from workbench.casebook.case_tables import ring_roles, ring_updates, saved
from workbench.casebook.following import Following
from workbench.casebook.labels import Label
from workbench.casebook.opening import Casebook
from workbench.casebook.updates import LastRun

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW, OTHER = "ab" * 16, "cd" * 16, "ef" * 16
LINK = Innocent("USED_DEVICE", "A1", OLD)


def marked(casebook: Casebook, link: Innocent = LINK, *, at: datetime = NOW, days: int = 30, **more: Any) -> int:
    with casebook.writing() as db:
        until = at + timedelta(days=days)
        return innocent.add(db, link, reason="the desk's own", author="li", until=until, now=at, **more)


def in_force(casebook: Casebook, at: datetime) -> list[Innocent]:
    with casebook.reading() as db:
        return innocent.in_force(db, at)


def test_a_link_holds_from_when_it_was_made_to_its_end(casebook: Casebook) -> None:
    assert marked(casebook) == 1
    second = timedelta(seconds=1)
    moments = (NOW - second, NOW, NOW + timedelta(days=30) - second, NOW + timedelta(days=30))
    assert [in_force(casebook, at) for at in moments] == [[], [LINK], [LINK], []]
    later = NOW + timedelta(days=3)
    with casebook.writing() as db:
        assert innocent.end(db, 1, author="wang", because="another desk", now=later) == LINK
    assert [in_force(casebook, at) for at in (later - second, later)] == [[LINK], []]
    with casebook.reading() as db:
        (one,) = innocent.listed(db)
        assert innocent.listed(db, at=later) == []
        assert innocent.one(db, 1) == one
        assert [each.id for each in innocent.of(db, [NodeRef("Device", OLD)], at=NOW)] == [1]
        assert innocent.of(db, [NodeRef("Phone", OLD)], at=NOW) == []
    assert (one.author, one.reason, one.ended_by, one.ended_because) == ("li", "the desk's own", "wang", "another desk")


def test_what_cannot_be_said(casebook: Casebook) -> None:
    marked(casebook)
    with pytest.raises(InputError, match="number 1"):
        marked(casebook)
    assert marked(casebook, LINK._replace(source="A2")) == 2
    with pytest.raises(InputError, match="in the past"):
        marked(casebook, LINK._replace(source="A3"), days=0)
    with pytest.raises(InputError, match="180 days at most"):
        marked(casebook, LINK._replace(source="A3"), days=181, longest=innocent.LASTS)
    with pytest.raises(InputError, match="carries no link"):
        marked(casebook, Innocent("APPLIED", OLD, "A1"))
    for link in (LINK._replace(target="13800138000"), LINK._replace(source="")):
        with pytest.raises(InputError, match="pick the edge"):
            marked(casebook, link)
    with casebook.writing() as db:
        with pytest.raises(InputError, match="reason is empty"):
            innocent.add(db, LINK._replace(source="A4"), reason=" ", author="li", until=NOW + timedelta(1), now=NOW)
        with pytest.raises(InputError, match="long number"):
            innocent.end(db, 1, author="li", because="tel 138 0013 8000", now=NOW)
        with pytest.raises(NodeNotFound, match="no innocent link 9"):
            innocent.end(db, 9, author="li", because="x", now=NOW)
        with pytest.raises(InputError, match="ended already"):
            innocent.end(db, 1, author="li", because="x", now=NOW + timedelta(days=31))


def test_all_opinions_of_a_time(casebook: Casebook) -> None:
    """Two clocks: who asks as of the past hears what was said by then; of labels the newest final one counts."""
    marked(casebook)

    def says(name: str, what: str, day: int, **more: Any) -> int:
        fraud = {"typology": "T01", "evidence_level": "E1"} if what == "CONFIRMED_FRAUD" else {}
        label = Label(name, what, "review", more.pop("maturity", "final"), "li", **fraud, **more)
        with casebook.writing() as db:
            return labels.add(db, label, request_key=f"{name} {day}", now=NOW + timedelta(days=day)).id

    says("A1", "CONFIRMED_FRAUD", 1, second_author="wang")
    says("A2", "CONFIRMED_FRAUD", 1)
    first = says("A3", "CLEARED_BENIGN", 1)
    says("A4", "DATA_ERROR", 1)
    says("A5", "OUT_OF_SCOPE_CREDIT", 1)
    says("A6", "CLEARED_BENIGN", 1, maturity="provisional")
    says("A3", "SUSPECTED", 5, supersedes=first)
    says("A4", "INSUFFICIENT", 5)

    def told(day: int) -> tuple[set[str], dict[str, float]]:
        with casebook.reading() as db:
            found = opinions.opinions_as_of(db, NOW + timedelta(days=day))
        assert found.innocent == (LINK,)
        return set(found.cleared), dict(found.risk)

    assert told(0) == (set(), {})
    assert told(1) == ({"A3", "A4"}, {"A1": CONFIRMED, "A2": SUSPICION})
    assert told(5) == (set(), {"A1": CONFIRMED, "A2": SUSPICION, "A3": SUSPICION})


# Tokens ------------------------------------------------------------------------------------------------


def filled(casebook: Casebook) -> None:
    """Everything that names a device by its token, and a phone and a plain code beside it."""
    marked(casebook)
    marked(casebook, Innocent("HAS_PHONE", OTHER, "12" * 16))
    run = LastRun(1, NOW, NOW, NOW)
    shared = {"type": "Device", "key": OLD, "holders": ["A1"]}
    view = {
        "nodes": [f"Device~{OLD}", f"Phone~{OTHER}"],
        "positions": {f"Device~{OLD}": [1, 2]},
        "note": "x" + OLD + "y",
    }
    with casebook.writing() as db:
        roles.say(db, "R1", NodeRef("Device", OLD), roles.ORGANISER, reason="x", author="li", now=NOW)
        roles.say(db, "R1", NodeRef("Dealer", "D1"), roles.INSIDER, reason="x", author="li", now=NOW)
        content = {"application_ids": ["A1"], "shared": [shared]}
        updates.add(db, "R1", content, run=run, cause="label 1", author="li", now=NOW)
        row = {"id": 1, "owner": "li", "kind": "view", "subject": "ring/R1", "name": "n", "shared": False}
        db.execute(insert(saved).values(row | {"content": view, "at": NOW}))
        opinions.add(db, Override("Device", OLD, True, "", "x", NOW + timedelta(1)), author="li", now=NOW)


def named(casebook: Casebook) -> dict[str, Any]:
    with casebook.reading() as db:
        run = LastRun(1, NOW, NOW, NOW)
        (view,) = db.execute(select(saved.c.content)).scalars()
        return {
            "links": innocent.in_force(db, NOW),
            "roles": {ref.key: each.role for ref, each in roles.said(db, "R1").items() if each.role},
            "rings": updates.standing(db, run)["R1"].content["shared"][0]["key"],
            "view": view,
            "override": opinions.overrides_as_of(db, NOW)[0].key,
            "rows": [len(db.execute(select(each.c.id)).all()) for each in (ring_roles, ring_updates)],
        }


def rotated(casebook: Casebook, *moves: tuple[str, str, str]) -> dict[str, Any]:
    with casebook.writing() as db:
        following = Following(db)
        assert list(following.through(iter(moves))) == list(moves), "the store sees every move"
        following.retoken(db)
    return named(casebook)


def test_whatever_names_a_node_follows_it_and_comes_back(casebook: Casebook) -> None:
    filled(casebook)
    before, move = named(casebook), ("device", OLD, NEW)
    after = rotated(casebook, ("phone", OLD, OTHER), move, ("device", "00" * 16, "11" * 16))
    assert LINK._replace(target=NEW) in after["links"]
    assert after["roles"] == {NEW: roles.ORGANISER, "D1": roles.INSIDER}
    assert (after["rings"], after["override"]) == (NEW, NEW)
    assert after["view"]["positions"] == {f"Device~{NEW}": [1, 2]}
    assert after["view"]["nodes"] == [f"Device~{NEW}", f"Phone~{OTHER}"]
    assert after["view"]["note"] == f"x{NEW}y"
    assert rotated(casebook, move) == after, "once more, as after a stop"
    back = rotated(casebook, ("device", NEW, OLD))
    assert {name: each for name, each in back.items() if name != "rows"} == {
        name: each for name, each in before.items() if name != "rows"
    }


def test_nothing_of_another_node_moves(casebook: Casebook) -> None:
    filled(casebook)
    before = named(casebook)
    assert (
        rotated(casebook, ("phone", OLD, NEW), ("device", OTHER, NEW), ("phone", NEW, OTHER))["links"]
        == before["links"]
    )
