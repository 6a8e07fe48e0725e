"""`ringroad rings --since-last`: it finds what a whole run finds, or says why it is a whole run."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from graph import snapshot as snapshots
from loaders.portfolio import generate
from tests.e2e.conftest import Run
from tests.loaders import lender
from workbench import lastrun

DAY_4, LATE = "2025-03-04T20:00:00+08:00", "2025-04-01"


def delivery(content: lender.Tables, *, first: bool) -> lender.Tables:
    """What was known by the evening of the fourth, or what came later."""
    chosen = {
        name: [row for row in rows if (row.get("known_at", "") < "2025-03-05") == first]
        for name, rows in content.items()
    }
    return {name: rows for name, rows in chosen.items() if rows}


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return lender.written(tmp_path / "second", delivery(lender.tables(), first=False))


@pytest.fixture
def begun(ringroad: Run, tmp_path: Path) -> Run:
    """The first delivery is loaded, and its rings were found."""
    assert ringroad("load", lender.written(tmp_path / "first", delivery(lender.tables(), first=True))).code == 0
    assert ringroad("rings", "--as-of", DAY_4).code == 0
    return ringroad


def members(told: dict[str, Any]) -> list[list[str]]:
    return [each["application_ids"] for each in told["rings"]]


def test_it_looks_around_what_is_new(begun: Run, second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert begun("load", second).code == 0
    with monkeypatch.context() as no:
        no.setattr(snapshots, "build", None)
        told = begun("rings", "--since-last")
    assert "looked only around what changed since 2025-03-04 (3 new applications)" in told.out
    assert "1 grown since 2025-03-04" in told.out
    assert "a whole run" not in told.out
    again = json.loads(begun("rings", "--since-last", "--as-of", LATE, "--json").out)
    assert (again["looked_since"][:10], again["new_applications"], again["links"]) == ("2025-03-07", 0, None)
    whole = json.loads(begun("rings", "--as-of", LATE, "--json").out)
    assert (whole["looked_since"], whole["new_applications"], whole["notes"]) == (None, 0, [])
    assert members(again) == members(whole) == [["A1", "A2", "A3", "A4"]]


def test_nothing_of_later_is_seen(ringroad: Run, folder: Path) -> None:
    assert ringroad("load", folder).code == 0
    assert ringroad("rings", "--as-of", "2025-03-04T12:00:00").code == 0
    told = json.loads(ringroad("rings", "--since-last", "--as-of", "2025-03-04T13:30:00", "--json").out)
    assert (told["looked_since"], members(told)) == ("2025-03-04T04:00:00+00:00", [["A1", "A2", "A3"]])
    grown = json.loads(ringroad("rings", "--since-last", "--as-of", "2025-03-06", "--json").out)
    assert (grown["new_applications"], members(grown)) == (2, [["A1", "A2", "A3", "A4"]])


def test_what_was_known_early_and_delivered_late_is_seen(ringroad: Run, tmp_path: Path) -> None:
    """A5 used the ring's device and payer on the second; the tables that say so come after the run of the fourth."""
    content, day_2 = lender.tables(), lender.time(1, 12)
    for name in ("applications", "applicants", "contacts", "device_events", "payments", "addresses", "vehicles"):
        row = content[name][4]
        row |= dict.fromkeys({"submitted_at", "event_time", "known_at"} & set(row), day_2)
    for name, column in (
        ("device_events", "device_id"), ("payments", "from_account_token"), ("applications", "dealer_id"),
    ):  # fmt: skip
        content[name][4][column] = content[name][0][column]
    late = {name: content[name].pop(4) for name in ("device_events", "payments")}
    first = delivery(content, first=True)
    assert ringroad("load", lender.written(tmp_path / "first", first)).code == 0
    assert members(json.loads(ringroad("rings", "--as-of", DAY_4, "--json").out)) == [["A1", "A2", "A3"]]
    second = {name: [row] for name, row in late.items()} | {"vehicles": content["vehicles"][3:]}
    assert ringroad("load", lender.written(tmp_path / "second", second)).code == 0
    told = json.loads(ringroad("rings", "--since-last", "--as-of", DAY_4, "--json").out)
    assert (told["notes"], members(told)) == ([], [["A1", "A5", "A2", "A3"]])
    assert members(json.loads(ringroad("rings", "--as-of", DAY_4, "--json").out)) == members(told)


# A whole run after all ---------------------------------------------------------------------------------


def state(home: Path) -> Path:
    return home / "lastrun.json"


def reworded(home: Path, old: str, new: str, *, sealed: bool = False) -> None:
    """A change of one word; `sealed`: with the checksum made good."""
    head, _, body = state(home).read_text(encoding="utf-8").partition("\n")
    assert old in head + body
    head, body = head.replace(old, new), body.replace(old, new)
    state(home).write_text(f"{lastrun._head(body) if sealed else head}\n{body}", encoding="utf-8")


def cut(home: Path) -> None:
    state(home).write_bytes(state(home).read_bytes()[:-9])


def bent(home: Path) -> None:
    """Well sealed, and of another shape."""
    reworded(home, '"signs"', '"omens"', sealed=True)


def newer(home: Path) -> None:
    reworded(home, f"ringroad {lastrun.FORMAT} ", f"ringroad {lastrun.FORMAT + 1} ")


def refilled(home: Path) -> None:
    reworded(home, '"batch": [', '"batch": [9', sealed=True)


Spoil = Callable[[Path], Any]
SPOILT: list[tuple[Spoil, str]] = [
    (lambda home: state(home).unlink(), "none is kept to go on from"),
    (lambda home: state(home).write_bytes(b"\xff\x00nonsense"), "kept by another release, or is damaged"),
    (lambda home: state(home).write_bytes(b""), "kept by another release, or is damaged"),
    (cut, "kept by another release, or is damaged"),
    (bent, "kept by another release, or is damaged"),
    (newer, "kept by another release, or is damaged"),
    (lambda home: reworded(home, '"store": "sqlite', '"store": "neo4j', sealed=True), "on another store"),
    (refilled, "the store was filled anew"),
    (lambda home: (home / "snapshot" / "snapshot.json").unlink(), "the snapshot of the last one is gone"),
    (lambda home: (home / "snapshot.stamp").write_text("9"), "the snapshot of the last one is gone"),
]


@pytest.mark.parametrize(("spoil", "why"), SPOILT)
def test_a_last_run_that_is_of_no_use(begun: Run, second: Path, tmp_path: Path, spoil: Spoil, why: str) -> None:
    spoil(tmp_path / "home")
    assert begun("load", second).code == 0
    told = begun("rings", "--since-last")
    (line,) = [line for line in told.out.splitlines() if "a whole run: " in line]
    assert why in line
    assert json.loads(begun("rings", "--json").out)["rings"][0]["size"] == 4
    assert "looked only" in begun("rings", "--since-last").out, "the whole run is one to go on from"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--window", "90d"), "the last one was of 120 days, not 90"),
        (("--as-of", "2025-03-02"), "as of 2025-03-04, later than 2025-03-02"),
    ],
)
def test_another_question(begun: Run, arguments: tuple[str, ...], why: str) -> None:
    assert (
        f"a whole run: the last one was {why.removeprefix('the last one was ')}"
        in begun("rings", "--since-last", *arguments).out
    )


def test_overrides_made_since(begun: Run) -> None:
    name = json.loads(begun("rings", "--as-of", DAY_4, "--json").out)["rings"][0]["ring_id"]
    now = ("--as-of", DAY_4, "--overrides-as-of", "now")
    assert begun("override", "add", "--ring", name, "--shared", 1, "--reason", "x").code == 0
    assert "a whole run: the overrides have changed" in begun("rings", "--since-last", *now).out
    assert "looked only" in begun("rings", "--since-last", *now).out


def test_new_keys(begun: Run, tmp_path: Path) -> None:
    """Node ids come from tokens: what was set aside would be other things."""
    assert begun("keys", "rotate").code == 0
    assert not state(tmp_path / "home").exists()
    told = json.loads(begun("rings", "--since-last", "--as-of", DAY_4, "--json").out)
    assert "a whole run: none is kept" in told["notes"][0]
    assert members(told) == [["A1", "A2", "A3"]]


def test_more_was_loaded_than_there_was(begun: Run, tmp_path: Path) -> None:
    portfolio = tmp_path / "portfolio"
    generate(portfolio, preset="tiny", seed=7)
    assert begun("load", portfolio / "input").code == 0
    assert "as much was loaded since as there was before" in begun("rings", "--since-last").out


def test_links_of_long_ago(begun: Run, tmp_path: Path) -> None:
    content = delivery(lender.tables(), first=False)
    content["device_events"][0] |= {"event_time": "2025-01-02 10:00:00", "known_at": "2025-01-02 10:00:00"}
    assert begun("load", lender.written(tmp_path / "old", content)).code == 0
    assert "links known since 2025-01-02 have been loaded only now" in begun("rings", "--since-last").out


def test_what_is_kept_is_for_its_owner_and_holds_no_identifier(begun: Run, tmp_path: Path) -> None:
    file = state(tmp_path / "home")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [secret for secret in lender.SECRETS if secret in file.read_text(encoding="utf-8")]
    assert not file.with_suffix(".new").exists()


# A portfolio -------------------------------------------------------------------------------------------


def split(source: Path, target: Path, *, after: str = "", until: str = "9") -> Path:
    target.mkdir()
    for table in source.glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as file, (target / table.name).open("w", encoding="utf-8") as out:
            reader = csv.DictReader(file)
            writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in reader if after <= (row.get("known_at") or "") < until)
    return target


@pytest.mark.timeout(300)
def test_a_fortnight_later_it_finds_nearly_what_a_whole_run_finds(ringroad: Run, tmp_path: Path) -> None:
    """Not all: what was set aside stays so, and decisions about known applications wait for the next whole run."""
    portfolio = tmp_path / "portfolio"
    generate(portfolio, preset="tiny", seed=7)
    first = split(portfolio / "input", tmp_path / "a", until="2025-06-15")
    assert ringroad("load", first, "--max-rejected", 1).code == 0
    before = json.loads(ringroad("rings", "--window", "180d", "--as-of", "2025-06-14", "--json").out)
    second = split(portfolio / "input", tmp_path / "b", after="2025-06-15")
    assert ringroad("load", second, "--max-rejected", 1).code == 0
    asked = ("--window", "180d", "--as-of", "2025-06-29", "--json")
    again = json.loads(ringroad("rings", "--since-last", *asked).out)
    assert again["notes"] == []
    at = [known(tmp_path / "home", f"2025-06-{day}T23:59:59.999+08:00") for day in (14, 29)]
    assert again["new_applications"] == at[1] - at[0]
    whole = json.loads(ringroad("rings", *asked).out)
    one, other = (set(map(tuple, members(each))) for each in (again, whole))
    assert len(one & other) >= 0.6 * len(one | other), one ^ other
    assert one != set(map(tuple, members(before)))


def known(home: Path, at: str) -> int:
    db = sqlite3.connect(home / "graph.sqlite")
    moment = int(datetime.fromisoformat(at).timestamp() * 1000) + 1
    (number,) = db.execute(
        "SELECT count(*) FROM node WHERE type = 'Application' AND known_at < ?", (moment,)
    ).fetchone()
    db.close()
    return int(number)
