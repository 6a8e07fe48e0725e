"""Rings keep their names from run to run, and what people decided holds, whatever happens to keys and machines."""

from __future__ import annotations

import csv
import json
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graph import rings
from graph.vault import Vault
from loaders.portfolio import generate
from tests.e2e.conftest import Run
from tests.loaders import lender
from workbench.casebook.following import Following

DAY_4, DAY_6, LATE = "2025-03-04T12:00:00", "2025-03-06", "2025-04-01"


@pytest.fixture
def loaded(ringroad: Run, folder: Path) -> Run:
    assert ringroad("load", folder).code == 0
    return ringroad


def aside(loaded: Run, *arguments: object) -> dict[str, int]:
    """What a run set aside, by kind."""
    counts: dict[str, int] = json.loads(loaded("rings", *arguments, "--json").out)["set_aside"]
    return counts


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(home / "casebook.sqlite")
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


# Names -------------------------------------------------------------------------------------------------


def test_a_ring_grows_under_its_name(loaded: Run, tmp_path: Path) -> None:
    first = loaded("rings", "--as-of", DAY_4)
    assert "1 new; no run before this one is recorded" in first.out
    second = loaded("rings", "--as-of", DAY_6)
    assert "1 grown since 2025-03-04" in second.out
    told = json.loads(loaded("rings", "--as-of", LATE, "--out", tmp_path / "rings.csv", "--json").out)
    assert (told["since"][:10], told["recorded"], told["changes"]) == ("2025-03-06", True, {})
    (ring,) = told["rings"]
    with (tmp_path / "rings.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (tuple(row), row["ring_id"]) == (rings.FIELDS, ring["ring_id"])
    card = loaded("ring", ring["ring_id"])
    assert "2025-03-04  born with 3 applications" in card.out
    assert "2025-03-06  1 joined: A4" in card.out
    past = json.loads(loaded("ring", ring["ring_id"], "--json").out)["lineage"]
    assert [each["kind"] for each in past["events"]] == ["birth", "join"]
    assert [each["size"] for each in past["states"]] == [3, 4, 4]
    assert (past["status"], past["born_at"]) == ("alive", "2025-03-04T04:00:00+00:00")


def test_a_run_of_the_past_is_printed_and_not_recorded(loaded: Run, tmp_path: Path) -> None:
    assert loaded("rings", "--as-of", LATE).code == 0
    before = rows(tmp_path / "home", "SELECT * FROM ring_events")
    told = loaded("rings", "--as-of", DAY_4)
    assert "not recorded: the newest recorded run is as of 2025-04-01" in told.out
    assert json.loads(loaded("rings", "--as-of", DAY_4, "--json").out)["recorded"] is False
    assert rows(tmp_path / "home", "SELECT * FROM ring_events") == before
    assert rows(tmp_path / "home", "SELECT count(*) FROM ring_runs") == [(1,)]


def test_a_ring_that_is_gone_says_so(loaded: Run) -> None:
    ring_id = json.loads(loaded("rings", "--as-of", LATE, "--json").out)["rings"][0]["ring_id"]
    assert "1 gone since 2025-04-01" in loaded("rings", "--as-of", "2025-12-01").out
    told = loaded("ring", ring_id)
    assert told.code == 6
    assert "it ended as of 2025-12-01" in told.err


def test_a_casebook_that_cannot_be_used(loaded: Run, tmp_path: Path) -> None:
    (tmp_path / "home" / "casebook.sqlite").write_bytes(b"nonsense" * 999)
    for command in (("rings",), ("override", "list"), ("backup", tmp_path / "b.tar")):
        told = loaded(*command)
        assert (told.code, "casebook.sqlite" in told.err) == (4, True)
    assert not (tmp_path / "b.tar").exists()
    assert loaded("doctor").code == 1


def test_the_casebook_may_be_elsewhere(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGROAD_CASEBOOK", f"sqlite:///{tmp_path / 'team.sqlite'}")
    assert loaded("rings").code == 0
    assert (tmp_path / "team.sqlite").exists()
    assert not (tmp_path / "home" / "casebook.sqlite").exists()
    monkeypatch.setenv("RINGROAD_CASEBOOK", "postgresql://u:secret-word@h/d")
    told = loaded("rings")
    assert (told.code, "secret-word" in told.err) == (2, False)


# Overrides ---------------------------------------------------------------------------------------------


@pytest.fixture
def ring_id(loaded: Run) -> str:
    name: str = json.loads(loaded("rings", "--json").out)["rings"][0]["ring_id"]
    return name


def add(loaded: Run, ring_id: str, *more: object) -> Any:
    return loaded("override", "add", "--ring", ring_id, "--shared", 1, "--reason", "the shop's own", *more)


def test_an_override_from_a_card_to_its_end(loaded: Run, ring_id: str) -> None:
    told = add(loaded, ring_id, "--kind", "shop_tablet", "--until", "2099-06-01", "--author", "li")
    assert told.code == 0
    assert "infrastructure until 2099-06-01" in told.out
    (line,) = json.loads(loaded("override", "list", "--json").out)
    thing = json.loads(loaded("ring", ring_id, "--json").out)["shared"][0]
    assert {name: line["override"][name] for name in ("type", "key")} == {name: thing[name] for name in ("type", "key")}
    assert (line["masked"], line["author"], line["in_force"]) == (thing["masked"], "li", True)
    assert "set aside: 1 × shop tablet" in loaded("rings").out
    assert aside(loaded, "--as-of", LATE) == {}
    assert aside(loaded, "--as-of", LATE, "--overrides-as-of", "now") == {"shop_tablet": 1}
    assert loaded("override", "end", 1, "--reason", "moved").code == 0
    assert aside(loaded) == {}
    assert "no overrides" in loaded("override", "list").out
    assert "moved" in loaded("override", "list", "--all").out


def test_what_is_set_aside_links_nobody(loaded: Run, ring_id: str) -> None:
    """One thing after another, until nothing is left of the ring."""
    for left in range(len(json.loads(loaded("ring", ring_id, "--json").out)["shared"]), 0, -1):
        shared = json.loads(loaded("ring", ring_id, "--json").out)["shared"]
        assert len(shared) == left
        assert add(loaded, ring_id).code == 0
        told = json.loads(loaded("rings", "--json").out)
        if not told["rings"]:
            break
        again = {each["key"] for each in told["rings"][0]["shared"]}
        assert again == {each["key"] for each in shared[1:]}
    assert told["rings"] == []
    things = json.loads(loaded("aside", "--json").out)
    assert {(each["kind"], each["because"]) for each in things} == {("by_hand", "the shop's own")}


@pytest.mark.timeout(300)
def test_a_lead_links_after_all(ringroad: Run, tmp_path: Path) -> None:
    """A shop's tablet that few used: with the verdict taken back its users are linked."""
    generate(tmp_path / "portfolio", preset="tiny", seed=7)
    assert ringroad("load", tmp_path / "portfolio" / "input").code == 0
    before = json.loads(ringroad("rings", "--window", "180d", "--json").out)
    things = json.loads(ringroad("aside", "--top", 9999, "--json").out)
    assert Counter(each["kind"] for each in things) == before["set_aside"]
    assert [each["held_by"] for each in things] == sorted((each["held_by"] for each in things), reverse=True)
    shown = ringroad("aside", "--type", "Device", "--top", 2).out
    devices = [each for each in things if each["type"] == "Device" and each["kind"] == "shop_device"]
    assert devices[0]["because"] in shown
    assert f"{len([each for each in things if each['type'] == 'Device']) - 2} more" in shown
    named = ("--type", "Device", "--key", devices[-1]["key"])
    assert ringroad("override", "add", *named, "--verdict", "lead", "--reason", "no shop's after all").code == 0
    after = json.loads(ringroad("rings", "--window", "180d", "--json").out)
    assert after["set_aside"]["shop_device"] == before["set_aside"]["shop_device"] - 1
    assert after["links"] > before["links"]
    assert ringroad("aside", "--type", "Dealer").code == 2


BAD: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("--ring", "RING"), 2, "--shared 3"),
    (("--ring", "RING", "--shared", "99"), 2, "numbers them"),
    (("--ring", "RING", "--shared", "0"), 2, "numbers them"),
    (("--ring", "R0", "--shared", "1"), 6, "no ring of the last run"),
    (("--type", "Device"), 2, "--key"),
    (("--type", "Device", "--key", "0" * 32), 6, "no such device"),
    (("--type", "Phone", "--key", lender.phone(1)), 2, "no token"),
    (("--type", "Dealer", "--key", "D1"), 2, "never links"),
    (("--type", "Employer", "--key", "none"), 6, "no such employer"),
    (("--ring", "RING", "--shared", "1", "--type", "Device", "--key", "0" * 32), 2, "one thing"),
    ((), 2, "one thing"),
    (("--ring", "RING", "--shared", "1", "--verdict", "guilty"), 2, "infrastructure or lead"),
    (("--ring", "RING", "--shared", "1", "--until", "soon"), 2, "--until"),
    (("--ring", "RING", "--shared", "1", "--until", "2020-01-01"), 2, "past"),
    (("--ring", "RING", "--shared", "1", "--reason", " "), 2, "--reason"),
    (("--ring", "RING", "--shared", "1", "--reason", f"he has {lender.phone(1)}"), 2, "long number"),
    (("--ring", "RING", "--shared", "1", "--kind", "x" * 65), 2, "64 at most"),
    (("--ring", "RING", "--shared", "1", "--author", " "), 2, "--author"),
)


def test_overrides_that_are_none(loaded: Run, ring_id: str) -> None:
    for arguments, code, word in BAD:
        given = [ring_id if each == "RING" else each for each in arguments]
        told = loaded("override", "add", *(() if "--reason" in given else ("--reason", "x")), *given)
        assert (told.code, word in told.err) == (code, True), (arguments, told)
        assert lender.phone(1) not in told.err
    assert "no overrides" in loaded("override", "list", "--all").out


def test_what_cannot_be_ended(loaded: Run, tmp_path: Path) -> None:
    assert loaded("override", "end", 1, "--reason", "x").code == 6
    assert loaded("override", "list").code == 0
    assert not (tmp_path / "home" / "casebook.sqlite").exists(), "a question makes nothing"
    assert loaded("override", "end", 1).code in (2, 6)


# Keys and machines -------------------------------------------------------------------------------------


def keys(loaded: Run) -> set[tuple[str, str]]:
    """The override's token and whether the graph has it."""
    return {(each["override"]["key"], each["masked"]) for each in json.loads(loaded("override", "list", "--json").out)}


def test_overrides_follow_new_keys(loaded: Run, ring_id: str) -> None:
    add(loaded, ring_id)
    ((before, masked),) = keys(loaded)
    assert loaded("keys", "rotate").code == 0
    ((after, still),) = keys(loaded)
    assert (after != before, still) == (True, masked)
    assert aside(loaded) == {"by_hand": 1}
    assert [each["key"] for each in json.loads(loaded("aside", "--json").out)] == [after]
    assert json.loads(loaded("ring", ring_id, "--json").out)["ring_id"] == ring_id, "and so did the ring's name"


def test_a_card_of_before_the_rotation_names_nothing(loaded: Run, ring_id: str) -> None:
    assert loaded("keys", "rotate").code == 0
    told = add(loaded, ring_id)
    assert (told.code, "run `ringroad rings` again" in told.err) == (6, True)


@pytest.mark.parametrize("place", [(Following, "retoken"), (Vault, "_rewrite")])
@pytest.mark.parametrize("undo", [False, True])
def test_a_rotation_that_was_stopped(
    loaded: Run, ring_id: str, monkeypatch: pytest.MonkeyPatch, place: tuple[type, str], undo: bool
) -> None:
    """Before the casebook moved, or after it and before the vault: it goes on, or back, and the override with it."""
    add(loaded, ring_id)
    ((before, masked),) = keys(loaded)
    with monkeypatch.context() as broken:
        broken.setattr(*place, _stop)
        assert loaded("keys", "rotate").code == 1
    assert loaded("keys", "rotate", *(["--undo"] if undo else [])).code == 0
    ((after, still),) = keys(loaded)
    assert (after == before, still) == (undo, masked)


def _stop(*_: object) -> None:
    raise RuntimeError


def test_a_backup_holds_names_and_opinions(
    loaded: Run, ring_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[], Path]
) -> None:
    add(loaded, ring_id)
    history = json.loads(loaded("ring", ring_id, "--json").out)["lineage"]
    listed = loaded("override", "list", "--json").out
    loaded("override", "end", 1, "--reason", "x")
    assert loaded("backup", tmp_path / "backup.tar").code == 0
    fresh = elsewhere()
    assert loaded("restore", tmp_path / "backup.tar").code == 0
    assert rows(fresh, "SELECT ended_because FROM overrides") == [("x",)]
    assert (
        json.loads(loaded("override", "list", "--all", "--json").out)[0]["override"]
        == json.loads(listed)[0]["override"]
    )
    told = json.loads(loaded("rings", "--json").out)
    assert told["rings"][0]["ring_id"] == ring_id
    assert json.loads(loaded("ring", ring_id, "--json").out)["lineage"] == history


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Moves on to another home with the same key."""

    def move() -> Path:
        fresh = tmp_path / "fresh"
        fresh.mkdir(mode=0o700)
        (fresh / "vault.key").write_bytes((tmp_path / "home" / "vault.key").read_bytes())
        (fresh / "vault.key").chmod(0o600)
        monkeypatch.setenv("RINGROAD_HOME", str(fresh))
        return fresh

    return move


def test_a_backup_of_before_there_was_a_casebook(loaded: Run, tmp_path: Path, elsewhere: Callable[[], Path]) -> None:
    assert loaded("backup", tmp_path / "backup.tar").code == 0
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert "casebook.sqlite" not in archive.getnames()
    elsewhere()
    assert loaded("restore", tmp_path / "backup.tar").code == 0
    assert loaded("rings").code == 0


def test_a_casebook_slipped_into_a_backup(
    loaded: Run, ring_id: str, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    assert loaded("backup", tmp_path / "backup.tar").code == 0
    with tarfile.open(tmp_path / "backup.tar") as archive:
        (tmp_path / "parts").mkdir()
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            (tmp_path / "parts" / member.name).write_bytes(content.read())
    part = tmp_path / "parts" / "casebook.sqlite"
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with tarfile.open(tmp_path / "changed.tar", "w") as archive:
        for path in sorted((tmp_path / "parts").iterdir()):
            archive.add(path, path.name)
    fresh = elsewhere()
    assert loaded("restore", tmp_path / "changed.tar").code == 2
    assert not (fresh / "casebook.sqlite").exists()
