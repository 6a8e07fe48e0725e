"""Why a group looks like a ring, in words: what is shared, by how many, how fast, where, and what is odd about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graph.ontology import EDGES, NODES
from graph.signs import Sign

BECAUSE_KINDS = 4
SIGN_SHARE = 0.25
"""A sign is told when so many of the people show it, and no fewer than two."""


@dataclass(frozen=True)
class Shared:
    """One thing that several members hold. `masked` is what a screen may show of it; `people` hold it in `holders`."""

    type: str
    relation: str
    key: str
    masked: str
    holders: tuple[str, ...]
    people: int


def because(shared: Sequence[Shared], count: int, people: int, days: int, dealer: Counter[int]) -> str:
    """One sentence; `dealer` counts the applications of each."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for one in shared:
        kinds.setdefault((one.type, one.relation), []).append(one.people)
    ranked = sorted(kinds.items(), key=lambda kind: (-sum(kind[1]) * EDGES[kind[0][1]].weight, kind[0]))
    said = [_shared_words(type_, relation, holders, people) for (type_, relation), holders in ranked[:BECAUSE_KINDS]]
    left = len(ranked) - BECAUSE_KINDS
    more = f" and {left} more kind{'s' if left > 1 else ''}" if left > 0 else ""
    where = f"{len(dealer)} dealer{'s' if len(dealer) != 1 else ''}"
    if len(dealer) > 1 and (top := max(dealer.values())) > count / 2:
        where += f" ({top} at one)"
    who = f"{count} applications" + (f" of {people} people" if people < count else "")
    return f"{who} in {days} day{'s' if days != 1 else ''} at {where} share {', '.join(said)}{more}"


def _shared_words(type_: str, relation: str, holders: list[int], count: int) -> str:
    name = NODES[type_].en
    many = name + ("es" if name.endswith(("s", "ss")) else "s") if len(holders) > 1 else name
    up_to = f"up to {max(holders)}" if len(holders) > 1 else str(holders[0])
    return f"{len(holders)} {many} ({EDGES[relation].en}, {up_to} of {count})"


def odd(shown: Sequence[tuple[Sign, int]], count: int) -> tuple[str, ...]:
    """What the members show by themselves, the weightiest first."""
    told = [(sign, number) for sign, number in shown if number >= max(2, SIGN_SHARE * count)]
    return tuple(f"{number} of {count} {sign.words} ({sign.rule})" for sign, number in told)


MOSTLY = 0.5
MONEY = ("PAID_DOWNPAYMENT", "REPAID_BY")
SOLD_ON = ("TRANSFERRED_TO", "TRANSFER_ACCOUNT", "PROCEEDS_TO")
TRACELESS = frozenset({*MONEY, *SOLD_ON, "LAST_SEEN_AT"})
"""All that members of a T26 ring share: where the money and the cars go, no phone, no device, no paper."""


def typology(shared: Sequence[Shared], count: int, *, overpriced: float = 0.0, insider: bool = False) -> str:
    """A first guess from what carries the ring, the rarest evidence first; T08 is the umbrella (domain.md §2.2).

    `overpriced` is the share of applications above the market price; `insider` that somebody helped from inside.
    """
    most: Counter[str] = Counter()
    for one in shared:
        most[one.relation] = max(most[one.relation], one.people)
    many = max(3, count / 3)
    paid = max(most[each] for each in MONEY)
    papers = max(most["USES_TEMPLATE"], most["WORK_PHONE"])
    if most["FINANCES"] >= 2:
        return "T03"
    if max(most[each] for each in SOLD_ON) >= 2:
        return "T26" if set(+most) <= TRACELESS else "T02"
    guesses = (
        ("T07", most["SPOKE_AS"] >= many),
        ("T20", most["WORKS_AT"] >= many and max(most["LIVES_AT"], most["REPAID_BY"]) >= many),
        ("T16", most["WORKS_AT"] >= many),
        ("T05", papers >= many and papers >= paid),
        ("T09", insider),
        ("T04", overpriced >= MOSTLY),
        ("T01", paid >= many),
        ("T13", most["LAST_SEEN_AT"] >= many),
        ("T21", most["USED_DEVICE"] >= max(4, many)),
    )
    return next((name for name, holds in guesses if holds), "T08")
