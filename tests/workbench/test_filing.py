"""What was told live is filed as the store would have it: the same file, and the same features to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.nested import Application, Folder, tables
from gnn.book import FOREVER, ROLES, Book, aside_from, month_starts, open_book
from gnn.features.assemble import Features, features
from gnn.files import Cutter, Hold
from gnn.online import Desk
from graph.records import node_id
from loaders.live import Teller, Told, ToldEdge, ToldNode
from loaders.portfolio import generate
from tests.gnn.conftest import Portfolio
from tests.loaders import lender
from workbench.online.filing import Decided, Known, filed, learnt

FIRST, MANY = 1500, 220
"""Between two nights on which what many hold is set aside, as in tests/gnn/test_parity.py."""


@dataclass(frozen=True)
class World:
    portfolio: Portfolio
    book: Book
    seen: Features
    applications: list[Application]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("filing")
    generate(folder / "portfolio", preset="tiny", seed=20261121)
    home = lender.Home(folder / "home")
    home.load(folder / "portfolio/input")
    portfolio = Portfolio(folder / "portfolio/input", home)
    book = settled(portfolio)
    return World(portfolio, book, features(book), list(Folder(tables(portfolio.input)).applications(3000)))


def settled(portfolio: Portfolio, at: int | None = None) -> Book:
    book = open_book(*portfolio.known(at))
    nights = [night for night in month_starts(book).tolist() if at is None or night <= at]
    return book.with_aside(aside_from(book, nights))


def row_of(book: Book) -> dict[int, int]:
    return {int(node): row for row, node in enumerate(book.ids)}


def test_a_file_is_what_the_store_says(world: World) -> None:
    """The desk knows itself what the person held before: that alone is missing here."""
    cutter, rows = Cutter(world.book), row_of(world.book)
    compared = 0
    with world.portfolio.home.vault() as vault:
        teller = Teller(vault)
        for application in world.applications[::7]:
            told = teller.tell(application.sent, now=application.now)
            file = filed(told, loaded=world.book.loaded)
            cut = cutter.file_of(rows[file.id])
            assert (file.known_at, file.name) == (cut.known_at, cut.name)
            assert file.properties == cut.properties
            assert file.device_events == cut.device_events
            assert file.documents == cut.documents
            assert set(file.inquiries or ()) <= set(cut.inquiries or ())
            mine, theirs = set(file.held), set(cut.held)
            of_person = {role.name for role in ROLES if role.of_person and role.relation != "APPLIED"}
            assert {hold for hold in theirs - mine if hold.role not in of_person} == set()
            before = {(hold.role, hold.thing): hold for hold in theirs}
            for hold in mine - theirs:
                assert hold.role in of_person
                assert before[hold.role, hold.thing].since < hold.since
            compared += len(mine)
            assert mine
    assert compared > 3000


def test_applications_told_live_have_the_bits_of_the_portfolio(world: World) -> None:
    book, seen = world.book, world.seen
    sent = {node_id("Application", each.id): each for each in world.applications}
    order = [row for row in book.arrival(np.arange(len(book))).tolist() if int(book.ids[row]) in sent]
    arriving = order[FIRST : FIRST + MANY]
    since = int(book.as_of[arriving[0]]) - 1
    before = settled(world.portfolio, since)
    desk = Desk(before, features(before).ledger, at=since)
    place = {int(node): row for row, node in enumerate(before.ids) if before.as_of[row] <= since}
    waiting = later(world, since)
    early: dict[int, list[tuple[Any, int]]] = {}
    shared = 0
    with world.portfolio.home.vault() as vault:
        teller = Teller(vault)
        for row in arriving:
            while waiting and waiting[0][0] <= book.as_of[row]:
                when, _, node, fact = waiting.pop(0)
                if node in place:
                    tell(desk, place[node], fact, when, teller)
                else:
                    early.setdefault(node, []).append((fact, when))
            application = sent[int(book.ids[row])]
            told = teller.tell(application.sent, now=application.now)
            file = filed(Told.from_bytes(told.to_bytes()), loaded=desk.book.loaded)
            place[file.id] = desk.arrive(file)
            for fact, when in early.pop(file.id, []):
                tell(desk, place[file.id], fact, when, teller)
            found = desk.features().values[0]
            same = (found == seen.values[row]) | (np.isnan(found) & np.isnan(seen.values[row]))
            assert same.all(), (application.id, np.array(seen.names)[~same], found[~same], seen.values[row][~same])
            shared += bool((desk.links.row[place[file.id]] >= 0).any())
    assert shared > MANY // 10  # who shares nothing proves nothing


def test_no_night_sets_anything_aside_in_between(world: World) -> None:
    """Else the desk would have to be told of it."""
    rows = world.book.arrival(np.arange(len(world.book)))[FIRST : FIRST + MANY]
    nights = np.array(month_starts(world.book))
    assert not ((nights >= world.book.as_of[rows[0]] - 1) & (nights <= world.book.as_of[rows[-1]])).any()


def later(world: World, since: int) -> list[tuple[int, str, int, Any]]:
    """Events and labels told after a time, in its order: (when, of what, node, what)."""
    found: list[tuple[int, str, int, Any]] = [
        (event.now, event.kind, node_id("Application", each.id), (each.id, event))
        for each in world.applications
        for event in each.later
        if event.now > since
    ]
    said = world.book.events["outcomes"]
    assert said is not None
    labels = said.filter(pa.compute.greater(said["known_at"], since)).to_pylist()
    found += [(one["known_at"], "label", one["owner"], one) for one in labels]
    return sorted(found, key=lambda one: one[:3])


def tell(desk: Desk, row: int, fact: Any, when: int, teller: Teller) -> None:
    if isinstance(fact, dict):
        desk.label(row, fact["label"], known_at=when, level=fact["evidence_level"], source=fact["source"])
        return
    number, event = fact
    for one in learnt(teller.tell_event(event.kind, event.sent, application_id=number, now=event.now)):
        if isinstance(one, Decided):
            desk.decide(row, one.decision, at=one.at)
        else:
            desk.learn(row, one.hold, one.thing)


# One by one --------------------------------------------------------------------------------------------

OWN = ToldNode("Application", "A1", "", 50, 100, {"amount": 1.0, "decided_at": 90, "decision": "decline"})


def edge(type_: str, source: str, target: str, *, known_at: int = 100, confidence: float = 1.0) -> ToldEdge:
    return ToldEdge(type_, source, target, "", known_at, known_at, 0, confidence, "test")


def nodes(*ends: tuple[str, str]) -> list[ToldNode]:
    return [OWN, *(ToldNode(type_, key, "", 100, 100, {}) for type_, key in ends)]


def test_others_people_in_the_file_hold_nothing_for_the_applicant() -> None:
    """The salesperson's phone comes with the application; it is not the applicant's."""
    ends = (("Person", "p"), ("Person", "seller"), ("Phone", "own"), ("Phone", "sellers"))
    theirs, mine = edge("HAS_PHONE", "seller", "sellers"), edge("HAS_PHONE", "p", "own", known_at=70)
    told = Told("A1", 100, nodes(*ends), [theirs, edge("APPLIED", "p", "A1"), mine])
    assert {(each.role, each.thing, each.known_at, each.since) for each in filed(told).held} == {
        ("person", node_id("Person", "p"), 100, 100), ("phone", node_id("Phone", "own"), 100, 70),
    }  # fmt: skip


def test_a_file_says_nothing_that_was_decided_later() -> None:
    told = Told("A1", 100, nodes(), [])
    assert filed(told).properties == {"amount": 1.0}
    assert learnt(told) == [Decided("decline", 90)]


def test_no_rows_mean_something_only_where_there_are_any_of_anybody() -> None:
    told = Told("A1", 100, nodes(), [])
    assert (filed(told).device_events, filed(told).documents, filed(told).inquiries) == (None, None, None)
    some = filed(told, loaded={"device_events": 10, "documents": FOREVER, "bureau_inquiries": 100})
    assert (some.device_events, some.documents, some.inquiries) == ((), None, ())


def test_who_speaks_with_a_known_voice_holds_it() -> None:
    ends = (("VoiceCluster", "v1"), ("VoiceCluster", "v2"), ("VoiceCluster", "v3"))
    spoke, same = edge("SPOKE_AS", "A1", "v1"), edge("SAME_VOICE", "v1", "v2", confidence=0.9)
    other = edge("SAME_VOICE", "v1", "v3", confidence=0.5)
    v1, v2 = (node_id(*end) for end in ends[:2])
    assert {each.thing for each in filed(Told("A1", 100, nodes(*ends), [spoke, same, other])).held} == {v1, v2}
    found = [each.hold for each in learnt(Told("A1", 100, nodes(*ends), [same, other])) if isinstance(each, Known)]
    assert found == [Hold("voice", v1, 100, 100), Hold("voice", v2, 100, 100)]


def test_what_exists_only_after_funding_is_not_learnt() -> None:
    ends = (("Account", "a"), ("Vehicle", "v"))
    told = Told("A1", 100, nodes(*ends)[1:], [edge("REPAID_BY", "A1", "a"), edge("TRANSFER_ACCOUNT", "v", "a")])
    assert learnt(told) == []
    paid = Told("A1", 100, nodes(*ends)[1:], [edge("PAID_DOWNPAYMENT", "a", "A1")])
    assert [each.hold.role for each in learnt(paid) if isinstance(each, Known)] == ["payer"]
