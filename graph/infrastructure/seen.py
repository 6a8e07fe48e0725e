"""What is known about things and their holders at a time: what every recogniser judges by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from graph.incidence import Incidence
from graph.records import CHINA, DAY, Ints
from graph.snapshot import Snapshot

if TYPE_CHECKING:
    from graph.infrastructure.recogniser import Recogniser

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

HOUR = 3_600_000
MONTH_DAYS = 30
OPENING_HOURS = (8, 22)

FEW = 3
"""What fewer people hold is never infrastructure, so nothing is counted about it."""

SHARE_OF_HISTORY = 0.6
SHORTEST_DAYS = 30
"""A portfolio of two months cannot show a tablet of four: "long" is at most this share of all history, but no
less than `SHORTEST_DAYS`, which a burst (domain.md T01: 2 to 10 weeks) easily fills. That alone proves nothing."""


@dataclass(frozen=True)
class Holders:
    """Per thing that `FEW` or more people hold, parallel to `entity` (ascending): how many, where, and when.

    `top` of them were customers of the dealer `top_dealer` (-1: none stated). `months` counts the 30-day months
    with a new holder, `peak` the holders of the fullest one, `open_` those who applied in opening hours.
    Times are milliseconds.
    """

    entity: Ints
    count: Ints
    dealers: Ints
    top: Ints
    top_dealer: Ints
    first: Ints
    last: Ints
    months: Ints
    peak: Ints
    open_: Ints

    @classmethod
    def of(cls, entity: Ints, dealer: Ints, when: Ints) -> Holders:
        """From one row per (thing, person)."""
        kept = np.bincount(entity)[entity] >= FEW if len(entity) else np.zeros(0, dtype=bool)
        entity, dealer, when = entity[kept], dealer[kept], when[kept]
        if not len(entity):
            return cls(*(np.zeros(0, dtype=np.int64),) * 10)
        order = np.lexsort((when, entity))
        entity, dealer, when = entity[order], dealer[order], when[order]
        starts = _starts(entity)
        hour = (when + CHINA) // HOUR % 24
        open_ = (hour >= OPENING_HOURS[0]) & (hour < OPENING_HOURS[1])
        dealers, top, top_dealer = _runs(entity, dealer, starts)
        months, peak, _ = _runs(entity, when // (MONTH_DAYS * DAY), starts)
        ends = np.append(starts[1:], len(entity)) - 1
        count = ends - starts + 1
        return cls(
            entity[starts], count, dealers, top, top_dealer, when[starts], when[ends], months, peak,
            np.add.reduceat(open_.astype(np.int64), starts),
        )  # fmt: skip

    @property
    def days(self) -> Ints:
        """From the first holder to the last, in days."""
        return (self.last - self.first) // DAY

    def row(self, entity: int) -> int:
        """The place of a thing; raises KeyError for one that fewer than `FEW` hold."""
        at = int(np.searchsorted(self.entity, entity))
        if at == len(self.entity) or self.entity[at] != entity:
            raise KeyError(entity)
        return at


def _starts(values: Ints) -> Ints:
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def _runs(entity: Ints, value: Ints, starts: Ints) -> tuple[Ints, Ints, Ints]:
    """Per thing: how many values its rows have, how often the most frequent one, and which; values below 0 are none."""
    order = np.lexsort((value, entity))
    entity, value = entity[order], value[order]
    begin = np.flatnonzero(np.concatenate([[True], (entity[1:] != entity[:-1]) | (value[1:] != value[:-1])]))
    size = np.diff(np.append(begin, len(entity)))
    size[value[begin] < 0] = 0
    of = np.searchsorted(starts, begin, side="right") - 1
    best = np.lexsort((value[begin], size, of))[np.append(np.flatnonzero(np.diff(of)), len(of) - 1)]
    distinct = np.bincount(of[size > 0], minlength=len(starts))
    return distinct, size[best], np.where(size[best] > 0, value[begin][best], -1)


@dataclass(frozen=True, eq=False)
class Seen:
    """All that was known at `as_of`; `own` holds each person once per thing, `dealer` and `when` go by application.

    Whatever is asked twice is computed once.
    """

    snapshot: Snapshot
    own: Mapping[str, Incidence]
    party: Ints
    dealer: Ints
    when: Ints
    as_of: int
    _holders: dict[str, Holders] = field(default_factory=dict)
    _judged: dict[tuple[object, str], Ints] = field(default_factory=dict)
    earlier: dict[tuple[str, str], Ints] = field(default_factory=dict)
    """Per kind and type what an earlier run found, which an excerpt may no longer show."""
    _rows: dict[str, tuple[Ints, Ints, Ints]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, snapshot: Snapshot, own: Mapping[str, Incidence], party: Ints, dealer: Ints, submitted: Ints, *, as_of: int
    ) -> Seen:
        """`submitted` 0 is an application dated later than it was known, by a wrong clock: then it counts as of when
        it was known, for 1970 would make a tablet of any device."""
        when = np.where(submitted > 0, submitted, np.minimum(snapshot.nodes["Application"].known_at, as_of))
        return cls(snapshot, own, party, dealer, when, as_of)

    def holders(self, type_: str) -> Holders:
        if type_ not in self._holders:
            each = self.own[type_]
            self._holders[type_] = Holders.of(each.entity, self.dealer[each.application], self.when[each.application])
        return self._holders[type_]

    def by_salesperson(self, type_: str) -> Holders:
        """The same holders counted by salesperson in place of dealer."""
        each = self.own[type_]
        return Holders.of(each.entity, self.salesperson[each.application], self.when[each.application])

    def judged(self, recogniser: Recogniser, type_: str) -> Ints:
        """What a recogniser says of one type."""
        key = (recogniser, type_)
        if key not in self._judged:
            found = recogniser.judge(self, type_) if type_ in self.own else np.zeros(0, dtype=np.int64)
            before = self.earlier.get((recogniser.kind, type_))
            self._judged[key] = found if before is None else np.union1d(found, before)
        return self._judged[key]

    # The portfolio as a whole -------------------------------------------------------------------------

    @cached_property
    def known(self) -> Ints:
        """The applications that anybody knew of."""
        return np.flatnonzero(self.snapshot.nodes["Application"].known_at <= self.as_of)

    @cached_property
    def people(self) -> int:
        return len(np.unique(self.party[self.known]))

    @cached_property
    def salesperson(self) -> Ints:
        """Per application its salesperson, -1 without one: one number for all codes a person sold under, whose phone
        moves along to the next dealer."""
        acts = self.snapshot.columns("ACTS_AS", as_of=self.as_of)
        who = np.arange(len(self.snapshot.nodes["Salesperson"]))
        _, at, person = np.unique(acts["source"], return_index=True, return_inverse=True)
        who[acts["target"]] = acts["target"][at][person]
        handled = self.snapshot.columns("HANDLED_BY", as_of=self.as_of)
        salesperson = np.full(len(self.party), -1, dtype=np.int64)
        salesperson[handled["source"]] = who[handled["target"]]
        return salesperson

    @cached_property
    def history_days(self) -> int:
        when = self.when[self.known]
        return int(when.max() - when.min()) // DAY if len(when) else 0

    def long(self, days: int) -> float:
        """`days`, or less where there is little history."""
        return min(days, max(SHORTEST_DAYS, SHARE_OF_HISTORY * self.history_days))

    @cached_property
    def dealer_share(self) -> Floats:
        """Of all applications with a dealer, those of each one; by dealer index."""
        dealer = self.dealer[self.known]
        sold = np.bincount(dealer[dealer >= 0], minlength=len(self.snapshot.nodes["Dealer"]))
        share: Floats = sold / max(sold.sum(), 1)
        return share

    @cached_property
    def customers(self) -> Ints:
        """People per dealer; by dealer index."""
        known = self.known[self.dealer[self.known] >= 0]
        pairs = np.unique(np.stack([self.dealer[known], self.party[known]]), axis=1)
        return np.bincount(pairs[0], minlength=len(self.snapshot.nodes["Dealer"]))

    def expected_dealers(self, count: Ints) -> Floats:
        """At how many dealers so many strangers from anywhere in the portfolio would be customers."""
        distinct, place = np.unique(count, return_inverse=True)
        share = self.dealer_share[self.dealer_share > 0]
        expected = np.array([(1 - (1 - share) ** n).sum() for n in distinct.tolist()])
        return expected[place] if len(distinct) else np.zeros(0)

    @cached_property
    def open_share(self) -> float:
        """Of all applications, those in opening hours. Where most are not, the clock is a date or another zone's."""
        hour = (self.when[self.known] + CHINA) // HOUR % 24
        return float(((hour >= OPENING_HOURS[0]) & (hour < OPENING_HOURS[1])).mean()) if len(hour) else 0.0

    # One type ------------------------------------------------------------------------------------------

    def through(self, type_: str, *relations: str) -> Floats:
        """Per thing of `holders(type_)`, the share of its holders who hold it by one of these relations."""
        own, holders = self.own[type_], self.holders(type_)
        chosen = np.isin(np.array(own.relations), relations)[own.relation]
        count = np.bincount(own.entity[chosen], minlength=int(own.entity.max(initial=0)) + 1)
        share: Floats = count[holders.entity] / np.maximum(holders.count, 1)
        return share

    def stated(self, type_: str, name: str, entities: Ints) -> npt.NDArray[Any]:
        """A property of some things as objects; None where it is not stated or nobody had the node yet.

        A snapshot keeps what was told last and no date of it: as of a past day, a description told again since shows.
        """
        nodes = self.snapshot.nodes[type_]
        values: npt.NDArray[Any] = (
            nodes.table[name].take(pa.array(entities)).to_numpy(zero_copy_only=False).astype(object)
        )
        values[nodes.known_at[entities] > self.as_of] = None
        values[pd.isna(values)] = None
        return values

    def entangled(self, type_: str, entities: Ints, *, besides: Sequence[str] = ()) -> Floats:
        """Per thing, the share of its holders who share something else, of a type not in `besides`, with one another.

        Customers of a shop have the shop in common and no more; a ring's members have several things. Things that
        mostly others hold (a carrier's address, a payroll template) are no tie between these.
        """
        mine = self.own[type_]
        group = np.full(int(mine.entity.max(initial=0)) + 1, -1, dtype=np.int64)
        group[entities] = np.arange(len(entities))
        rows = group[mine.entity] >= 0
        member, of = self.party[mine.application[rows]], group[mine.entity[rows]]
        others = [each for each in self.own if each != type_ and each not in besides]
        tied = [_tied((member, of), self._shared(each), len(self.party)) for each in others]
        distinct = np.unique(np.concatenate([member[:0], *tied]))
        of_group = np.bincount(distinct // max(len(self.party), 1), minlength=len(entities))
        share: Floats = of_group / np.maximum(np.bincount(of, minlength=len(entities)), 1)
        return share

    def _shared(self, type_: str) -> tuple[Ints, Ints, Ints]:
        """(person, thing) of all things of a type that two or more hold, and how many hold each thing."""
        if type_ not in self._rows:
            own = self.own[type_]
            held = np.bincount(own.entity, minlength=1)
            rows = held[own.entity] >= 2
            self._rows[type_] = self.party[own.application[rows]], own.entity[rows], held
        return self._rows[type_]


def _tied(members: tuple[Ints, Ints], shared: tuple[Ints, Ints, Ints], people: int) -> Ints:
    """Members who hold a thing that another member holds, as half its holders are: `group * people + person`.

    `members` are (person, group) and `shared` (person, thing, and by thing how many hold it).
    """
    (member, of), (person, thing, held) = members, shared
    inside = np.zeros(people, dtype=bool)
    inside[member] = True
    kept = inside[person]
    person, thing = person[kept], thing[kept]
    kept = (np.bincount(thing, minlength=len(held)) * 2 >= held)[thing] & (np.bincount(thing)[thing] >= 2)
    person, thing = person[kept], thing[kept]
    order = np.argsort(member, kind="stable")
    member, of = member[order], of[order]
    begin = np.searchsorted(member, person, side="left")
    count = np.searchsorted(member, person, side="right") - begin
    at = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
    group, person, thing = of[at], np.repeat(person, count), np.repeat(thing, count)
    _, place, together = np.unique(group * len(held) + thing, return_inverse=True, return_counts=True)
    tie = (together[place] >= 2) & (together[place] * 2 >= held[thing])
    return np.asarray(group[tie] * people + person[tie], dtype=np.int64)
