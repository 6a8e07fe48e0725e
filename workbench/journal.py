"""What the score service was told, in the order in which it was told; on disk before anything else happens.

One SQLite file beside the store. Every process of the service appends to it and reads on from where it stands, so
all of them apply the same entries in the same order. An entry holds tokens, masks and sealed values, never an
identifier. From here facts go into the store when the store can take them (`workbench/online/keeper.py`).

Entries are fsynced before `append` returns. Answers are kept beside them without an fsync of their own: one that a
power cut takes is computed again from its entry, and has the same bits.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from graph.errors import KeyReused, StorageFull, StoreBusy, StoreError

APPLICATION, EVENT, LABEL = "application", "event", "label"
ABSORBED = "absorbed"
"""The mark of what the graph store has taken."""

WAIT_SECONDS = 2.0
"""A writer holds the file for a millisecond; who waits longer is told so, for a decision engine cannot wait."""

PROVEN_SECONDS = 2.0
"""For so long an entry shows that the next could be written, too."""

LOG_PAGES = 20_000
"""80 MB of write-ahead log, where nobody calls `checkpoint`."""

TABLES = """
CREATE TABLE IF NOT EXISTS entries (
  sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, about TEXT NOT NULL, at INTEGER NOT NULL, told BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS requests (
  key TEXT PRIMARY KEY, digest TEXT NOT NULL, sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (sequence INTEGER PRIMARY KEY, answer BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS differences (
  sequence INTEGER NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL, difference BLOB NOT NULL,
  PRIMARY KEY (sequence, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_about ON entries (about);
"""

Clock = Callable[[], int]
"""Milliseconds since 1970."""


class JournalError(StoreError):
    """The journal cannot be read or written."""


class Entry(NamedTuple):
    """`at` never falls from one entry to the next: what an entry tells is known from then on."""

    sequence: int
    kind: str
    about: str
    at: int
    told: bytes


@dataclass(frozen=True)
class Asked:
    """`keys` name the request: it is refused where one of them was used with another `digest`.

    A digest says which key made it, before a dot: two that were made with different ones cannot be compared, and then
    the request is taken for the one that was sent before.
    """

    kind: str
    about: str
    told: bytes
    keys: tuple[str, ...]
    digest: str
    at: int = 0
    """When it was told, if somebody knows; an entry is never dated before the one before it."""


class Noted(NamedTuple):
    """The entry of what was asked; `again` where it stood there before. `trouble` instead of an entry: a refusal."""

    entry: Entry | None
    again: bool = False
    trouble: KeyReused | None = None


class Journal:
    """One process's view of the file. Threads take turns. `name` tells it from one that stood here before."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path, self._clock, self._lock = path, clock, threading.RLock()
        self._appended = float("-inf")
        with _told(path):
            self._db = _connect(path, "FULL")
            self._db.executescript(TABLES)
            self._db.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (secrets.token_hex(4),))
            self.name: str = self._db.execute("SELECT name FROM identity").fetchone()[0]
            self._loose = _connect(path, "NORMAL")

    def close(self) -> None:
        with self._lock:
            self._loose.close()
            self._db.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing -----------------------------------------------------------------------------------------------

    def append(self, asked: Sequence[Asked], *, after: int) -> tuple[list[Entry], list[Noted]]:
        """(entries of others since `after`, what became of each request), with one fsync for all of them.

        Every entry of the first list stands before every new one of the second: nobody writes in between.
        """
        self._appended, begun = float("-inf"), time.monotonic()
        with self._lock, self._writing(self._db) as db:
            others = _entries(db, after)
            last = others[-1] if others else _last(db)
            sequence, at = (last.sequence, last.at) if last else (0, 0)
            noted = []
            for one in asked:
                before = self._before(db, one)
                if before is None:
                    sequence, at = sequence + 1, max(at, one.at or self._clock())
                    before = Noted(self._add(db, one, Entry(sequence, one.kind, one.about, at, one.told)))
                noted.append(before)
        if any(each.entry is not None and not each.again for each in noted):
            self._appended = begun
        return others, noted

    def _before(self, db: sqlite3.Connection, one: Asked) -> Noted | None:
        for key in one.keys:
            found = db.execute("SELECT digest, sequence FROM requests WHERE key = ?", (key,)).fetchone()
            if found is None:
                continue
            if _differ(found[0], one.digest):
                return Noted(None, trouble=KeyReused(_reused(key, one.about)))
            row = db.execute("SELECT * FROM entries WHERE sequence = ?", (found[1],)).fetchone()
            same = [(each, one.digest, found[1]) for each in one.keys]
            db.executemany("INSERT OR IGNORE INTO requests VALUES (?, ?, ?)", same)
            return Noted(Entry(*row), again=True)
        return None

    def _add(self, db: sqlite3.Connection, one: Asked, entry: Entry) -> Entry:
        db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", entry)
        db.executemany("INSERT INTO requests VALUES (?, ?, ?)", [(key, one.digest, entry.sequence) for key in one.keys])
        return entry

    def keep_answers(self, answers: Iterable[tuple[int, bytes]]) -> None:
        """The first answer stays."""
        with self._lock, self._writing(self._loose) as db:
            db.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers)

    def keep_differences(self, rows: Iterable[tuple[int, str, int, bytes]]) -> None:
        """(sequence, version, at, what differs) of models that scored beside the one that answered."""
        with self._lock, self._writing(self._loose) as db:
            db.executemany("INSERT OR IGNORE INTO differences VALUES (?, ?, ?, ?)", rows)

    def mark(self, name: str, sequence: int) -> None:
        with self._lock, self._writing(self._db) as db:
            db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, sequence))

    # Reading -----------------------------------------------------------------------------------------------

    def since(self, after: int, *, limit: int = -1) -> list[Entry]:
        with self._lock, _told(self.path):
            return _entries(self._loose, after, limit)

    def last(self) -> Entry | None:
        with self._lock, _told(self.path):
            return _last(self._loose)

    def answer(self, sequence: int) -> bytes | None:
        found: bytes | None = self._one("SELECT answer FROM answers WHERE sequence = ?", sequence)
        return found

    def answered(self, after: int, *, limit: int) -> list[tuple[Entry, bytes | None]]:
        """The next entries, each with its answer where one is kept."""
        query = (
            "SELECT e.sequence, e.kind, e.about, e.at, e.told, a.answer FROM entries e "
            "LEFT JOIN answers a ON a.sequence = e.sequence WHERE e.sequence > ? ORDER BY e.sequence LIMIT ?"
        )
        with self._lock, _told(self.path):
            return [(Entry(*row[:5]), row[5]) for row in self._loose.execute(query, (after, limit))]

    def latest_answers(self, most: int) -> list[bytes]:
        """The newest, oldest of them first."""
        with self._lock, _told(self.path):
            rows = self._loose.execute("SELECT answer FROM answers ORDER BY sequence DESC LIMIT ?", (most,)).fetchall()
        return [row[0] for row in reversed(rows)]

    def application(self, about: str) -> Entry | None:
        """The entry in which an application arrived."""
        with self._lock, _told(self.path):
            row = self._loose.execute(
                "SELECT * FROM entries WHERE about = ? AND kind = ? ORDER BY sequence LIMIT 1", (about, APPLICATION)
            ).fetchone()
        return Entry(*row) if row else None

    def events_of(self, about: str) -> list[Entry]:
        with self._lock, _told(self.path):
            rows = self._loose.execute(
                "SELECT * FROM entries WHERE about = ? AND kind != ? ORDER BY sequence", (about, APPLICATION)
            ).fetchall()
        return [Entry(*row) for row in rows]

    def differences(self, *, since: int = 0, limit: int = 1_000) -> list[tuple[int, str, int, bytes]]:
        """Newest first; `since` in milliseconds."""
        with self._lock, _told(self.path):
            return self._loose.execute(
                "SELECT * FROM differences WHERE at >= ? ORDER BY sequence DESC, version LIMIT ?", (since, limit)
            ).fetchall()

    def about(self, sequence: int) -> str:
        """The application of an entry; "" where there is no such entry."""
        return str(self._one("SELECT about FROM entries WHERE sequence = ?", sequence) or "")

    def marked(self, name: str) -> int:
        found = self._one("SELECT sequence FROM marks WHERE name = ?", name)
        return int(found) if found is not None else 0

    def copy_to(self, path: Path) -> None:
        """Everything, as of one moment, as a new file."""
        with self._lock, _told(self.path), closing(_connect(path, "FULL")) as copy:
            self._loose.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def writable(self) -> None:
        """Raises JournalError or StorageFull where nothing could be appended now. What was appended just now shows it,
        and saves those who append from waiting for one more fsync."""
        if time.monotonic() - self._appended < PROVEN_SECONDS:
            return
        with self._lock, self._writing(self._db) as db:
            db.execute("INSERT OR REPLACE INTO marks VALUES ('writable', ?)", (self._clock(),))

    def checkpoint(self) -> None:
        """Takes the write-ahead log into the file, beside those who write: whoever appends would be held up by it."""
        with _told(self.path), closing(_connect(self.path, "NORMAL")) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _one(self, query: str, *values: object):  # type: ignore[no-untyped-def] # whatever the column holds
        with self._lock, _told(self.path):
            row = self._loose.execute(query, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def _writing(self, db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with _told(self.path):
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    path.touch(mode=0o600)
    db = sqlite3.connect(path, isolation_level=None, timeout=WAIT_SECONDS, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    return db


def _entries(db: sqlite3.Connection, after: int, limit: int = -1) -> list[Entry]:
    query = "SELECT sequence, kind, about, at, told FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?"
    return [Entry(*row) for row in db.execute(query, (after, limit))]


def _last(db: sqlite3.Connection) -> Entry | None:
    row = db.execute("SELECT * FROM entries ORDER BY sequence DESC LIMIT 1").fetchone()
    return Entry(*row) if row else None


def _differ(before: str, now: str) -> bool:
    return before != now and before.partition(".")[0] == now.partition(".")[0]


def _reused(key: str, about: str) -> str:
    if key.startswith("application/"):
        return f"application {about} was sent before with other content; what changed since is told as an event"
    return "this Idempotency-Key was used before with other content; a new request needs a new key"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's faults in one line."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            raise StoreBusy(f"journal {path} is held by another process for longer than {WAIT_SECONDS:g} s") from None
        if "full" in said or "disk I/O" in said:
            raise StorageFull(f"no room left to write journal {path}; free some disk space") from None
        raise JournalError(f"journal {path}: {said}; `ringroad doctor` says more") from None
    except OSError as error:
        raise JournalError(f"journal {path} cannot be opened ({error.strerror}); check its folder") from None
