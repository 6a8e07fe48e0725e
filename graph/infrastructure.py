"""Things that many hold by nature: shop tablets and WiFi, carrier address pools, switchboards, communities.

Judged only on what was known at the time (domain.md §4.8 gives the start values). A
verdict costs a thing all its links, so each needs many holders *and* a benign reason:
one shop over months, or many unrelated shops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.records import Ints

DAY = 86_400_000


@dataclass(frozen=True)
class Holders:
    """Per thing: how many applications hold it, over how many dealers, over which time."""

    entity: Ints
    count: Ints
    dealers: Ints
    top_dealer: Ints
    span_days: Ints

    @classmethod
    def of(cls, entity: Ints, dealer: Ints, submitted: Ints) -> Holders:
        """From one row per (thing, application)."""
        order = np.lexsort((dealer, entity))
        entity, dealer, submitted = entity[order], dealer[order], submitted[order]
        starts = (
            np.flatnonzero(np.concatenate([[True], entity[1:] != entity[:-1]])) if len(entity) else np.zeros(0, int)
        )
        count = np.diff(np.append(starts, len(entity)))
        runs = np.flatnonzero(
            np.concatenate([[True], (entity[1:] != entity[:-1]) | (dealer[1:] != dealer[:-1])])
        ) if len(entity) else np.zeros(0, int)  # fmt: skip
        per_dealer = np.diff(np.append(runs, len(entity)))
        first_run = np.searchsorted(runs, starts)
        if not len(starts):
            return cls(*(np.zeros(0, dtype=np.int64),) * 5)
        return cls(
            entity=entity[starts],
            count=count,
            dealers=np.diff(np.append(first_run, len(runs))),
            top_dealer=np.maximum.reduceat(per_dealer, first_run),
            span_days=(np.maximum.reduceat(submitted, starts) - np.minimum.reduceat(submitted, starts)) // DAY,
        )


@dataclass(frozen=True)
class Rule:
    """`types` it judges; at least `holders` of them over `dealers`; one dealer's share at least `top_share`;
    in use for more than `days`."""

    name: str
    types: tuple[str, ...]
    holders: int
    dealers: int = 1
    top_share: float = 0.0
    days: int = 0

    def holds(self, of: Holders) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        share = of.top_dealer / np.maximum(of.count, 1)
        return (
            (of.count >= self.holders)
            & (of.dealers >= self.dealers)
            & (share >= self.top_share)
            & (of.span_days > self.days)
        )


DEALER_ASSET = "dealer_asset"
NETWORKS = ("IP", "WiFi")
IN_SHOP, IN_SHOP_HOLDERS = 0.5, 3
"""A device is the shop's own from so many people on, when more than this share of them sat in the shop's network."""

RULES = (
    Rule(DEALER_ASSET, ("Device", "IP", "WiFi", "Phone"), holders=6, top_share=0.9, days=120),
    Rule("carrier_nat", ("IP", "WiFi"), holders=15, dealers=6),
    Rule("switchboard", ("Phone",), holders=12, dealers=6, days=120),
    Rule("large_employer", ("Employer",), holders=12, dealers=6, days=120),
    Rule("community", ("Address",), holders=12, dealers=6, days=120),
    Rule("public_template", ("DocTemplate",), holders=20, dealers=8, days=120),
    Rule("financial_institution", ("Account",), holders=25, dealers=10, days=120),
    Rule("public_place", ("Place",), holders=12, dealers=6, days=60),
)


def recognise(type_: str, holders: Holders) -> dict[int, str]:
    """Things of one type that are infrastructure -> the rule that says so; the first rule that holds counts."""
    verdicts: dict[int, str] = {}
    for rule in RULES:
        if type_ in rule.types:
            for entity in holders.entity[rule.holds(holders)].tolist():
                verdicts.setdefault(entity, rule.name)
    return verdicts


def behind_shops(devices: Holders, inside: npt.NDArray[np.float64]) -> dict[int, str]:
    """Devices too new to be known by their months: one dealer's; `inside` counts the holders who sat in its network."""
    count = np.maximum(devices.count, 1)
    own = (devices.count >= IN_SHOP_HOLDERS) & (devices.top_dealer / count >= 0.9) & (inside / count > IN_SHOP)
    return dict.fromkeys(devices.entity[own].tolist(), DEALER_ASSET)
