"""Runs are recorded once, in order, whole or not at all; a casebook of another release is upgraded or refused."""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select

from graph.errors import InputError, NodeNotFound, RingroadError
from graph.overrides import Override
from graph.rings import Ring, Shared
from workbench.casebook import copies, lineages, opening, opinions, runs, tables
from workbench.casebook.following import Following
from workbench.casebook.opening import HEAD, VERSION_TABLE, Casebook, CasebookError, alembic_config

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAY, JUNE, JULY = (datetime(2025, month, 30, 16, tzinfo=UTC) for month in (5, 6, 7))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "casebook.sqlite"


@pytest.fixture
def casebook(file: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{file}") as opened:
        yield opened


def ring(rank: int, members: Sequence[str]) -> Ring:
    shared = Shared("Device", "USED_DEVICE", "0" * 32, "1***2", tuple(members), len(members))
    days = ("2025-05-01", "2025-05-02")
    money = (1000.0 * len(members), 500.0)
    name = f"RN{min(members)}"
    return Ring(name, rank, 0.5, tuple(sorted(members)), *days, *money, "T08", "they share a device", (shared,))


def run(
    casebook: Casebook, *groups: str, as_of: datetime, window: str = "abcdefghijklmnop", days: int = 120
) -> runs.Change:
    found = [ring(rank, members) for rank, members in enumerate(groups, start=1)]
    made_of = runs.Run(as_of, days, as_of, 7, frozenset(window))
    with casebook.writing() as db:
        return runs.record(db, found, made_of, now=NOW)


def content(casebook: Casebook) -> dict[str, list[Any]]:
    with casebook.reading() as db:
        return {
            name: [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in tables.metadata.tables.items()
        }


def told(change: runs.Change) -> list[tuple[str, str]]:
    return [(each.ring_id, each.kind.value) for each in change.events]


# Runs --------------------------------------------------------------------------------------------------


def test_the_story_of_a_ring(casebook: Casebook) -> None:
    assert run(casebook, "abc", "fghi", as_of=MAY).since is None
    assert run(casebook, "bcdx", "fghi", as_of=JUNE).ring_ids == ("RNa", "RNf")
    change = run(casebook, "abcdxfghi", as_of=JULY)
    assert (change.ring_ids, change.since) == (("RNa",), JUNE)
    with casebook.reading() as db:
        first, second = (lineages.history(db, name, as_of=JULY) for name in ("RNa", "RNf"))
        then = lineages.history(db, "RNf", as_of=JUNE)
    assert first
    assert [(each.kind.value, each.as_of, each.application_ids) for each in first.events] == [
        ("birth", MAY, ("a", "b", "c")),
        ("join", JUNE, ("d", "x")),
        ("leave", JUNE, ("a",)),
        ("join", JULY, ("a", "f", "g", "h", "i")),
        ("merge", JULY, ("f", "g", "h", "i")),
    ]
    assert [(each.as_of, each.size, each.exposure) for each in first.states] == [
        (MAY, 3, 3000), (JUNE, 4, 4000), (JULY, 9, 9000),
    ]  # fmt: skip
    assert second
    assert (second.status, second.merged_into, second.born_at) == ("merged", "RNa", MAY)
    assert then
    assert (then.status, then.merged_into, len(then.events)) == ("alive", None, 1)


def test_the_same_run_again_changes_nothing(casebook: Casebook) -> None:
    run(casebook, "abc", "fghi", as_of=MAY)
    first = run(casebook, "abcd", "mno", as_of=JUNE)
    before = content(casebook)
    again = run(casebook, "abcd", "mno", as_of=JUNE)
    assert (again.ring_ids, again.events, again.since) == (first.ring_ids, first.events, first.since)
    assert content(casebook) == before


def test_the_same_run_on_better_data_takes_its_place(casebook: Casebook, tmp_path: Path) -> None:
    run(casebook, "abc", "fghi", "jkl", as_of=MAY)
    run(casebook, "abc", "fghi", as_of=JUNE)
    copies.copy_to(casebook, tmp_path / "other.sqlite")
    run(casebook, "abcd", "mno", "jkl", "fg" + "pxy", as_of=JULY)
    run(casebook, "abcd", as_of=JULY)
    run(casebook, "bcfghi", "jkl", "xyz", as_of=JULY)
    with Casebook.open(f"sqlite:///{tmp_path / 'other.sqlite'}") as other:
        run(other, "bcfghi", "jkl", "xyz", as_of=JULY)
        assert content(other) == content(casebook), "as if the first had never been"


def test_a_run_of_the_past_sees_nothing_later_and_is_not_recorded(casebook: Casebook) -> None:
    run(casebook, "abc", as_of=MAY)
    then = run(casebook, "abcd", "fgh", as_of=JUNE)
    run(casebook, "fghi", "cdklm", as_of=JULY)
    before = content(casebook)
    change = run(casebook, "abcd", "fgh", as_of=JUNE)
    assert change.ring_ids == then.ring_ids
    assert change.events == ()
    between = run(casebook, "bcd", "klm", as_of=JUNE + timedelta(days=3))
    assert between.ring_ids == ("RNa", "RNk")
    assert between.since == JUNE
    early = run(casebook, "fgh", "abc", as_of=MAY - timedelta(days=1))
    assert (early.ring_ids, early.since) == (("RNf", "RNa"), None)
    for each in (change, between, early):
        assert "2025-07-31, and history" in each.unrecorded
    assert content(casebook) == before


def test_a_name_given_later_is_not_taken_into_account_before(casebook: Casebook) -> None:
    run(casebook, "abc", as_of=MAY)
    run(casebook, "abc", "fgh", as_of=JULY)
    assert run(casebook, "abc", "fxy", as_of=JUNE).ring_ids == ("RNa", "RNf")


def test_another_window_is_matched_too(casebook: Casebook) -> None:
    run(casebook, "abcdef", as_of=MAY)
    change = run(casebook, "def", as_of=MAY, window="defg", days=60)
    assert (change.ring_ids, change.events, change.unrecorded) == (("RNa",), (), "")
    assert run(casebook, "abcdef", as_of=MAY).unrecorded.startswith("it was recorded before")


def test_a_run_of_the_future_is_not_recorded(casebook: Casebook) -> None:
    """Or a wrong year would keep all later runs from being recorded."""
    change = run(casebook, "abc", as_of=NOW + timedelta(days=2))
    assert change.unrecorded == "its time lies ahead"
    assert not run(casebook, "abc", as_of=NOW + timedelta(hours=23)).unrecorded
    assert len(content(casebook)["ring_runs"]) == 1


def test_a_dead_ring_is_found_again(casebook: Casebook) -> None:
    run(casebook, "abc", as_of=MAY)
    assert told(run(casebook, as_of=JUNE)) == [("RNa", "death")]
    assert content(casebook)["rings"][0][3] == "dead"
    assert told(run(casebook, "abcd", as_of=JULY)) == [("RNa", "revival"), ("RNa", "join")]
    assert content(casebook)["rings"][0][3] == "alive"


def test_a_run_that_fails_leaves_nothing(casebook: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    run(casebook, "abc", as_of=MAY)
    before = content(casebook)
    monkeypatch.setattr(runs, "_set_status", None)
    with pytest.raises(TypeError):
        run(casebook, "abcd", as_of=JUNE)
    assert content(casebook) == before


def test_ten_thousand_rings_take_seconds(casebook: Casebook) -> None:
    """A question whose time grows with the square of the rings took minutes here: the limit of every test."""
    for month, as_of in enumerate((MAY, JUNE)):
        found = [ring(n, [f"{n}-{month + m}" for m in range(3)]) for n in range(1, 10_001)]
        members = frozenset(each for one in found for each in one.application_ids)
        with casebook.writing() as db:
            change = runs.record(db, found, runs.Run(as_of, 120, as_of, 7, members), now=NOW)
    assert len(change.events) == 10_000


TWO = """
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from workbench.casebook import runs
from workbench.casebook.opening import Casebook
with Casebook.open(f"sqlite:///{sys.argv[1]}") as casebook:
    for day in range(20):
        at = datetime(2025, 5, 30, 16, tzinfo=UTC) + timedelta(days=day)
        rings = [
            SimpleNamespace(ring_id="R" + each[0], application_ids=each, rank=1, score=0, size=3, exposure=0,
                            undisbursed=0, typology="", because="")
            for each in ("abc", "fgh" if day % 2 else "fghi")
        ]
        run = runs.Run(at, 120, at, 1, frozenset("abcfghi"))
        with casebook.writing() as db:
            runs.record(db, rings, run, now=datetime.now(UTC))
"""
"""No import of `graph.rings`: its compiler takes seconds."""


def test_two_processes_at_once(file: Path) -> None:
    """They make the file together, and each run is recorded once, by whoever comes first."""
    both = [
        subprocess.Popen([sys.executable, "-c", TWO, str(file)], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [each.communicate(timeout=120)[1] for each in both] == ["", ""]
    with Casebook.open(f"sqlite:///{file}") as casebook:
        rows = content(casebook)
    recorded = [row[1] for row in rows["ring_runs"]]
    assert recorded == sorted(set(recorded))
    assert recorded[-1] == MAY + timedelta(days=19)
    members = [(ring_id, who) for ring_id, who, *_, left, _ in rows["ring_members"] if left is None]
    assert len(members) == len(set(members))


# Files -------------------------------------------------------------------------------------------------


def test_the_newest_revision_makes_the_tables_of_today(casebook: Casebook) -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD
    with casebook.reading() as db:
        context = MigrationContext.configure(
            db, opts={"version_table": VERSION_TABLE, "compare_type": True, "target_metadata": tables.metadata}
        )
        assert compare_metadata(context, tables.metadata) == []


def test_the_migrations_are_no_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    with redirect_stdout(io.StringIO()) as sql:
        config = alembic_config(dialect_name="postgresql")
        config.output_buffer = sql
        command.upgrade(config, "head", sql=True)
    assert sql.getvalue().count("CREATE TABLE") == len(tables.metadata.tables) + 1
    assert "TIMESTAMP WITH TIME ZONE" in sql.getvalue()
    for table in ("labels", "strategies", "audit", "case_entries", "ring_roles", "ring_updates"):
        assert f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW" in sql.getvalue()


def test_it_is_for_its_owner_only(casebook: Casebook, file: Path) -> None:
    run(casebook, "abc", as_of=MAY)
    kept = list(file.parent.iterdir())
    assert {path.name for path in kept} == {"casebook.sqlite", "casebook.sqlite-wal", "casebook.sqlite-shm"}
    assert not [path for path in kept if path.stat().st_mode & 0o077]


@pytest.fixture
def older(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A casebook of this release, in the eyes of a release that has one revision more."""
    with Casebook.open(f"sqlite:///{file}") as casebook:
        run(casebook, "abc", as_of=MAY)
    shutil.copytree(Path(opening.__file__).with_name("migrations"), tmp_path / "migrations")
    (tmp_path / "migrations/versions/v9999_next.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '9999', '{HEAD}'\n"
        "def upgrade():\n    op.add_column('overrides', sa.Column('colour', sa.Text))\n"
    )

    def config(**attributes: Any) -> Any:
        made = alembic_config(**attributes)
        made.set_main_option("script_location", str(tmp_path / "migrations"))
        return made

    monkeypatch.setattr(opening, "alembic_config", config)
    monkeypatch.setattr(opening, "HEAD", "9999")
    return file


def test_an_older_one_is_upgraded_and_a_copy_kept(older: Path) -> None:
    lines: list[str] = []
    before = older.read_bytes()
    with Casebook.open(f"sqlite:///{older}", notice=lines.append) as casebook:
        run(casebook, "abcd", as_of=JUNE)
        assert len(content(casebook)["ring_runs"]) == 2
    copy = older.with_name(f"casebook.sqlite.{HEAD}")
    assert lines == [f"casebook {older} upgraded from revision {HEAD} to 9999; as it was: {copy}"]
    assert copy.stat().st_mode & 0o777 == 0o600
    rows = [sqlite3.connect(each).execute("SELECT * FROM ring_members").fetchall() for each in (copy, older)]
    assert len(rows[0]) == 3
    assert rows[1][:3] == rows[0]
    assert len(before) <= copy.stat().st_size
    Casebook.open(f"sqlite:///{older}", notice=lines.append).close()
    assert len(lines) == 1, "only once"


GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("casebook-*.sqlite"))
"""What earlier releases left behind, a file for each revision; `tests/golden/make_casebook.py` says how it was made."""


def test_there_is_a_golden_file_for_every_earlier_revision() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    earlier = {each.revision for each in script.walk_revisions()} - {HEAD}
    assert {each.stem.removeprefix("casebook-") for each in GOLDEN} == earlier


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda each: each.stem)
def test_what_an_earlier_release_wrote_opens_and_is_all_there(golden: Path, file: Path) -> None:
    """P14."""
    shutil.copy(golden, file)
    before = raw(golden)
    lines: list[str] = []
    with Casebook.open(f"sqlite:///{file}", notice=lines.append) as casebook:
        after = raw(file)
        assert {name: after[name] for name in before if name != VERSION_TABLE} == {
            name: rows for name, rows in before.items() if name != VERSION_TABLE
        }
        assert sum(map(len, before.values())) > 20
        with casebook.reading() as db:
            history = lineages.history(db, "RNa", as_of=NOW)
            (ended, holds) = opinions.listed(db)
        assert history
        assert [(each.as_of, each.size) for each in history.states] == [
            (MAY, 3), (MAY + timedelta(days=30), 4), (MAY + timedelta(days=60), 9),
        ]  # fmt: skip
        assert (ended.ended_because, holds.override.type, holds.in_force(NOW)) == ("moved", "Phone", True)
        assert not run(casebook, "abcdxfghi", as_of=NOW).unrecorded, "and it goes on"
    assert [line.partition(" upgraded from revision ")[2][:4] for line in lines] == [golden.stem[-4:]]
    assert raw(file.with_name(f"{file.name}.{golden.stem[-4:]}")) == before


def raw(file: Path) -> dict[str, list[Any]]:
    """Every row of every table, without our code."""
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def test_an_upgrade_that_fails_leaves_it_as_it_was(older: Path, tmp_path: Path) -> None:
    step = tmp_path / "migrations/versions/v9999_next.py"
    step.write_text(step.read_text() + "    op.drop_table('nothing')\n")
    with pytest.raises(CasebookError):
        Casebook.open(f"sqlite:///{older}")
    db = sqlite3.connect(older)
    assert db.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall() == [(HEAD,)]
    assert "colour" not in {row[1] for row in db.execute("PRAGMA table_info(overrides)")}
    db.close()


def newer(file: Path) -> None:
    with Casebook.open(f"sqlite:///{file}"):
        pass
    db = sqlite3.connect(file)
    db.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    db.commit()
    db.close()


def another(file: Path) -> None:
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE customers (name)")
    db.close()


def damaged(file: Path) -> None:
    with Casebook.open(f"sqlite:///{file}"):
        pass
    with file.open("r+b") as changed:
        changed.seek(4096)
        changed.write(b"\xff" * 8192)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (newer, ("newer release", "0999", "use that release")),
        (another, ("another database", "RINGROAD_CASEBOOK")),
        (damaged, ("damaged", "ringroad restore")),
        (lambda file: file.write_bytes(b"nonsense" * 999), ("damaged", "ringroad restore")),
        (lambda file: file.mkdir(), ("cannot be opened", "name a file")),
    ],
)
def test_what_is_no_casebook_of_ours_is_refused_and_left_alone(file: Path, make: Any, words: tuple[str, ...]) -> None:
    make(file)
    before = None if file.is_dir() else file.read_bytes()
    with pytest.raises(CasebookError) as refused, Casebook.open(f"sqlite:///{file}") as casebook:
        casebook.check()
    assert all(word in str(refused.value) for word in (*words, str(file)))
    assert file.is_dir() or file.read_bytes() == before


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("nonsense", "no database address"),
        ("sqlite://", "no file"),
        ("none://x/y", "install the driver"),
        ("postgresql+psycopg://u:secret-word@h/d", "RINGROAD_CASEBOOK_PASSWORD"),
    ],
)
def test_addresses_that_are_none(address: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as refused:
        Casebook.open(address)
    assert "secret-word" not in str(refused.value)


def test_who_waits_too_long_is_told(casebook: Casebook, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(opening, "WAIT_SECONDS", 0.1)
    with casebook.writing(), Casebook.open(f"sqlite:///{file}") as other:
        content(other)
        with pytest.raises(RingroadError, match="another process"), other.writing():
            pass


def test_a_fault_of_postgresql_is_told_without_the_row_that_it_names() -> None:
    fault = Exception(
        {"S": "ERROR", "M": "duplicate key value", "D": "Key (request_key)=(secret-word) already exists."}
    )
    told = opening._explained("postgresql://h/d", fault)
    assert str(told) == "casebook postgresql://h/d: duplicate key value"


# Copies ------------------------------------------------------------------------------------------------


def test_a_copy_holds_every_row_and_comes_back(casebook: Casebook, tmp_path: Path) -> None:
    run(casebook, "abc", "fghi", as_of=MAY)
    run(casebook, "abcd", as_of=JUNE)
    decided(casebook)
    copies.copy_to(casebook, tmp_path / "copy.sqlite")
    with Casebook.open(f"sqlite:///{tmp_path / 'fresh.sqlite'}") as fresh:
        copies.copy_from(fresh, tmp_path / "copy.sqlite")
        copies.copy_from(fresh, tmp_path / "copy.sqlite")
        assert content(fresh) == content(casebook)
        run(fresh, "abcd", as_of=JULY)
        with pytest.raises(InputError, match="not empty"):
            copies.copy_from(fresh, tmp_path / "copy.sqlite")


# Opinions ----------------------------------------------------------------------------------------------

TOKEN = "ab" * 16


def decided(casebook: Casebook, *, key: str = TOKEN, at: datetime = MAY, days: int = 90, type_: str = "Device") -> int:
    override = Override(
        type_, key, infrastructure=True, kind="shop_tablet", reason="x", until=at + timedelta(days=days)
    )
    with casebook.writing() as db:
        return opinions.add(db, override, author="li", now=at)


def in_force(casebook: Casebook, at: datetime) -> list[str]:
    with casebook.reading() as db:
        return [each.key for each in opinions.overrides_as_of(db, at)]


def test_an_override_holds_from_when_it_was_made_to_its_end(casebook: Casebook) -> None:
    assert decided(casebook) == 1
    moments = (MAY - timedelta(seconds=1), MAY, MAY + timedelta(days=90, seconds=-1), MAY + timedelta(days=90))
    assert [in_force(casebook, at) for at in moments] == [[], [TOKEN], [TOKEN], []]
    with casebook.writing() as db:
        opinions.end(db, 1, author="wang", because="moved", now=JUNE)
    assert [in_force(casebook, at) for at in (JUNE - timedelta(seconds=1), JUNE)] == [[TOKEN], []]
    with casebook.reading() as db:
        (one,) = opinions.listed(db)
    assert (one.author, one.ended_by, one.ended_because, one.override.kind) == ("li", "wang", "moved", "shop_tablet")


def test_one_opinion_for_one_thing_at_a_time(casebook: Casebook) -> None:
    decided(casebook)
    with pytest.raises(InputError, match="override 1 is in force"):
        decided(casebook, at=JUNE)
    assert decided(casebook, at=MAY + timedelta(days=90)) == 2
    assert decided(casebook, key="cd" * 16) == 3


def test_what_cannot_be_ended(casebook: Casebook) -> None:
    decided(casebook)
    with casebook.writing() as db, pytest.raises(NodeNotFound, match="no override 7"):
        opinions.end(db, 7, author="li", because="x", now=JUNE)
    with casebook.writing() as db, pytest.raises(InputError, match="has ended"):
        opinions.end(db, 1, author="li", because="x", now=MAY + timedelta(days=91))
    with pytest.raises(InputError, match="in the past"):
        decided(casebook, key="cd" * 16, days=0)


def test_tokens_of_overrides_follow_and_come_back(casebook: Casebook) -> None:
    decided(casebook)
    decided(casebook, type_="Phone")
    moves = [("device", TOKEN, "cd" * 16), ("device", "ef" * 16, "01" * 16)]

    def moved(moves: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
        with casebook.writing() as db:
            following = Following(db)
            assert list(following.through(iter(moves))) == moves, "the store sees every move"
            following.retoken(db)
            return [(each.override.type, each.override.key) for each in opinions.listed(db)]

    after = [("Device", "cd" * 16), ("Phone", TOKEN)]
    assert moved(moves) == after
    assert moved(moves) == after, "once more, as after a stop"
    assert moved([(kind, new, old) for kind, old, new in moves]) == [("Device", TOKEN), ("Phone", TOKEN)]


def test_a_time_without_a_zone_is_refused(casebook: Casebook) -> None:
    with pytest.raises((ValueError, RingroadError)):
        in_force(casebook, datetime(2025, 1, 1))  # noqa: DTZ001
