"""One row in plain Python: what `parse.py` and `validate.py` say of a chunk, in microseconds.

The same declarations, the same readers of identifiers and the same reasons; a test holds both to one answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from graph.normalise import KINDS, fold, read_document
from loaders.live.sections import MADE
from loaders.parse import CHINA_MS, EARLIEST, LATEST, PLAIN, TRUTH, day_of, enumeration
from loaders.tables import TABLES, Column, Policy, Table

Values = dict[str, Any]

SKEW_MS: Final = 300_000
"""Clocks of two machines may differ by so much: what is dated that little ahead happened now."""

PLANNED: Final = frozenset({"due_date", "valid_to", "closed_at", "end_at"})
"""Times that may lie in the future; all others say when something happened."""


class Fault(NamedTuple):
    """What was wrong with one column of a row; never the value."""

    column: str
    reason: str
    policy: Policy


Faults = list[Fault]
Reader = Callable[[Any, Faults], Any]
"""The typed value, or None for nothing; faults are added to the list."""


class Judged(NamedTuple):
    """`values` holds what is filled, typed; `event_ms` and `known_ms` are the two clocks."""

    values: Values
    event_ms: int
    known_ms: int


def judge(
    table: Table, values: Mapping[str, Any], *, now: int, known: int, faults: Faults, partial: bool = False
) -> Judged | None:
    """The row as it may stand, or None when it is rejected. `known` is when a row was known that does not say so;
    a `partial` one needs its key alone."""
    found: Values = {}
    plan = PLANS[table.name]
    readers = plan.readers
    for name, raw in values.items():
        if raw is not None and raw != "" and name in readers and (value := readers[name](raw, faults)) is not None:
            found[name] = value
    if plan.documents and found.get("id_type", "resident") != "resident":
        _reread(found, values.get("id_number") or None, faults)
    for name, policy in plan.times:
        if name in found and found[name] > now:
            _ahead(found, name, policy, now, faults)
    event, since = _clocks(table, found, known, faults)
    for name in plan.key if partial else plan.required:
        if name not in found and not any(fault.column == name for fault in faults):
            faults.append(Fault(name, "missing", "reject"))
    if faults and any(fault.policy == "reject" for fault in faults):
        return None
    return Judged(found, event, since)


def _reread(found: Values, raw: Any, faults: Faults) -> None:
    """A passport is no resident ID: the number of another document is read again by its own rule."""
    if raw is None:
        return
    faults[:] = [fault for fault in faults if fault.column != "id_number"]
    found.pop("id_number", None)
    reading = read_document(found["id_type"], raw)
    if reading.value is not None:
        found["id_number"] = reading.value
    elif reading.reason not in (None, "blank"):
        faults.append(Fault("id_number", str(reading.reason), "quarantine"))


# Clocks ------------------------------------------------------------------------------------------------


def _ahead(found: Values, name: str, policy: Policy, now: int, faults: Faults) -> None:
    if found[name] <= now + SKEW_MS:
        found[name] = now
    else:
        del found[name]
        faults.append(Fault(name, "time_in_future", policy))


def _clocks(table: Table, found: Values, known: int, faults: Faults) -> tuple[int, int]:
    """What happens later may not be dated earlier: the later value is dropped. Nothing is known before it happened:
    told ahead of a planned time it counts from then."""
    event, stated = _first(found, table.event), found.get("known_at")
    if event is not None and stated is not None and stated < event:
        faults.append(Fault("known_at", "known_before_event", "quarantine"))
        del found["known_at"]
        stated = next((found[name] for name in table.known[1:] if name in found), event)
    if table.ordered:
        reversed_ = [
            later
            for earlier, later in table.ordered
            if earlier in found and later in found and found[later] < found[earlier]
        ]
        for later in reversed_:
            faults.append(Fault(later, "dates_reversed", "quarantine"))
            found.pop(later, None)
    if stated is None:
        stated = known if event is None else max(known, event)
    return stated if event is None else event, stated


def _first(found: Values, names: tuple[str, ...]) -> int | None:
    for name in names:
        if name in found:
            return int(found[name])
    return None


# Readers -----------------------------------------------------------------------------------------------


def _time(column: Column) -> Reader:
    name, policy = column.name, column.policy

    def read(raw: Any, faults: Faults) -> int | None:
        moment = moment_of(raw)
        if moment is None or not EARLIEST <= moment < LATEST:
            faults.append(Fault(name, "time_unreadable", policy))
            return None
        return moment

    return read


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHINA_ZONE: Final = timezone(timedelta(milliseconds=CHINA_MS))
_MILLISECOND: Final = timedelta(milliseconds=1)


def moment_of(raw: Any) -> int | None:
    """ISO 8601; what names no zone is China time, a date alone its first moment."""
    try:
        moment = datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_CHINA_ZONE)
    return (moment - _EPOCH) // _MILLISECOND


def _date(column: Column) -> Reader:
    def read(raw: Any, faults: Faults) -> str | None:
        day = raw if _is_day(raw) else day_of(raw)
        if day is None:
            faults.append(Fault(column.name, "date_unreadable", column.policy))
        return day

    return read


def _is_day(raw: Any) -> bool:
    """Whether a date is written as it is kept: most are, and need no other reading."""
    try:
        return bool(date.fromisoformat(raw).isoformat() == raw)
    except (TypeError, ValueError):
        return False


def _number(column: Column) -> Reader:
    low = -math.inf if column.low is None else column.low
    high = math.inf if column.high is None else column.high
    name, policy, whole = column.name, column.policy, column.type == "integer"

    def read(raw: Any, faults: Faults) -> float | None:
        if type(raw) not in (float, int) or not math.isfinite(raw):
            faults.append(Fault(name, "number_unreadable", policy))
            return None
        number = float(raw)
        if whole and not number.is_integer():
            faults.append(Fault(name, "number_not_whole", policy))
            return None
        if low <= number <= high:
            return number
        faults.append(Fault(name, "out_of_range", policy))
        return number if policy == "warn" else None

    return read


def _text(raw: Any, _: Faults) -> str | None:
    return str(raw).strip()[:500] or None


def _word(words: Mapping[str, Any], column: Column) -> Reader:
    def read(raw: Any, faults: Faults) -> Any:
        meant = raw if raw is True or raw is False else words.get(raw)
        if meant is None:
            meant = words.get(fold(raw).lower())
        if meant is None:
            faults.append(Fault(column.name, "not_in_list", column.policy))
            return raw if column.policy == "warn" else None
        return meant

    return read


_AS_THEY_STAND: Final = PLAIN | {"opaque": f"{PLAIN['opaque']}|{MADE}"}
"""Canonical already, which spares the reading."""


def _identifier(column: Column) -> Reader:
    read_kind = KINDS[column.type].read
    plain = re.compile(_AS_THEY_STAND.get(column.type, "(?!)")).fullmatch
    name, policy = column.name, column.policy

    def read(raw: Any, faults: Faults) -> str | None:
        if type(raw) is str and plain(raw):
            return raw
        value, reason, warning = read_kind(raw)
        if reason is not None and reason != "blank":
            faults.append(Fault(name, reason, policy))
        if warning is not None:
            faults.append(Fault(name, warning, "warn"))
        if value is None and policy == "warn":
            return str(raw).strip()[:500] or None
        return value

    return read


def _reader(column: Column) -> Reader:
    if column.type == "boolean":
        return _word(TRUTH, column)
    if column.type == "enum":
        return _word(enumeration(column), column)
    if column.type == "text":
        return _text
    plain = {"time": _time, "date": _date, "number": _number, "integer": _number}
    return plain.get(column.type, _identifier)(column)


class _Plan(NamedTuple):
    readers: Mapping[str, Reader]
    required: tuple[str, ...]
    key: tuple[str, ...]
    times: tuple[tuple[str, Policy], ...]
    documents: bool


def _plan(table: Table) -> _Plan:
    times = [each for each in table.columns if each.type == "time" and each.name not in PLANNED]
    return _Plan(
        readers={column.name: _reader(column) for column in table.columns if column.type != "json"},
        required=table.required,
        key=table.key,
        times=tuple((each.name, each.policy) for each in times),
        documents=table.name == "applicants",
    )


PLANS: Final[Mapping[str, _Plan]] = {table.name: _plan(table) for table in TABLES}
