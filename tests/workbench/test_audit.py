"""The log holds every act, and shows whatever is done to it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError
from typer.testing import CliRunner

from graph.errors import InputError, NotAllowed
from tests.workbench.door import START, Clock, cheap, clock, office
from workbench import audit as command
from workbench.casebook import audit
from workbench.casebook.audit import Anchor, Asked, Verdict
from workbench.casebook.copies import copy_from, copy_to
from workbench.casebook.opening import Casebook, CasebookError
from workbench.services.access import audit as service
from workbench.services.access.audit import AuditLog
from workbench.services.office import Office
from workbench.services.permissions import Operator, Person, Role

__all__ = ["cheap", "clock", "office"]

ZHOU, HE = Person("zhou", "Zhou Min", Role.SENIOR), Person("he", "He Jing", Role.AUDITOR)
ROWS = 6


def filled(casebook: Casebook, rows: int = ROWS) -> None:
    with casebook.writing() as db:
        for n in range(rows):
            told = {"outcome": "no_finding", "n": n, "share": 0.1 * n, "who": None, "text": "无"}
            at = START + timedelta(seconds=n, microseconds=n)
            audit.write(db, ZHOU, "case.closed", f"C{n}", now=at, detail=told, reason="gone")


def verdict(casebook: Casebook, anchor: Anchor | None = None) -> Verdict:
    with casebook.reading() as db:
        return audit.verify(db, anchor)


def head(casebook: Casebook) -> Anchor:
    with casebook.reading() as db:
        found = audit.head(db)
    assert found is not None
    return found


# The chain, on every database ----------------------------------------------------------------------------


def test_rows_come_back_as_they_were_hashed(casebook: Casebook) -> None:
    filled(casebook)
    assert verdict(casebook) == Verdict(ROWS, head(casebook))
    assert verdict(casebook, head(casebook)).bad is None
    with casebook.reading() as db:
        entries = list(audit.each(db, Asked()))
    assert [each.id for each in entries] == list(range(1, ROWS + 1))
    assert entries[0].before == audit.NONE
    assert all(each.before == before.hash for before, each in pairwise(entries))
    assert entries[2].at == START + timedelta(seconds=2, microseconds=2)


def test_the_database_refuses_changes(casebook: Casebook) -> None:
    filled(casebook)
    for statement in ("UPDATE audit SET reason = 'x'", "DELETE FROM audit"):
        with pytest.raises(CasebookError, match="append-only"), casebook.writing() as db:
            db.exec_driver_sql(statement)
    assert verdict(casebook).bad is None


def test_an_act_and_its_entry_stand_or_fall_together(casebook: Casebook) -> None:
    def act() -> None:
        with casebook.writing() as db:
            audit.write(db, ZHOU, "case.closed", "C1", now=START)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert verdict(casebook) == Verdict(0, None)


def test_asking_finds_what_was_asked_for(casebook: Casebook) -> None:
    filled(casebook)
    with casebook.writing() as db:
        audit.append(db, audit.NOBODY, audit.DOOR, "sign_in.refused", "lin_100%", now=START + timedelta(days=1))
    with casebook.reading() as db:

        def found(**asked: Any) -> list[int]:
            return [each.id for each in audit.newest(db, Asked(**asked), start=0, limit=100)]

        assert found() == list(range(ROWS + 1, 0, -1))
        assert found(actor="zh") == list(range(ROWS, 0, -1))
        assert found(actor="zh", exactly=True) == []
        assert found(action="sign_in") == [ROWS + 1]
        assert found(subject="_100%") == [ROWS + 1]
        assert found(actor="_hou") == found(action="%") == []
        assert found(subject="C") == list(range(ROWS, 0, -1))
        assert found(subject="%") == [ROWS + 1]
        assert found(since=START + timedelta(seconds=5)) == [ROWS + 1, ROWS]
        assert found(until=START + timedelta(seconds=1)) == [1]
        assert audit.count(db, Asked(actor="zhou")) == ROWS
        assert [each.id for each in audit.newest(db, Asked(), start=2, limit=2)] == [ROWS - 1, ROWS - 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Closed"}, {"action": "a" * 33}, {"action": ""}, {"subject": "x" * 256}, {"subject": "a\nb"},
        {"detail": {"n": float("nan")}}, {"detail": {"text": "x" * 20_000}}, {"reason": "\x00"},
    ],
)  # fmt: skip
def test_what_no_database_keeps_as_it_is_never_gets_in(office: Office, wrong: dict[str, Any]) -> None:
    told: dict[str, Any] = {"action": "case.closed", "subject": "C1", "detail": {}, "reason": ""} | wrong
    with pytest.raises((InputError, ValueError)), office.casebook.writing() as db:
        audit.write(db, ZHOU, told["action"], told["subject"], now=START, detail=told["detail"], reason=told["reason"])
    assert verdict(office.casebook).rows == 0


# Whatever is done to it ----------------------------------------------------------------------------------

Tamper = Callable[[sqlite3.Connection, int], None]


def changed(field: str, value: object) -> Tamper:
    def act(db: sqlite3.Connection, row: int) -> None:
        db.execute(f"UPDATE audit SET {field} = ? WHERE id = ?", (value, row))

    return act


def deleted(db: sqlite3.Connection, row: int) -> None:
    db.execute("DELETE FROM audit WHERE id = ?", (row,))


def closed_up(db: sqlite3.Connection, row: int) -> None:
    """Deleted, and those after it given the numbers before theirs."""
    deleted(db, row)
    for each in range(row + 1, ROWS + 1):
        db.execute("UPDATE audit SET id = ? WHERE id = ?", (each - 1, each))


def swapped(db: sqlite3.Connection, row: int) -> None:
    for before, after in ((row, 1000), (row + 1, row), (1000, row + 1)):
        db.execute("UPDATE audit SET id = ? WHERE id = ?", (after, before))


def doubled(db: sqlite3.Connection, row: int) -> None:
    columns = "at, actor, role, action, subject, detail, reason, before, hash"
    db.execute(f"INSERT INTO audit SELECT {ROWS + 1}, {columns} FROM audit WHERE id = ?", (row,))


def put_before(db: sqlite3.Connection, row: int) -> None:
    columns = "at, actor, role, action, subject, detail, reason, before, hash"
    db.execute(f"INSERT INTO audit SELECT -1, {columns} FROM audit WHERE id = ?", (row,))


def rehashed(db: sqlite3.Connection, row: int) -> None:
    """A changed row with the hash that belongs to it."""
    found = _as_entry(db.execute("SELECT * FROM audit WHERE id = ?", (row,)).fetchone())
    entry = replace(found, reason="another")
    db.execute("UPDATE audit SET reason = 'another', hash = ? WHERE id = ?", (audit.digest(entry), row))


def relinked(db: sqlite3.Connection, row: int) -> None:
    """A changed row with its hash, and the next one made to follow it."""
    rehashed(db, row)
    (fresh,) = db.execute("SELECT hash FROM audit WHERE id = ?", (row,)).fetchone()
    db.execute("UPDATE audit SET before = ? WHERE id = ?", (fresh, row + 1))


def _as_entry(row: Sequence[Any]) -> audit.Entry:
    at = datetime.fromisoformat(row[1]).replace(tzinfo=UTC)
    return audit.Entry(row[0], at, *row[2:6], json.loads(row[6]), *row[7:])


OTHERS = {
    "id": 77, "at": "2026-03-02 09:30:00.000009", "actor": "lin", "role": "manager", "action": "case.opened",
    "subject": "C9", "detail": '{"n": 1.0}', "reason": "", "before": "f" * 64, "hash": "0" * 64,
}  # fmt: skip


@pytest.fixture
def copied(office: Office, tmp_path: Path) -> Callable[[], Path]:
    """A log of a few rows that nothing protects, once for each example."""
    filled(office.casebook)
    source, number = office.casebook.file, iter(range(10_000))
    assert source is not None

    def copy() -> Path:
        target = tmp_path / f"{next(number)}.sqlite"
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)
            here.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete")
        return target

    return copy


def after(place: Path, act: Tamper, row: int, anchor: Anchor | None = None) -> Verdict:
    with closing(sqlite3.connect(place)) as db:
        act(db, row)
        db.commit()
    with Casebook.open(f"sqlite:///{place}") as casebook:
        return verdict(casebook, anchor)


@pytest.mark.parametrize("field", OTHERS)
def test_every_field_of_a_row_is_held(copied: Callable[[], Path], field: str) -> None:
    assert set(OTHERS) == set(asdict(audit.Entry(0, START, "", "", "", "", {}, "", "", "")))
    for row in (1, 3, ROWS):
        found = after(copied(), changed(field, OTHERS[field]), row)
        assert found.bad == row, (field, row)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    act=st.sampled_from([deleted, closed_up, swapped, doubled, put_before, rehashed, relinked]),
    row=st.integers(1, ROWS - 1),
)
def test_no_row_is_taken_out_put_in_or_moved_unseen(copied: Callable[[], Path], act: Tamper, row: int) -> None:
    place = copied()
    with Casebook.open(f"sqlite:///{place}") as casebook:
        assert verdict(casebook).bad is None
    assert after(place, act, row).bad is not None


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(1, ROWS), text=st.text(max_size=8), field=st.sampled_from(["actor", "subject", "reason"]))
def test_no_other_text_passes_for_the_one_written(copied: Callable[[], Path], row: int, text: str, field: str) -> None:
    if "\x00" in text or text in ("zhou", "gone", f"C{row - 1}") or not text.isprintable():
        return
    assert after(copied(), changed(field, text), row).bad == row


def cut(db: sqlite3.Connection, row: int) -> None:
    db.execute("DELETE FROM audit WHERE id >= ?", (row,))


def written_anew(db: sqlite3.Connection, row: int) -> None:
    """From that row on, with a chain that holds."""
    rows = db.execute("SELECT * FROM audit WHERE id >= ? ORDER BY id", (row,)).fetchall()
    entries = [_as_entry(each) for each in rows]
    before = entries[0].before
    for each in entries:
        fresh = replace(each, actor="lin", before=before)
        before = audit.digest(fresh)
        db.execute("UPDATE audit SET actor = 'lin', before = ?, hash = ? WHERE id = ?", (fresh.before, before, each.id))


def test_a_cut_end_and_a_new_chain_show_against_an_anchor(office: Office, copied: Callable[[], Path]) -> None:
    anchor = head(office.casebook)
    for act in (cut, written_anew):
        for row in (1, 3, ROWS):
            assert after(copied(), act, row).bad is None
            assert after(copied(), act, row, anchor).bad == (row if act is cut else ROWS)
    with office.casebook.writing() as db:
        audit.write(db, ZHOU, "case.closed", "later", now=START)
    assert verdict(office.casebook, anchor).bad is None  # what came after it is no fault
    assert verdict(office.casebook, replace(anchor, at=START)).bad == ROWS


def test_a_backup_and_its_restore_keep_the_head(office: Office, tmp_path: Path) -> None:
    """P15, P16."""
    filled(office.casebook)
    anchor = head(office.casebook)
    copy_to(office.casebook, tmp_path / "copy.sqlite")
    with Casebook.open(f"sqlite:///{tmp_path / 'fresh.sqlite'}") as fresh:
        copy_from(fresh, tmp_path / "copy.sqlite")
        assert verdict(fresh, anchor) == verdict(office.casebook, anchor) == Verdict(ROWS, anchor)
        with fresh.writing() as db:
            audit.write(db, ZHOU, "case.closed", "C9", now=START)
        assert verdict(fresh, anchor).rows == ROWS + 1


# For who may read it -------------------------------------------------------------------------------------


def test_reading_it_is_on_record_and_for_auditors_only(office: Office, clock: Clock) -> None:
    filled(office.casebook)
    log = AuditLog(office)
    shown = log.read(HE, Asked(actor="zhou", since=START), start=0, limit=3)
    assert ([each.subject for each in shown.entries], shown.number) == (["C5", "C4", "C3"], ROWS)
    assert log.read(HE, Asked(actor="zhou", since=START), start=3, limit=3).entries[0].subject == "C2"
    log.read(HE, Asked(actor="zhou"), start=3, limit=3)
    log.read(HE, Asked(subject="C3"), start=50, limit=3)  # nothing was looked at from its first row on
    clock.passes(minutes=11)
    log.read(HE, Asked(actor="zhou", since=START), start=3, limit=3)  # that look was long ago
    log.export(HE, Asked(action="case"))
    log.verify(HE)
    log.anchor(HE)
    told = [(each.action, each.actor) for each in log.read(HE, Asked(actor="he"), start=1, limit=100).entries]
    assert told[:3] == [("audit.anchored", "he"), ("audit.verified", "he"), ("audit.exported", "he")]
    assert told[3:] == [("audit.read", "he")] * 4
    for role in set(Role) - {Role.AUDITOR}:
        who = Person("somebody", "Somebody", role)
        for act in (log.read, log.export):
            with pytest.raises(NotAllowed):
                act(who, Asked(), **({"start": 0, "limit": 1} if act == log.read else {}))  # type: ignore[operator]
        with pytest.raises(NotAllowed):
            log.verify(who)
        with pytest.raises(NotAllowed):
            log.anchor(who)


def test_an_export_is_whole_or_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(office.casebook)
    monkeypatch.setattr(service, "MOST_EXPORTED", ROWS - 1)
    with pytest.raises(InputError):
        AuditLog(office).export(HE, Asked())
    assert verdict(office.casebook).rows == ROWS


def test_an_export_holds_no_formula(office: Office) -> None:
    with office.casebook.writing() as db:
        audit.write(db, ZHOU, "case.noted", "C1", now=START, reason="=HYPERLINK(A1)")
        audit.write(db, ZHOU, "case.noted", "@SUM(1)", now=START)
    with office.casebook.reading() as db:
        entries = list(audit.each(db, Asked()))
    rows = list(csv.DictReader(io.StringIO(service.csv_text(entries))))
    assert (rows[0]["reason"], rows[1]["subject"]) == ("'=HYPERLINK(A1)", "'@SUM(1)")
    assert json.loads(service.jsonl_text(entries).splitlines()[0])["reason"] == "=HYPERLINK(A1)"


# At the command line -------------------------------------------------------------------------------------


@pytest.fixture
def at(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("RINGROAD_HOME", str(office.settings.home))
    monkeypatch.delenv("RINGROAD_CASEBOOK", raising=False)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(command.app, list(words))
        return done.exit_code, done.output if done.exception is None else f"{done.output}{done.exception}"

    return run


def test_the_command_says_the_first_bad_row_and_fails(
    office: Office, at: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    filled(office.casebook)
    anchor = tmp_path / "anchor.json"
    assert at("anchor", "--out", str(anchor))[0] == 0
    code, said = at("verify", "--anchor", str(anchor))
    assert (code, said) == (0, f"{ROWS} rows are as they were written, and row {ROWS} is the one that was anchored\n")
    place = office.casebook.file
    assert place is not None
    with closing(sqlite3.connect(place)) as db:
        db.executescript("DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_update")
        cut(db, ROWS)
        db.commit()
    assert at("verify")[0] == 0
    code, said = at("verify", "--anchor", str(anchor))
    assert (code, f"row {ROWS}:" in said) == (1, True)
    with closing(sqlite3.connect(place)) as db:
        changed("reason", "x")(db, 3)
        db.commit()
    code, said = at("verify", "--json")
    assert (code, json.loads(said.splitlines()[0])["bad"]) == (1, 3)
    for wrong in ("{}", "[]", "null", '{"id": 1, "hash": "x", "at": "2026-01-01T00:00:00"}', "\x00"):
        anchor.write_text(wrong)
        assert "is no anchor" in at("verify", "--anchor", str(anchor))[1]
    anchor.write_bytes(b"\xff")
    assert "is no text" in at("verify", "--anchor", str(anchor))[1]


def test_an_export_at_the_command_line_is_on_record(
    office: Office, at: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    filled(office.casebook)
    assert at("export", "--out", str(tmp_path / "a.csv"), "--subject", "C3", "--author", "ops")[0] == 0
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2
    with office.casebook.reading() as db:
        last = audit.newest(db, Asked(), start=0, limit=1)[0]
    assert (last.action, last.actor, last.role) == ("audit.exported", "ops", Operator("x").on_record)
    assert last.detail == {"subject": "C3"}


def test_a_database_that_fails_is_said_in_one_line(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise SQLAlchemyError

    monkeypatch.setattr(audit, "head", broken)
    with pytest.raises(CasebookError), office.casebook.writing() as db:
        audit.write(db, ZHOU, "case.closed", "C1", now=START)
