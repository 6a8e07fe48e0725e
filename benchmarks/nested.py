"""The tables of a lender's folder as a decision engine would send them: nested applications, and events later."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnn.book import FILE_MILLIS
from loaders.live.reading import moment_of
from loaders.live.sections import EVENTS, LATER, SECTIONS
from loaders.parse import TRUTH
from loaders.tables import BY_NAME

Sent = dict[str, Any]
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Later:
    """An event: its kind, what is sent, and when."""

    kind: str
    now: int
    sent: Sent


@dataclass
class Application:
    """`now` is when its file is complete; `rows` are the rows of tables that it is made of."""

    id: str
    now: int
    sent: Sent
    later: list[Later] = field(default_factory=list)
    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def tables(folder: Path) -> dict[str, Rows]:
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def typed(table: str, row: dict[str, str]) -> Sent:
    """As JSON has it; empty cells are left out."""
    return {name: _typed(BY_NAME[table].column(name).type, text) for name, text in row.items() if text}


def _typed(type_: str, text: str) -> Any:
    if type_ in ("number", "integer"):
        return float(text)
    if type_ == "boolean":
        return TRUTH[text]
    return json.loads(text) if type_ == "json" else text


def known(table: str, row: dict[str, str]) -> int:
    moments = [moment_of(row[name]) for name in (*BY_NAME[table].known, *BY_NAME[table].event) if row.get(name)]
    return next((each for each in moments if each is not None), 0)


class Folder:
    """`tables` as read; rows by what names them."""

    def __init__(self, content: dict[str, Rows]) -> None:
        self.tables = content
        self._by: dict[tuple[str, str], dict[str, Rows]] = {}

    def of(self, table: str, column: str, value: str) -> Rows:
        if (table, column) not in self._by:
            index: dict[str, Rows] = defaultdict(list)
            for row in self.tables.get(table, ()):
                index[row.get(column, "")].append(row)
            self._by[table, column] = index
        return self._by[table, column].get(value, []) if value else []

    def applications(self, many: int) -> Iterator[Application]:
        """In the order in which they become known; rows that several of them name go with the first."""
        taken: set[int] = set()
        rows = sorted(self.tables["applications"], key=lambda row: known("applications", row))
        for row in rows[:many]:
            yield self._application(row, taken)

    def alone(self, row: dict[str, str]) -> Application:
        """Of a row of `applications`, with all that it names, whoever else names it as well."""
        return self._application(row, set())

    def _application(self, row: dict[str, str], taken: set[int]) -> Application:
        own, person = row["application_id"], row.get("applicant_id", "")
        mine = [("applications", row)]
        now = max(moment_of(row["submitted_at"]) or 0, known("applications", row)) + FILE_MILLIS - 1

        def take(table: str, column: str, value: str) -> Rows:
            """What nobody took before; what is known later goes with a later application, or is an event."""
            found = [each for each in self.of(table, column, value) if id(each) not in taken]
            found = [each for each in found if table in EVENTS.values() or known(table, each) <= now]
            taken.update(map(id, found))
            mine.extend((table, each) for each in found)
            return found

        people = take("applicants", "applicant_id", person)[:1]
        lists = {
            name: take(section.table, section.follows[0], own if section.follows[0] == "application_id" else person)
            for name, section in SECTIONS.items()
            if section.follows
        }
        one = people[0] if people else {}
        numbers = [one.get("phone", ""), one.get("work_phone", ""), *(each["phone"] for each in lists["contacts"])]
        lists["phones"] = [each for number in numbers for each in take("phones", "phone", number)]
        accounts = [each[name] for each in lists["payments"] for name in ("from_account_token", "to_account_token")]
        lists["bank_accounts"] = [each for name in accounts for each in take("bank_accounts", "account_token", name)]
        voices = [each["voice_ref"] for each in lists["call_events"]]
        lists["voice_matches"] = [each for ref in voices for each in take("voice_matches", "ref_a", ref)]
        sent = {k: v for k, v in typed("applications", row).items() if all(k not in names for names in LATER.values())}
        application = Application(own, now, sent, rows=mine)
        for name, rows in lists.items():
            there = [each for each in rows if known(SECTIONS[name].table, each) <= now]
            if there:
                sent[name] = [typed(SECTIONS[name].table, each) for each in there]
            application.later += self._missed(name, [each for each in rows if each not in there])
        ones = {
            "dealer": self.of("dealers", "dealer_id", row.get("dealer_id", "")),
            "salesperson": self.of("salespeople", "salesperson_id", row.get("salesperson_id", "")),
            "vehicle": take("vehicles", "vin", row.get("vin", "")),
        }
        mine += [(SECTIONS[name].table, each) for name, rows in ones.items() for each in rows if name != "vehicle"]
        sent |= {name: typed(SECTIONS[name].table, each[0]) for name, each in ones.items() if each}
        if one:
            sent["applicant"] = typed("applicants", one)
            for name, table, key in (("employer", "employers", "employer_id"), ("address", "addresses", "address_id")):
                if found := take(table, key, one.get(key, "")):
                    sent["applicant"][name] = typed(table, found[0])
        application.later += self._decided(row)
        for kind, table, column, value in (
            ("instalment", "repayments", "application_id", own),
            ("vehicle", "vehicle_events", "vin", row.get("vin", "")),
            ("gps", "gps_pings", "vin", row.get("vin", "")),
        ):
            application.later += [
                Later(kind, known(table, each), typed(table, each)) for each in take(table, column, value)
            ]
        application.later.sort(key=lambda later: later.now)
        return application

    @staticmethod
    def _missed(name: str, rows: Rows) -> Iterator[Later]:
        """What became known after the file."""
        kinds = {table: kind for kind, table in EVENTS.items()}
        for row in rows:
            table = SECTIONS[name].table
            yield Later(kinds[table], known(table, row), typed(table, row))

    @staticmethod
    def _decided(row: dict[str, str]) -> Iterator[Later]:
        for kind, columns in LATER.items():
            stated = typed("applications", {name: row.get(name, "") for name in columns})
            if columns[0] in stated:
                yield Later(kind, moment_of(row[columns[0]]) or 0, stated)
