"""The people whom an application is linked to by what it holds, and what was known of them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from gnn.book import ROLE, Book, Floats, Pairs
from gnn.walk.kinds import (
    BY_KIND,
    HALF_LIFE_DAYS,
    HISTORY,
    HOME,
    KINDS,
    MOST_LINKS,
    NEWEST,
    RECENT_DAYS,
    UNION,
    WEIGHTS,
    WIDER,
    WINDOW_DAYS,
    kind_table,
)
from graph.records import DAY, Ints

SLOTS = 4096
"""So many linked people are told apart; those met after them are not counted."""

SHOPS = 64
OWN_PAIRS = 1024
"""So many earlier pairs of one person or one deal are read."""


class Stated(NamedTuple):
    """What the walk reads of other applications, per row. `own` are the columns whose mean over linked people counts.

    `model` tells car models apart; `dealer` and `salesperson` are indices; -1 for none.
    """

    own: Floats
    points: Floats
    amount: Floats
    province: Floats
    model: Ints
    dealer: Ints
    salesperson: Ints
    declined_at: Ints


class Links(NamedTuple):
    """The heaviest linked people of each row, `row` being their latest application; -1 fills up. `kinds` is a bit mask.

    At decision time only applications that were known before the row's own: links run along the order of the rows.
    """

    row: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int32]

    @classmethod
    def nothing(cls, size: int) -> Links:
        shape = (size, MOST_LINKS)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.int32))


class Linked(NamedTuple):
    """Per row of the call. `by_kind[:, 4 k …]`: strangers of 30, 60 and 90 days and all weight through kind k.

    Strangers are linked people who do not share the row's home.
    """

    by_kind: Floats
    union: Floats
    means: Floats
    history: Floats


class Scratch(NamedTuple):
    """Room to work in, left as it was found. `slot_of` per person: -1 not met, `SELF` the row's own people."""

    slot_of: Ints
    visited: npt.NDArray[np.bool_]
    who: Ints
    newest: Ints
    mask: Ints
    kin: npt.NDArray[np.bool_]
    best: Floats
    shops: Ints

    @classmethod
    def room(cls, people: int, rows: int, kinds: int) -> Scratch:
        who, newest, mask = (np.zeros(SLOTS, np.int64) for _ in range(3))
        return cls(
            np.full(people, -1, dtype=np.int64), np.zeros(rows, dtype=bool), who, newest, mask,
            np.zeros(SLOTS, dtype=bool), np.zeros((SLOTS, kinds)), np.zeros(SHOPS, np.int64),
        )  # fmt: skip


class Scene(NamedTuple):
    """`at` is from when each row is looked at, `then` when its file arrived."""

    at: Ints
    then: Ints
    submitted: Ints
    known_at: Ints
    ids: Ints
    person: Ints
    aside_from: Ints


def link(
    book: Book,
    rows: Ints,
    stated: Stated,
    links: Links,
    *,
    kinds: tuple[str, ...] = KINDS,
    night: int | None = None,
    scratch: Scratch | None = None,
) -> Linked:
    """Writes each row's linked people into `links`, which must hold those of all that arrived earlier.

    With `night` each row is looked at from that night, with those who came after it and what was known then.
    """
    shape = len(rows)
    out = Linked(
        np.zeros((shape, len(BY_KIND) * len(kinds))), np.zeros((shape, len(UNION))),
        np.full((shape, stated.own.shape[1]), np.nan), np.zeros((shape, len(HISTORY))),
    )  # fmt: skip
    scene = Scene(
        book.as_of if night is None else np.full(len(book), night),
        book.as_of, book.submitted, book.known_at, book.ids, book.person, book.aside_from,
    )  # fmt: skip
    begin = book.pairs.previous if night is None else last_told(book.pairs, night)
    if scratch is None:
        scratch = Scratch.room(int(book.person.max(initial=0)) + 1, len(book), len(kinds))
    table, weights = _tables(kinds)
    _walk(
        rows, book.arrival(rows), scene, book.pairs, begin, night is not None, table, weights, stated,
        book.labels.said, links, scratch, out,
    )  # fmt: skip
    return out


def last_told(pairs: Pairs, night: int) -> Ints:
    """Per pair the last one of its thing's chain that was told by that night; -1 for none."""
    told = np.flatnonzero(pairs.told_at <= night)
    last = np.full(int(pairs.thing.max(initial=-1)) + 1, -1, dtype=np.int64)
    order = told[np.argsort(pairs.rank[told], kind="stable")]
    last[pairs.thing[order]] = order
    return np.asarray(last[pairs.thing])


@cache
def _tables(kinds: tuple[str, ...]) -> tuple[Ints, Floats]:
    return kind_table(kinds), np.array([WEIGHTS[kind] for kind in kinds])


# Compiled ------------------------------------------------------------------------------------------------

PERSON, DEAL, SALESPERSON, ADDRESS = (ROLE[name] for name in ("person", "deal", "salesperson", "address"))
SELF = -2


@numba.njit(cache=True)
def _walk(rows, order, scene, pairs, begin, later, table, weights, stated, said, links, scratch, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in order:
        row = rows[place]
        _selves(place, row, scene, pairs, begin, later, stated, said, scratch, out.history)
        count = _meet(place, row, scene, pairs, begin, later, table, weights, scratch, out.union)
        _unite(place, row, count, scene, stated, said, scratch, out)
        _look_on(place, row, count, scene, said, links, scratch, out.union)
        _keep(row, count, scene, later, scratch, links)
        for slot in range(count):
            scratch.slot_of[scratch.who[slot]] = -1
        _forget_selves(row, scene, pairs, begin, scratch)


@numba.njit(cache=True)
def _evidence(said, one, now):  # type: ignore[no-untyped-def]
    """Of fraud as it was known then: 0 for none, below for cleared."""
    statement = said.last[one]
    while statement >= 0 and said.known_at[statement] > now:
        statement = said.previous[statement]
    return said.weight[statement] if statement >= 0 else 0.0


@numba.njit(cache=True)
def _selves(place, row, scene, pairs, begin, later, stated, said, scratch, history):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Marks who the row itself is, its person and the people of its deal, and counts what they did before."""
    now, then = scene.at[row], scene.then[row]
    scratch.slot_of[scene.person[row]] = SELF
    for pair in range(pairs.start[row], pairs.start[row + 1]):
        if pairs.application[pair] != row or (pairs.role[pair] != PERSON and pairs.role[pair] != DEAL):
            continue
        other, steps = begin[pair], 0
        while other >= 0 and steps < OWN_PAIRS:
            one = pairs.application[other]
            if not later and (then - pairs.told_at[other]) / DAY > 366.0:
                break
            steps += 1
            age = abs(then - scene.submitted[one]) / DAY
            if one != row and (later or age <= 365.0):
                scratch.slot_of[scene.person[one]] = SELF
                if pairs.role[pair] == DEAL:
                    history[place, 6] += 1
                else:
                    history[place, 2] += 1
                    if age <= 90.0:
                        history[place, 1] += 1
                        history[place, 4] += stated.declined_at[one] <= now
                    if age <= 30.0:
                        history[place, 0] += 1
                        history[place, 3] += stated.dealer[one] != stated.dealer[row]
                history[place, 5] = max(history[place, 5], _evidence(said, one, now))
            other = pairs.previous[other]


@numba.njit(cache=True)
def _forget_selves(row, scene, pairs, begin, scratch):  # type: ignore[no-untyped-def]
    scratch.slot_of[scene.person[row]] = -1
    for pair in range(pairs.start[row], pairs.start[row + 1]):
        if pairs.application[pair] == row and (pairs.role[pair] == PERSON or pairs.role[pair] == DEAL):
            other, steps = begin[pair], 0
            while other >= 0 and steps < OWN_PAIRS:
                scratch.slot_of[scene.person[pairs.application[other]]] = -1
                other, steps = pairs.previous[other], steps + 1


@numba.njit(cache=True)
def _meet(place, row, scene, pairs, begin, later, table, weights, scratch, union):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Gives each linked person a slot, with what they share; how many there are."""
    now, then, count = scene.at[row], scene.then[row], 0
    slot_of, who, newest, mask, kin, best = (
        scratch.slot_of, scratch.who, scratch.newest, scratch.mask, scratch.kin, scratch.best,
    )  # fmt: skip
    for pair in range(pairs.start[row], pairs.start[row + 1]):
        mine = pairs.role[pair]
        if pairs.told_at[pair] > now or mine <= SALESPERSON:
            continue
        if scene.aside_from[pairs.thing[pair]] <= now:
            union[place, 18] += 1
            continue
        home = mine == ADDRESS and pairs.rank[pair] <= HOME
        other, steps = begin[pair], 0
        while other >= 0 and steps < (WIDER * NEWEST if later else NEWEST):
            if (then - pairs.told_at[other]) / DAY > 2.0 * WINDOW_DAYS:
                break
            steps += 1
            one, kind, rank = pairs.application[other], table[mine, pairs.role[other]], pairs.rank[other]
            other = pairs.previous[other]
            age = abs(then - scene.submitted[one]) / DAY
            if kind < 0 or one == row or age > WINDOW_DAYS or slot_of[scene.person[one]] == SELF:
                continue
            slot = slot_of[scene.person[one]]
            if slot < 0:
                if count == len(who):
                    continue
                slot, count = count, count + 1
                slot_of[scene.person[one]] = slot
                who[slot], newest[slot], mask[slot], kin[slot] = scene.person[one], one, 0, False
                best[slot] = 0.0
            if scene.submitted[one] > scene.submitted[newest[slot]]:
                newest[slot] = one
            mask[slot] |= 1 << kind
            kin[slot] |= home
            strength = weights[kind] / np.log2(2.0 + rank) * 0.5 ** (age / HALF_LIFE_DAYS)
            best[slot, kind] = max(best[slot, kind], strength)
    return count


@numba.njit(cache=True)
def _unite(place, row, count, scene, stated, said, scratch, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917, C901, PLR0915
    """The linked people of one row together."""
    now, then, union = scene.at[row], scene.then[row], out.union
    newest, mask, kin, best, shops = scratch.newest, scratch.mask, scratch.kin, scratch.best, scratch.shops
    dealer, amount = stated.dealer, stated.amount
    shop_count, recent_shops, all_kinds, gaps = 0, out.history[place, 3], 0, 0.0
    nearest, farthest = np.inf, 0.0
    for slot in range(count):
        one = newest[slot]
        age = abs(then - scene.submitted[one]) / DAY
        weight, number = 0.0, 0
        for kind in range(best.shape[1]):
            if mask[slot] >> kind & 1:
                number += 1
                weight += best[slot, kind]
                out.by_kind[place, 4 * kind] += age <= 30.0 and not kin[slot]
                out.by_kind[place, 4 * kind + 1] += age <= 60.0 and not kin[slot]
                out.by_kind[place, 4 * kind + 2] += age <= 90.0 and not kin[slot]
                out.by_kind[place, 4 * kind + 3] += best[slot, kind]
        all_kinds |= mask[slot]
        union[place, 0] += age <= RECENT_DAYS
        union[place, 1] += 1
        union[place, 2] += number >= 2
        union[place, 3] = max(union[place, 3], number)
        union[place, 5] += weight
        union[place, 6] = max(union[place, 6], weight)
        union[place, 7] += dealer[one] == dealer[row] and dealer[one] >= 0
        union[place, 8] += stated.salesperson[one] == stated.salesperson[row] and stated.salesperson[one] >= 0
        nearest, farthest = min(nearest, age), max(farthest, age)
        gaps += age
        evidence = _evidence(said, one, now)
        if evidence > 0.0:
            union[place, 13] += evidence
            union[place, 14] += evidence * weight
        union[place, 15] += evidence < 0.0
        union[place, 16] += stated.declined_at[one] <= now
        union[place, 17] += kin[slot]
        union[place, 22] += (not kin[slot]) and age <= RECENT_DAYS
        union[place, 23] += stated.province[one] == stated.province[row]
        union[place, 24] += abs(amount[one] - amount[row]) <= 0.05 * amount[row]
        union[place, 25] += stated.model[one] == stated.model[row] and stated.model[row] >= 0
        new_shop = dealer[one] >= 0
        for shop in range(shop_count):
            new_shop &= shops[shop] != dealer[one]
        if new_shop and shop_count < len(shops):
            shops[shop_count] = dealer[one]
            shop_count += 1
            recent_shops += age <= RECENT_DAYS and dealer[one] != dealer[row]
    number = 0
    for kind in range(best.shape[1]):
        number += all_kinds >> kind & 1
    union[place, 4], union[place, 9], union[place, 26] = number, shop_count, recent_shops + (dealer[row] >= 0)
    union[place, 10] = nearest if count else np.nan
    union[place, 11] = gaps / count if count else np.nan
    union[place, 12] = farthest - nearest if count else np.nan
    for column in range(stated.own.shape[1]):
        total, known = 0.0, 0
        for slot in range(count):
            value = stated.own[newest[slot], column]
            if not np.isnan(value):
                total += value
                known += 1
        if known:
            out.means[place, column] = total / known


@numba.njit(cache=True)
def _look_on(place, row, count, scene, said, links, scratch, union):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Two hops: whom the linked people were linked to, each once."""
    now, then, newest, visited = scene.at[row], scene.then[row], scratch.newest, scratch.visited
    for slot in range(count):
        for at in range(MOST_LINKS):
            far = links.row[newest[slot], at]
            if far < 0:
                break
            if far == row or visited[far] or abs(then - scene.submitted[far]) / DAY > WINDOW_DAYS:
                continue
            visited[far] = True
            for each in range(count):
                if newest[each] == far:
                    union[place, 21] += 1
                    break
            union[place, 19] += 1
            union[place, 20] += max(_evidence(said, far, now), 0.0)
    for slot in range(count):
        for at in range(MOST_LINKS):
            if links.row[newest[slot], at] >= 0:
                visited[links.row[newest[slot], at]] = False


@numba.njit(cache=True)
def _keep(row, count, scene, later, scratch, links):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """The heaviest links first; of equals the later application."""
    kept = 0
    for at in range(MOST_LINKS):
        links.row[row, at], links.weight[row, at], links.kinds[row, at] = -1, 0.0, 0
    for slot in range(count):
        one, weight = scratch.newest[slot], np.float32(scratch.best[slot].sum())
        if not (later or _first(one, row, scene)):
            continue
        at = kept
        while at > 0 and (
            weight > links.weight[row, at - 1]
            or (weight == links.weight[row, at - 1] and not _first(one, links.row[row, at - 1], scene))
        ):
            at -= 1
        if at == MOST_LINKS:
            continue
        kept = min(kept + 1, MOST_LINKS)
        for other in range(kept - 1, at, -1):
            links.row[row, other] = links.row[row, other - 1]
            links.weight[row, other] = links.weight[row, other - 1]
            links.kinds[row, other] = links.kinds[row, other - 1]
        links.row[row, at], links.weight[row, at], links.kinds[row, at] = one, weight, scratch.mask[slot]


@numba.njit(cache=True)
def _first(one, other, scene):  # type: ignore[no-untyped-def]
    """Whether an application was known before another: the order of the rows of a snapshot."""
    if scene.known_at[one] != scene.known_at[other]:
        return scene.known_at[one] < scene.known_at[other]
    return scene.ids[one] < scene.ids[other]
