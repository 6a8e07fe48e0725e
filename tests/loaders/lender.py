"""A small lender in a folder: a ring of four, two honest applicants, and every table that links them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from graph.keyring import Keyring
from graph.normalise import id_check, vin_check
from graph.store import GraphStore
from graph.stores import open_store
from graph.vault import Vault
from loaders.load import Load, LoadReport, Progress
from loaders.mapping import Mapping as Names

Row = dict[str, str]
Tables = dict[str, list[Row]]


def id_number(number: int) -> str:
    first = f"31010119900307{number:03}"
    return first + id_check(first)


def phone(number: int) -> str:
    return f"1391{number * 7919 % 10_000_000:07}"


def vin(number: int) -> str:
    """A Chinese VIN with its check digit in the ninth place."""
    for digit in "0123456789X":
        candidate = f"LSVAM418{digit}C2{184847 + number * 37:06}"
        if vin_check(candidate) == digit:
            return candidate
    raise AssertionError(number)


def time(day: int, hour: int = 10) -> str:
    moment = datetime(2025, 3, 1, hour) + timedelta(days=day)  # noqa: DTZ001 - the lender writes no zone
    return moment.strftime("%Y-%m-%d %H:%M:%S")


NAMES = ("欧阳明轩", "司马若兰", "诸葛子衿", "上官婉清", "慕容雪岚", "东方志远")
RING = ("A1", "A2", "A3", "A4")


def tables() -> Tables:
    """A1 to A4 share a device, a payer and two contacts at one dealer; A5 and A6 share nothing with anybody."""
    people = range(1, 7)
    return {
        "addresses": [
            {"address_id": f"H{n}", "province": "上海市", "city": "上海市", "district": "黄浦区",
             "street": f"中山东一路{n * 11}号", "community": "外滩花园", "building": f"{n}栋", "unit": "2单元",
             "room": f"{n}01", "level": "room", "known_at": time(n)}
            for n in people
        ],
        "dealers": [
            {"dealer_id": f"D{n}", "name": f"车行{n}", "payee_account_token": f"acct_payee_{n:04}"} for n in (1, 2, 3)
        ],
        "vehicles": [{"vin": vin(n), "brand": "大众", "known_at": time(n)} for n in people],
        "applicants": [
            {"applicant_id": f"C{n}", "id_type": "resident", "id_number": id_number(n * 13), "name": NAMES[n - 1],
             "gender": "男", "birth_date": "1990-03-07", "phone": phone(n), "address_id": f"H{n}", "known_at": time(n)}
            for n in people
        ],
        "applications": [
            {"application_id": f"A{n}", "applicant_id": f"C{n}", "dealer_id": f"D{max(1, n - 3) if n > 4 else 1}",
             "submitted_at": time(n), "decided_at": time(n, 12), "funded_at": time(n + 2) if n in (1, 5) else "",
             "amount": str(100_000 + n * 1000), "vin": vin(n), "decision": "decline" if n == 4 else "approve",
             "channel": "app", "known_at": time(n)}
            for n in people
        ],
        "contacts": [
            {"contact_row_id": f"K{n}", "application_id": f"A{n}", "role": "friend", "name": "令狐冲云",
             "phone": phone(90 + n % 2 if n <= 4 else 100 + n), "known_at": time(n)}
            for n in people
        ],
        "device_events": [
            {"event_id": f"E{n}", "application_id": f"A{n}", "applicant_id": f"C{n}",
             "device_id": "fingerprint-ring-77aa" if n <= 4 else f"fingerprint-own-{n:04}", "ip": f"36.112.{n}.25",
             "event_time": time(n, 9), "known_at": time(n, 9)}
            for n in people
        ],
        "payments": [
            {"payment_id": f"P{n}", "application_id": f"A{n}", "kind": "down_payment", "amount": "20000",
             "from_account_token": "6222021001123456789" if n <= 4 else f"acct_own_{n:04}", "event_time": time(n, 11),
             "known_at": time(n, 13)}
            for n in people
        ],
    }  # fmt: skip


SECRETS = (
    *(id_number(n * 13) for n in range(1, 7)), *(phone(n) for n in (*range(1, 7), 90, 91, 105, 106)),
    *(vin(n) for n in range(1, 7)), *NAMES, "令狐冲云", "6222021001123456789", "fingerprint-ring-77aa", "36.112.1.25",
    "中山东一路11号",
)  # fmt: skip


def written(folder: Path, content: Mapping[str, Iterable[Row]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in content.items():
        listed = list(rows)
        columns = list(dict.fromkeys(key for row in listed for key in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(listed)
    return folder


@dataclass
class Home:
    """An instance without the command line: a store, a vault, a quarantine file."""

    path: Path
    keyring: Keyring = field(default_factory=Keyring.demo)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    @property
    def quarantine(self) -> Path:
        return self.path / "quarantine.csv"

    def store(self) -> GraphStore:
        return open_store(f"sqlite:///{self.path / 'graph.sqlite'}")

    def vault(self) -> Vault:
        return Vault.open(self.path / "vault.sqlite", self.keyring, demo=self.keyring.is_default)

    def load(
        self, source: Path | str, *, batch: str | None = None, max_rejected: float = 0.05, mapping: Path | None = None
    ) -> LoadReport:
        with self.store() as store, self.vault() as vault:
            return self.loading(store, vault, batch=batch, max_rejected=max_rejected, mapping=mapping).run(str(source))

    def loading(
        self,
        store: GraphStore,
        vault: Vault,
        *,
        batch: str | None = None,
        max_rejected: float = 0.05,
        mapping: Path | None = None,
        progress: Progress = lambda *_: None,
    ) -> Load:
        return Load(
            store,
            vault,
            staging_dir=self.path / "staging",
            quarantine_file=self.quarantine,
            mapping=Names.read(mapping),
            batch=batch,
            max_rejected=max_rejected,
            progress=progress,
        )
