"""A book that grows: each application that arrives is scored at once and seen by the next one.

A `Desk` opens where a night's book ends and takes one file at a time, in the order of arrival. What an application
costs is what it holds, however large the book: arrays have room and double when it is used up, a pair goes to the end
of its thing's chain, and the rest is the code that makes a portfolio's features (`features/assemble.py`), asked for
one row. So a row has the same bits here and there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gnn.book import FOREVER, ROLE, ROLES, Book, Pairs, chained, when
from gnn.features.assemble import Features, Ledger, features, row_features, scratch_of
from gnn.features.facts import (
    COLUMNS,
    HOLDS,
    Facts,
    facts_of,
    most_by_day,
    paper_facts,
    session_facts,
    write_limits,
)
from gnn.files import ApplicationFile, Hold, Inquiry, Thing, search
from gnn.named import Named
from gnn.room import Room, trimmed
from gnn.told import word
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


class Desk:
    """One writer, which asks for features, too: not safe for threads."""

    def __init__(self, book: Book, ledger: Ledger | None = None, *, at: int) -> None:
        """`book` is of decision time; `ledger` as `features(book)` left it, or it is made here.

        What was told after `at` is left out: an application whose form is not sent yet is known from its session, and
        arrives like the others.
        """
        ledger = ledger or features(book).ledger
        assert ledger is not None  # noqa: S101 - `features` gives it
        self._inquiries, self._statements = len(book.inquiries.ref), len(book.labels.said.weight)
        self._most = most_by_day(book, np.flatnonzero(book.as_of <= at))
        book = _told_by(book, at)
        head = _heads(book.pairs, len(book.aside_from))
        self._at, self._applications = at, len(book)
        self._room = Room(book, ledger, scratch_of(book), head, len(book.snapshot.nodes["Person"]))
        self._rows, self._pairs = len(book), len(book.pairs.thing)
        self._room.for_rows(self._rows + 1)
        self._named = Named(book)
        self._late: dict[int, list[int]] = {}
        self._person: dict[int, int] = {}
        self._facts: tuple[int, Facts] | None = None

    def __len__(self) -> int:
        return self._rows

    @property
    def book(self) -> Book:
        """Everything so far, for whoever reads a book. Valid until the next arrival."""
        return trimmed(self._room.book, self._rows, self._pairs, len(self._named))

    def thing(self, number: int) -> tuple[str, int, Thing]:
        """(type, id, what it says) of a thing of the book; one that arrived stands in no snapshot yet."""
        return self._named.thing(number)

    # Arrivals --------------------------------------------------------------------------------------------

    def arrive(self, file: ApplicationFile) -> int:
        """The new application's row. Raises InputError for one that is here already."""
        before = self._named.number("Application", file.id)
        if before >= 0 and (before >= self._applications or self._room.book.as_of[before] <= self._at):
            raise InputError(f"application {file.id} has arrived before; what became known of it since is to be learnt")
        row, room = self._rows, self._room
        room.for_rows(row + 1)
        self._named.add("Application", file.id, Thing(file.known_at, file.properties))
        numbers = self._numbers(file)
        room.for_things(len(self._named))
        stated = np.array([int(file.properties.get("submitted_at") or 0)])
        submitted, as_of = when(stated, np.array([file.known_at]))
        book = room.book
        said = {numbers[key]: thing for key, thing in file.things.items()}
        book.submitted[row], book.as_of[row] = submitted[0], as_of[0]
        book.known_at[row], book.ids[row] = file.known_at, file.id
        own = self._held(file, int(as_of[0]), numbers)
        self._tell_earlier(own)
        self._hold(row, own)
        self._rows += 1
        self._inquire(row, file.inquiries)
        facts = self._facts_of(own, said, file)
        write_limits(np.zeros(1, np.int64), room.book.submitted[row:], facts, self._most)
        self._facts = row, facts
        return row

    def features_of(self, row: int) -> Features:
        """Of the row that arrived last: `rows` is that row alone, `links` are of all so far."""
        if self._facts is None or self._facts[0] != row:
            raise InputError("features are of the application that arrived last; open a book for those of others")
        room = self._room
        return row_features(room.book, np.array([row]), self._facts[1], room.ledger, room.scratch)

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
        own = [*range(int(pairs.start[row]), int(pairs.start[row + 1])), *self._late.get(row, ())]
        return [pair for pair in own if pairs.application[pair] == row and OF_PERSON[pairs.role[pair]]]

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
        now = int(self._room.book.as_of[row])
        person = self._room.people + row
        for one in own:
            self._append(row, one, now)
            if one.role == PERSON:
                person = self._person_number(one.thing, row)
        self._room.book.person[row] = person
        self._room.book.pairs.start[row + 1] = self._pairs

    def _person_number(self, thing: int, row: int) -> int:
        index = thing - self._room.book.offsets["Person"]
        return index if index < self._room.people else self._person.setdefault(thing, self._room.people + row)

    def _append(self, row: int, one: Own, told_at: int) -> None:
        at, room = self._pairs, self._room
        room.for_pairs(at + 1)
        room.for_things(len(self._named))
        pairs, last = room.book.pairs, int(room.head[one.thing])
        pairs.application[at], pairs.role[at], pairs.thing[at] = row, one.role, one.thing
        pairs.known_at[at], pairs.since[at], pairs.told_at[at] = one.known_at, one.since, told_at
        pairs.previous[at], pairs.rank[at] = last, pairs.rank[last] + 1 if last >= 0 else 0
        room.head[one.thing] = at
        self._pairs += 1

    def _append_late(self, row: int, role: int, thing: int, known_at: int, since: int) -> None:
        """Among the pairs of the last row, for whose file it comes too late."""
        pairs = self._room.book.pairs
        own = (*range(int(pairs.start[row]), int(pairs.start[row + 1])), *self._late.get(row, ()))
        if any(
            pairs.application[pair] == row and pairs.role[pair] == role and pairs.thing[pair] == thing for pair in own
        ):
            return
        last = self._room.book.as_of[self._rows - 1]
        now = max(known_at, int(self._room.book.as_of[row]) + 1, int(last) + 1)
        self._late.setdefault(row, []).append(self._pairs)
        self._append(row, Own(role, now, since, thing), now)
        self._room.book.pairs.start[self._rows] = self._pairs

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
            if word(each.ref) in seen:
                continue
            at = self._inquiries
            self._room.for_inquiries(at + 1)
            known = self._room.book.inquiries
            known.event_time[at], known.known_at[at], known.ref[at] = each.event_time, each.known_at, word(each.ref)
            known.institution[at], known.vehicle[at] = word(each.institution), word(each.vehicle)
            known.amount[at], known.previous[at] = each.amount or 0.0, known.last[person]
            known.last[person] = at
            self._inquiries += 1

    def _facts_of(self, own: Iterable[Own], said: dict[int, Thing], file: ApplicationFile) -> Facts:
        """`own` in the order of a book: of one role the last is the latest."""
        facts, latest = np.full((1, len(COLUMNS)), np.nan), {one.role: one.thing for one in own}
        facts_of("", file.properties, facts[0])
        for role in HOLDS:
            number = latest.get(ROLE[role], -1)
            if number >= 0 and number not in said:
                said[number] = self._named.thing(number)[2]
            facts_of(role, said[number].properties if number >= 0 else None, facts[0])
        session_facts(file.device_events, facts[0])
        paper_facts(file.documents, facts[0])
        return Facts(facts)

    # What becomes known later ----------------------------------------------------------------------------

    def learn(self, row: int, hold: Hold, thing: Thing | None = None) -> None:
        """A thing that became known after the row's file, in the order of time: later applications see it."""
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
        self._room.for_statements(self._statements + 1)
        labels = self._room.book.labels
        self._statements += labels.tell(
            row, self._statements, known_at=known_at, label=label, level=level, source=source
        )

    def decide(self, row: int, decision: str, *, at: int) -> None:
        self._room.ledger.stated.declined_at[row] = at if decision == "decline" else FOREVER

    def set_aside(self, type_: str, id_: int, *, since: int) -> None:
        """A thing that many hold by nature, as a night's run recognised it; one that nobody named is left."""
        number = self._named.number(type_, id_)
        if number >= 0:
            self._room.for_things(len(self._named))
            aside = self._room.book.aside_from
            aside[number] = min(aside[number], since)


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
