"""The compiled loop behind `columns.py`: who held an application's things before, colleagues and homes told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from gnn.book import FOREVER, ROLE, ROLES, Book, Floats
from gnn.walk import HOME, KINDS, NEWEST, WINDOW_DAYS, kind_table
from gnn.walk.links import OWN_PAIRS
from graph.circles import YOUNG_EMPLOYER_DAYS
from graph.incidence import near_is_source
from graph.ontology import EDGES, NODES
from graph.projection import STRAND
from graph.records import DAY, Ints

OPEN_DAYS = 60
"""An application nobody decided, or an approval nobody drew, is dead after so many days (T03: within 1-60 d)."""

OWN_KINDS = ("phone", "contact", "other_phone", "device", "address", "payer", "vehicle")
"""What colleagues share without an employer's doing."""

TYPES = {
    "phone": "Phone", "work_phone": "Employer", "contact": "Phone", "other_phone": "Phone", "device": "Device",
    "ip": "IP", "wifi": "WiFi", "address": "Address", "employer": "Employer", "payer": "Account",
    "template": "DocTemplate", "vehicle": "Vehicle",
}  # fmt: skip
"""Per kind the type whose strand it belongs to; a work phone comes with the employer."""

NEAR_DAYS = 30


def _far_type(relation: str) -> int:
    """Above how many holders the thing a relation leads to is a hub; 0 for none."""
    if not relation:
        return 0
    edge = EDGES[relation]
    return NODES[edge.target if near_is_source(edge) else edge.source].hub_above or 0


_STRANDS = {STRAND.get(type_, type_) for type_ in TYPES.values()}
STRANDS = np.array([sorted(_STRANDS).index(STRAND.get(TYPES[kind], TYPES[kind])) for kind in KINDS])
PRIVATE = np.array([kind in OWN_KINDS for kind in KINDS])
TEMPLATE_DAYS = 90
SLOTS = 512
"""So many people are told apart; beyond it the answer is "many" anyway."""

HUBS = np.array([_far_type(role.relation) for role in ROLES])
OF_ALL = 0.01
"""A thing of more holders than its type's hub threshold and one in a hundred of all so far is nobody's own (B16)."""

WALKED = (
    "vehicle_conflicts",
    "template_people_90d",
    "group_people_120d",
    "group_kinds_120d",
    "payer_is_dealer",
    "of_fleet",
    "near_dealers_30d",
)


@dataclass(frozen=True, eq=False)
class Fates:
    """Per application when a decision ended it, when it was funded, when its loan ends by the contract.

    Per employer when it was registered (0: not stated), per account from when a dealer named it as its own, per
    employer from when it was known as a fleet, if anybody looked. `FOREVER` for never; what came after the fit is open.
    """

    closed_at: Ints
    funded_at: Ints
    ends_at: Ints
    registered: Ints
    payee_from: Ints
    fleet_from: Ints | None


def walked(book: Book, rows: Ints, fates: Fates) -> dict[str, Floats]:
    pairs, out = book.pairs, np.full((len(rows), len(WALKED)), np.nan)
    told = fates.fleet_from is not None
    _walk(
        rows, book.as_of, book.submitted, book.person,
        (pairs.start, pairs.application, pairs.thing, pairs.role, pairs.known_at, pairs.rank, pairs.previous),
        book.aside_from, _TABLE, (STRANDS, PRIVATE, HUBS),
        (fates.closed_at, fates.funded_at, fates.ends_at),
        (fates.registered, fates.payee_from, fates.fleet_from if told else np.full(1, FOREVER)),
        (book.offsets["Account"], book.offsets["Employer"]), out,
    )  # fmt: skip
    columns = {name: out[:, at] for at, name in enumerate(WALKED)}
    return columns if told else columns | {"of_fleet": np.full(len(rows), np.nan)}


def last_vehicle(book: Book, rows: Ints) -> Ints:
    """As `Book.latest`, of some rows: by index within the type, -1 for none."""
    pairs, held = book.pairs, np.full(len(rows), -1, dtype=np.int64)
    _held(rows, book.as_of, pairs.start, pairs.thing, pairs.role, pairs.known_at, VEHICLE, held)
    return np.where(held >= 0, held - book.offsets["Vehicle"], -1)


PERSON, DEAL, DEALER, SALESPERSON, ADDRESS, EMPLOYER, PAYER, VEHICLE, TEMPLATE = (
    ROLE[name]
    for name in ("person", "deal", "dealer", "salesperson", "address", "employer", "payer", "vehicle", "template")
)
TEMPLATES = KINDS.index("template")
_TABLE = kind_table(KINDS)


@numba.njit(cache=True)
def _latest(row, at, start, thing, role, known_at, wanted):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """The thing a row held last in a role; -1 for none."""
    latest = -1
    for pair in range(start[row], start[row + 1]):
        if role[pair] != wanted or known_at[pair] > at[row]:
            continue
        if latest < 0 or (known_at[pair], thing[pair]) >= (known_at[latest], thing[latest]):
            latest = pair
    return thing[latest] if latest >= 0 else -1


@numba.njit(cache=True)
def _held(rows, at, start, thing, role, known_at, wanted, held):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in range(len(rows)):
        held[place] = _latest(rows[place], at, start, thing, role, known_at, wanted)


@numba.njit(cache=True)
def _add(kept, count, one):  # type: ignore[no-untyped-def]
    """How many different ones there are with this one; -1 is none."""
    if one < 0 or count == len(kept):
        return count
    for at in range(count):
        if kept[at] == one:
            return count
    kept[count] = one
    return count + 1


@numba.njit(cache=True)
def _walk(rows, at, submitted, person, pairs, aside_from, table, known, fates, things, offsets, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917, C901, PLR0912, PLR0915
    start, application, thing, role, known_at, rank, previous = pairs
    closed_at, funded_at, ends_at = fates
    registered, payee_from, fleets = things
    accounts, employers = offsets
    strands, private, hubs = known
    shops = np.zeros(64, np.int64)
    fitted = len(closed_at)
    who, mask, mine = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    kin, alike, against = np.zeros(SLOTS, np.bool_), np.zeros(SLOTS, np.bool_), np.zeros(SLOTS, np.bool_)
    for place in range(len(rows)):
        row = rows[place]
        now, then = at[row], submitted[row]
        own, count = 1, 0
        shop_count = _add(shops, 0, _latest(row, at, start, thing, role, known_at, DEALER))
        mine[0] = person[row]
        for pair in range(start[row], start[row + 1]):
            if role[pair] != DEAL and role[pair] != PERSON:
                continue
            other, steps = previous[pair], 0
            while other >= 0 and own < SLOTS and steps < OWN_PAIRS:
                one, steps = application[other], steps + 1
                if role[pair] == DEAL:
                    mine[own] = person[one]
                    own += 1
                elif (then - submitted[one]) / DAY <= NEAR_DAYS:
                    shop_count = _add(shops, shop_count, _latest(one, at, start, thing, role, known_at, DEALER))
                other = previous[other]
        out[place, 2], out[place, 3] = 0.0, 0.0
        works_at = _latest(row, at, start, thing, role, known_at, EMPLOYER)
        number = works_at - employers
        out[place, 5] = 1.0 if 0 <= number < len(fleets) and fleets[number] <= now else 0.0
        young = (
            0 <= number < len(registered)
            and registered[number]
            and then - registered[number] < YOUNG_EMPLOYER_DAYS * DAY
        )
        for pair in range(start[row], start[row + 1]):
            own_role = role[pair]
            if known_at[pair] > now or own_role <= SALESPERSON:
                continue
            if own_role == PAYER:
                account = thing[pair] - accounts
                named = 1.0 if account < len(payee_from) and payee_from[account] <= now else 0.0
                out[place, 4] = named if not out[place, 4] >= named else out[place, 4]
            if own_role == VEHICLE and not out[place, 0] >= 0:
                out[place, 0] = 0.0
            if own_role == TEMPLATE and not out[place, 1] >= 0:
                out[place, 1] = 0.0
            if aside_from[thing[pair]] <= now or rank[pair] >= max(hubs[own_role], OF_ALL * row):
                continue
            home = own_role == ADDRESS and rank[pair] <= HOME
            other, steps = previous[pair], 0
            while other >= 0 and steps < NEWEST:
                one, kind, theirs = application[other], table[own_role, role[other]], role[other]
                age = (then - submitted[one]) / DAY
                if own_role != VEHICLE and (then - known_at[other]) / DAY > 2.0 * WINDOW_DAYS:
                    break
                steps += 1
                other = previous[other]
                if kind < 0 or one >= row or (own_role != VEHICLE and age > WINDOW_DAYS):
                    continue
                same = False
                for each in range(own):
                    same |= mine[each] == person[one]
                if same:
                    continue
                slot = 0
                while slot < count and who[slot] != person[one]:
                    slot += 1
                if slot == SLOTS:
                    continue
                if slot == count:
                    count += 1
                    who[slot], mask[slot], kin[slot], alike[slot], against[slot] = person[one], 0, False, False, False
                kin[slot] |= home
                if own_role == VEHICLE and theirs == VEHICLE:
                    # it counts while the loan runs, or while the application is open
                    runs = one < fitted and funded_at[one] <= now < ends_at[one]
                    ended = one < fitted and min(closed_at[one], funded_at[one]) <= now
                    is_open = not ended and age <= OPEN_DAYS
                    against[slot] |= runs or is_open
                if age > WINDOW_DAYS:
                    continue
                if private[kind] and age <= NEAR_DAYS:
                    shop_count = _add(shops, shop_count, _latest(one, at, start, thing, role, known_at, DEALER))
                colleagues = works_at >= 0 and works_at == _latest(one, at, start, thing, role, known_at, EMPLOYER)
                if private[kind] or not colleagues or young:
                    mask[slot] |= 1 << strands[kind]
                if kind == TEMPLATES and age <= TEMPLATE_DAYS and (not colleagues or young):
                    alike[slot] = True
        strands_shared = 0
        for slot in range(count):
            out[place, 0] += against[slot]
            out[place, 1] += alike[slot] and not kin[slot]
            if not kin[slot] and mask[slot]:
                out[place, 2] += 1
                strands_shared |= mask[slot]
        out[place, 6] = shop_count
        for bit in range(32):
            out[place, 3] += strands_shared >> bit & 1
