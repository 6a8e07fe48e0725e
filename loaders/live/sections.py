"""How an application nests the rows of the input tables, and what follows from the nesting.

A row inside an application need not repeat whose it is; where it does, it may not say otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from graph.errors import InputError
from graph.normalise import KINDS
from loaders.tables import BY_NAME, TABLES

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

_ORDER = {table.name: at for at, table in enumerate(TABLES)}


class Row(NamedTuple):
    """`path` is where the row stands in what was sent, as errors name it."""

    path: str
    table: str
    values: Values

    def field(self, column: str) -> str:
        return f"{self.path}.{column}" if self.path and column else self.path or column


def rows_of(application: Mapping[str, Any]) -> list[Row]:
    """The rows of an application, in the order in which tables are loaded.

    Raises InputError when a row says that it belongs to something else than what holds it.
    """
    head = {name: value for name, value in application.items() if name not in SECTIONS}
    own = str(head.get("application_id") or "")
    later = {name for columns in LATER.values() for name in columns}
    if known := sorted(later & head.keys()):
        raise InputError(f"{known[0]}: nobody knows this when an application is sent; tell it as an event")
    held: dict[str, tuple[Values, str]] = {"": (head, "")}
    rows = [Row("", "applications", head)]
    for name, section in sorted(SECTIONS.items(), key=lambda each: bool(each[1].within)):
        holder, path = held.get(section.within, (None, ""))
        given = None if holder is None else holder.pop(name, None) if section.within else application.get(name)
        if not given or holder is None:
            continue
        path = f"{path}.{name}" if path else name
        if section.many:
            rows += [Row(f"{path}.{at}", section.table, dict(each)) for at, each in enumerate(given)]
            continue
        values = dict(given)
        _agree(holder, values, section.agrees, path, _made(own, name, 0))
        held[name] = values, path
        rows.append(Row(path, section.table, values))
    for row in rows:
        section_name = row.path.split(".", 1)[0]
        if row.path and SECTIONS[section_name].many:
            _complete(row, section_name, head, own)
    return sorted(rows, key=lambda row: _ORDER[row.table])


def row_of(kind: str, event: Mapping[str, Any], application_id: str) -> Row:
    """An event's row. One without a number of its own is numbered by what it says: told twice, it is one."""
    table = EVENTS[kind]
    values = _without(event, "application_id")
    if _names(table, "application_id"):
        _same(event.get("application_id"), application_id, "application_id", "application_id")
        values["application_id"] = application_id
    _number(table, values, _of_content(application_id, kind, values))
    return Row("", table, values)


def _complete(row: Row, section: str, head: Values, own: str) -> None:
    """What follows from the nesting, and a number for a row that has none."""
    for column in SECTIONS[section].follows:
        if head.get(column) is not None:
            _same(row.values.get(column), head[column], column, row.field(column))
            row.values[column] = head[column]
    if section == "bureau_inquiries":  # the next application of the person brings the same inquiry again
        _number(row.table, row.values, _of_content("", section, _without(row.values, "applicant_id", "known_at")))
    else:
        _number(row.table, row.values, _made(own, section, int(row.path.rsplit(".", 1)[1])))


def _agree(holder: Values, values: Values, column: str, path: str, made: str) -> None:
    """A number that stands in two places is one number; one that stands in neither is made."""
    there, here = holder.get(column), values.get(column)
    if there is not None and here is not None:
        _same(here, there, column, f"{path}.{column}")
    number = there if there is not None else here
    if number is None and BY_NAME[_table_of(path)].column(column).type == "opaque":
        number = made
    if number is not None:
        holder[column] = values[column] = number


def _table_of(path: str) -> str:
    return SECTIONS[path.rsplit(".", 1)[-1]].table


def _same(given: Any, expected: Any, column: str, field: str) -> None:
    if given is None or given == expected:
        return
    kind = KINDS["vin" if column == "vin" else "opaque"]
    if kind.normalise(given) != kind.normalise(expected):
        raise InputError(f"{field}: names another {column} than the application; leave it out or correct it")


def _number(table: str, values: Values, made: str) -> None:
    key = BY_NAME[table].column(BY_NAME[table].key[0])
    if key.type == "opaque" and not values.get(key.name):
        values[key.name] = made


def _made(application_id: str, section: str, position: int) -> str:
    return f"{section}-{position}-{_hash(application_id.encode())}"


def _of_content(application_id: str, section: str, values: Values) -> str:
    filled = {name: value for name, value in values.items() if value is not None}
    said = orjson.dumps([application_id, filled], option=orjson.OPT_SORT_KEYS, default=str)
    return f"{section}-{_hash(said)}"


def _hash(octets: bytes) -> str:
    return hashlib.blake2b(octets, digest_size=10).hexdigest()


def _without(values: Mapping[str, Any], *names: str) -> Values:
    return {name: value for name, value in values.items() if name not in names}


def _names(table: str, column: str) -> bool:
    return any(each.name == column for each in BY_NAME[table].columns)


def nested(within: str) -> Iterator[str]:
    """The sections that stand directly in another; "" for those of the application itself."""
    return (name for name, section in SECTIONS.items() if section.within == within)
