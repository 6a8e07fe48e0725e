"""The command line from the first portfolio to a restored backup; every bad input in one line, with nothing half-done.

The way through runs the installed `ringroad`, as do the faults a process makes (disk, lock). The other bad
inputs call its `main` here: a process for each would take minutes.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer.main
from rich.cells import cell_len
from rich.console import Console

from graph.stores import sqlite_schema
from tests.e2e.conftest import Run, Told, inside, process
from tests.loaders import lender
from workbench import cli
from workbench.card import ring_card

COMMANDS = (
    "generate", "load", "rings", "ring", "aside", "doctor", "backup", "restore", "keys rotate", "keys reseal",
    "override add", "override list", "override end", "train", "score", "explain", "evaluate", "backtest", "replay",
    "models list", "models promote", "models rollback", "models shadow",
    "serve api", "serve keeper", "serve refresh", "keys create", "keys list", "keys revoke", "labels add",
    "labels list", "labels export", "strategy list", "strategy show", "strategy set", "strategy rollback",
    "webhooks add", "webhooks list", "webhooks rotate", "webhooks end", "webhooks test", "webhooks deliveries",
    "webhooks replay", "serve ui", "serve all", "users add", "users list", "users disable", "users password",
    "users role", "users demo", "audit verify", "audit anchor", "audit export", "evidence verify", "evidence key",
    "strategy check", "report list", "report make", "tick", "schedule list", "schedule runs", "schedule again",
    "schedule mails", "schedule resend", "serve scheduler",
)  # fmt: skip


# The way through ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything once, by the installed command."""
    place = tmp_path_factory.mktemp("way")
    home, fresh, portfolio = place / "home", place / "fresh", place / "portfolio"
    backup = place / "backup.tar"
    told: dict[str, Any] = {"place": place, "home": home}
    few = place / "few.yaml"
    few.write_text("presets: {tiny: {applications: 1200}}\n")
    told["generate"] = process(
        home, "generate", "--preset", "tiny", "--seed", "7", "--parameters", few, "--out", portfolio
    )
    told["load"] = process(home, "load", portfolio / "input", "--json")
    told["rings"] = process(home, "rings", "--window", "180d", "--out", place / "rings.csv", "--json")
    first = json.loads(told["rings"].out)["rings"][0]["ring_id"]
    told["ring"] = process(home, "ring", first, "--graphml", place / "ring.graphml", "--json")
    told["doctor"] = process(home, "doctor", "--json")
    told["backup"] = process(home, "backup", backup, "--json")
    fresh.mkdir(mode=0o700)
    (fresh / "vault.key").write_bytes((home / "vault.key").read_bytes())
    (fresh / "vault.key").chmod(0o600)
    told["restore"] = process(fresh, "restore", backup, "--json")
    return told


def test_every_command_succeeds_and_its_json_parses(way: dict[str, Any]) -> None:
    for name in ("generate", "load", "rings", "ring", "doctor", "backup", "restore"):
        assert way[name].code == 0, (name, way[name])
        if name != "generate":
            json.loads(way[name].out)


def test_what_was_generated_is_told_briefly(way: dict[str, Any]) -> None:
    assert "1,200 applications" in way["generate"].out
    assert len(way["generate"].out) < 1000


def test_rings_are_the_same_everywhere(way: dict[str, Any]) -> None:
    told = json.loads(way["rings"].out)["rings"]
    with (way["place"] / "rings.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["ring_id"] for row in written] == [ring["ring_id"] for ring in told]
    assert [row["rank"] for row in written] == [str(n) for n in range(1, len(told) + 1)]
    one = json.loads(way["ring"].out)
    assert {name: one[name] for name in ("because", "exposure")} == {
        name: told[0][name] for name in ("because", "exposure")
    }
    assert "<graphml" in (way["place"] / "ring.graphml").read_text(encoding="utf-8")


def test_a_restored_instance_is_the_same(way: dict[str, Any]) -> None:
    backup, restore = json.loads(way["backup"].out), json.loads(way["restore"].out)
    assert (backup["nodes"], backup["edges"]) == (restore["nodes"], restore["edges"])
    assert restore["digest"]


@pytest.mark.neo4j
def test_a_backup_moves_from_sqlite_to_neo4j(
    way: dict[str, Any], tmp_path: Path, neo4j_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy2(way["home"] / "vault.key", home / "vault.key")
    monkeypatch.setenv("RINGROAD_STORE", neo4j_server.url)
    monkeypatch.setenv("RINGROAD_STORE_PASSWORD", neo4j_server.password)
    try:
        restored = inside(home, "restore", way["place"] / "backup.tar", "--json")
        assert json.loads(restored.out)["digest"] == json.loads(way["restore"].out)["digest"]
        assert inside(home, "rings", "--window", "180d", "--out", tmp_path / "rings.csv").code == 0
        assert (tmp_path / "rings.csv").read_bytes() == (way["place"] / "rings.csv").read_bytes()
    finally:
        neo4j_server.clear()


def test_what_an_instance_keeps_is_for_its_owner_only(way: dict[str, Any]) -> None:
    kept = [way["home"], *(path for path in way["home"].iterdir() if path.is_file()), way["place"] / "backup.tar"]
    assert {path.name for path in kept} >= {"vault.key", "graph.sqlite", "rings.json", "lastrun.json", "quarantine.csv"}
    open_ = [path.name for path in kept if path.stat().st_mode & 0o077 and not path.name.endswith(".stamp")]
    assert not open_


def test_the_backup_holds_no_key(way: dict[str, Any]) -> None:
    content = (way["place"] / "backup.tar").read_bytes()
    masters = json.loads((way["home"] / "vault.key").read_text())
    for key in (*masters["index"].values(), *masters["seal"].values()):
        assert key.encode() not in content
        assert bytes.fromhex(key) not in content


def test_nothing_temporary_stays(way: dict[str, Any]) -> None:
    left = {path.name for path in way["home"].iterdir()}
    kept = {"vault.key", "vault.sqlite", "graph.sqlite", "casebook.sqlite", "snapshot", "snapshot.stamp", "rings.json",
            "lastrun.json", "quarantine.csv"}  # fmt: skip
    assert {name for name in left - kept if not name.endswith(("-wal", "-shm", ".lock"))} == set()


def test_new_keys_change_no_ring(way: dict[str, Any], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(way["home"], home)
    tokens = {row[0] for row in sqlite3.connect(home / "graph.sqlite").execute("SELECT key FROM node WHERE tail <> ''")}
    rotated, resealed = inside(home, "keys", "rotate", "--json"), inside(home, "keys", "reseal", "--json")
    number = json.loads(rotated.out)["identifiers"]
    assert json.loads(resealed.out) == {"identifiers": json.loads(resealed.out)["identifiers"], "version": 2}
    assert number > 1000
    fresh = {row[0] for row in sqlite3.connect(home / "graph.sqlite").execute("SELECT key FROM node WHERE tail <> ''")}
    assert len(fresh) == len(tokens)
    assert not fresh & tokens
    again = inside(home, "rings", "--window", "180d", "--json")
    assert without_tokens(again) == without_tokens(way["rings"])
    assert inside(home, "load", way["place"] / "portfolio/input", "--json").code == 0
    assert inside(home, "keys", "rotate", "--undo").code == 5


def without_tokens(told: Told) -> list[dict[str, Any]]:
    """Rings by all that new keys leave as it is."""
    rings = json.loads(told.out)["rings"]
    for ring in rings:
        del ring["shared"]
        ring["roles"] = [{name: said for name, said in role.items() if name != "key"} for role in ring["roles"]]
    return list(rings)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(ringroad: Run, command: str) -> None:
    assert f"ringroad {command}" in " ".join(ringroad(*command.split(), "--help").out.split()).split("Example", 1)[1]


def test_every_command_is_tested_here() -> None:
    def below(command: Any, name: str) -> Iterator[str]:
        inside = getattr(command, "commands", {})
        if not inside:
            yield name
        for each, one in inside.items():
            yield from below(one, f"{name} {each}".strip())

    assert set(below(typer.main.get_command(cli.app), "")) == set(COMMANDS)


def test_no_identifier_is_printed(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    content = lender.tables()
    content["applications"][5]["submitted_at"] = lender.phone(1)
    content["applicants"][5]["id_number"] = lender.id_number(1)[:-1]
    lender.written(folder, content)
    told = [ringroad("load", folder), ringroad("load", folder, "--json"), ringroad("load", folder, "--max-rejected", 0)]
    told += [ringroad("rings", "--out", tmp_path / "rings.csv"), ringroad("rings", "--json")]
    found = json.loads(told[-1].out)["rings"]
    told += [ringroad("ring", found[0]["ring_id"]), ringroad("doctor")]
    text = "".join(each.out + each.err for each in told) + (tmp_path / "rings.csv").read_text(encoding="utf-8")
    secrets = [secret for secret in (*lender.SECRETS, lender.id_number(1)[:-1]) if secret in text]
    assert not secrets
    assert "6222 **** **** 6789" in text


def told_of(ring: dict[str, Any]) -> str:
    screen = Console(width=80, file=io.StringIO())
    screen.print(ring_card(ring))
    return str(screen.file.getvalue())  # type: ignore[attr-defined]


def test_a_card_says_who_why_and_what_speaks_against_it(ringroad: Run, folder: Path) -> None:
    assert ringroad("load", folder).code == 0
    name = json.loads(ringroad("rings", "--json").out)["rings"][0]["ring_id"]
    ring = json.loads(ringroad("ring", name, "--json").out)
    assert {"signs", "doubts", "roles", "exposure", "undisbursed", "lineage"} <= set(ring)
    assert {each["role"] for each in ring["roles"]} == {"organiser", "mule"}
    card = told_of(ring | {"signs": ["2 of 4 [/b] pay nothing down (T04)"], "doubts": ["a fleet", "one town"]})
    for line in (
        "may be innocent: a fleet\nmay be innocent: one town",
        "odd\n  2 of 4 [/b] pay nothing down (T04)",
        "  mule: A1, A2, A3, A4 (somebody else's account paid the down payment)",
        "  organiser: account 6222 **** **** 6789 (paid the down payment of 4 people)",
        "   1 A1    2 A2    3 A3    4 A4",
    ):
        assert line in card
    assert card.count("mule:") == 1
    assert max(map(cell_len, card.splitlines())) <= 80


def test_a_crowd_on_a_card_is_abridged(ringroad: Run, folder: Path) -> None:
    assert ringroad("load", folder).code == 0
    name = json.loads(ringroad("rings", "--json").out)["rings"][0]["ring_id"]
    ring = json.loads(ringroad("ring", name, "--json").out)
    many = [f"APP{n:010}" for n in range(40)]
    ring |= {"application_ids": many, "shared": [ring["shared"][0] | {"holders": many}]}
    ring["roles"] = [{"role": "mule", "who": each, "because": "paid"} for each in many]
    card = told_of(ring)
    assert "and 34 more (paid)" in " ".join(card.split())
    assert "and 28 more" in " ".join(card.split())
    assert max(map(cell_len, card.splitlines())) <= 80


# Bad input ---------------------------------------------------------------------------------------------


def spoil(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("applications.csv", b"", "empty"),
        ("applications.csv", b"application_id,submitted_at\nA1,\xff\xff\n", "UTF-8"),
        ("applications.csv", "application_id\nA1\n".encode("utf-16"), "UTF-16"),
        ("applications.csv", b"a,b\n1,2\n", "application_id"),
        ("applications.csv", b"application_id,application_id\nA1,A1\n", "application_id"),
        ("gps_pings.parquet", b"PAR1half", "half-written"),
        ("gps_pings.xlsx", b"PK\x03\x04", "Excel"),
        ("gps_pings.jsonl", b"[]\n", "JSON"),
    ],
)
def test_files_that_cannot_be_read(ringroad: Run, folder: Path, name: str, content: bytes, word: str) -> None:
    told = ringroad("load", spoil(folder, name, content))
    assert told.code == 2
    assert word in told.err
    assert not loaded(folder)


def loaded(folder: Path) -> list[Any]:
    db = sqlite3.connect(folder.with_name("home") / "graph.sqlite")
    try:
        return db.execute("SELECT * FROM mark").fetchall()
    finally:
        db.close()


def test_a_parquet_cut_short(ringroad: Run, folder: Path) -> None:
    pq.write_table(pa.table({"application_id": ["A1"] * 99}), folder / "documents.parquet")
    whole = (folder / "documents.parquet").read_bytes()
    assert ringroad("load", spoil(folder, "documents.parquet", whole[:-20])).code == 2


def test_too_many_bad_rows(ringroad: Run, folder: Path) -> None:
    content = lender.tables()
    for row in content["applications"]:
        row["submitted_at"] = "?"
    told = ringroad("load", lender.written(folder, content))
    assert told.code == 3
    assert not loaded(folder)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("load", "none"), 2),
        (("load", "sqlite:///none.db"), 2),
        (("load", "postgresql+none://u:secret-word@h/db"), 2),
        (("rings",), 2),
        (("rings", "--as-of", "yesterday"), 2),
        (("rings", "--as-of", "2025-02-30"), 2),
        (("rings", "--as-of", "9999-12-31"), 2),
        (("rings", "--window", "long"), 2),
        (("rings", "--window", "0d"), 2),
        (("ring", "R0"), 2),
        (("aside",), 2),
        (("rings", "--since-last"), 2),
        (("restore", "none.tar"), 2),
        (("backup", "none/backup.tar"), 2),
        (("doctor", "--store", "nonsense"), 2),
        (("rings", "--store", "nonsense"), 2),
        (("rings", "--store", "mysql://x"), 2),
        (("rings", "--store", "neo4j://neo4j:secret-word@localhost"), 2),
        (("rings", "--store", "sqlite:////none/none/graph.sqlite"), 4),
        (("generate", "--preset", "huge", "--out", "out"), 2),
        (("generate", "--mode", "wild", "--out", "out"), 2),
        (("generate", "--format", "xml", "--out", "out"), 2),
    ],
)
def test_bad_arguments(
    ringroad: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    told = ringroad(*arguments)
    if arguments[0] == "doctor":
        assert told.code == 1
        return
    assert told.code == code, told.err
    assert "secret-word" not in told.err + told.out
    assert not (tmp_path / "out").exists()


def test_brackets_in_a_path_are_no_markup(ringroad: Run, tmp_path: Path) -> None:
    told = ringroad("load", tmp_path / "[bold]x[/red]")
    assert told.code == 2
    assert "[bold]x[/red]" in told.err


def test_an_unknown_ring(ringroad: Run, folder: Path) -> None:
    assert ringroad("load", folder).code == 0
    assert ringroad("rings").code == 0
    told = ringroad("ring", "R0123456789")
    assert (told.code, "R0123456789" in told.err) == (6, True)


def test_rings_cannot_be_written(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    assert ringroad("load", folder).code == 0
    assert ringroad("rings", "--out", tmp_path / "none" / "rings.csv").code == 2
    assert ringroad("rings", "--out", tmp_path).code == 2


def test_generate_into_a_folder_in_use(ringroad: Run, folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert ringroad("generate", "--preset", "tiny", "--out", folder).code == 2
    assert sorted(folder.iterdir()) == before


def test_a_home_that_is_a_file(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    for command in (("load", folder), ("rings",), ("doctor",), ("backup", tmp_path / "b.tar")):
        told = ringroad(*command)
        assert told.code == 2
        assert "RINGROAD_HOME" in told.err


def test_mistakes_in_a_mapping(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    for text in ("tables: {a", "tables: {applications: {columns: {x: y}}}", "[]"):
        path.write_text(text)
        assert ringroad("load", folder, "--mapping", path).code == 2
    assert ringroad("load", folder, "--mapping", tmp_path / "none.yaml").code == 2
    path.write_bytes(b"\xff\xfe")
    assert ringroad("load", folder, "--mapping", path).code == 2


# Keys, locks, disks ------------------------------------------------------------------------------------


def test_the_key_file(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    assert ringroad("load", folder).code == 0
    key = tmp_path / "home" / "vault.key"
    own = key.read_bytes()
    key.chmod(0o644)
    assert ringroad("load", folder).code == 5
    key.chmod(0o600)
    key.write_bytes(b"nonsense")
    assert ringroad("load", folder).code == 5
    key.unlink()
    told = ringroad("load", folder)
    assert (told.code, "vault.key" in told.err) == (5, True)
    assert not key.exists(), "no second key beside a vault that needs the first"
    masters = json.loads(own)
    masters["index"]["1"] = "00" * 32
    key.write_text(json.dumps(masters))
    key.chmod(0o600)
    assert ringroad("load", folder).code == 5
    assert ringroad("doctor").code == 1
    key.write_bytes(own)
    assert ringroad("load", folder).code == 0


def test_a_store_that_is_none(ringroad: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "graph.sqlite").write_bytes(b"nonsense" * 1000)
    assert ringroad("load", folder).code == 4
    assert ringroad("rings").code == 4


def test_a_store_another_process_is_writing(
    ringroad: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ringroad("load", folder, "--batch", "one").code == 0
    monkeypatch.setattr(
        sqlite_schema,
        "PRAGMAS",
        tuple("PRAGMA busy_timeout = 200" if "busy" in each else each for each in sqlite_schema.PRAGMAS),
    )
    other = sqlite3.connect(tmp_path / "home" / "graph.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    told = ringroad("load", folder, "--batch", "two")
    assert (told.code, "another process" in told.err) == (4, True)
    assert ringroad("rings").code == 0, "who reads never waits"
    other.execute("ROLLBACK")
    other.close()
    assert ringroad("load", folder, "--batch", "two").code == 0


def test_a_batch_name_used_twice(ringroad: Run, folder: Path) -> None:
    assert ringroad("load", folder, "--batch", "march").code == 0
    content = lender.tables()
    content["payments"][0]["amount"] = "1"
    assert ringroad("load", lender.written(folder, content), "--batch", "march").code == 4


@pytest.mark.parametrize("limit", [3_000, 60_000, 150_000])
def test_a_full_disk_and_on_again(folder: Path, tmp_path: Path, limit: int) -> None:
    """P6. A file may not grow beyond a size, wherever that strikes: one line, and the next run finishes."""
    home = tmp_path / "home"
    told = process(home, "load", folder, limit=limit)
    assert told.code in (4, 5), told
    assert "room" in told.err
    assert inside(home, "load", folder).code == 0
    if limit == 60_000:
        told = process(home, "rings", limit=2_000)
        assert (told.code, "room" in told.err) == (4, True), told
        told = process(home, "backup", tmp_path / "backup.tar", limit=20_000)
        assert (told.code, "room" in told.err) == (4, True), told
        assert not (tmp_path / "backup.tar").exists()
        assert inside(home, "rings").code == 0


def test_a_fault_of_ours_is_one_line_too(ringroad: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError(lender.phone(1))

    monkeypatch.setattr("loaders.judge.check", broken)
    told = ringroad("load", folder)
    assert told.code == 1
    assert "TypeError" in told.err
    assert lender.phone(1) not in told.err


# Backups -----------------------------------------------------------------------------------------------


@pytest.fixture
def backup(ringroad: Run, folder: Path, tmp_path: Path) -> Path:
    assert ringroad("load", folder).code == 0
    assert ringroad("backup", tmp_path / "backup.tar").code == 0
    return tmp_path / "backup.tar"


@pytest.fixture
def elsewhere(tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second home with the key of the first."""
    fresh = tmp_path / "fresh"
    fresh.mkdir(mode=0o700)
    (fresh / "vault.key").write_bytes((tmp_path / "home" / "vault.key").read_bytes())
    (fresh / "vault.key").chmod(0o600)
    monkeypatch.setenv("RINGROAD_HOME", str(fresh))
    return fresh


def test_a_backup_never_replaces_a_file(ringroad: Run, backup: Path) -> None:
    before = backup.read_bytes()
    assert ringroad("backup", backup).code == 2
    assert backup.read_bytes() == before


def test_restore_only_into_an_empty_instance(ringroad: Run, backup: Path) -> None:
    assert ringroad("restore", backup).code == 2


def test_restore_needs_the_key(ringroad: Run, backup: Path, elsewhere: Path) -> None:
    (elsewhere / "vault.key").unlink()
    assert ringroad("restore", backup).code == 2
    assert not (elsewhere / "vault.key").exists()
    assert ringroad("doctor").code == 0, "the instance is still a fresh one"
    assert ringroad("restore", backup).code == 2, "a key that came later is not the backup's key"


def test_restore_twice_and_go_on_loading(  # noqa: PLR0917 - fixtures
    ringroad: Run, backup: Path, elsewhere: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ringroad("restore", backup).code == 0
    assert ringroad("rings", "--out", tmp_path / "there.csv").code == 0
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "home"))
    assert ringroad("rings", "--out", tmp_path / "here.csv").code == 0
    monkeypatch.setenv("RINGROAD_HOME", str(elsewhere))
    assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
    told = ringroad("load", folder, "--json")
    assert json.loads(told.out)["batches"] == 0, "what the backed-up instance had loaded is known here too"
    assert ringroad("restore", backup).code == 2


def test_every_changed_part_is_refused(ringroad: Run, backup: Path, elsewhere: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as archive:
        names = archive.getnames()
        (tmp_path / "parts").mkdir()
        for name in names:
            (tmp_path / "parts" / name).write_bytes(archive.extractfile(name).read())  # type: ignore[union-attr]
    for name in ("manifest.json", "vault.sqlite", "node-Person", "edge-APPLIED", "event-payments"):
        assert name in names
        part = tmp_path / "parts" / name
        whole = part.read_bytes()
        middle = len(whole) // 2
        for changed in (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], whole[:-1], None):
            part.unlink() if changed is None else part.write_bytes(changed)
            tampered = tmp_path / "tampered.tar"
            with tarfile.open(tampered, "w") as archive:
                for path in sorted((tmp_path / "parts").iterdir()):
                    archive.add(path, path.name)
            told = ringroad("restore", tampered)
            assert told.code in (2, 5), (name, told)
            part.write_bytes(whole)
    assert ringroad("restore", backup).code == 0, "refusals left nothing behind"


def test_files_that_are_no_backup(ringroad: Run, backup: Path, elsewhere: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    for content in (b"", b"nonsense", whole[: len(whole) // 2], whole[:600]):
        backup.write_bytes(content)
        assert ringroad("restore", backup).code == 2
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as archive:
        archive.add(tmp_path / "input" / "applications.csv", "../escaped.csv")
    assert ringroad("restore", evil).code == 2
    assert not (tmp_path / "escaped.csv").exists()


def test_a_backup_of_another_instance(ringroad: Run, backup: Path, elsewhere: Path) -> None:
    (elsewhere / "vault.key").unlink()
    assert ringroad("load", "none").code == 2, "this makes a key of its own"
    assert ringroad("restore", backup).code in (2, 5)
