"""Makes a golden casebook with the code of the release that had its revision: what that release left behind.

    git archive 105848f | tar -x -C OLD; cd OLD
    PYTHONPATH=. python RINGROAD/tests/golden/make_casebook.py casebook-0001.sqlite

105848f has 0001, 2920941 has 0002, 5ae8193 has 0003. Each revision that was released keeps its file;
none is ever made again.
Nothing but this script's own names is in it.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from graph.overrides import Override
from graph.rings import Ring, Shared
from workbench.casebook import opinions, runs
from workbench.casebook.opening import HEAD, Casebook

FIRST = datetime(2025, 5, 30, 16, tzinfo=UTC)
NIGHTS = (("abc", "fghi", "uvw"), ("bcdx", "fghi"), ("abcdxfghi", "uvwz"))


def ring(rank: int, members: str) -> Ring:
    shared = Shared("Device", "USED_DEVICE", "0" * 32, "1***2", tuple(members), len(members))
    money = (1000.0 * len(members), 500.0)
    days = ("2025-05-01", "2025-05-02")
    return Ring(
        f"RN{min(members)}", rank, 0.5, tuple(sorted(members)), *days, *money, "T08", "they share a device", (shared,)
    )


def investigated(casebook: Casebook) -> None:
    """Somebody who may sign in, and a case with what happened on it."""
    from workbench.casebook import cases, people  # noqa: PLC0415 - 0002 has none
    from workbench.casebook.cases import RING, Finding  # noqa: PLC0415

    found = Finding(
        kind=RING, subject="RNa", score=0.5, size=9, exposure=9000.0, savable=500.0, typology="T08",
        because="they share a device", reasons=("USED_DEVICE",), dealer="D1", region="4401", first_seen=FIRST,
        last_seen=FIRST + timedelta(days=60), pays_out_at=None,
    )  # fmt: skip
    with casebook.writing() as db:
        people.add(
            db, name="lin", display_name="Lin", role="investigator", language="zh", password_hash="$argon2id$none",
            author="setup", now=FIRST,
        )  # fmt: skip
        cases.open_all(db, [found], because=cases.FOUND, now=FIRST + timedelta(days=61))


def main(file: Path) -> None:
    with Casebook.open(f"sqlite:///{file}") as casebook:
        for night, groups in enumerate(NIGHTS):
            as_of = FIRST + timedelta(days=30 * night)
            found = [ring(rank, members) for rank, members in enumerate(groups, start=1)]
            made_of = runs.Run(as_of, 120, as_of, 7, frozenset("abcdfghixuvwz"))
            with casebook.writing() as db:
                runs.record(db, found, made_of, now=as_of + timedelta(hours=2))
        for number, type_ in enumerate(("Device", "Phone")):
            override = Override(
                type_, f"{number + 1:032x}", infrastructure=bool(number), kind="shop_tablet", reason="的 shop",
                until=FIRST + timedelta(days=900),
            )  # fmt: skip
            with casebook.writing() as db:
                opinions.add(db, override, author="li", now=FIRST)
        with casebook.writing() as db:
            opinions.end(db, 1, author="wang", because="moved", now=FIRST + timedelta(days=3))
        if HEAD >= "0003":
            investigated(casebook)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("VACUUM")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
