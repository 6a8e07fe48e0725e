"""A book that grows: each application that arrives is scored at once and seen by the next one.

A `Desk` opens where a night's book ends and takes one file at a time, in the order of arrival. What an application
costs is what it holds, however large the book: arrays have room and double when it is used up, a pair goes to the end
of its thing's chain, and the rest is the code that makes a portfolio's features (`features/assemble.py`), asked for
one row. So a row has the same bits here and there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numba
import numpy as np

from gnn.book import FOREVER, ROLE, ROLES, Book, Floats, Pairs, chained, when
from gnn.features.assemble import Features, Ledger, features, row_features
from gnn.features.facts import (
    COLUMNS,
    HOLDS,
    Facts,
    facts_of,
    limits,
    paper_facts,
    session_facts,
    write_limits,
)
from gnn.files import ApplicationFile, Hold, Inquiry, Thing, search
from gnn.named import Index, Named
from gnn.room import Room, trimmed
from gnn.told import inquiry, word
from gnn.walk import KINDS, Links, Scratch
from graph.errors import InputError
from graph.records import Ints

OWN_ROWS = 64
"""So many earlier applications of one person learn what a new one tells of the person."""

OF_PERSON = tuple(role.of_person for role in ROLES)
TYPES = tuple(role.type for role in ROLES)
PERSON = ROLE["person"]


class Own(NamedTuple):
    """A pair of the row that arrives; `named` in its own file, or held by the person from before."""

    role: int
    known_at: int
    since: int
    thing: int
    named: bool = True


@dataclass(frozen=True)
class Start:
    """What a desk starts from; arrays may be longer than what is used, and then nothing is copied at first.

    `at` is when the desk opens, `rows`, `pairs`, `inquiries` and `statements` are what is used, `head` is the last
    pair of each thing's chain. `most` and `limit` are the automatic limit's, by day and by row.
    """

    book: Book
    ledger: Ledger
    index: Index
    head: Ints
    most: Floats
    limit: Floats
    at: int
    rows: int
    pairs: int
    inquiries: int
    statements: int

    @property
    def things(self) -> int:
        """In the snapshot, deals and all."""
        return self.book.offsets["Deal"] + len(self.index.deals)

    @classmethod
    def of(cls, book: Book, ledger: Ledger | None = None, *, at: int) -> Self:
        """`book` is of decision time; `ledger` as `features(book)` left it, or it is made here.

        What was told after `at` is left out: an application whose form is not sent yet is known from its session, and
        arrives like the others.
        """
        ledger = ledger or features(book).ledger
        assert ledger is not None  # noqa: S101 - `features` gives it
        most, limit = limits(book, book.arrival(np.flatnonzero(book.as_of <= at)))
        said, inquiries = len(book.labels.said.weight), len(book.inquiries.ref)
        book = _told_by(book, at)
        head = _heads(book.pairs, len(book.aside_from))
        return cls(
            book, ledger, Index.of(book), head, most, limit, at, len(book), len(book.pairs.thing), inquiries, said
        )


class Desk:
    """One writer, which asks for features, too: not safe for threads.

    What is told between two arrivals counts from after the one before, whatever time it names: an application that was
    scored has seen nothing of it, and still sees nothing when it is looked at again (`features_again`).
    """

    def __init__(self, book: Book, ledger: Ledger | None = None, *, at: int) -> None:
        """As `Start.of`."""
        self._begin(Start.of(book, ledger, at=at))

    @classmethod
    def resumed(cls, start: Start) -> Self:
        desk = cls.__new__(cls)
        desk._begin(start)
        return desk

    def _begin(self, start: Start) -> None:
        book, people = start.book, len(start.book.snapshot.nodes["Person"])
        self.start = start
        self._most, self._clock = start.most, start.at
        self._inquiries, self._statements = start.inquiries, start.statements
        size = len(book.submitted)
        scratch = Scratch.room(people + size, size, len(KINDS))
        self._room = Room(book, start.ledger, scratch, start.head, start.limit, people)
        self._rows, self._pairs = start.rows, start.pairs
        self._room.for_rows(self._rows + 1)
        self._named = Named(book, start.index)
        self._arrived: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._late: dict[int, list[int]] = {}
        self._person: dict[int, int] = {}
        self._decided: dict[int, list[tuple[int, int]]] = {}
        self._new: list[tuple[int, Facts]] = []
        self._made: list[Features] = []
        self._keys = start.book.snapshot.nodes["Application"].table["key"]
        self._trimmed = book, (-1, -1, -1), book

    def __len__(self) -> int:
        return self._rows

    @property
    def book(self) -> Book:
        """Everything so far, for whoever reads a book. Valid until the next arrival."""
        used = self._rows, self._pairs, len(self._named)
        if self._trimmed[0] is not self._room.book or self._trimmed[1] != used:
            self._trimmed = self._room.book, used, trimmed(self._room.book, *used)
        return self._trimmed[2]

    def thing(self, number: int) -> tuple[str, int, Thing]:
        """(type, id, what it says) of a thing of the book; one that arrived stands in no snapshot yet."""
        return self._named.thing(number)

    def application(self, row: int) -> str:
        """The application's number as a screen shows it."""
        if row in self._names or row >= self.start.rows:
            return self._names.get(row, "")
        name: str = self._keys[row].as_py()
        return name

    def applicant(self, row: int) -> Thing | None:
        """What the row's file said of the person; None where it names nobody, or one from before the desk opened."""
        number, pairs = -1, self._room.book.pairs
        for pair in range(int(pairs.start[row]), int(pairs.start[row + 1])):
            if pairs.application[pair] == row and pairs.role[pair] == PERSON:
                number = int(pairs.thing[pair])
        return self._named.thing(number)[2] if number >= self._named.base else None

    @property
    def links(self) -> Links:
        """Of every row so far."""
        self._make()
        return self._room.ledger.links

    def row_of(self, id_: int) -> int:
        """Of an application by its node's id; -1 for one that has not arrived."""
        arrived = self._arrived.get(id_, -1)
        if arrived >= 0:
            return arrived
        row = self._named.number("Application", id_) - self._room.book.offsets["Application"]
        return row if 0 <= row < self.start.rows and self._room.book.as_of[row] <= self.start.at else -1

    # Arrivals --------------------------------------------------------------------------------------------

    def arrive(self, file: ApplicationFile) -> int:
        """The new application's row; its features are made when they, or what comes of them, are asked for. Raises
        InputError for one that is here already."""
        if self.row_of(file.id) >= 0:
            raise InputError(f"application {file.id} has arrived before; what became known of it since is to be learnt")
        stated = np.array([int(file.properties.get("submitted_at") or 0)])
        submitted, as_of = when(stated, np.array([file.known_at]))
        if as_of[0] <= self._clock:
            self._make()  # of the same moment: whoever came first has seen nothing of this file
        row, room = self._rows, self._room
        room.for_rows(row + 1)
        self._named.add("Application", file.id, Thing(file.known_at, {}, label=file.name))
        numbers = self._numbers(file)
        room.for_things(len(self._named))
        book = room.book
        book.submitted[row], book.as_of[row] = submitted[0], as_of[0]
        book.known_at[row], book.ids[row] = file.known_at, file.id
        own = self._held(file, int(as_of[0]), numbers)
        self._tell_earlier(own)
        self._hold(row, own)
        self._rows += 1
        self._arrived[file.id], self._names[row] = row, file.name
        self._inquire(row, file.inquiries)
        said = {numbers[key]: thing for key, thing in file.things.items() if thing.properties}
        facts = self._facts_of([(one.role, one.thing) for one in own], said, file)
        write_limits(np.zeros(1, np.int64), room.book.submitted[row:], facts, self._most)
        room.limit[row] = facts["limit"][0]
        self._clock = max(self._clock, int(as_of[0]))
        self._new.append((row, facts))
        return row

    @property
    def fresh(self) -> int:
        """So many rows have features that nobody asked for."""
        return len(self._new) + sum(len(each.rows) for each in self._made)

    def features(self) -> Features:
        """Of all rows that arrived since the last call, in their order; `links` are of all so far. Made together they
        cost little more than one alone, and each has the bits that it would have had at once."""
        self._make()
        made, self._made = self._made, []
        if not made:
            raise InputError("nothing has arrived since these features were last asked for; ask for a row's again")
        if len(made) == 1:
            return made[0]
        rows, values = (np.concatenate([getattr(each, name) for each in made]) for name in ("rows", "values"))
        return replace(made[-1], rows=rows, values=values)

    def _make(self) -> None:
        """Before anything is told that is no arrival, and before anybody reads what they leave in the ledger."""
        if self._new:
            (rows, facts), room = zip(*self._new, strict=True), self._room
            self._new = []
            self._made.append(row_features(room.book, np.array(rows), Facts.joined(facts), room.ledger, room.scratch))

    def features_again(self, row: int, file: ApplicationFile) -> Features:
        """Of an earlier row, as when it arrived with this file, to the last bit; nothing is written anywhere."""
        return self._features_again(row, file)[0]

    @contextmanager
    def apart(self, row: int, file: ApplicationFile, pairs: Ints) -> Iterator[Features]:
        """As `features_again`, had nobody before held what these pairs of the row hold; so long, the desk knows nothing
        else of the row."""
        room, chain = self._room, self._room.book.pairs
        kept: list[tuple[Any, Any, Any]] = [(each, each[pairs].copy(), pairs) for each in (chain.previous, chain.rank)]
        kept += [(each, each[row].copy(), row) for each in room.ledger.links]
        chain.previous[pairs], chain.rank[pairs] = -1, 0
        try:
            seen, own = self._features_again(row, file)
            for (each, *_), value in zip(kept[2:], own, strict=True):
                each[row] = value
            yield seen
        finally:
            for each, before, at in kept:
                each[at] = before

    def _features_again(self, row: int, file: ApplicationFile) -> tuple[Features, Links]:
        """And the row's own links then."""
        if self.row_of(file.id) != row:
            raise InputError(f"row {row} is not of application {file.id}; give the file that arrived as that row")
        self._make()
        room, pairs = self._room, self._room.book.pairs
        now = int(room.book.as_of[row])
        at = np.arange(pairs.start[row], pairs.start[row + 1])
        at = at[(pairs.application[at] == row) & (pairs.told_at[at] <= now)]
        own = list(zip(pairs.role[at].tolist(), pairs.thing[at].tolist(), strict=True))
        said = {self._named.number(*key): thing for key, thing in file.things.items() if thing.properties}
        facts = self._facts_of(own, said, file)
        facts["limit"][0] = room.limit[row]
        with self._as_it_was(row, now):
            seen = row_features(room.book, np.array([row]), facts, room.ledger, room.scratch)
            return seen, Links(*(each[row].copy() for each in room.ledger.links))

    @contextmanager
    def _as_it_was(self, row: int, now: int) -> Iterator[None]:
        """Decisions as they stood then; the row's own entries in the ledger are as before in the end."""
        stated, links = self._room.ledger.stated, self._room.ledger.links
        kept = [(each, each[row].copy()) for each in (*stated, *links)]
        latest = {other: int(stated.declined_at[other]) for other in self._decided}
        for other, told in self._decided.items():
            stated.declined_at[other] = next((before for until, before in told if now < until), latest[other])
        try:
            yield
        finally:
            for other, value in latest.items():
                stated.declined_at[other] = value
            for each, before in kept:
                each[row] = before

    def _numbers(self, file: ApplicationFile) -> dict[tuple[str, int], int]:
        """Of all things that the file names; new ones in the order in which a snapshot would have them."""
        things = dict(file.things)
        for hold in file.held:
            things.setdefault((TYPES[ROLE[hold.role]], hold.thing), Thing(hold.known_at, {}))
        numbers = {key: self._named.number(*key) for key in things}
        new = [key for key, number in numbers.items() if number < 0]
        for key in sorted(new, key=lambda one: (things[one].known_at, one[1])):
            numbers[key] = self._named.add(*key, things[key])
        return numbers

    def _held(self, file: ApplicationFile, now: int, numbers: dict[tuple[str, int], int]) -> list[Own]:
        """Each thing once per role, and what the person held in earlier applications; sorted as in a book."""
        found: dict[tuple[int, int], Own] = {}
        pairs = self._room.book.pairs
        for hold in file.held:
            role = ROLE[hold.role]
            _add(found, Own(role, min(hold.known_at, now), hold.since, numbers[TYPES[role], hold.thing]))
        if deal := file.properties.get("deal_id"):
            _add(found, Own(ROLE["deal"], file.known_at, file.known_at, self._named.deal(word(deal))))
        for _, person in [key for key in found if key[0] == PERSON]:
            applied = found[PERSON, person].known_at
            for pair in self._pairs_of_person(person):
                role, thing, since = (int(each[pair]) for each in (pairs.role, pairs.thing, pairs.since))
                _add(found, Own(role, max(since, applied), since, thing, named=False))
        return sorted(found.values(), key=lambda one: (one.role, one.known_at, one.since, one.thing))

    def _pairs_of_person(self, person: int) -> list[int]:
        """What a person held in the latest application, and has been told to hold since."""
        pairs, last = self._room.book.pairs, int(self._room.head[person]) if person < len(self._room.head) else -1
        if last < 0:
            return []
        row = int(pairs.application[last])
        held = np.arange(pairs.start[row], pairs.start[row + 1])
        own = dict.fromkeys([*held[pairs.application[held] == row].tolist(), *self._late.get(row, ())])
        return [pair for pair in own if OF_PERSON[pairs.role[pair]]]

    def _tell_earlier(self, own: list[Own]) -> None:
        """What the file names of the person, the person's earlier applications hold from now on, too."""
        named = [one for one in own if one.named and OF_PERSON[one.role]]
        for person in [one.thing for one in own if one.role == PERSON]:
            for earlier in self._rows_of(person):
                for one in named:
                    self._append_late(earlier, one.role, one.thing, one.since, one.since)

    def _rows_of(self, person: int) -> list[int]:
        self._room.for_things(len(self._named))
        pairs, pair = self._room.book.pairs, int(self._room.head[person])
        rows: list[int] = []
        while pair >= 0 and len(rows) < OWN_ROWS:
            rows.append(int(pairs.application[pair]))
            pair = int(pairs.previous[pair])
        return rows

    def _hold(self, row: int, own: list[Own]) -> None:
        """The row's own pairs, at the ends of their chains."""
        self._room.book.pairs.start[row] = self._pairs
        self._append(row, own, int(self._room.book.as_of[row]))
        person = self._room.people + row
        for one in own:
            if one.role == PERSON:
                person = self._person_number(one.thing, row)
        self._room.book.person[row] = person

    def _person_number(self, thing: int, row: int) -> int:
        index = thing - self._room.book.offsets["Person"]
        return index if index < self._room.people else self._person.setdefault(thing, self._room.people + row)

    def _append(self, row: int, own: list[Own], told_at: int) -> None:
        """To the ends of the chains; whichever row arrived last has these pairs in its range."""
        room = self._room
        room.for_pairs(self._pairs + len(own))
        room.for_things(len(self._named))
        told = np.array([one[:4] for one in own], dtype=np.int64).reshape(-1, 4)
        _write_pairs(row, told, told_at, self._pairs, room.book.pairs, room.head)
        self._pairs += len(own)
        room.book.pairs.start[max(row, self._rows - 1) + 1] = self._pairs

    def _append_late(self, row: int, role: int, thing: int, known_at: int, since: int) -> None:
        """Among the pairs of the last row, for whose file it comes too late."""
        pairs, late = self._room.book.pairs, self._late.get(row, ())
        held = slice(int(pairs.start[row]), int(pairs.start[row + 1]))
        same = (pairs.thing[held] == thing) & (pairs.role[held] == role) & (pairs.application[held] == row)
        if same.any() or any(pairs.role[pair] == role and pairs.thing[pair] == thing for pair in late):
            return
        now = max(known_at, int(self._room.book.as_of[row]) + 1, self._clock + 1)
        self._late.setdefault(row, []).append(self._pairs)
        self._append(row, [Own(role, now, since, thing)], now)

    def _inquire(self, row: int, told: tuple[Inquiry, ...] | None) -> None:
        """The bureau's answer: those inquiries that no earlier file of the person brought."""
        if told is None:
            return
        book = self._room.book
        if book.loaded["bureau_inquiries"] > book.as_of[row]:
            self._room.book = replace(book, loaded={**book.loaded, "bureau_inquiries": int(book.as_of[row])})
        person, known, seen = int(book.person[row]), book.inquiries, set()
        one = int(known.last[person])
        while one >= 0:
            seen.add(int(known.ref[one]))
            one = int(known.previous[one])
        for each in sorted(filter(search, told), key=lambda one: (one.known_at, one.event_time, one.ref)):
            number = inquiry(each.ref)
            if number in seen:
                continue
            seen.add(number)
            at = self._inquiries
            self._room.for_inquiries(at + 1)
            known = self._room.book.inquiries
            since = min(self._since(each.known_at), int(book.as_of[row]))
            known.event_time[at], known.known_at[at], known.ref[at] = each.event_time, since, number
            known.institution[at], known.vehicle[at] = word(each.institution), word(each.vehicle)
            known.amount[at], known.previous[at] = each.amount or 0.0, known.last[person]
            known.last[person] = at
            self._inquiries += 1

    def _facts_of(self, own: Iterable[tuple[int, int]], said: dict[int, Thing], file: ApplicationFile) -> Facts:
        """`own` are (role, thing) in the order of a book: of one role the last is the latest. `said` is what the file
        says of things; of those that it only names, the desk knows what there is to know."""
        facts, latest = np.full((1, len(COLUMNS)), np.nan), dict(own)
        facts_of("", file.properties, facts[0])
        for role in HOLDS:
            number = latest.get(ROLE[role], -1)
            if number >= 0 and number not in said:
                said[number] = self._named.thing(number)[2]
            facts_of(role, said[number].properties if number >= 0 else None, facts[0])
        session_facts(file.device_events, facts[0])
        paper_facts(file.documents, facts[0])
        return Facts(facts)

    def warm(self) -> None:
        """Loads what is compiled for arrivals; nothing arrives."""
        room, nobody = self._room, np.zeros((0, 4), dtype=np.int64)
        _write_pairs(0, nobody, 0, 0, room.book.pairs, room.head)
        write_limits(np.zeros(0, np.int64), room.book.submitted[:0], Facts(np.zeros((0, len(COLUMNS)))), self._most)
        self._named.warm()

    # What becomes known later ----------------------------------------------------------------------------

    def learn(self, row: int, hold: Hold, thing: Thing | None = None) -> None:
        """A thing that became known after the row's file, in the order of time: later applications see it."""
        self._make()
        role = ROLE[hold.role]
        if not 0 <= row < self._rows:
            raise InputError(f"there is no row {row}; {self._rows} applications have arrived")
        number = self._named.number(ROLES[role].type, hold.thing)
        if number < 0:
            number = self._named.add(ROLES[role].type, hold.thing, thing or Thing(hold.known_at, {}))
        self._append_late(row, role, number, hold.known_at, hold.since)

    def label(
        self, row: int, label: str, *, known_at: int, level: str | None = None, source: str | None = None
    ) -> None:
        """What somebody found out, from when it was known; labels are told in the order of time."""
        self._make()
        self._room.for_statements(self._statements + 1)
        labels = self._room.book.labels
        self._statements += labels.tell(
            row, self._statements, known_at=self._since(known_at), label=label, level=level, source=source
        )

    def decide(self, row: int, decision: str, *, at: int) -> None:
        """The last word counts; what stood before stays known for who was scored by then."""
        self._make()
        declined, now = self._room.ledger.stated.declined_at, self._since(at)
        if declined[row] < FOREVER:
            self._decided.setdefault(row, []).append((now, int(declined[row])))
        declined[row] = now if decision == "decline" else FOREVER

    def set_aside(self, type_: str, id_: int, *, since: int) -> None:
        """A thing that many hold by nature, as a night's run recognised it; one that nobody named is left."""
        self._make()
        number = self._named.number(type_, id_)
        if number >= 0:
            self._room.for_things(len(self._named))
            aside = self._room.book.aside_from
            aside[number] = min(aside[number], self._since(since))

    def _since(self, known_at: int) -> int:
        """Not before the files that are here."""
        return max(known_at, self._clock + 1)


@numba.njit(cache=True)
def _write_pairs(row, own, told_at, at, pairs, head):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in range(len(own)):
        pair, thing = at + place, own[place, 3]
        last = head[thing]
        pairs.application[pair], pairs.role[pair], pairs.thing[pair] = row, own[place, 0], thing
        pairs.known_at[pair], pairs.since[pair], pairs.told_at[pair] = own[place, 1], own[place, 2], told_at
        pairs.previous[pair] = last
        pairs.rank[pair] = pairs.rank[last] + 1 if last >= 0 else 0
        head[thing] = pair


def _add(found: dict[tuple[int, int], Own], one: Own) -> None:
    """Of two the one that was known first."""
    before = found.get((one.role, one.thing))
    if before is None or one[1:3] < before[1:3]:
        found[one.role, one.thing] = one if before is None else one._replace(named=True)


def _told_by(book: Book, at: int) -> Book:
    pairs = book.pairs
    kept = np.flatnonzero(pairs.told_at <= at)
    if len(kept) == len(pairs.told_at):
        return book
    application, thing, role, known_at, since = (
        each[kept] for each in (pairs.application, pairs.thing, pairs.role, pairs.known_at, pairs.since)
    )
    return replace(
        book,
        pairs=chained(application, thing, role, known_at, applications=len(book), as_of=book.as_of, since=since),
    )


def _heads(pairs: Pairs, things: int) -> Ints:
    """Per thing the last pair of its chain; -1 for none."""
    followed = np.zeros(len(pairs.thing) + 1, dtype=bool)
    followed[pairs.previous] = True
    last = np.flatnonzero(~followed[:-1])
    head = np.full(things, -1, dtype=np.int64)
    head[pairs.thing[last]] = last
    return head
