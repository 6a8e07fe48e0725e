"""What a recogniser is: a kind, what it judges, and one sentence with its figures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from graph.infrastructure.seen import Holders, Mask, Seen
from graph.records import Ints


class Kind(Protocol):
    """What every kind of verdict says of itself, whatever it does to links."""

    kind: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]
    types: ClassVar[tuple[str, ...]]


@dataclass(frozen=True)
class Recogniser(ABC):
    """One kind of thing that many hold by nature; `family` is its class in domain.md's glossary.

    Thresholds are fields, so that a lender can set them. `comes_with` are types that such a thing's holders share
    for the same reason (a switchboard's callers have one employer): sharing those is no sign of a ring.
    """

    kind: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]
    types: ClassVar[tuple[str, ...]]
    comes_with: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def judge(self, seen: Seen, type_: str) -> Ints:
        """Which things of the type are of this kind."""

    @abstractmethod
    def because(self, seen: Seen, type_: str, entity: int) -> str:
        """One sentence with the figures that made it so."""

    def strangers(self, seen: Seen, type_: str, mask: Mask, most: float, *, crowd: float = math.inf) -> Ints:
        """Of the chosen `holders(type_)`, the things of which at most this share of holders have more in common, or
        which as many as `crowd` hold who have not."""
        of = seen.holders(type_)
        entities = of.entity[mask]
        tied = seen.entangled(type_, entities, besides=self.comes_with)
        return entities[(tied <= most) | ((1 - tied) * of.count[mask] >= crowd)]


def steady(of: Holders, most: float) -> Mask:
    """At most this share of the holders came in one month: what serves everybody goes on, a burst is over."""
    return of.peak <= most * of.count


def many_dealers(seen: Seen, of: Holders, most: int) -> Mask:
    """Over half as many dealers as so many strangers would have, `most` at most.

    Where the whole portfolio has one dealer nothing can show that people are unrelated, and nothing passes.
    """
    return of.dealers >= np.clip(np.rint(seen.expected_dealers(of.count) / 2), 2, most)


def of_one_dealer(of: Holders, share: float) -> Mask:
    return (of.top >= share * of.count) & (of.top_dealer >= 0)


def in_opening_hours(seen: Seen, of: Holders, least: float, *, besides: int = 0) -> Mask:
    """Hardly ever at night, `besides` so many nights; says nothing where the portfolio's own clock says nothing."""
    return (of.open_ + besides >= least * of.count) | (seen.open_share < least)


def figures(seen: Seen, type_: str, entity: int) -> str:
    """How many, where, when: what every sentence begins with."""
    of = seen.holders(type_)
    at = of.row(entity)
    count, top, dealers, days, peak = (int(each[at]) for each in (of.count, of.top, of.dealers, of.days, of.peak))
    where = f"{top} at one dealer" if top * 2 > count else f"at {dealers} dealers"
    return f"{count} people, {where}, over {days} days, at most {peak} in one month"
