"""Walking an application's chains: who held its things before, and what was known of them then.

One compiled loop serves the whole portfolio and a single new application: rows are visited in the order in which
they became known, each sees only smaller row numbers and what was known when it is scored, and every sum is taken
newest first. So one row gives the same bits alone as among all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from gnn.book import ROLE, ROLES, Book, Floats, Pairs
from graph.records import DAY, Ints

KINDS = (
    "phone", "work_phone", "contact", "other_phone", "device", "ip", "wifi", "address", "employer", "payer",
    "template", "vehicle",
)  # fmt: skip
"""What two people can share before funding; `other_phone`: one's number in another role at the other's."""

POST_KINDS = ("voice", "repayer", "other_account", "proceeds", "buyer", "insured", "place")
"""What shows only later; for the score of a night, never for a decision."""

WEIGHTS = {
    "phone": 2.5, "work_phone": 1.2, "contact": 1.5, "other_phone": 2.0, "device": 3.0, "ip": 1.0, "wifi": 1.0,
    "address": 1.0, "employer": 1.0, "payer": 3.0, "template": 2.0, "vehicle": 3.0, "voice": 3.0, "repayer": 2.5,
    "other_account": 2.5, "proceeds": 3.0, "buyer": 2.5, "insured": 1.0, "place": 1.5,
}  # fmt: skip
"""What sharing is worth (domain.md §4.8, as in the ontology)."""

WITHIN = {
    "phone": "phone", "work_phone": "work_phone", "contact": "contact", "device": "device", "signed_in": "device",
    "ip": "ip", "wifi": "wifi", "address": "address", "employer": "employer", "payer": "payer",
    "template": "template", "vehicle": "vehicle", "voice": "voice", "repayer": "repayer", "proceeds": "proceeds",
    "sale": "proceeds", "buyer": "buyer", "insured": "insured", "place": "place",
}  # fmt: skip
ACROSS = (
    ({"phone", "work_phone", "contact"}, "other_phone"),
    ({"payer", "repayer", "proceeds", "sale"}, "other_account"),
    ({"device", "signed_in"}, "device"),
    ({"proceeds", "sale"}, "proceeds"),
)

WINDOW_DAYS = 120
RECENT_DAYS = 30
HALF_LIFE_DAYS = 30.0
NEWEST = 64
"""So many earlier holders of one thing are looked at; beyond it nothing is learned, and time is bounded."""

CROWD = 1024
"""So many earlier customers of one dealer."""

WIDER = 16
"""A look back from a later night goes past everybody who came since: so many times as far."""

MOST_LINKS = 16
HOME = 5
"""An address of up to so many earlier holders is a family's (domain.md B01)."""

ODD_POINTS = 10

UNION = (
    "people_30d", "people_120d", "people_two_kinds", "most_kinds", "kinds_shared", "weight", "heaviest",
    "same_dealer", "same_salesperson", "dealers", "days_since", "days_apart_mean", "days_span", "fraud", "fraud_weight",
    "cleared", "declined", "kin", "set_aside", "two_hops", "two_hops_fraud", "triangles", "strangers_30d",
    "same_province", "similar_amount", "same_model", "dealers_30d",
)  # fmt: skip
BY_KIND = ("30d", "60d", "90d", "weight")
HISTORY = ("applications_30d", "applications_90d", "applications_365d", "dealers_30d", "declined_90d", "fraud", "deal")
CROWDS = (
    "volume_7d", "volume_30d", "volume_jump", "points", "odd_30d", "linked_share", "linked_weight", "fraud", "fraud_30d",
    "cleared", "declined_share", "same_province", "similar_amount", "same_model", "odd_same_province", "odd_7d",
)  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """What the walk reads of other applications, per row. `own` are the columns whose mean over linked people counts."""

    own: Floats
    points: Floats
    amount: Floats
    province: Floats
    model: Ints
    dealer: Ints
    salesperson: Ints
    declined_at: Ints


@dataclass(frozen=True)
class Links:
    """The heaviest linked people of each row, `row` being their latest application; -1 fills up. `kinds` is a bit mask."""

    row: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int32]

    @classmethod
    def nothing(cls, size: int) -> Links:
        shape = (size, MOST_LINKS)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.int32))


def kind_table(kinds: tuple[str, ...]) -> Ints:
    """Per (own role, other's role) the number of the kind that they share; -1 for none."""
    number = {kind: at for at, kind in enumerate(kinds)}
    table = np.full((len(ROLES), len(ROLES)), -1, dtype=np.int64)
    for roles, kind in ACROSS:
        for one in roles:
            for other in roles:
                table[ROLE[one], ROLE[other]] = number.get(kind, -1)
    for role, kind in WITHIN.items():
        table[ROLE[role], ROLE[role]] = number.get(kind, -1)
    return table


def seen_before(book: Book, rows: Ints) -> Floats:
    """Per role how many earlier pairs the most common thing has that the row held when scored; NaN without one."""
    pairs, seen = book.pairs, np.full((len(rows), len(ROLES)), np.nan)
    _seen(rows, book.as_of, pairs.start, pairs.role, pairs.known_at, pairs.rank, seen)
    return seen


@numba.njit(cache=True)
def _seen(rows, at, start, role, known_at, rank, seen):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in range(len(rows)):
        row = rows[place]
        for pair in range(start[row], start[row + 1]):
            if known_at[pair] <= at[row] and not seen[place, role[pair]] >= rank[pair]:
                seen[place, role[pair]] = rank[pair]


@dataclass(frozen=True)
class Walked:
    """Per row of the call. `by_kind[:, 4 k …]`: strangers of 30, 60 and 90 days and all weight through kind k.

    Strangers are linked people who do not share the row's home.
    """

    by_kind: Floats
    union: Floats
    means: Floats
    history: Floats
    dealer: Floats
    salesperson: Floats


def walk(
    book: Book, rows: Ints, stated: Stated, links: Links, *, kinds: tuple[str, ...] = KINDS, night: int | None = None
) -> Walked:
    """For rows in ascending order; writes each row's linked people into `links`, which must hold those of all earlier
    rows.

    With `night` each row is looked at from that night, with those who came after it and what was known then.
    """
    pairs, told = book.pairs, book.labels
    later = night is not None
    now = book.as_of if night is None else np.full(len(book), night)
    begin = pairs.previous if night is None else _last_known(pairs, night)
    shape = len(rows)
    out = Walked(
        np.zeros((shape, len(BY_KIND) * len(kinds))), np.zeros((shape, len(UNION))), np.full((shape, stated.own.shape[1]), np.nan),
        np.zeros((shape, len(HISTORY))), np.full((shape, len(CROWDS)), np.nan), np.full((shape, len(CROWDS)), np.nan),
    )  # fmt: skip
    _walk(
        rows, now, book.as_of, book.submitted, book.person,
        (pairs.start, pairs.application, pairs.thing, pairs.role, pairs.known_at, pairs.rank),
        begin, pairs.previous, later, book.aside_from, kind_table(kinds),
        np.array([WEIGHTS[kind] for kind in kinds]),
        (stated.own, stated.points, stated.amount, stated.province, stated.model, stated.dealer, stated.salesperson,
         stated.declined_at),
        (told.fraud_from, told.fraud_until, told.evidence, told.cleared_from),
        (links.row, links.weight, links.kinds),
        (out.by_kind, out.union, out.means, out.history, out.dealer, out.salesperson),
    )  # fmt: skip
    return out


def _last_known(pairs: Pairs, night: int) -> Ints:
    """Per pair the last one of its thing's chain that was known that night; -1 for none."""
    known = np.flatnonzero(pairs.known_at <= night)
    last = np.full(int(pairs.thing.max(initial=-1)) + 1, -1, dtype=np.int64)
    order = known[np.argsort(pairs.rank[known], kind="stable")]
    last[pairs.thing[order]] = order
    return np.asarray(last[pairs.thing])


PERSON, DEAL, DEALER, SALESPERSON, ADDRESS = (
    ROLE[name] for name in ("person", "deal", "dealer", "salesperson", "address")
)
SLOTS = 4096


@numba.njit(cache=True)
def _walk(
    rows,
    at,
    when,
    submitted,
    person,
    pairs,
    begin,
    previous,
    later,
    aside_from,
    table,
    weights,
    stated,
    told,
    links,
    out,
):  # type: ignore[no-untyped-def]
    start, application, thing, role, known_at, rank = pairs
    own, points, amount, province, model, dealer, salesperson, declined_at = stated
    fraud_from, fraud_until, evidence, cleared_from = told
    link_row, link_weight, link_kinds = links
    by_kind, union, means, history, by_dealer, by_salesperson = out
    kinds = len(weights)
    place_of = np.full(person.max() + 1 if len(person) else 1, -1, dtype=np.int64)
    who, newest = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    mask, kin = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.bool_)
    best = np.zeros((SLOTS, kinds))
    hop_mark = np.full(len(submitted), -1, np.int64)
    shops = np.zeros(64, np.int64)
    for place in range(len(rows)):
        row = rows[place]
        now, then = at[row], when[row]
        # who the row itself is: its person, and the people of its deal
        place_of[person[row]] = -2
        first_pair, last_pair = start[row], start[row + 1]
        for pair in range(first_pair, last_pair):
            if role[pair] != PERSON and role[pair] != DEAL:
                continue
            other = begin[pair]
            while other >= 0:
                one = application[other]
                age = abs(then - submitted[one]) / DAY
                if age > 365.0 and not later:
                    break
                if one != row and (later or one < row):
                    place_of[person[one]] = -2
                    if role[pair] == DEAL:
                        history[place, 6] += 1
                    else:
                        history[place, 2] += 1
                        if age <= 90.0:
                            history[place, 1] += 1
                            history[place, 4] += declined_at[one] <= now
                        if age <= 30.0:
                            history[place, 0] += 1
                            history[place, 3] += dealer[one] != dealer[row]
                    if fraud_from[one] <= now < fraud_until[one]:
                        history[place, 5] = max(history[place, 5], evidence[one])
                other = previous[other]
        # who held its things before
        count = 0
        for pair in range(first_pair, last_pair):
            mine = role[pair]
            if known_at[pair] > now or (mine <= SALESPERSON):
                continue
            if aside_from[thing[pair]] <= now:
                union[place, 18] += 1
                continue
            home = mine == ADDRESS and rank[pair] <= HOME
            other, steps = begin[pair], 0
            while other >= 0 and steps < (WIDER * NEWEST if later else NEWEST):
                one = application[other]
                kind = table[mine, role[other]]
                age = abs(then - submitted[one]) / DAY
                if (then - known_at[other]) / DAY > 2.0 * WINDOW_DAYS:
                    break
                steps += 1
                if (
                    kind >= 0
                    and one != row
                    and (later or one < row)
                    and age <= WINDOW_DAYS
                    and place_of[person[one]] != -2
                ):
                    slot = place_of[person[one]]
                    if slot < 0:
                        if count == SLOTS:
                            break
                        slot = count
                        count += 1
                        place_of[person[one]] = slot
                        who[slot], newest[slot], mask[slot], kin[slot] = person[one], one, 0, False
                        best[slot] = 0.0
                    if submitted[one] > submitted[newest[slot]]:
                        newest[slot] = one
                    mask[slot] |= 1 << kind
                    kin[slot] |= home
                    strength = weights[kind] / np.log2(2.0 + rank[other]) * 0.5 ** (age / HALF_LIFE_DAYS)
                    best[slot, kind] = max(best[slot, kind], strength)
                other = previous[other]
        _unite(
            place,
            row,
            now,
            then,
            count,
            who,
            newest,
            mask,
            kin,
            best,
            stated,
            told,
            submitted,
            by_kind,
            union,
            means,
            shops,
            links,
            hop_mark,
            place_of,
            history[place, 3],
        )
        _keep(row, count, newest, mask, best, link_row, link_weight, link_kinds)
        for slot in range(count):
            place_of[who[slot]] = -1
        place_of[person[row]] = -1
        for pair in range(first_pair, last_pair):
            if role[pair] == PERSON or role[pair] == DEAL:
                other = begin[pair]
                while other >= 0:
                    place_of[person[application[other]]] = -1
                    other = previous[other]
            elif role[pair] == DEALER and known_at[pair] <= now:
                _crowd(
                    place,
                    row,
                    now,
                    then,
                    begin[pair],
                    previous,
                    application,
                    submitted,
                    later,
                    stated,
                    told,
                    links,
                    by_dealer,
                )
            elif role[pair] == SALESPERSON and known_at[pair] <= now:
                _crowd(
                    place,
                    row,
                    now,
                    then,
                    begin[pair],
                    previous,
                    application,
                    submitted,
                    later,
                    stated,
                    told,
                    links,
                    by_salesperson,
                )


@numba.njit(cache=True)
def _unite(
    place,
    row,
    now,
    then,
    count,
    who,
    newest,
    mask,
    kin,
    best,
    stated,
    told,
    submitted,
    by_kind,
    union,
    means,
    shops,
    links,
    hop_mark,
    place_of,
    own_shops,
):  # type: ignore[no-untyped-def]
    """The linked people of one row together."""
    own, points, amount, province, model, dealer, salesperson, declined_at = stated
    fraud_from, fraud_until, evidence, cleared_from = told
    link_row, _, _ = links
    kinds = best.shape[1]
    columns = own.shape[1]
    total, stated_count = np.zeros(columns), np.zeros(columns)
    shop_count, recent_shops, all_kinds, gaps = 0, own_shops, 0, 0.0
    nearest, farthest = np.inf, 0.0
    for slot in range(count):
        one = newest[slot]
        age = abs(then - submitted[one]) / DAY
        weight, number = 0.0, 0
        for kind in range(kinds):
            if mask[slot] >> kind & 1:
                number += 1
                weight += best[slot, kind]
                by_kind[place, 4 * kind] += age <= 30.0 and not kin[slot]
                by_kind[place, 4 * kind + 1] += age <= 60.0 and not kin[slot]
                by_kind[place, 4 * kind + 2] += age <= 90.0 and not kin[slot]
                by_kind[place, 4 * kind + 3] += best[slot, kind]
        all_kinds |= mask[slot]
        union[place, 0] += age <= RECENT_DAYS
        union[place, 1] += 1
        union[place, 2] += number >= 2
        union[place, 3] = max(union[place, 3], number)
        union[place, 5] += weight
        union[place, 6] = max(union[place, 6], weight)
        union[place, 7] += dealer[one] == dealer[row] and dealer[one] >= 0
        union[place, 8] += salesperson[one] == salesperson[row] and salesperson[one] >= 0
        nearest, farthest = min(nearest, age), max(farthest, age)
        gaps += age
        if fraud_from[one] <= now < fraud_until[one]:
            union[place, 13] += evidence[one]
            union[place, 14] += evidence[one] * weight
        union[place, 15] += cleared_from[one] <= now
        union[place, 16] += declined_at[one] <= now
        union[place, 17] += kin[slot]
        union[place, 22] += (not kin[slot]) and age <= RECENT_DAYS
        union[place, 23] += province[one] == province[row]
        union[place, 24] += abs(amount[one] - amount[row]) <= 0.05 * amount[row]
        union[place, 25] += model[one] == model[row] and model[row] >= 0
        new_shop = dealer[one] >= 0
        for shop in range(shop_count):
            if shops[shop] == dealer[one]:
                new_shop = False
        if new_shop and shop_count < len(shops):
            shops[shop_count] = dealer[one]
            shop_count += 1
            recent_shops += age <= RECENT_DAYS and dealer[one] != dealer[row]
        for column in range(columns):
            value = own[one, column]
            if value == value:  # noqa: PLR0124 - not NaN
                total[column] += value
                stated_count[column] += 1
    number = 0
    for kind in range(kinds):
        number += all_kinds >> kind & 1
    union[place, 4], union[place, 9], union[place, 26] = number, shop_count, recent_shops + (dealer[row] >= 0)
    union[place, 10] = nearest if count else np.nan
    union[place, 11] = gaps / count if count else np.nan
    union[place, 12] = farthest - nearest if count else np.nan
    for column in range(columns):
        if stated_count[column]:
            means[place, column] = total[column] / stated_count[column]
    for slot in range(count):
        for at in range(MOST_LINKS):
            far = link_row[newest[slot], at]
            if far < 0:
                break
            if far == row or hop_mark[far] == row or abs(then - submitted[far]) / DAY > WINDOW_DAYS:
                continue
            hop_mark[far] = row
            union[place, 21] += _is_linked(far, newest, count)
            union[place, 19] += 1
            if fraud_from[far] <= now < fraud_until[far]:
                union[place, 20] += evidence[far]


@numba.njit(cache=True)
def _is_linked(far, newest, count):  # type: ignore[no-untyped-def]
    for slot in range(count):
        if newest[slot] == far:
            return 1
    return 0


@numba.njit(cache=True)
def _keep(row, count, newest, mask, best, link_row, link_weight, link_kinds):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """The heaviest links first; of equals the later application."""
    kept = 0
    for at in range(MOST_LINKS):
        link_row[row, at], link_weight[row, at], link_kinds[row, at] = -1, 0.0, 0
    for slot in range(count):
        weight, one = np.float32(best[slot].sum()), newest[slot]
        if kept == MOST_LINKS and (weight, one) <= (link_weight[row, kept - 1], link_row[row, kept - 1]):
            continue
        at = kept if kept < MOST_LINKS else kept - 1
        while at > 0 and (weight, one) > (link_weight[row, at - 1], link_row[row, at - 1]):
            link_row[row, at] = link_row[row, at - 1]
            link_weight[row, at] = link_weight[row, at - 1]
            link_kinds[row, at] = link_kinds[row, at - 1]
            at -= 1
        link_row[row, at], link_weight[row, at], link_kinds[row, at] = one, weight, mask[slot]
        kept = min(kept + 1, MOST_LINKS)


@numba.njit(cache=True)
def _crowd(place, row, now, then, first, previous, application, submitted, later, stated, told, links, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Other customers of the same dealer or salesperson in the weeks before."""
    _, points, amount, province, model, _, _, declined_at = stated
    fraud_from, fraud_until, evidence, cleared_from = told
    link_row, link_weight, _ = links
    out[place, :] = 0.0
    other, steps = first, 0
    before, thirty = 0, 0
    while other >= 0 and steps < (WIDER * CROWD if later else CROWD):
        one = application[other]
        other = previous[other]
        age = abs(then - submitted[one]) / DAY
        if age > 90.0 + RECENT_DAYS:
            if later and submitted[one] > then:
                continue
            break
        if one == row or (one > row and not later):
            continue
        steps += 1
        if fraud_from[one] <= now < fraud_until[one]:
            out[place, 7] += evidence[one]
            out[place, 8] += evidence[one] * (age <= RECENT_DAYS)
        out[place, 9] += cleared_from[one] <= now
        if age > RECENT_DAYS:
            before += 1
            continue
        thirty += 1
        odd, same = points[one] >= ODD_POINTS, province[one] == province[row]
        out[place, 0] += age <= 7.0
        out[place, 3] += points[one]
        out[place, 4] += odd
        out[place, 5] += link_row[one, 0] >= 0
        for at in range(MOST_LINKS):
            if link_row[one, at] < 0:
                break
            out[place, 6] += link_weight[one, at]
        out[place, 10] += declined_at[one] <= now
        out[place, 11] += same
        out[place, 12] += abs(amount[one] - amount[row]) <= 0.05 * amount[row]
        out[place, 13] += model[one] == model[row] and model[row] >= 0
        out[place, 14] += odd and same
        out[place, 15] += odd and age <= 7.0
    out[place, 1] = thirty
    out[place, 2] = thirty / (before / 3.0 + 1.0)
    for column in (3, 5, 6, 10):
        out[place, column] /= max(thirty, 1)


# The bureau ----------------------------------------------------------------------------------------------

BUREAU = (
    "inquiries_7d", "inquiries_30d", "inquiries_90d", "institutions_7d", "institutions_30d", "institutions_90d",
    "inquired_amount_90d", "inquired_cars_30d", "inquired_cars_7d", "days_since_inquiry",
)  # fmt: skip
MOST_INQUIRIES = 256


def inquiries(book: Book, rows: Ints) -> Floats:
    """Inquiries at other institutions as the bureau had reported them when the application was scored."""
    told, out = book.inquiries, np.full((len(rows), len(BUREAU)), np.nan)
    if len(told.event_time):
        _inquiries(
            rows, book.as_of, book.person, told.start, told.event_time, told.known_at, told.institution, told.vehicle,
            told.amount, out,
        )  # fmt: skip
    return out


@numba.njit(cache=True)
def _inquiries(rows, at, person, start, event_time, known_at, institution, vehicle, amount, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in range(len(rows)):
        row = rows[place]
        now, one = at[row], person[row]
        out[place, :9] = 0.0
        if one + 1 >= len(start):
            continue
        first = max(start[one], start[one + 1] - MOST_INQUIRIES)
        for inquiry in range(start[one + 1] - 1, first - 1, -1):
            if known_at[inquiry] > now:
                continue
            age = (now - event_time[inquiry]) / DAY
            if not 0.0 <= age <= 90.0:
                continue
            new_there, new_car = True, vehicle[inquiry] >= 0
            for after in range(inquiry + 1, start[one + 1]):
                if known_at[after] <= now and event_time[after] <= now:
                    new_there &= institution[after] != institution[inquiry]
                    new_car &= vehicle[after] != vehicle[inquiry]
            out[place, 0] += age <= 7.0
            out[place, 1] += age <= 30.0
            out[place, 2] += 1
            out[place, 3] += new_there and age <= 7.0
            out[place, 4] += new_there and age <= 30.0
            out[place, 5] += new_there
            out[place, 6] += amount[inquiry]
            out[place, 7] += new_car and age <= 30.0
            out[place, 8] += new_car and age <= 7.0
            if not out[place, 9] <= age:
                out[place, 9] = age
