"""Training–serving parity: an application that arrives online has the bits it has in the portfolio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gnn.assessor import Assessor
from gnn.book import FOREVER, ROLES, aside_from, month_starts, open_book
from gnn.features.assemble import declined_at, features
from gnn.files import Cutter, Hold
from gnn.online import Desk
from gnn.rules import read_settings
from gnn.rules.columns import Peers
from gnn.training import PEER_COLUMNS, Prepared, prepare, untrained
from tests.gnn.conftest import Portfolio

FIRST, MANY = 1500, 220

NIGHTLY = {"R02", "R17", "R18", "R19"}
"""Rules that compare with what others did: fitted every night, and here on the night before all of them."""


def later_facts(ready: Prepared, since: int) -> Iterator[tuple[int, str, int, Any]]:
    """What became known of applications after they had arrived: (when, what, node id, it), in the order of time."""
    book, ids = ready.book, ready.snapshot.nodes["Application"].ids
    said = ready.events["outcomes"]
    assert said is not None
    told = said.filter(said["known_at"].to_numpy() > since).to_pylist()
    known = set(ids.tolist())
    yield from ((one["known_at"], "label", one["owner"], one) for one in told if one["owner"] in known)
    declined = declined_at(book)
    rows = np.flatnonzero((declined > since) & (declined < FOREVER))
    yield from ((int(declined[row]), "decline", int(ids[row]), None) for row in rows.tolist())
    pairs = book.pairs
    late = np.flatnonzero((pairs.told_at > since) & (pairs.known_at > book.as_of[pairs.application]))
    for pair in late.tolist():
        role = ROLES[pairs.role[pair]]
        thing = ready.snapshot.nodes[role.type].ids[pairs.thing[pair] - book.offsets[role.type]]
        hold = Hold(role.name, int(thing), int(pairs.known_at[pair]), int(pairs.since[pair]))
        yield int(pairs.told_at[pair]), "learn", int(ids[pairs.application[pair]]), hold


def tell(desk: Desk, row: int, what: str, fact: Any, when: int) -> None:
    if what == "label":
        desk.label(row, fact["label"], known_at=when, level=fact["evidence_level"], source=fact["source"])
    elif what == "decline":
        desk.decide(row, "decline", at=when)
    else:
        desk.learn(row, fact)


def alike(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


@pytest.fixture(scope="module")
def whole(tiny: Portfolio) -> Prepared:
    return prepare(*tiny.known())


def test_two_hundred_applications_arrive_with_the_bits_of_the_portfolio(tiny: Portfolio, whole: Prepared) -> None:
    book, seen = whole.book, whole.seen
    rows = book.arrival(np.arange(len(book)))[FIRST : FIRST + MANY]
    since = int(book.as_of[rows[0]]) - 1
    snapshot, events = tiny.known(since)
    before = open_book(snapshot, events)
    before = before.with_aside(aside_from(before, [night for night in month_starts(book).tolist() if night <= since]))
    start = features(before)
    peers = Peers.fit(before, {name: start[name] for name in PEER_COLUMNS})
    scorer = untrained(whole, settings=read_settings())
    batch = scorer.score(seen, book, rows, whole.rule_columns)

    desk = Desk(before, start.ledger, at=since)
    assessor = Assessor(desk, scorer, start, peers)
    place = {int(node): row for row, node in enumerate(before.ids)}
    waiting = sorted(later_facts(whole, since), key=lambda one: (one[0], one[1], one[2]))
    early: dict[int, list[tuple[str, Any, int]]] = {}
    cutter, shared = Cutter(book), 0
    for number, row in enumerate(rows.tolist()):
        while waiting and waiting[0][0] <= book.as_of[row]:
            when, what, node, fact = waiting.pop(0)
            if node in place:
                tell(desk, place[node], what, fact, when)
            elif what != "learn":  # a thing told before the file comes with it; a decision can be quicker
                early.setdefault(node, []).append((what, fact, when))
        file = cutter.file_of(row)
        found = assessor.assess(file)
        place[file.id] = found.row
        for what, fact, when in early.pop(file.id, []):
            tell(desk, found.row, what, fact, when)
        same = alike(found.seen.values[0], seen.values[row])
        assert same.all(), (number, np.array(seen.names)[~same])
        links = [int(desk.book.ids[other]) for other in found.seen.links.row[found.row] if other >= 0]
        assert links == [int(book.ids[other]) for other in seen.links.row[row] if other >= 0]
        shared += bool(links)
        assert found.scores.auxiliaries["isolation"][0] == batch.auxiliaries["isolation"][number]
        differ = np.array(batch.rules.codes)[found.scores.rules.hits[0] != batch.rules.hits[number]]
        assert set(differ) <= NIGHTLY
    assert shared > MANY // 10  # who shares nothing proves nothing


def test_the_night_between_the_two_halves_is_no_month_start(whole: Prepared) -> None:
    """Else what a night sets aside would have to be told to the desk, too."""
    book = whole.book
    rows = book.arrival(np.arange(len(book)))[FIRST : FIRST + MANY]
    nights = np.array(month_starts(book))
    assert not ((nights >= book.as_of[rows[0]] - 1) & (nights <= book.as_of[rows[-1]])).any()
