"""Which things are set aside, why, and whom an investigator overruled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from graph.infrastructure.many import (
    BusinessNumber,
    CarrierNat,
    Community,
    Dormitory,
    LargeEmployer,
    MarketBroker,
    PaymentAgent,
    PublicPlace,
    PublicTemplate,
    Switchboard,
)
from graph.infrastructure.recogniser import Recogniser
from graph.infrastructure.recycled import Cuts, RecycledPhone
from graph.infrastructure.seen import Seen
from graph.infrastructure.shops import NewShopDevice, SalesPhone, ShopDevice, ShopNetwork, ShopNumber, ShopYard
from graph.infrastructure.values import DealerAddress, DealerDesk, DefaultValue
from graph.records import Ints

RECOGNISERS: tuple[Recogniser, ...] = (
    DealerAddress(), DealerDesk(), ShopNetwork(), CarrierNat(), ShopDevice(), SalesPhone(), NewShopDevice(), ShopYard(),
    Switchboard(), LargeEmployer(), Dormitory(), Community(), BusinessNumber(), ShopNumber(), MarketBroker(),
    PaymentAgent(), PublicTemplate(), PublicPlace(), DefaultValue(),
)  # fmt: skip
"""Of several that recognise a thing the first counts: the most telling reason stands first."""


BY_HAND = "by_hand"
"""The kind of what a person set aside without naming one."""


class Override(Protocol):
    """What a person decided about one thing, by its index in the snapshot."""

    @property
    def type(self) -> str: ...
    @property
    def entity(self) -> int: ...
    @property
    def infrastructure(self) -> bool: ...
    @property
    def kind(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Verdict(NamedTuple):
    type: str
    entity: int
    kind: str


class Judged(NamedTuple):
    """Parallel arrays: things of one type, ascending, and the number of each one's kind."""

    entity: Ints
    kind: Ints


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Per type the things set aside; a sentence is made when somebody asks for it.

    `kinds` names the numbers; `cuts` are the numbers that changed hands, which are not set aside.
    """

    seen: Seen
    recognisers: Sequence[Recogniser]
    kinds: tuple[str, ...]
    by_type: Mapping[str, Judged]
    said: Mapping[tuple[str, int], str]
    cuts: Cuts

    def __len__(self) -> int:
        return sum(len(each.entity) for each in self.by_type.values())

    def __iter__(self) -> Iterator[Verdict]:
        for type_, judged in self.by_type.items():
            for entity, number in zip(judged.entity.tolist(), judged.kind.tolist(), strict=True):
                yield Verdict(type_, entity, self.kinds[number])

    def entities(self, type_: str) -> Ints:
        """What to leave out, ascending."""
        return self.by_type[type_].entity if type_ in self.by_type else np.zeros(0, dtype=np.int64)

    def kind(self, type_: str, entity: int) -> str | None:
        """None for a thing that is not set aside."""
        number = self._number(type_, entity)
        return None if number is None else self.kinds[number]

    def counts(self) -> Counter[str]:
        total = np.zeros(len(self.kinds), dtype=np.int64)
        for judged in self.by_type.values():
            total += np.bincount(judged.kind, minlength=len(self.kinds))
        return Counter({name: int(count) for name, count in zip(self.kinds, total, strict=True) if count})

    def mapping(self) -> dict[str, dict[int, str]]:
        """Per type: thing -> kind."""
        named: dict[str, dict[int, str]] = {}
        for type_, judged in self.by_type.items():
            kinds = (self.kinds[number] for number in judged.kind.tolist())
            named[type_] = dict(zip(judged.entity.tolist(), kinds, strict=True))
        return named

    def sentence(self, type_: str, entity: int) -> str:
        """Why it is set aside; raises KeyError for a thing that is not."""
        number = self._number(type_, entity)
        if number is None:
            raise KeyError((type_, entity))
        if (type_, entity) in self.said:
            return self.said[type_, entity]
        return self.recognisers[number].because(self.seen, type_, entity)

    def _number(self, type_: str, entity: int) -> int | None:
        judged = self.by_type.get(type_)
        if judged is None:
            return None
        at = int(np.searchsorted(judged.entity, entity))
        there = at < len(judged.entity) and int(judged.entity[at]) == entity
        return int(judged.kind[at]) if there else None


@dataclass(frozen=True)
class Earlier:
    """What an earlier run set aside: things of each type, and the place of each one's kind in `kinds`."""

    kinds: tuple[str, ...]
    by_type: Mapping[str, Judged]


def recognise(
    seen: Seen,
    overrides: Iterable[Override] = (),
    recognisers: Sequence[Recogniser] = RECOGNISERS,
    earlier: Earlier | None = None,
) -> Verdicts:
    """Judge everything known at `seen.as_of`; what a person decided stands above it, and the last decision above all.

    `infrastructure` True sets a thing aside for the override's reason, False takes a verdict back. What an
    `earlier` run set aside is not judged again.
    """
    decided = {(each.type, each.entity): each for each in overrides}
    by_hand = [_kind(each) for each in decided.values() if each.infrastructure]
    before = earlier or Earlier((), {})
    kinds = list(dict.fromkeys([*(each.kind for each in recognisers), *before.kinds, *by_hand]))
    renumbered = np.array([kinds.index(each) for each in before.kinds], dtype=np.int64)
    for type_, known in before.by_type.items():
        for number, kind in enumerate(before.kinds):
            seen.earlier[kind, type_] = known.entity[known.kind == number]
    by_type = {}
    for type_ in sorted({*seen.own, *before.by_type, *(type_ for type_, _ in decided)}):
        judged = _judged(seen, type_, recognisers)
        if type_ in before.by_type:
            known = before.by_type[type_]
            judged = _united(Judged(known.entity, renumbered[known.kind]), judged)
        mine = [each for (of, _), each in decided.items() if of == type_]
        judged = _overruled(judged, mine, kinds)
        if len(judged.entity):
            by_type[type_] = judged
    said = {key: each.reason for key, each in decided.items() if each.infrastructure}
    return Verdicts(seen, tuple(recognisers), tuple(kinds), by_type, said, RecycledPhone().cuts(seen))


def _kind(override: Override) -> str:
    return override.kind or BY_HAND


def _judged(seen: Seen, type_: str, recognisers: Sequence[Recogniser]) -> Judged:
    found = [(number, seen.judged(each, type_)) for number, each in enumerate(recognisers) if type_ in each.types]
    entity = np.concatenate([np.zeros(0, dtype=np.int64), *(each for _, each in found)])
    number = np.repeat([number for number, _ in found], [len(each) for _, each in found]).astype(np.int64)
    entity, first = np.unique(entity, return_index=True)
    return Judged(entity, number[first])


def _united(first: Judged, then: Judged) -> Judged:
    """Of a thing in both the first verdict counts."""
    entity, at = np.unique(np.concatenate([first.entity, then.entity]), return_index=True)
    return Judged(entity, np.concatenate([first.kind, then.kind])[at])


def _overruled(judged: Judged, overrides: Sequence[Override], kinds: Sequence[str]) -> Judged:
    if not overrides:
        return judged
    kept = ~np.isin(judged.entity, np.array([each.entity for each in overrides], dtype=np.int64))
    added = [each for each in overrides if each.infrastructure]
    entity = np.concatenate([judged.entity[kept], np.array([each.entity for each in added], dtype=np.int64)])
    kind = np.concatenate([judged.kind[kept], np.array([kinds.index(_kind(each)) for each in added], dtype=np.int64)])
    order = np.argsort(entity, kind="stable")
    return Judged(entity[order], kind[order])
