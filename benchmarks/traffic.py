"""Applications as a lender's day brings them: those of a portfolio's last weeks, sent by people who are new.

Each is the whole file of an application of the portfolio, with its dealer, salesperson, shop devices, switchboards and
carrier's addresses: whatever at least `COMMON` of the applications name stays as it is. What belongs to one person
(identity, phones, devices, accounts, address, employer, car, pages) is new in each. Three in a hundred share one thing
with an earlier one, one in two hundred is of a group of twenty that shares devices, phones and payers.

`python -m benchmarks.traffic INPUT MANY OUT` writes ready bodies for `open_loop.py`.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from benchmarks.nested import Folder, Rows
from benchmarks.open_loop import packed
from loaders.live import SECTIONS
from loaders.tables import BY_NAME

CHINA = timedelta(hours=8)
TEMPLATES = 2_000
COMMON = 4
"""So many of the portfolio's applications name what is nobody's own."""

ONE_SHARED, GROUPED = 0.03, 0.005
GROUP = 20
RECENT = 5_000
"""What somebody shares is of one of so many before."""

OWN = ("application_id", "deal_id", "applicant_id", "session_id")
NUMBERED = (*OWN, "address_id", "employer_id")
"""The lender's numbers that are new with an application; numbers of rows are left out, so the service makes them."""

ROWS = ("contact_row_id", "event_id", "doc_id", "payment_id", "call_id", "inquiry_id", "known_at")
MADE = ("phone", "id_number", "account", "device", "imei", "ip", "bssid", "hash", "uscc", "vin", "voice", "plate")
SHAREABLE = ("phone", "device", "account", "bssid", "address_id", "employer_id")
SLOT = re.compile(rb'"@@([0-9]+)@@"')
VIN_WORTH = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))


# The portfolio's applications ------------------------------------------------------------------------------


def last_rows(folder: Path, many: int) -> dict[str, Rows]:
    """Of the tables an application is made of, the rows that the last `many` name."""
    head = _table(folder, "applications", None, ())
    newest = head.take(pc.sort_indices(head["submitted_at"], sort_keys=[("", "descending")])[:many])
    kept = {"applications": newest}
    names = {column: pc.unique(newest[column]) for column in ("application_id", "applicant_id", "vin", "dealer_id")}
    names["salesperson_id"] = pc.unique(newest["salesperson_id"])
    for table, column in (
        ("applicants", "applicant_id"), ("vehicles", "vin"), ("dealers", "dealer_id"),
        ("salespeople", "salesperson_id"), ("contacts", "application_id"), ("device_events", "application_id"),
        ("documents", "application_id"), ("payments", "application_id"), ("call_events", "application_id"),
        ("bureau_inquiries", "applicant_id"),
    ):  # fmt: skip
        kept[table] = _table(folder, table, column, names[column])
    people, paid, heard = kept["applicants"], kept["payments"], kept["call_events"]
    phones = [people["phone"], people["work_phone"], kept["contacts"]["phone"]]
    accounts = [paid["from_account_token"], paid["to_account_token"]]
    for table, column, columns in (
        ("addresses", "address_id", [people["address_id"]]), ("employers", "employer_id", [people["employer_id"]]),
        ("phones", "phone", phones), ("bank_accounts", "account_token", accounts),
        ("voice_matches", "ref_a", [heard["voice_ref"]]),
    ):  # fmt: skip
        kept[table] = _table(folder, table, column, pa.concat_arrays([each for one in columns for each in one.chunks]))
    return {table: rows.to_pylist() for table, rows in kept.items()}


def _table(folder: Path, table: str, column: str | None, wanted: Any) -> pa.Table:
    path = folder / f"{table}.csv"
    with path.open(encoding="utf-8-sig") as file:
        names = [each.strip().strip('"') for each in file.readline().split(",")]
    texts = pc_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    found = []
    with pc_csv.open_csv(path, convert_options=texts) as batches:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            found.append(rows if column is None else rows.filter(pc.is_in(rows[column], value_set=pa.array(wanted))))
    return pa.concat_tables(found)


# One to be sent again and again ------------------------------------------------------------------------------


class Template:
    """Pieces of JSON with slots between them; `slots` are (kind, value that stood there)."""

    def __init__(self, sent: dict[str, Any], common: frozenset[str], now: datetime) -> None:
        self.slots: list[tuple[str, str]] = []
        self._places: dict[tuple[str, str], int] = {}
        self._common = common
        submitted = _moment(sent["submitted_at"])
        self._later = now - submitted
        pieces = SLOT.split(orjson.dumps(self._row(sent, "applications")))
        self.pieces, self.order = pieces[::2], [int(each) for each in pieces[1::2]]

    def _row(self, values: dict[str, Any], table: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, list):
                out[name] = [self._row(each, SECTIONS[name].table) for each in value]
            elif isinstance(value, dict) and name in SECTIONS:
                out[name] = self._row(value, SECTIONS[name].table)
            elif name not in ROWS:
                out[name] = self._value(table, name, value)
        return out

    def _value(self, table: str, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        kind = BY_NAME[table].column(name).type
        if kind == "time":
            return (_moment(value) + self._later).strftime("%Y-%m-%dT%H:%M:%S+08:00")
        if name in NUMBERED:
            kind = name
        elif kind not in MADE:
            return value
        if value in self._common and name not in OWN and kind != "id_number":
            return value
        place = self._places.setdefault((kind, value), len(self.slots))
        if place == len(self.slots):
            self.slots.append((kind, value))
        return f"@@{place}@@"

    def filled(self, values: Sequence[bytes]) -> bytes:
        parts = [self.pieces[0]]
        for place, piece in zip(self.order, self.pieces[1:], strict=True):
            parts += (b'"', values[place], b'"', piece)
        return b"".join(parts)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def common_values(rows: dict[str, Rows]) -> frozenset[str]:
    """What so many applicants or applications name that it is nobody's own."""
    counted: Counter[str] = Counter()
    for table in ("applications", "applicants", "contacts", "device_events", "payments", "documents"):
        columns = [each for each in BY_NAME[table].columns if each.type in MADE or each.name in NUMBERED]
        key = "application_id" if table != "applicants" else "applicant_id"
        counted.update(
            value for value, _ in {(row[each.name], row[key]) for row in rows[table] for each in columns
                                   if row.get(each.name)}
        )  # fmt: skip
    return frozenset(value for value, number in counted.items() if number >= COMMON)


# New people ------------------------------------------------------------------------------------------------


class Traffic:
    """Ever new applications; the same seed gives the same, `mark` keeps the numbers of two runs apart."""

    def __init__(self, templates: Sequence[Template], *, seed: int, mark: str) -> None:
        self._templates, self._chance, self._mark, self._count = templates, random.Random(seed), mark, 0
        self._recent: dict[str, deque[bytes]] = {kind: deque(maxlen=RECENT) for kind in SHAREABLE}
        self._group: dict[str, bytes] = {}
        self._left = 0

    @classmethod
    def like(cls, folder: Path, *, seed: int, mark: str, many: int = TEMPLATES) -> Traffic:
        """`folder` holds a portfolio's input tables."""
        rows = last_rows(folder, 2 * many)
        common, now = common_values(rows), datetime.now(UTC) + CHINA - timedelta(minutes=10)
        now = now.replace(tzinfo=_moment(rows["applications"][0]["submitted_at"]).tzinfo)
        source = Folder(rows)
        sent = (source.alone(row).sent for row in rows["applications"][:many])
        return cls([Template(each, common, now) for each in sent], seed=seed, mark=mark)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.body()

    def body(self) -> bytes:
        template = self._chance.choice(self._templates)
        self._count += 1
        values = [self._made(kind, was) for kind, was in template.slots]
        self._share([kind for kind, _ in template.slots], values)
        return template.filled(values)

    def _share(self, kinds: Sequence[str], values: list[bytes]) -> None:
        drawn = self._chance.random()
        places = {kind: at for at, kind in enumerate(kinds) if kind in SHAREABLE}
        if drawn < GROUPED:
            self._join(places, values)
        elif drawn < GROUPED + ONE_SHARED and places:
            kind = self._chance.choice(sorted(places))
            if self._recent[kind]:
                values[places[kind]] = self._chance.choice(self._recent[kind])
        for kind, at in places.items():
            self._recent[kind].append(values[at])

    def _join(self, places: dict[str, int], values: list[bytes]) -> None:
        """The group that is being formed; every twentieth begins another."""
        if not self._left:
            self._group, self._left = {}, GROUP
        self._left -= 1
        for kind in ("phone", "device", "account"):
            if kind in places:
                values[places[kind]] = self._group.setdefault(kind, values[places[kind]])

    def _made(self, kind: str, was: str) -> bytes:
        if kind in NUMBERED:
            return f"{kind[:3].upper()}{self._mark}{self._count:07}".encode()
        made = MAKERS.get(kind)
        return was.encode() if made is None else made(self._chance, was).encode()


def _digits(chance: random.Random, many: int) -> str:
    return f"{chance.randrange(10**many):0{many}}"


def _phone(chance: random.Random, was: str) -> str:
    """As long as it was, in the same series or town."""
    kept = 5 if was.startswith("0") else 3
    return was[:kept] + _digits(chance, len(was) - kept) if was.isdigit() and len(was) > 6 else was


def _hexes(chance: random.Random, was: str) -> str:
    return f"{chance.getrandbits(4 * len(was)):0{len(was)}x}"


def _token(chance: random.Random, was: str) -> str:
    """What stands before the last `_`, and then as many characters of the same kind."""
    stem, bar, rest = was.rpartition("_")
    return stem + bar + (_digits(chance, len(rest)) if rest.isdigit() else _hexes(chance, rest))


def _resident(chance: random.Random, was: str) -> str:
    """Of the same region, birthday and gender."""
    if len(was) != 18 or not was[:17].isdigit():
        return was
    stem = f"{was[:14]}{chance.randrange(500) * 2 + int(was[16]) % 2:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return stem + "10X98765432"[sum(int(each) * weight for each, weight in zip(stem, weights, strict=True)) % 11]


def _vin(chance: random.Random, was: str) -> str:
    if len(was) != 17:
        return was
    body = was[:3] + "".join(chance.choices("ABCDEFGHJKLMN", k=5)) + "0" + was[9:11] + _digits(chance, 6)
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum((VIN_WORTH.get(each) or int(each)) * weight for each, weight in zip(body, weights, strict=True))
    return body[:8] + "0123456789X"[total % 11] + body[9:]


def _ip(chance: random.Random, was: str) -> str:
    return ".".join([*was.split(".")[:2], *(str(chance.randrange(1, 255)) for _ in range(2))]) if "." in was else was


def _imei(chance: random.Random, was: str) -> str:
    """With Luhn's check digit."""
    stem = was[:8] + _digits(chance, 6)
    total = sum(int(each) if at % 2 == 0 else sum(divmod(2 * int(each), 10)) for at, each in enumerate(stem))
    return f"{stem}{-total % 10}"


def _uscc(chance: random.Random, was: str) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(was) != 18:
        return was
    body = _digits(chance, 8)
    total = -sum(int(each) * weight for each, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    stem = was[:8] + body + "0123456789X"[total]
    weights = [3**at % 31 for at in range(17)]
    return stem + alphabet[-sum(alphabet.index(each) * w for each, w in zip(stem, weights, strict=True)) % 31]


MAKERS: dict[str, Callable[[random.Random, str], str]] = {
    "phone": _phone, "id_number": _resident, "account": _token, "device": _hexes, "imei": _imei, "ip": _ip,
    "bssid": _token, "hash": _hexes, "uscc": _uscc, "vin": _vin, "voice": _token,
}  # fmt: skip


def main() -> None:
    folder, many, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    traffic = Traffic.like(folder, seed=7, mark=datetime.now(UTC).strftime("%H%M%S"))
    packed((traffic.body() for _ in range(many)), out)


if __name__ == "__main__":
    main()
