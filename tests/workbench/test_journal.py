"""The journal: one order for all, nothing answered that is not on disk, nothing told twice."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from graph.errors import KeyReused, StorageFull, StoreBusy
from workbench import journal as journals
from workbench.journal import APPLICATION, EVENT, Asked, Journal, JournalError


class Ticking:
    """Moves when told to, also backwards."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def journal(tmp_path: Path, clock: Ticking) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite", clock=clock) as made:
        yield made


def asked(about: str, told: bytes = b"{}", *, key: str = "", digest: str = "d", kind: str = APPLICATION) -> Asked:
    keys = ((f"key/{key}",) if key else ()) + ((f"application/{about}",) if kind == APPLICATION else ())
    return Asked(kind, about, told, keys, digest if "." in digest else f"1.{digest}")


def test_entries_are_numbered_and_time_never_falls(journal: Journal, clock: Ticking) -> None:
    journal.append([asked("A"), asked("B")], after=0)
    clock.now = 400  # somebody set the clock back
    _, noted = journal.append([asked("C")], after=2)
    assert [(each.sequence, each.about, each.at) for each in journal.since(0)] == [
        (1, "A", 1000), (2, "B", 1000), (3, "C", 1000)
    ]  # fmt: skip
    assert noted[0].entry == journal.last()


def test_an_entry_is_dated_when_it_was_told(journal: Journal, clock: Ticking) -> None:
    journal.append([replace(asked("A"), at=990), replace(asked("B"), at=985), replace(asked("C"), at=995)], after=0)
    assert [each.at for each in journal.since(0)] == [990, 990, 995]


def test_what_others_wrote_comes_before_what_is_written_now(journal: Journal, tmp_path: Path, clock: Ticking) -> None:
    with Journal(tmp_path / "journal.sqlite", clock=clock) as other:
        other.append([asked("A")], after=0)
        others, noted = journal.append([asked("B")], after=0)
    assert [each.about for each in others] == ["A"]
    assert noted[0].entry is not None
    assert noted[0].entry.sequence == others[-1].sequence + 1


def test_the_same_again_is_the_same_entry(journal: Journal) -> None:
    _, first = journal.append([asked("A", key="k")], after=0)
    _, again = journal.append([asked("A", key="k"), asked("A", key="other")], after=1)
    assert [each.again for each in again] == [True, True]
    assert again[0].entry == again[1].entry == first[0].entry
    assert len(journal.since(0)) == 1


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (asked("A", digest="e"), "application A was sent before"),
        (asked("B", key="k", digest="e"), "Idempotency-Key was used before"),
        (asked("A", key="k", digest="e", kind=EVENT), "Idempotency-Key was used before"),
    ],
)
def test_other_content_under_the_same_name_is_refused_alone(journal: Journal, second: Asked, says: str) -> None:
    journal.append([asked("A", key="k")], after=0)
    _, noted = journal.append([second, asked("Z")], after=1)
    assert isinstance(noted[0].trouble, KeyReused)
    assert says in str(noted[0].trouble)
    assert noted[1].entry is not None, "the other request is not held up"
    assert [each.about for each in journal.since(0)] == ["A", "Z"]


def test_a_key_that_came_with_a_replay_is_used_up_too(journal: Journal) -> None:
    journal.append([asked("A")], after=0)
    journal.append([asked("A", key="k")], after=1)
    _, noted = journal.append([asked("B", key="k", digest="e")], after=1)
    assert isinstance(noted[0].trouble, KeyReused)


def test_digests_of_two_keys_cannot_be_compared(journal: Journal) -> None:
    journal.append([asked("A", digest="1.d")], after=0)
    _, noted = journal.append([asked("A", digest="2.e")], after=1)
    assert noted[0].again


def test_a_copy_is_whole(journal: Journal, tmp_path: Path) -> None:
    journal.append([asked("A"), asked("B")], after=0)
    journal.keep_answers([(1, b"first")])
    journal.copy_to(tmp_path / "copy.sqlite")
    with Journal(tmp_path / "copy.sqlite", clock=lambda: 1) as copy:
        assert (copy.name, copy.since(0), copy.answer(1)) == (journal.name, journal.since(0), b"first")
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o077 == 0


def test_the_first_answer_stays(journal: Journal) -> None:
    journal.append([asked("A")], after=0)
    journal.keep_answers([(1, b"first")])
    journal.keep_answers([(1, b"second")])
    assert journal.answer(1) == b"first"
    assert journal.answer(2) is None


def test_one_application_with_its_events(journal: Journal) -> None:
    journal.append([asked("A", b"form"), asked("A", b"funded", kind=EVENT), asked("B")], after=0)
    found = journal.application("A")
    assert found is not None
    assert found.told == b"form"
    assert [each.told for each in journal.events_of("A")] == [b"funded"]
    assert journal.application("C") is None


def test_marks_and_differences(journal: Journal) -> None:
    assert journal.marked("absorbed") == 0
    journal.mark("absorbed", 7)
    journal.mark("absorbed", 9)
    assert journal.marked("absorbed") == 9
    journal.keep_differences([(1, "v2", 50, b"a"), (2, "v2", 60, b"b"), (2, "v2", 70, b"again")])
    assert journal.differences(since=55) == [(2, "v2", 60, b"b")]


def test_two_processes_write_one_order_without_loss(tmp_path: Path) -> None:
    """Threads with connections of their own are processes to SQLite."""
    path, seen = tmp_path / "journal.sqlite", {0: [], 1: []}  # type: ignore[var-annotated]

    def write(who: int) -> None:
        with Journal(path, clock=lambda: 5) as mine:
            at = 0
            for number in range(60):
                others, noted = mine.append([asked(f"{who}-{number}")], after=at)
                assert noted[0].entry is not None
                seen[who] += [each.about for each in others] + [noted[0].entry.about]
                at = noted[0].entry.sequence

    Journal(path, clock=lambda: 5).close()
    threads = [threading.Thread(target=write, args=(who,)) for who in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with Journal(path, clock=lambda: 5) as journal:
        order = [each.about for each in journal.since(0)]
    assert sorted(order) == sorted(f"{who}-{number}" for who in (0, 1) for number in range(60))
    for who in (0, 1):
        assert seen[who] == order[: len(seen[who])], "each saw the one order"


WRITER = """
import sys
from pathlib import Path
from workbench.journal import APPLICATION, Asked, Journal
with Journal(Path(sys.argv[1]), clock=lambda: 1) as journal:
    for number in range(10_000):
        name = f"A{number}"
        journal.append([Asked(APPLICATION, name, b"x" * 500, (f"application/{name}",), "d")], after=number)
        print(name, flush=True)
"""


def test_what_was_answered_is_on_disk_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline().strip() for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    said += writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()
    with Journal(path, clock=lambda: 1) as journal:
        kept = [each.about for each in journal.since(0)]
        assert kept[: len(said)] == said
        assert len(kept) <= len(said) + 1
        _, noted = journal.append([asked("next")], after=0)
        assert noted[0].entry is not None


def test_every_entry_is_synced(journal: Journal) -> None:
    """NORMAL would leave it to the next checkpoint."""
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._loose.execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_full_disk_is_said_and_nothing_is_broken(journal: Journal) -> None:
    journal.append([asked("A")], after=0)
    size = max(each.stat().st_size for each in journal.path.parent.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, hard))
    try:
        with pytest.raises(StorageFull, match="no room left to write journal"):
            journal.append([asked("B", b"x" * 1_000_000)], after=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [each.about for each in journal.since(0)] == ["A"]
    journal.append([asked("B")], after=1)
    assert [each.about for each in journal.since(0)] == ["A", "B"]


def test_a_writer_that_does_not_end_is_not_waited_for(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "WAIT_SECONDS", 0.05)
    holder = sqlite3.connect(journal.path, isolation_level=None)
    with Journal(journal.path, clock=lambda: 1) as other:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="held by another process"):
            other.append([asked("A")], after=0)
    holder.execute("ROLLBACK")
    holder.close()


def test_a_damaged_file_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(JournalError, match="ringroad doctor"):
        Journal(tmp_path / "journal.sqlite", clock=lambda: 1)


def test_it_is_for_its_owner_only(journal: Journal) -> None:
    journal.append([asked("A")], after=0)
    assert not [each for each in journal.path.parent.iterdir() if each.stat().st_mode & 0o077]


class Requests(RuleBasedStateMachine):
    """P5 against a dictionary: requests come once, again, and with other content, through two open journals."""

    NAMES = st.sampled_from("ABC")
    KEYS = st.sampled_from(["", "k", "l"])
    DIGESTS = st.sampled_from("de")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "journal.sqlite"
        self.open = [Journal(path, clock=lambda: 1), Journal(path, clock=lambda: 1)]
        self.used: dict[str, tuple[str, int]] = {}
        self.count = 0

    @rule(who=st.integers(0, 1), name=NAMES, key=KEYS, digest=DIGESTS, kind=st.sampled_from([APPLICATION, EVENT]))
    def ask(self, who: int, name: str, key: str, digest: str, kind: str) -> None:
        one = asked(name, key=key, digest=digest, kind=kind)
        known = next((self.used[each] for each in one.keys if each in self.used), None)
        _, (noted,) = self.open[who].append([one], after=0)
        if known is None:
            self.count += 1
            assert noted.entry is not None
            assert not noted.again
            assert noted.entry.sequence == self.count
            self.used |= dict.fromkeys(one.keys, (digest, self.count))
        elif known[0] == digest:
            assert noted.entry is not None
            assert noted.again
            assert noted.entry.sequence == known[1]
            self.used = dict.fromkeys(one.keys, known) | self.used
        else:
            assert isinstance(noted.trouble, KeyReused)

    @precondition(lambda self: self.count)
    @rule()
    def reopen(self) -> None:
        path = self.open[0].path
        self.open[0].close()
        self.open[0] = Journal(path, clock=lambda: 1)

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        assert [each.sequence for each in self.open[0].since(0)] == list(range(1, self.count + 1))

    def teardown(self) -> None:
        for each in self.open:
            each.close()
        self.folder.cleanup()


TestRequests = Requests.TestCase
TestRequests.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_log_is_taken_into_the_file_while_somebody_writes(journal: Journal, tmp_path: Path) -> None:
    journal.append([asked(f"A{each}", b"x" * 4_000) for each in range(200)], after=0)

    def in_the_file() -> int:
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(journal.path.read_bytes())  # without the log beside it
        with closing(sqlite3.connect(copy)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            try:
                return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])
            except sqlite3.OperationalError:  # not even the table
                return 0

    assert in_the_file() == 0, "who appends does not do it"
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        journal.checkpoint()
        writer.execute("ROLLBACK")
    assert in_the_file() == 200


def test_what_was_appended_just_now_shows_that_it_can_be_written(
    journal: Journal, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.writable()
    assert journal.marked("writable") == clock.now
    journal.append([asked("A")], after=0)
    clock.now += 1
    journal.writable()
    assert journal.marked("writable") < clock.now
    monkeypatch.setattr(journals, "PROVEN_SECONDS", 0.0)
    journal.writable()
    assert journal.marked("writable") == clock.now
    monkeypatch.undo()
    clock.now += 1
    journal.append([asked("A")], after=0)  # told before: nothing was written
    journal.writable()
    assert journal.marked("writable") == clock.now
