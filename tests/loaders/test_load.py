"""P1, P2, P3 and P20: a load that is killed, repeated, refused or ruined; and what must never be written anywhere."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from graph import rings, snapshot
from graph.digest import digest
from graph.errors import BatchConflict, InputError, StorageFull, StoreError, TooManyRejected
from graph.records import NodeRef, to_millis
from graph.store import GraphStore
from loaders import beside, readers, staging
from loaders.tables import BY_NAME
from tests.loaders import lender
from tests.loaders.lender import Home, Tables

LATE = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def spoiled() -> Tables:
    """The lender's tables with rows that are refused, and values that are dropped."""
    content = lender.tables()
    content["applications"].append({"application_id": "A9", "submitted_at": "soon"})
    content["applicants"][5]["id_number"] = "31010119900307013X"
    content["contacts"][4]["phone"] = "13800138000"
    content["payments"].append(content["payments"][0])
    return content


def holdings(home: Home) -> tuple[str, list[tuple[str, int]], str]:
    """Facts, refusals included; how many identifiers the vault keeps; the quarantine file."""
    with home.store() as store, home.vault() as vault:
        text = home.quarantine.read_text() if home.quarantine.exists() else ""
        return digest(store), sorted(vault.count().items()), text


@pytest.fixture
def opened(home: Home) -> Iterator[Callable[[], GraphStore]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(home.store())


def nodes(home: Home, type_: str) -> list[dict[str, Any]]:
    with home.store() as store:
        return [row for table in store.export_nodes(type_) for row in table.to_pylist()]


def edges(home: Home, type_: str) -> list[dict[str, Any]]:
    with home.store() as store:
        return [row for table in store.export_edges(type_) for row in table.to_pylist()]


# P1 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("times", "large"), [(3, beside.LARGE), (2, 0)], ids=["one process", "two processes"])
def test_killed_at_any_moment_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, large: int
) -> None:
    folder, homes = lender.written(tmp_path / "input", spoiled()), tmp_path / "homes"
    how = [str(each) for each in (folder, homes, times, 5, large)]
    killed = [sys.executable, str(ROOT / "tests/loaders/killed.py"), *how]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(killed, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=True)
    assert not told.stderr
    assert int(told.stdout) >= times, f"hardly any load was killed before it was through: {told.stdout}"
    monkeypatch.setattr(readers, "ROWS", 2)
    for home in homes.iterdir():
        Home(home).load(folder, max_rejected=1.0)
        assert holdings(Home(home)) == holdings(Home(homes / "whole"))


def test_two_processes_load_what_one_does(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Home(tmp_path / "one"), Home(tmp_path / "two")
    lender.written(folder, spoiled())
    report = one.load(folder, max_rejected=1.0)
    monkeypatch.setattr(beside, "LARGE", 0)
    told: list[tuple[str, str, int, int]] = []
    with two.store() as store, two.vault() as vault:
        load = two.loading(store, vault, max_rejected=1.0, progress=lambda *each: told.append(each))
        assert load.run(str(folder)) == report
    assert holdings(two) == holdings(one)
    assert two.load(folder, max_rejected=1.0).skipped == len(report.tables)
    assert {each[0] for each in told} == {"check", "write"}
    assert all(0 <= done <= total for _, _, done, total in told)
    content = lender.tables()
    content["applications"] += [{"application_id": f"X{n}", "submitted_at": "soon"} for n in range(9)]
    with pytest.raises(TooManyRejected):
        Home(tmp_path / "three").load(lender.written(folder, content))
    assert not holdings(Home(tmp_path / "three"))[1]


def test_the_writing_process_fails_or_ends(folder: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "LARGE", 0)
    whole = staging.put

    def ended(*given: Any) -> None:
        for child in active_children():
            child.kill()
            child.join()
        whole(*given)

    def damaged(facts: Any, place: Path) -> None:
        whole(facts, place)
        (place / "node-999").write_bytes(b"nonsense")

    for fault, error in ((ended, StoreError), (damaged, pa.ArrowInvalid)):
        with monkeypatch.context() as patch:
            patch.setattr(staging, "put", fault)
            with pytest.raises(error):
                home.load(folder)
    home.load(folder)
    assert home.load(folder).batches == 0
    assert not active_children()


def test_every_end_of_a_relation_is_described(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores believe it of a load's batches and do not look; here they do, and find nothing to add."""
    believed, looked = Home(tmp_path / "believed"), Home(tmp_path / "looked")
    believed.load(tiny)
    batch = staging.batch
    monkeypatch.setattr(staging, "batch", lambda *at, **named: replace(batch(*at, **named), ends_described=False))
    looked.load(tiny)
    assert holdings(looked) == holdings(believed)


class Broken(Exception):
    """A stand-in for any fault."""


def failing(whole: Callable[..., Any], at: int, *, after: bool) -> Callable[..., Any]:
    """The operation, failing the `at`-th time: before it did its work, or right after."""
    left = [at]

    def operation(*args: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise Broken
        done = whole(*args, **named)
        if left[0] == 0:
            raise Broken
        return done

    return operation


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", ["write", "keep", "refer"])
def test_failing_at_any_operation_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    monkeypatch.setattr(readers, "ROWS", 8)
    folder = lender.written(tmp_path / "input", spoiled())
    whole = Home(tmp_path / "whole")
    whole.load(folder, max_rejected=1.0)
    for at in range(1, 100):
        home = Home(tmp_path / f"{name}-{at}")
        with home.store() as store, home.vault() as vault:
            target: Any = store if name == "write" else vault
            monkeypatch.setattr(target, name, failing(getattr(target, name), at, after=after))
            try:
                home.loading(store, vault, max_rejected=1.0).run(str(folder))
            except Broken:
                pass
            else:
                assert at > 2, f"{name} was hardly called"
                return
        home.load(folder, max_rejected=1.0)
        assert holdings(home) == holdings(whole), f"{name} number {at}"
    pytest.fail(f"{name} was called a hundred times")


def test_a_full_disk_is_a_clear_error_and_resumes(
    folder: Path, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (27, 28, 122):

        def full(*_: object, number: int = number) -> None:
            raise OSError(number, "no")

        with monkeypatch.context() as patch:
            patch.setattr(staging, "put", full)
            with pytest.raises(StorageFull):
                home.load(folder)
    home.load(folder)
    other = Home(tmp_path / "other")
    other.load(folder)
    assert holdings(home) == holdings(other)


# P2 ----------------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(tmp_path: Path, home: Home) -> None:
    folder = lender.written(tmp_path / "input", spoiled())
    home.load(folder, max_rejected=1.0)
    before = holdings(home)
    report = home.load(folder, max_rejected=1.0)
    assert holdings(home) == before
    assert report.batches == 0
    assert all(each.skipped for each in report.tables.values())


def test_the_same_content_under_another_name_changes_no_fact(folder: Path, home: Home, tmp_path: Path) -> None:
    home.load(folder)
    before = holdings(home)
    home.load(folder, batch="delivery-2")
    assert holdings(home) == before


def test_a_batch_name_with_other_content_is_refused_before_anything_is_written(
    folder: Path, home: Home, tmp_path: Path
) -> None:
    home.load(folder, batch="march")
    before = holdings(home)
    changed = lender.tables()
    changed["payments"][0]["amount"] = "1"
    changed["addresses"].append({"address_id": "H9", "province": "上海市", "room": "901", "building": "9栋"})
    with pytest.raises(BatchConflict) as caught:
        home.load(lender.written(tmp_path / "other", changed), batch="march")
    assert (caught.value.status, caught.value.exit_code) == (409, 4)
    assert "march" in str(caught.value)
    assert holdings(home) == before


# P3 ----------------------------------------------------------------------------------------------------


def test_every_row_is_accepted_or_rejected(tmp_path: Path, home: Home) -> None:
    folder = lender.written(tmp_path / "input", spoiled())
    with (folder / "contacts.csv").open("a", encoding="utf-8") as file:
        file.write("too,few\n")
    report = home.load(folder, max_rejected=1.0)
    for each in report.tables.values():
        assert each.accepted + each.rejected == each.rows
    told = {(row["table"], row["line"], row["column"], row["reason"], row["action"]) for row in quarantined(home)}
    assert told == {
        ("applications", "8", "submitted_at", "time_unreadable", "reject"),
        ("applicants", "7", "id_number", "id_check", "quarantine"),
        ("contacts", "6", "phone", "placeholder", "quarantine"),
        ("contacts", "8", "", "row_unreadable", "reject"),
        ("payments", "8", "", "duplicate_row", "reject"),
    }
    with home.store() as store:
        rows = store.events("quarantine")
    assert rows is not None
    assert len(rows) == len(told), "the store holds the refusals too"


def quarantined(home: Home) -> list[dict[str, str]]:
    with home.quarantine.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_too_many_bad_rows_load_nothing_and_say_why(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    for row in content["applications"][:3]:
        row["submitted_at"] = "13912345678"
    folder = lender.written(tmp_path / "input", content)
    with pytest.raises(TooManyRejected) as caught:
        home.load(folder)
    assert caught.value.exit_code == 3
    assert "3 of 6" in str(caught.value)
    assert "13912345678" not in str(caught.value)
    assert len(quarantined(home)) == 3
    with home.store() as store, home.vault() as vault:
        assert not store.batches()
        assert not sum(vault.count().values())
    home.load(folder, max_rejected=0.5)
    assert len(nodes(home, "Application")) == 6, "three of them only mentioned by other tables"


def test_the_quarantine_file_is_about_this_load(tmp_path: Path, folder: Path, home: Home) -> None:
    home.load(lender.written(tmp_path / "spoiled", spoiled()), max_rejected=1.0)
    assert quarantined(home)
    home.load(folder)
    assert not home.quarantine.exists()


# Columns and mapping -----------------------------------------------------------------------------------


def test_unknown_columns_are_told_and_not_loaded(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    for row in content["applicants"]:
        row["ethnicity"] = "canary-ethnicity"
    report = home.load(lender.written(tmp_path / "input", content))
    assert report.tables["applicants"].unknown_columns == ("ethnicity",)
    assert b"canary-ethnicity" not in everything(home)


@pytest.mark.parametrize("column", ["application_id", "submitted_at"])
def test_a_missing_required_column(tmp_path: Path, home: Home, column: str) -> None:
    content = lender.tables()
    for row in content["applications"]:
        del row[column]
    with pytest.raises(InputError, match=f"applications has no column {column}"):
        home.load(lender.written(tmp_path / "input", content))


def mapping(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lender_with_its_own_words(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    rename = {"application_id": "进件编号", "submitted_at": "提交时间", "decision": "状态", "applicant_id": "phone"}
    words = {"approve": "yes", "decline": "no"}
    content["jinjian_2025"] = [
        {rename.get(name, name): words.get(value, value) for name, value in row.items() if name != "channel"}
        | {"decision": "internal"}
        for row in content.pop("applications")
    ]
    path = mapping(
        tmp_path,
        """
tables:
  applications:
    from: jinjian_2025
    columns: {application_id: 进件编号, submitted_at: 提交时间, decision: 状态, applicant_id: phone}
    values: {decision: {yes: approve, no: decline}}
    constants: {channel: app}
""",
    )
    report = home.load(lender.written(tmp_path / "input", content), mapping=path)
    assert report.tables["applications"].unknown_columns == ("decision",), "their column of that name is another"
    plain = Home(tmp_path / "plain")
    plain.load(lender.written(tmp_path / "ours", lender.tables()))
    assert holdings(home)[0] == holdings(plain)[0]


def test_one_column_may_serve_two(tmp_path: Path, home: Home) -> None:
    path = mapping(tmp_path, "tables: {applicants: {columns: {work_phone: phone, phone: phone}}}")
    home.load(lender.written(tmp_path / "input", lender.tables()), mapping=path)
    assert len(edges(home, "WORK_PHONE")) == len(edges(home, "HAS_PHONE")) == 6


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "the file"),
        ("tables:", "tables"),
        ("tables: [applications]", "tables"),
        ("tables: {jinjian: {}}", "jinjian"),
        ("tables: {applications: text}", "applications"),
        ("tables: {applications: {rows: 1}}", "applications.rows"),
        ("tables: {applications: {columns: [a]}}", "applications.columns"),
        ("tables: {applications: {columns: {application: a}}}", "applications.columns.application"),
        ("tables: {applications: {columns: {application_id: [a]}}}", "applications.columns.application_id"),
        ("tables: {applications: {values: {decision: yes}}}", "applications.values.decision"),
        ("tables: {applications: {values: {status: {}}}}", "applications.values.status"),
        ("tables: {applications: {constants: {colour: 1}}}", "applications.constants.colour"),
        ("tables: {applications: {from: [a]}}", "applications.from"),
        ("tables: {applications: {columns: {decision: 状态}}}", "状态"),
        ("tables:\n  applications: {a: [}", "line 2"),
        ("!!python/object/apply:os.system ['true']", "the file"),
    ],
)
def test_every_mistake_in_a_mapping_is_named(folder: Path, home: Home, tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(InputError) as caught:
        home.load(folder, mapping=mapping(tmp_path, text))
    assert key in str(caught.value)
    assert "mapping.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sources(folder: Path, home: Home, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        home.load(tmp_path / "none")
    with pytest.raises(InputError, match="named like none of the tables"):
        home.load(folder.parent / lender.written(tmp_path / "odd", {"odd": [{"a": "1"}]}) / "odd.csv")
    assert home.load(folder / "applications.csv").tables["applications"].accepted == 6


# One thing, one node -----------------------------------------------------------------------------------


def test_the_order_of_arrival_does_not_split_people(folder: Path, home: Home) -> None:
    home.load(folder / "applications.csv")
    home.load(folder / "applicants.csv")
    home.load(folder)
    assert len(nodes(home, "Person")) == 6
    assert (
        len({edge["source"] for edge in edges(home, "HAS_PHONE")} | {e["source"] for e in edges(home, "APPLIED")}) == 6
    )


def test_one_person_under_two_customer_numbers(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    content["applicants"][1]["id_number"] = " " + lender.id_number(13).lower() + "　"
    home.load(lender.written(tmp_path / "input", content))
    assert len(nodes(home, "Person")) == 5
    applied = edges(home, "APPLIED")
    assert len(applied) == 6
    assert len({edge["source"] for edge in applied}) == 5


def test_an_address_written_two_ways(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    first = content["addresses"][0]
    content["addresses"][1] |= {
        name: first[name]
        for name in ("province", "city", "district", "street", "community", "building", "unit", "room")
    }
    content["addresses"][1] |= {"street": "中山东一路１１号", "building": "一栋", "unit": "二单元", "room": "101室"}
    home.load(lender.written(tmp_path / "input", content))
    lives = edges(home, "LIVES_AT")
    assert (len(lives), len({edge["target"] for edge in lives})) == (6, 5)


def test_an_address_that_does_not_reach_a_door_links_nobody(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    for row in content["addresses"]:
        row |= {"street": "中山东一路", "building": "", "unit": "", "room": "", "level": "community"}
    home.load(lender.written(tmp_path / "input", content))
    assert len({edge["target"] for edge in edges(home, "LIVES_AT")}) == 6


@pytest.mark.parametrize("number", ["13800138000", "13900000000", "1.39E+10", "00000000000"])
def test_placeholder_phones_link_nobody(tmp_path: Path, home: Home, number: str) -> None:
    content = lender.tables()
    for row in content["applicants"] + content["contacts"]:
        row["phone"] = number
    home.load(lender.written(tmp_path / "input", content))
    assert not nodes(home, "Phone")
    assert len(nodes(home, "Application")) == 6


def test_documents_other_than_the_resident_id_identify_people(tmp_path: Path, home: Home) -> None:
    content = lender.tables()
    for row in content["applicants"][:2]:
        row |= {"id_type": "passport", "id_number": "E12345678"}
    home.load(lender.written(tmp_path / "input", content))
    assert len(nodes(home, "Person")) == 5


# P20 ---------------------------------------------------------------------------------------------------


def everything(home: Home) -> bytes:
    """Every byte of the instance but its vault."""
    kept = [path for path in sorted(home.path.rglob("*")) if path.is_file() and not path.name.startswith("vault.")]
    return b"".join(str(path.relative_to(home.path)).encode() + path.read_bytes() for path in kept)


def test_no_identifier_in_clear_anywhere(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grepped in the store, its log, staging, quarantine, snapshot and rings; only masks may be seen."""
    content = spoiled()
    content["applicants"][4]["id_number"] = lender.id_number(65)[:-1]  # broken, and as personal as a whole one
    monkeypatch.setattr(staging.shutil, "rmtree", lambda *_, **__: None)  # type: ignore[attr-defined]
    home.load(lender.written(tmp_path / "input", content), max_rejected=1.0)
    assert list(home.path.glob("staging/*/*/*")), "staging is looked at too"
    monkeypatch.undo()
    with home.store() as store:
        built = snapshot.build(store, as_of=LATE)
        snapshot.save(built, home.path / "snapshot")
        found = rings.find_rings(built, as_of=to_millis(LATE), window_days=3650).rings
        (home.path / "rings.csv").write_text(rings.as_csv(found), encoding="utf-8")
        (home.path / "rings.json").write_text(str([ring.as_json() for ring in found]), encoding="utf-8")
        blocks = [str(rows.to_pylist()) for kind in store.event_kinds() if (rows := store.events(kind)) is not None]
    assert found
    text = everything(home) + "".join(blocks).encode()
    secrets = [*lender.SECRETS, lender.id_number(65)[:-1], "31010119900307013X", "1990-03-07"]
    seen = [secret for secret in secrets if secret.encode() in text]
    assert not seen
    assert b"6222 **** **** 6789" in text, "masks are there: the search looks in the right place"


def test_the_vault_gives_back_what_was_loaded(folder: Path, home: Home) -> None:
    home.load(folder)
    with home.vault() as vault:
        shown = {vault.reveal("phone", row["key"]) for row in nodes(home, "Phone")}
        assert shown == {lender.phone(n) for n in (*range(1, 7), 90, 91, 105, 106)}
        vault.verify()


def test_masks_stand_in_for_what_the_vault_holds(folder: Path, home: Home) -> None:
    home.load(folder)
    assert all(row["masked"].startswith("310***") for row in nodes(home, "Person"))
    with home.store() as store, home.vault() as vault:
        node = store.node(NodeRef("Phone", vault.token("phone", lender.phone(1))), as_of=LATE)
    assert (node.masked[:3], node.masked[3:7], node.masked[7:]) == ("139", "****", lender.phone(1)[-4:])


# The synthetic portfolio -------------------------------------------------------------------------------


def test_the_smallest_portfolio(tiny: Path, home: Home) -> None:
    report = home.load(tiny)
    assert set(report.tables) == set(BY_NAME)
    for each in report.tables.values():
        assert each.accepted + each.rejected == each.rows
        assert each.accepted >= 0.99 * each.rows
        assert not each.unknown_columns
    assert len(nodes(home, "Application")) == report.tables["applications"].accepted
