"""The facts that attributes are made of: one table says where each stands and how it is read.

A portfolio reads them from the columns of a snapshot, a single application from its file; words, dates and flags go
through the same function there and here, so both see the same numbers. NaN is "not stated".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numba
import numpy as np
import pyarrow as pa

from gnn.book import ROLE, ROLES, Book, Floats
from gnn.told import word
from graph.records import CHINA, DAY, Ints

NAN = float("nan")

PRODUCTS = ("new", "used", "lease_direct", "leaseback", "commercial", "no_mortgage")
CHANNELS = ("app", "mini_program", "dealer_pc", "dealer_tablet", "h5", "api")
EDUCATION = ("primary", "junior", "senior", "high_school", "vocational", "college", "bachelor", "master", "doctor")
IP_TYPES = ("mobile_nat", "broadband", "shop", "idc")
DEALER_TYPES = ("4s", "second_net", "used", "direct_store")
GRADES = ("A", "B", "C", "D", "E")

Read = Callable[[Any], float]
"""A stated value as a number; None is never asked."""


def number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        return NAN


def code(words: Sequence[str], value: Any) -> float:
    return float(words.index(value)) if value in words else NAN


def equal(wanted: str, value: Any) -> float:
    return float(value == wanted)


def name(value: Any) -> float:
    """For telling equal from unequal."""
    return float(word(value))


def stated(_: Any) -> float:
    return 1.0


@lru_cache(maxsize=1 << 16)
def _date(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return NAN
    naive = moment.tzinfo is None
    seconds = (moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)).total_seconds() if naive else moment.timestamp()
    return seconds * 1000 - (CHINA if naive else 0)


def moment(value: Any) -> float:
    """Milliseconds since 1970, UTC; a date without a zone is China's."""
    return _date(value) if isinstance(value, str) else float(value)


class Fact(NamedTuple):
    """`role` is empty for the application itself. `unsaid` stands where a thing is held and says nothing, `absent`
    where nothing is held."""

    role: str
    property: str
    read: Read = number
    unsaid: float = NAN
    absent: float = NAN


def _is(role: str, property_: str, wanted: str) -> Fact:
    return Fact(role, property_, partial(equal, wanted), unsaid=0.0, absent=0.0)


FACTS: Mapping[str, Fact] = {
    **{each: Fact("", each) for each in (
        "amount", "invoice_price", "down_payment", "auto_limit_flag", "term_months", "ltv", "extras_amount",
        "form_seconds", "paste_count", "edit_count",
    )},
    "product": Fact("", "product", partial(code, PRODUCTS)),
    "channel": Fact("", "channel", partial(code, CHANNELS)),
    **{each: Fact("person", each) for each in (
        "monthly_income", "birth_year", "thin_file_flag", "reserved_phone_match", "face_score", "liveness_score",
        "live_region", "hukou_region", "id_issue_region",
    )},
    "licence": Fact("person", "driver_licence_class", stated, unsaid=0.0),
    "licence_issued": Fact("person", "licence_issue_date", moment),
    "married": _is("person", "marital", "married"),
    "education": Fact("person", "education", partial(code, EDUCATION)),
    **{each: Fact("vehicle", each) for each in ("market_price", "list_price", "model_year", "mileage_km")},
    "used_car": _is("vehicle", "condition", "used"),
    "electric": _is("vehicle", "energy", "bev"),
    "model": Fact("vehicle", "model_code", name),
    "phone_active": Fact("phone", "status", partial(equal, "active")),
    "phone_tenure": Fact("phone", "tenure_months"),
    "phone_from": Fact("phone", "valid_from", moment),
    "phone_virtual": Fact("phone", "is_mvno"),
    "phone_province": Fact("phone", "province", name),
    "work_phone_mobile": Fact("work_phone", "type", partial(equal, "mobile"), unsaid=0.0),
    "work_phone_virtual": Fact("work_phone", "is_mvno"),
    "work_phone_province": Fact("work_phone", "province", name),
    "employer_registered": Fact("employer", "reg_date", moment),
    **{each: Fact("employer", each) for each in (
        "insured_headcount", "is_dispatch", "is_platform", "is_shell_suspect",
    )},
    "credit_code": Fact("employer", "uscc", stated, unsaid=0.0),
    "dealer_from": Fact("dealer", "onboarded_at", moment),
    "dealer_type": Fact("dealer", "type", partial(code, DEALER_TYPES)),
    "dealer_grade": Fact("dealer", "grade", partial(code, GRADES)),
    "dealer_volume": Fact("dealer", "monthly_volume"),
    "dealer_region": Fact("dealer", "region"),
    "salesperson_from": Fact("salesperson", "start_at", moment),
    "payer_is_owner": Fact("payer", "owner_match"),
    "emulator": Fact("device", "is_emulator"),
    "rooted": Fact("device", "is_rooted"),
    "ip_type": Fact("ip", "ip_type", partial(code, IP_TYPES)),
    "address_province": Fact("address", "province", name),
}  # fmt: skip
"""By name, each a float per application."""

HOLDS = tuple(dict.fromkeys(fact.role for fact in FACTS.values() if fact.role))
"""Roles whose latest thing tells something."""

FLAGS = {"session_emulator": "is_emulator", "session_rooted": "is_rooted", "session_vpn": "vpn_flag"}
PAPERS = ("licence", "income", "statement", "employment")
EVENTS = ("session_events", *FLAGS, "documents", *(f"has_{kind}" for kind in PAPERS))
"""Of the application's own device events the greatest of each flag, of its documents which kinds there are."""

COLUMNS = (*FACTS, *(f"held_{role}" for role in HOLDS), *EVENTS, "limit")
PLACE = {each: at for at, each in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Facts:
    """`values[i, j]` is column `COLUMNS[j]` of row i; `held_…` is 1 where the row holds a thing in that role."""

    values: Floats

    def __getitem__(self, column: str) -> Floats:
        return self.values[:, PLACE[column]]

    def of(self, rows: Ints) -> Facts:
        return Facts(self.values[rows])

    @classmethod
    def joined(cls, some: Sequence[Facts]) -> Facts:
        return some[0] if len(some) == 1 else cls(np.concatenate([each.values for each in some]))


def read_facts(book: Book) -> Facts:
    """Of every row, as known when its file arrived."""
    values = np.full((len(book), len(COLUMNS)), np.nan)
    rows: dict[str, Ints] = {role: book.latest(role) for role in HOLDS}
    for column, fact in FACTS.items():
        type_ = ROLES[ROLE[fact.role]].type if fact.role else "Application"
        told = _column(book.snapshot.nodes[type_].table[fact.property], fact)
        values[:, PLACE[column]] = np.append(told, fact.absent)[rows[fact.role]] if fact.role else told
    for role in HOLDS:
        values[:, PLACE[f"held_{role}"]] = rows[role] >= 0
    _events(book, values)
    facts = Facts(values)
    write_limits(book.arrival(np.arange(len(book))), book.submitted, facts, np.zeros(LIMIT_CALENDAR))
    return facts


def event_facts(book: Book) -> Floats:
    """`EVENTS` of every row, as known when its file arrived."""
    values = np.full((len(book), len(COLUMNS)), np.nan)
    _events(book, values)
    return np.ascontiguousarray(values[:, [PLACE[each] for each in EVENTS]])


LIMIT_DAYS = 30
LIMIT_CALENDAR = 40_000
"""Days since 1970 that a list by day has room for."""


def write_limits(rows: Ints, submitted: Ints, facts: Facts, most: Floats) -> None:
    """For rows of `facts` in the order in which they arrive: the largest amount approved automatically in the thirty
    days before the day of submission; 0 for none. `most` has the largest of each day since 1970 so far."""
    _limits(rows, submitted, facts["amount"], facts["auto_limit_flag"], most, facts["limit"])


def limits(book: Book, rows: Ints) -> tuple[Floats, Floats]:
    """The largest of each day as `write_limits` leaves it when these rows have arrived, and each row's own limit."""
    most, limit = np.zeros(LIMIT_CALENDAR), np.full(len(book), np.nan)
    table = book.snapshot.nodes["Application"].table
    amount, automatic = (_column(table[each], FACTS[each]) for each in ("amount", "auto_limit_flag"))
    _limits(rows, book.submitted, amount, automatic, most, limit)
    return most, limit


@numba.njit(cache=True)
def _limits(rows, submitted, amount, automatic, most, limit):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for row in rows:
        day = min(max(submitted[row] // DAY, 0), len(most) - 1)
        limit[row] = 0.0
        for before in range(max(day - LIMIT_DAYS, 0), day):
            limit[row] = max(limit[row], most[before])
        if automatic[row] == 1 and amount[row] > most[day]:
            most[day] = amount[row]


def _column(column: pa.ChunkedArray, fact: Fact) -> Floats:
    """Each different word is read once."""
    if pa.types.is_string(column.type):
        different = column.combine_chunks().dictionary_encode()
        read = np.array([*map(fact.read, different.dictionary.to_pylist()), fact.unsaid], dtype=np.float64)
        places: Ints = different.indices.fill_null(len(read) - 1).to_numpy(zero_copy_only=False)
        return read[places]
    return np.asarray(column.cast(pa.float64()).fill_null(fact.unsaid).to_numpy(), dtype=np.float64)


def _events(book: Book, values: Floats) -> None:
    """What is counted of an application's own events; NaN before there were any of anybody's."""
    for table, column in (("device_events", "session_events"), ("documents", "documents")):
        known = book.as_of >= book.loaded[table]
        counted = [column] if column == "session_events" else [column, *(f"has_{kind}" for kind in PAPERS)]
        for each in counted:
            values[known, PLACE[each]] = 0.0
        if not known.any():
            continue
        events = book.events[table]
        assert events is not None  # noqa: S101 - it was loaded
        row = book.snapshot.nodes["Application"].index_of(events["owner"].to_numpy())
        there = np.flatnonzero((row >= 0) & (events["known_at"].to_numpy() <= book.as_of[row]))
        row = row[there]
        values[:, PLACE[column]] += np.bincount(row, minlength=len(book))
        if column == "documents":
            _kinds(events, there, row, values)
        else:
            _flags(events, there, row, values)


def _kinds(events: pa.Table, there: Ints, row: Ints, values: Floats) -> None:
    if "kind" not in events.column_names:
        return
    kind = events["kind"].to_pandas().to_numpy()[there]
    for each in PAPERS:
        values[row[kind == each], PLACE[f"has_{each}"]] = 1.0


def _flags(events: pa.Table, there: Ints, row: Ints, values: Floats) -> None:
    for column, flag in FLAGS.items():
        if flag in events.column_names:
            told = _column(events[flag], Fact("", flag))[there]
            np.fmax.at(values[:, PLACE[column]], row, told)


# One application -----------------------------------------------------------------------------------------


def facts_of(role: str, properties: Mapping[str, Any] | None, out: Floats) -> None:
    """Writes into a row of `COLUMNS` what one thing says; None for no thing."""
    for place, fact in _BY_ROLE[role]:
        if properties is None:
            out[place] = fact.absent
        else:
            value = properties.get(fact.property)
            out[place] = fact.unsaid if value is None else fact.read(value)
    if role:
        out[PLACE[f"held_{role}"]] = properties is not None


def session_facts(events: Iterable[Mapping[str, Any]] | None, out: Floats) -> None:
    """Of an application's own device events; None where nobody loads any."""
    if events is None:
        return
    count = 0
    for event in events:
        count += 1
        for column, flag in FLAGS.items():
            value = event.get(flag)
            if value is not None and not out[PLACE[column]] >= (told := number(value)):
                out[PLACE[column]] = told
    out[PLACE["session_events"]] = count


def paper_facts(kinds: Iterable[str | None] | None, out: Floats) -> None:
    """Of an application's own documents, by kind; None where nobody loads any."""
    if kinds is None:
        return
    there = list(kinds)
    out[PLACE["documents"]] = len(there)
    for kind in PAPERS:
        out[PLACE[f"has_{kind}"]] = kind in there


_BY_ROLE = {
    role: tuple((PLACE[column], fact) for column, fact in FACTS.items() if fact.role == role) for role in ("", *HOLDS)
}
