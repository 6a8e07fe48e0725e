"""How an application nests the rows of the input tables, and what follows from the nesting.

A row inside an application need not repeat whose it is; where it does, it may not say otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import orjson

from graph.errors import InputError
from graph.normalise import KINDS
from loaders.facts import FACTS
from loaders.tables import BY_NAME, TABLES
from loaders.translate import recordable

Values = dict[str, Any]


class Section(NamedTuple):
    """One table inside an application: one row, or up to `most`. `within` names the section that holds it.

    `follows` are the columns that the application tells; `agrees` the column that stands in the row and
    in whatever holds it.
    """

    table: str
    most: int = 1
    within: str = ""
    follows: tuple[str, ...] = ()
    agrees: str = ""

    @property
    def many(self) -> bool:
        return self.most > 1


_OWN = ("application_id",)

SECTIONS: Mapping[str, Section] = {
    "address": Section("addresses", within="applicant", agrees="address_id"),
    "employer": Section("employers", within="applicant", agrees="employer_id"),
    "bank_accounts": Section("bank_accounts", 50),
    "dealer": Section("dealers", agrees="dealer_id"),
    "salesperson": Section("salespeople", agrees="salesperson_id"),
    "phones": Section("phones", 100),
    "vehicle": Section("vehicles", agrees="vin"),
    "applicant": Section("applicants", agrees="applicant_id"),
    "contacts": Section("contacts", 50, follows=_OWN),
    "device_events": Section("device_events", 200, follows=("application_id", "applicant_id")),
    "documents": Section("documents", 100, follows=_OWN),
    "payments": Section("payments", 50, follows=_OWN),
    "call_events": Section("call_events", 100, follows=_OWN),
    "voice_matches": Section("voice_matches", 100),
    "bureau_inquiries": Section("bureau_inquiries", 200, follows=("applicant_id",)),
}
"""By the name of the field. Each of the lists is bounded: an application is no portfolio."""

EVENTS: Mapping[str, str] = {
    "decided": "applications",
    "funded": "applications",
    "paid": "payments",
    "instalment": "repayments",
    "vehicle": "vehicle_events",
    "call": "call_events",
    "voice_match": "voice_matches",
    "gps": "gps_pings",
}
"""What can become of an application later, and the table each kind of it is a row of."""

DECIDED = ("decided_at", "decision", "decline_reason", "reviewer_id", "override_flag")
FUNDED = ("funded_at",)
LATER = {"decided": DECIDED, "funded": FUNDED}
"""The columns of an application that nobody knows when it is sent: they come as events."""

_LATER = {name for columns in LATER.values() for name in columns}
_ORDER = tuple(table.name for table in TABLES)
_NUMBERED = {table.name: table.key[0] for table in TABLES if table.column(table.key[0]).type == "opaque"}
_ONES = tuple(name for name, section in SECTIONS.items() if not section.many and not section.within)
_LISTS = tuple(name for name, section in SECTIONS.items() if section.many)
_WITHIN = {holder: tuple(name for name, section in SECTIONS.items() if section.within == holder) for holder in SECTIONS}


class Row(NamedTuple):
    """`path` is where the row stands in what was sent, as errors name it."""

    path: str
    table: str
    values: Values

    def field(self, column: str) -> str:
        """As errors name it."""
        return f"{self.path}.{column}" if self.path and column else self.path or column


def rows_of(application: Mapping[str, Any]) -> list[Row]:
    """The rows of an application, in the order in which tables are loaded.

    Raises InputError when a row says that it belongs to something else than what holds it.
    """
    head = {name: value for name, value in application.items() if name not in SECTIONS}
    if not _LATER.isdisjoint(head):
        known = min(_LATER & head.keys())
        raise InputError(f"{known}: nobody knows this when an application is sent; tell it as an event")
    mark = _hash(str(head.get("application_id") or "").encode())
    found: dict[str, list[Row]] = {"applications": [Row("", "applications", head)]}
    for name in _ONES:
        if given := application.get(name):
            _place(found, name, (head, ""), dict(given), mark)
    for name in _LISTS:  # after those that can tell the applicant's number
        if given := application.get(name):
            table = SECTIONS[name].table
            found[table] = [
                Row(f"{name}.{at}", table, _complete(dict(each), name, at, head, mark)) for at, each in enumerate(given)
            ]
    return [row for table in _ORDER if table in found for row in found[table]]


def _place(found: dict[str, list[Row]], name: str, holder: tuple[Values, str], values: Values, mark: str) -> None:
    """One row, and those inside it; `holder` is what it stands in, and where that stands."""
    section, (held_by, way) = SECTIONS[name], holder
    path = f"{way}.{name}" if way else name
    _agree(held_by, values, section, path, mark)
    found[section.table] = [Row(path, section.table, values)]
    for inner in _WITHIN.get(name, ()):
        if given := values.pop(inner, None):
            _place(found, inner, (values, path), dict(given), mark)


def row_of(kind: str, event: Mapping[str, Any], application_id: str) -> Row:
    """An event's row. One without a number of its own is numbered by what it says: told twice, it is one."""
    table = EVENTS[kind]
    values = {name: value for name, value in event.items() if name != "application_id"}
    if "application_id" in {column.name for column in BY_NAME[table].columns}:
        if (given := event.get("application_id")) is not None:
            _same(given, application_id, "application_id", "application_id")
        values["application_id"] = application_id
    key = _NUMBERED.get(table)
    if key is not None and not values.get(key):
        values[key] = _of_content(application_id, kind, table, values)
    return Row("", table, values)


def _complete(values: Values, section: str, at: int, head: Values, mark: str) -> Values:
    """With what follows from the nesting, and a number for a row that has none."""
    table, _, _, follows, _ = SECTIONS[section]
    for column in follows:
        expected = head.get(column)
        if expected is not None:
            given = values.get(column)
            if given is not None and given != expected:
                _same(given, expected, column, f"{section}.{at}.{column}")
            values[column] = expected
    key = _NUMBERED.get(table)
    if key is not None and not values.get(key):
        if section == "bureau_inquiries":  # the next application of the person brings the same inquiry again
            values[key] = _of_content("", section, table, values)
        else:
            values[key] = _made(mark, section, at)
    return values


def _agree(holder: Values, values: Values, section: Section, path: str, mark: str) -> None:
    """A number that stands in two places is one number; one that stands in neither is made."""
    column = section.agrees
    there, here = holder.get(column), values.get(column)
    if there is not None and here is not None and there != here:
        _same(here, there, column, f"{path}.{column}")
    number = there or here
    if not number and section.table in _NUMBERED:
        number = _made(mark, path, 0)
    if number:
        holder[column] = values[column] = number


def _same(given: Any, expected: Any, column: str, field: str) -> None:
    kind = KINDS["vin" if column == "vin" else "opaque"]
    if kind.normalise(given) != kind.normalise(expected):
        raise InputError(f"{field}: names another {column} than the application; leave it out or correct it")


def _made(mark: str, section: str, position: int) -> str:
    """A number for a row that has none; `mark` is a hash of the application's."""
    return f"{section}-{position}-{mark}"


def _of_content(application_id: str, section: str, table: str, values: Values) -> str:
    """Of what stands in the event in the clear: a hash of an identifier would give it away."""
    said = [application_id, *(values.get(column) for column in _content(table))]
    return f"{section}-{_hash(orjson.dumps(said, default=str))}"


@cache
def _content(table: str) -> tuple[str, ...]:
    declared, says = BY_NAME[table], FACTS[table]
    columns = [column.name for column in declared.columns if recordable(declared, says, column.name)]
    return tuple(dict.fromkeys([*declared.event, *columns]))


MADE: Final = r"^[a-z][a-z_.]{0,29}(?:-[0-9]{1,3})?-[0-9a-f]{20}$"
"""Numbers as they are made here, which are canonical as they stand."""


def _hash(octets: bytes) -> str:
    return hashlib.blake2b(octets, digest_size=10).hexdigest()


def nested(within: str) -> Iterator[str]:
    """The sections that stand directly in another; "" for those of the application itself."""
    return (name for name, section in SECTIONS.items() if section.within == within)
