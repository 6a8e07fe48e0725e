"""What a strategy does otherwise for some applications: those of some dealers' provinces, or of some products.

A province alone refuses nobody: an override that names one may ask for more or fewer reviews, and never touches a rule
that can decline (domain.md §6, fairness). Where an applicant lives or was born is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graph.errors import InputError

PROVINCE = re.compile(r"[1-8][0-9]")
MOST = 20
NAMES = ("name", "provinces", "products", "review_from", "rules")


@dataclass(frozen=True)
class Override:
    """`provinces` of the dealer, two digits of GB/T 2260; empty means all, as for `products`. `rules` come on top of
    the strategy's own; `review_from` None leaves the strategy's."""

    name: str
    provinces: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    review_from: float | None = None
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def holds(self, province: str, product: str) -> bool:
        """Whoever does not say its province or product is meant by no override that asks for one."""
        return (not self.provinces or province in self.provinces) and (not self.products or product in self.products)

    def content(self) -> dict[str, Any]:
        return {name: list(each) if isinstance(each := getattr(self, name), tuple) else each for name in NAMES}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Override:
        """As `content` gave it, unchecked."""
        told: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in content.items()}
        return cls(**told)


def read(told: Any) -> tuple[Override, ...]:
    """Checked one by one; rules are checked by who knows those below. Raises InputError with the field."""
    if told is None:
        return ()
    if not isinstance(told, list | tuple) or len(told) > MOST:
        raise InputError(f"overrides is a list of at most {MOST}; each takes {', '.join(NAMES)}")
    found = tuple(_one(at, each) for at, each in enumerate(told, start=1))
    names = [each.name for each in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two overrides are called {twice[0]!r}; each needs a name of its own")
    return found


def chosen(overrides: Sequence[Override], province: str, product: str) -> Override | None:
    """The first that holds."""
    return next((each for each in overrides if each.holds(province, product)), None)


def merged(rules: Mapping[str, Mapping[str, Any]], over: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {code: {**rules.get(code, {}), **over.get(code, {})} for code in {**rules, **over}}


# Checking ------------------------------------------------------------------------------------------------


def _one(at: int, told: Any) -> Override:
    where = f"overrides, no. {at}"
    if not isinstance(told, Mapping):
        raise InputError(f"{where} is a mapping; it takes {', '.join(NAMES)}")
    if unknown := [str(name)[:40] for name in told if name not in NAMES]:
        raise InputError(f"{where}: {unknown[0]!r} is nothing to set; it takes {', '.join(NAMES)}")
    name = told.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable():
        raise InputError(f"{where}: name takes 1 to 64 characters")
    provinces, products = _provinces(where, told.get("provinces")), _products(where, told.get("products"))
    if not provinces and not products:
        raise InputError(f"{where}: name provinces or products; what is for everybody belongs to the strategy itself")
    rules = told.get("rules") or {}
    if provinces:
        _refuse_strong(where, rules)
    return Override(name, provinces, products, _review_from(where, told.get("review_from")), rules)


def _provinces(where: str, told: Any) -> tuple[str, ...]:
    some = _words(where, "provinces", told)
    if bad := [each for each in some if not PROVINCE.fullmatch(each)]:
        raise InputError(f"{where}: provinces takes two digits of GB/T 2260 each, in quotes; {bad[0][:20]!r} is none")
    return some


def _products(where: str, told: Any) -> tuple[str, ...]:
    from gnn.features.facts import PRODUCTS  # noqa: PLC0415 - only who sets overrides waits for it

    some = _words(where, "products", told)
    if bad := [each for each in some if each not in PRODUCTS]:
        raise InputError(f"{where}: there is no product {bad[0][:20]!r}; there are {', '.join(PRODUCTS)}")
    return some


def _words(where: str, name: str, told: Any) -> tuple[str, ...]:
    if told is None:
        return ()
    if not isinstance(told, list | tuple) or not all(isinstance(each, str) for each in told):
        raise InputError(f"{where}: {name} is a list of texts, in quotes where they are digits")
    return tuple(told)


def _review_from(where: str, told: Any) -> float | None:
    if told is None:
        return None
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= 1:
        raise InputError(f"{where}: review_from takes a number from 0 to 1")
    return float(told)


def _refuse_strong(where: str, rules: Any) -> None:
    from gnn.rules.catalogue import BY_CODE  # noqa: PLC0415
    from gnn.rules.rule import Strength  # noqa: PLC0415

    for code in rules if isinstance(rules, Mapping) else ():
        if code in BY_CODE and BY_CODE[code].strength is Strength.STRONG:
            raise InputError(f"{where}: {code} can decline, and a province declines nobody; leave it to the strategy")
