"""The graph as an investigator reads it: what a ring opens with, what is counted, and nothing of the future."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from graph.errors import InputError, NodeNotFound, NotAllowed
from graph.opinions import Innocent
from graph.overrides import Override
from graph.records import Edge, Node, NodeRef, batch_of, from_millis, to_millis
from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import innocent, labels, opinions, scores
from workbench.casebook.labels import Label
from workbench.casebook.scores import Score
from workbench.services import permissions
from workbench.services.canvas.graph_expand import Wish
from workbench.services.canvas.graph_shapes import Picture, element_id, ref_of, refs_of
from workbench.services.canvas.investigate import Investigate, Opened
from workbench.services.office import Office
from workbench.services.permissions import Act, Person, Role
from workbench.services.rings import Rings
from workbench.services.subject import Subject

LIN = Person("lin", "Lin", Role.INVESTIGATOR)
RING = Subject("ring", "R0000000001")
DAY = 86_400_000
START = to_millis(datetime(2026, 3, 1, tzinfo=UTC))
NOW = from_millis(START + 100 * DAY)
MEMBERS = [f"A{each}" for each in range(1, 6)]
SALES = 260


def app(number: int | str) -> NodeRef:
    return NodeRef("Application", f"A{number}")


def who(number: int) -> NodeRef:
    return NodeRef("Person", f"{number:032x}")


DEALER, DEVICE, LATE = NodeRef("Dealer", "D1"), NodeRef("Device", "d" * 32), NodeRef("Phone", "e" * 32)
PAGE, COPY = NodeRef("DocTemplate", "page:aaaa"), NodeRef("DocTemplate", "page:aaab")
ALONE = NodeRef("Phone", "f" * 32)
WIFI = NodeRef("WiFi", "9" * 32)


def facts() -> Iterator[Node | Edge]:
    """Five members: all but the last used one device, the first two a WiFi, and two a contact that came late. The
    second person applied twice; somebody outside the ring used the device, too. The dealer sold to everybody."""
    for number in range(1, 7):
        day = START + number * DAY
        yield Node(app(number), day, "", {"amount": 80_000.0 + number})
        person = who(2 if number == 5 else number)
        yield Node(person, day, f"{number:03d}****", {"name_masked": "张*"})
        yield Edge("APPLIED", person, app(number), day, day, "t")
        yield Edge("SOLD_BY", app(number), DEALER, day, day, "t")
        if number != 5:
            yield Edge("USED_DEVICE", app(number), DEVICE, day, day, "t")
    yield Node(DEVICE, START, "db***fd", {})
    yield Node(DEALER, START, "", {"name": "启明汽车"})
    for number in (1, 2):
        yield Edge("ON_WIFI", app(number), WIFI, START + number * DAY, START + number * DAY, "t")
        yield Edge("CONTACT_OF", LATE, app(number), START, START + 50 * DAY, "t", ref="friend")
    yield Edge("CONTACT_OF", LATE, app(1), START, START + 50 * DAY, "t", ref="brother")
    yield Edge("HAS_PHONE", who(1), ALONE, START, START + DAY, "t")
    yield Edge("USES_TEMPLATE", app(3), PAGE, START, START + 3 * DAY, "t")
    yield Edge("USES_TEMPLATE", app(4), COPY, START, START + 4 * DAY, "t")
    for number in range(100, 100 + SALES):
        yield Edge("SOLD_BY", app(number), DEALER, START + number * DAY // 10, START + DAY, "t")


def shared(ref: NodeRef, relation: str, holders: Sequence[str]) -> dict[str, Any]:
    return {"type": ref.type, "relation": relation, "key": ref.key, "masked": "", "holders": holders,
            "people": len(holders)}  # fmt: skip


TOLD: dict[str, Any] = {
    "ring_id": RING.name, "application_ids": MEMBERS, "score": 0.7, "typology": "T21", "size": 5,
    "shared": [shared(DEVICE, "USED_DEVICE", MEMBERS[:4]), shared(PAGE, "USES_TEMPLATE", ["A3", "A4"])],
    "scheme_roles": [{"role": "organiser", "type": "Phone", "key": ALONE.key}],
}  # fmt: skip


class Told:
    """Rings as `services/rings.py` tells them: this one, since a day."""

    since = from_millis(START + 60 * DAY)

    def ring(self, who: Person, ring_id: str, as_of: datetime | None = None) -> dict[str, Any]:
        who.require(Act.READ)
        if ring_id != RING.name or (as_of is not None and as_of < self.since):
            raise NodeNotFound(f"{ring_id} was no ring then")
        return dict(TOLD)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home: Path = tmp_path_factory.mktemp("investigate")
    office = Office(Settings.read({"RINGROAD_HOME": str(home)}), clock=lambda: NOW)
    told = list(facts())
    nodes, edges = ([each for each in told if isinstance(each, kind)] for kind in (Node, Edge))
    office.store.write(batch_of("all", cast("list[Node]", nodes), cast("list[Edge]", edges)))
    yield office
    office.close()


@pytest.fixture
def graph(office: Office) -> Investigate:
    """A service of one's own: it keeps what it read."""
    return Investigate(office, cast("Rings", Told()))


def types(picture: Picture) -> Counter[str]:
    return Counter(each.ref.type for each in picture.nodes)


def refs(picture: Picture) -> set[NodeRef]:
    return {each.ref for each in picture.nodes}


def closed(picture: Picture, *known: NodeRef) -> bool:
    """No link hangs in the air."""
    there = refs(picture) | set(known)
    return all({one.source, one.target} <= there for one in picture.ties)


def opened(graph: Investigate, **how: Any) -> Opened:
    found = graph.open_subject(LIN, RING, **how)
    assert closed(found.picture)
    return found


# Opening -------------------------------------------------------------------------------------------------


def test_a_ring_opens_with_members_applicants_and_what_they_share(graph: Investigate) -> None:
    picture = opened(graph).picture
    assert types(picture) == {"Application": 5, "Person": 4, "Device": 1, "WiFi": 1, "Phone": 2, "Dealer": 1,
                              "DocTemplate": 1}  # fmt: skip
    assert [each.ref.key for each in picture.nodes if each.member] == MEMBERS
    held = {each.ref: each.held_by for each in picture.nodes}
    assert held[DEVICE] == 4
    assert held[DEALER] == 4, "people count, and one of them applied twice"
    assert LATE in held
    assert app(6) not in held, "holds the device, but belongs to no ring"


def test_what_nobody_else_holds_is_counted_and_left_out(graph: Investigate) -> None:
    found = opened(graph).picture
    assert dict(found.left) == {"DocTemplate": 1}
    assert ALONE in refs(found), "but for who plays a role"


def test_links_are_counted_whether_shown_or_not(graph: Investigate) -> None:
    links = {each.ref: each.links for each in opened(graph).picture.nodes}
    assert links[DEALER] == 6 + SALES
    assert links[DEVICE] == 5
    assert links[app(1)] == 6


def test_a_copy_of_a_shared_thing_is_tied_to_it(graph: Investigate) -> None:
    ties = [one for one in opened(graph).picture.ties if one.relation == "USES_TEMPLATE"]
    assert {(one.source, one.target, one.alike) for one in ties} == {(app(3), PAGE, False), (app(4), PAGE, True)}


def test_several_links_between_two_stay_several(graph: Investigate) -> None:
    contacts = [one for one in opened(graph).picture.ties if one.relation == "CONTACT_OF" and one.target == app(1)]
    assert sorted(one.ref for one in contacts) == ["brother", "friend"]


def test_as_of_a_time_only_what_was_known_then(graph: Investigate) -> None:
    then = from_millis(START + 3 * DAY)
    found = opened(graph, as_of=then)
    assert [each.ref for each in found.picture.nodes if each.member] == [app(1), app(2), app(3)]
    assert LATE not in refs(found.picture), "two said later whom they know"
    assert found.ring is not None
    assert found.ring["not_yet"]
    assert all(one.known_at <= to_millis(then) for one in found.picture.ties)
    assert all(each.known_at <= to_millis(then) for each in found.picture.nodes)
    links = {each.ref: each.links for each in found.picture.nodes}
    assert links[DEVICE] == 3


def test_before_anything_was_known_a_ring_is_empty(graph: Investigate) -> None:
    assert opened(graph, as_of=from_millis(START - DAY)).picture.size == 0


def test_what_was_added_by_hand_stays_with_its_links(graph: Investigate) -> None:
    found = opened(graph, also=[app(6), app("9999")]).picture
    assert app(6) in refs(found)
    assert any(one.source == app(6) and one.target == DEVICE for one in found.ties)
    assert app(6) not in refs(opened(graph, also=[app(6)], as_of=from_millis(START + 5 * DAY)).picture)


def test_a_cap_keeps_the_members_and_says_what_it_cut(graph: Investigate) -> None:
    whole = opened(graph).picture
    found = opened(graph, cap=whole.size - 1).picture
    assert found.size < whole.size
    assert {app(each) for each in range(1, 6)} <= refs(found)
    assert sum(found.cut.values()) == len(whole.nodes) - len(found.nodes) > 0
    assert opened(graph, cap=whole.size).picture.cut == {}


def test_an_application_opens_with_who_else_holds_its_things(graph: Investigate) -> None:
    found = graph.open_subject(LIN, Subject("application", "A1"))
    assert closed(found.picture)
    shown = refs(found.picture)
    assert {app(1), who(1), DEVICE, WIFI, LATE, ALONE, DEALER} <= shown, "its own things, shared or not"
    assert {app(2), app(3), app(6), who(6)} <= shown, "other holders, with their applicants"
    assert app(100) not in shown, "not through a dealer"
    assert [each.ref for each in found.picture.nodes if each.member] == [app(1)]
    with pytest.raises(NodeNotFound):
        graph.open_subject(LIN, Subject("application", "A1"), as_of=from_millis(START))


def test_an_unknown_ring_is_no_empty_picture(graph: Investigate) -> None:
    with pytest.raises(NodeNotFound):
        graph.open_subject(LIN, Subject("ring", "R0000000009"))


# Marks ---------------------------------------------------------------------------------------------------


def test_opinions_are_marked_as_of_the_time_asked(graph: Investigate, office: Office) -> None:
    told = from_millis(START + 90 * DAY)
    fraud = Label("A1", "CONFIRMED_FRAUD", "review", "final", "lin", typology="T21", evidence_level="E1")
    with office.casebook.writing() as db:
        first = labels.add(db, fraud, request_key="1", now=told)
        labels.add(
            db, Label("A2", "CLEARED_BENIGN", "review", "final", "lin", typology="B03"), request_key="2", now=told
        )
        innocent.add(db, Innocent("ON_WIFI", app(1).key, WIFI.key), reason="the shop's", author="lin",
                     until=told + timedelta(days=90), now=told)  # fmt: skip
        opinions.add(db, Override("Device", DEVICE.key, True, "shop_device", "tablet", told + timedelta(days=90)),
                     author="lin", now=told)  # fmt: skip
        scores.record(db, [Score("A3", told, 0.83, "review", (), "", "m", "batch", told)])
    then, now = (
        {each.ref: each for each in opened(graph, as_of=at).picture.nodes} for at in (told - timedelta(days=1), None)
    )
    assert {each.label for each in then.values()} == {""}
    assert {each.infrastructure for each in then.values()} == {""}
    assert then[app(3)].score is None
    assert (now[app(1)].label, now[app(2)].label, now[app(3)].label) == ("suspected", "legit", "")
    assert now[app(3)].score == 0.83
    assert now[DEVICE].infrastructure == "shop_device"
    assert now[ALONE].role == "organiser"
    marked = [one for one in opened(graph).picture.ties if one.innocent]
    assert [(one.relation, one.source) for one in marked] == [("ON_WIFI", app(1))]
    with office.casebook.writing() as db:
        confirmed = Label(**vars(fraud) | {"second_author": "zhou", "supersedes": first.id})
        labels.add(db, confirmed, request_key="3", now=told)
    again = {each.ref: each.label for each in opened(graph).picture.nodes}
    assert again[app(1)] == "fraud", "a second person was behind it"


# Expanding -----------------------------------------------------------------------------------------------


def known(graph: Investigate) -> list[NodeRef]:
    return [each.ref for each in opened(graph).picture.nodes]


def test_a_super_node_asks_for_a_filter(graph: Investigate) -> None:
    found = graph.expand(LIN, DEALER, Wish(), known=known(graph))
    assert found.guarded
    assert found.picture.size == 0
    assert [(one.relation, one.type, one.shown, one.total) for one in found.counts] == [
        ("SOLD_BY", "Application", 5, 6 + SALES)
    ]
    narrowed = graph.expand(LIN, DEALER, Wish(types=["Application"], cap=20), known=known(graph))
    assert not narrowed.guarded
    assert len(narrowed.picture.nodes) == 20
    assert narrowed.matching == 6 + SALES, "and says of how many"
    assert [one.shown for one in narrowed.counts] == [25]


def test_the_riskiest_come_first(graph: Investigate) -> None:
    found = graph.expand(LIN, DEALER, Wish(types=["Application"], cap=1), known=known(graph))
    assert [each.ref for each in found.picture.nodes] == [app(6)], "it shares the device with what is shown"
    assert closed(found.picture, *known(graph))
    assert {one.target for one in found.picture.ties} == {DEVICE, DEALER}, "with all its links to what is shown"


def test_other_orders_and_times(graph: Investigate) -> None:
    def first(**how: Any) -> NodeRef:
        return (
            graph.expand(LIN, DEALER, Wish(types=["Application"], cap=1, **how), known=known(graph))
            .picture.nodes[0]
            .ref
        )

    assert first(rank="recent") == app(99 + SALES)
    assert first(rank="oldest") == app(6)
    assert first(rank="oldest", since=from_millis(START + 20 * DAY)) == app(200)
    none = graph.expand(LIN, DEALER, Wish(types=["Phone"]), known=known(graph))
    assert (len(none.picture.nodes), none.matching) == (0, 0)


def test_what_is_shown_is_not_brought_again(graph: Investigate) -> None:
    everything = known(graph)
    found = graph.expand(LIN, DEVICE, Wish(), known=everything)
    assert [each.ref for each in found.picture.nodes] == [app(6)]
    assert graph.expand(LIN, DEVICE, Wish(), known=[*everything, app(6)]).picture.nodes == []


def test_expanding_knows_no_future(graph: Investigate) -> None:
    found = graph.expand(LIN, DEVICE, Wish(), as_of=from_millis(START + 2 * DAY))
    assert refs(found.picture) == {app(1), app(2)}
    with pytest.raises(NodeNotFound):
        graph.expand(LIN, LATE, Wish(), as_of=from_millis(START + 49 * DAY))


@pytest.mark.parametrize("wish", [Wish(types=["Nobody"]), Wish(relations=["x' OR 1=1"]), Wish(rank="random")])
def test_a_wish_that_no_list_offers_is_refused(graph: Investigate, wish: Wish) -> None:
    with pytest.raises(InputError):
        graph.expand(LIN, DEVICE, wish)


def test_a_cap_has_its_own_cap(graph: Investigate) -> None:
    assert len(graph.expand(LIN, DEALER, Wish(types=["Application"], cap=10**9)).picture.nodes) == 200
    assert len(graph.expand(LIN, DEALER, Wish(types=["Application"], cap=-5)).picture.nodes) == 1


def test_neighbours_are_counted_before(graph: Investigate) -> None:
    counts = graph.counts(LIN, app(1))
    assert {(one.relation, one.outgoing): one.total for one in counts} == {
        ("APPLIED", False): 1, ("CONTACT_OF", False): 2, ("ON_WIFI", True): 1, ("SOLD_BY", True): 1,
        ("USED_DEVICE", True): 1,
    }  # fmt: skip
    assert counts[0].total == 2
    assert {one.total for one in graph.counts(LIN, DEALER, as_of=from_millis(START + DAY))} == {1 + SALES}


# Ways ----------------------------------------------------------------------------------------------------


def test_a_way_comes_with_its_nodes_and_all_links(graph: Investigate) -> None:
    way = graph.path(LIN, who(1), who(6), known=[who(1), app(1)])
    assert way.nodes == [who(1), app(1), DEVICE, app(6), who(6)]
    assert refs(way.picture) == {DEVICE, app(6), who(6)}
    assert {one.ends for one in way.ties} <= {one.ends for one in way.picture.ties} | {("APPLIED", who(1), app(1), "")}
    assert closed(way.picture, who(1), app(1))


def test_no_way_through_a_dealer_of_hundreds(graph: Investigate) -> None:
    way = graph.path(LIN, app(1), app(100))
    assert not way.found
    assert way.picture.size == 0


def test_no_way_before_both_were_known(graph: Investigate) -> None:
    with pytest.raises(NodeNotFound):
        graph.path(LIN, app(1), app(6), as_of=from_millis(START + 5 * DAY))
    assert graph.path(LIN, app(1), app(2), as_of=from_millis(START + 5 * DAY)).nodes[1] in (DEVICE, WIFI)


def test_things_can_be_added_one_by_one(graph: Investigate) -> None:
    picture = graph.add(LIN, [app(6), app("none")], known=[DEVICE, DEALER])
    assert refs(picture) == {app(6)}
    assert {one.target for one in picture.ties} == {DEVICE, DEALER}
    with pytest.raises(InputError):
        graph.add(LIN, [app(each) for each in range(2_000)])


# The door ------------------------------------------------------------------------------------------------


def test_every_question_asks_for_the_role(graph: Investigate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(permissions.MAY, Act.READ, frozenset())
    for ask in (
        lambda: graph.open_subject(LIN, RING),
        lambda: graph.expand(LIN, DEVICE, Wish()),
        lambda: graph.counts(LIN, DEVICE),
        lambda: graph.path(LIN, app(1), app(2)),
        lambda: graph.add(LIN, [DEVICE]),
    ):
        with pytest.raises(NotAllowed):
            ask()


@pytest.mark.parametrize("element", ["", "Phone", "Phone~", "Nobody~1", None, 5, "Phone~" + "x" * 256, ["Phone~1"]])
def test_ids_that_are_none_are_refused_and_not_repeated(element: object) -> None:
    with pytest.raises(NodeNotFound) as refused:
        ref_of(element)
    assert str(element) not in refused.value.message or not element
    assert refs_of([element, "Phone~1", "Phone~1"], most=9) == [NodeRef("Phone", "1")]


def test_ids_survive_keys_with_odd_letters() -> None:
    odd = NodeRef("Application", "2026~07:x/ü")
    assert ref_of(element_id(odd)) == odd


# A real ring ---------------------------------------------------------------------------------------------


def test_every_ring_of_a_real_home_opens(trained: Path, tmp_path: Path) -> None:
    """What is shared according to the run is there."""
    home = copied(trained, tmp_path / "home")
    office = Office(Settings.read({"RINGROAD_HOME": str(home)}))
    try:
        run = json.loads((home / "rings.json").read_text(encoding="utf-8"))["rings"]
        graph = Investigate(office, cast("Rings", _Run(run)))
        for ring in run:
            picture = graph.open_subject(LIN, Subject("ring", ring["ring_id"])).picture
            assert closed(picture)
            assert sum(each.member for each in picture.nodes) == ring["size"]
            for one in ring["shared"]:
                assert NodeRef(one["type"], one["key"]) in refs(picture), (ring["ring_id"], one)
    finally:
        office.close()


class _Run:
    def __init__(self, rings: Sequence[dict[str, Any]]) -> None:
        self._rings = {each["ring_id"]: each | {"scheme_roles": []} for each in rings}

    def ring(self, _who: Person, ring_id: str, _as_of: datetime | None = None) -> dict[str, Any]:
        return self._rings[ring_id]
