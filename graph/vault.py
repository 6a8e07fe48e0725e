"""Clear identifiers in, tokens out; and the one place where a token opens again.

The graph holds tokens only. Equal values have equal tokens, so links and
frequencies stay visible to whoever reads the graph; the values do not. The
vault file (SQLite, several processes) holds each value sealed to its kind and
token, and the key file (`keyring`) is kept apart from it.

The lender's own ids (`applicant_id` …) are identifiers too: references map
their tokens, of kind `ref:…`, to the graph keys they stand for.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, groupby, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any

from graph.keyring import KeyFileError, Keyring, VaultDamaged, VaultError

__all__ = ["KeyFileError", "NotInVault", "Vault", "VaultDamaged", "VaultError"]

Triples = Iterable[tuple[str, str, str]]
Rows = list[tuple[str, str, bytes]]

REF = "ref:"
_RELEASE = 1
_CHUNK = 10_000
_WAIT_SECONDS = 30
_TOKEN = re.compile("[0-9a-f]{32}")
_TABLES = (
    "CREATE TABLE IF NOT EXISTS identifiers (kind TEXT NOT NULL, token TEXT NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (kind, token)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS refs (kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, key_kind TEXT,"
    " PRIMARY KEY (kind, id)) WITHOUT ROWID",
    # index, seal 1 …: the keys this file was written with; rotating: an index rotation is unfinished
    "CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) WITHOUT ROWID",
)
# With the index key that the file is under at that moment: after a rotation nothing would be found under old tokens.
_MEANINGS = (
    "WITH asked(kind, id) AS (VALUES {}) SELECT kind, id, refs.key,"
    " (SELECT fingerprint FROM keys WHERE name = 'index') FROM asked LEFT JOIN refs USING (kind, id)"
)
_MOVED = "CREATE TEMP TABLE moved (kind TEXT, old TEXT, token TEXT, sealed BLOB, PRIMARY KEY (kind, old)) WITHOUT ROWID"
_MOVE = (
    "CREATE TEMP TABLE moved_refs AS SELECT refs.kind, self.token AS id,"
    " coalesce(target.token, refs.key) AS key, refs.key_kind FROM refs"
    " JOIN moved AS self ON self.kind = 'ref:' || refs.kind AND self.old = refs.id"
    " LEFT JOIN moved AS target ON target.kind = refs.key_kind AND target.old = refs.key",
    "DELETE FROM refs",
    "INSERT INTO refs SELECT kind, id, key, key_kind FROM moved_refs ORDER BY kind, id",
    "DELETE FROM identifiers",
    "INSERT INTO identifiers SELECT kind, token, sealed FROM moved ORDER BY kind, token",
    "DROP TABLE moved_refs",
    "DROP TABLE moved",
)


class NotInVault(VaultError):
    """No value was ever sealed under this token."""

    status = 404
    exit_code = 6


class Vault:
    """One vault file under its own key file. Threads may share one; a fork opens its own."""

    def __init__(self, path: Path, keyring: Keyring, db: sqlite3.Connection) -> None:
        self._path = path
        self._keyring = keyring
        self._db = db
        self._lock = threading.RLock()
        self._index = keyring.keys.current_index

    @classmethod
    def open(cls, path: Path, keyring: Keyring, *, demo: bool = False) -> Vault:
        """Creates the file, mode 0600, when there is none, and binds it to `keyring` for good."""
        if keyring.is_default and not demo:
            raise VaultError(
                f"vault {path}: the demo key is public; make a key file (Keyring.create) or turn demo mode on"
            )
        with _plain_errors(path):
            vault = cls(path, keyring, _connect(path))
            try:
                vault._prepare()
            except BaseException:
                vault.close()
                raise
        return vault

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def index_version(self) -> int:
        """Of the key that makes tokens: equal tokens of two versions say nothing."""
        return self._index

    # Pure: no file is touched.

    def tokens(self, kind: str, values: Sequence[str]) -> list[str]:
        """The first 128 bits of HMAC-SHA256 under the index key of `kind`, as 32 hex characters."""
        return self._keyring.tokens(kind, values, self._index)

    def token(self, kind: str, value: str) -> str:
        return self.tokens(kind, [value])[0]

    def seal(self, kind: str, tokens: Sequence[str], values: Sequence[str]) -> list[bytes]:
        return self._keyring.seal(kind, tokens, values)

    # Values.

    def keep(self, kind: str, tokens: Sequence[str], sealed: Sequence[bytes]) -> int:
        """All of them in one transaction, on disk when this returns; the number of new ones.

        A token already kept stays as it is: two values never share one, so the
        first is the value, and a second load writes nothing.
        """
        if len(tokens) != len(sealed):
            raise VaultError(f"{kind}: {len(tokens)} tokens but {len(sealed)} sealed values; give one for each")
        _require_tokens(kind, tokens)
        with self._writing() as db:
            return _keep(db, kind, tokens, sealed)

    def reveal(self, kind: str, token: str) -> str:
        """The clear value. Whoever calls this writes the audit entry first (promise P17)."""
        row = self._one("SELECT sealed FROM identifiers WHERE kind = ? AND token = ?", kind, token)
        if row is None:
            shown = f"{token[:8]}…" if _TOKEN.fullmatch(token) else "(32 hex characters expected)"
            raise NotInVault(f"{kind} {shown}: no value is kept under this token; load the table it came from")
        return self._keyring.unseal(kind, token, row[0])

    def known(self, kind: str, tokens: Sequence[str]) -> set[str]:
        found = self._find("SELECT token FROM identifiers WHERE kind = ? AND token IN", kind, tokens)
        return {token for (token,) in found}

    def count(self) -> dict[str, int]:
        """Values by kind; the lender's own ids are counted by none."""
        rows = self._all("SELECT kind, count(*) FROM identifiers GROUP BY kind ORDER BY kind")
        return {kind: number for kind, number in rows if not kind.startswith(REF)}

    def verify(self) -> int:
        """Open every value and match it to its token. Sees any change, but not a row taken out whole."""
        number = 0
        for kind, tokens, values in self._opened():
            if self.tokens(kind, values) != tokens:
                raise VaultDamaged(f"{kind}: a value does not belong to its token; restore a backup")
            number += len(values)
        return number

    # References.

    def refer(self, kind: str, ids: Sequence[str], keys: Sequence[str], key_kind: str | None = None) -> None:
        """Record which graph key each of the lender's ids stands for; the first recorded wins.

        `key_kind` is the kind whose token `keys` are, so that rotation moves them
        along; None says that they are no tokens and stay.
        """
        if len(ids) != len(keys):
            raise VaultError(f"{kind}: {len(ids)} ids but {len(keys)} keys; give one for each")
        tokens = self.tokens(REF + kind, ids)
        self.refer_sealed(kind, tokens, self.seal(REF + kind, tokens, ids), keys, key_kind)

    def refer_sealed(
        self, kind: str, tokens: Sequence[str], sealed: Sequence[bytes], keys: Sequence[str], key_kind: str | None
    ) -> None:
        """As `refer`, for whoever no longer holds the ids in the clear: their tokens, of kind `ref:…`, and seals."""
        _require_tokens(REF + kind, tokens)
        if key_kind is not None:
            _require_tokens(key_kind, keys)
        with self._writing() as db:
            _keep(db, REF + kind, tokens, sealed)
            rows = [(kind, token, key, key_kind) for token, key in zip(tokens, keys, strict=True)]
            db.executemany("INSERT OR IGNORE INTO refs VALUES (?, ?, ?, ?)", rows)

    def referred(self, kind: str, ids: Sequence[str]) -> dict[str, str]:
        """The graph key of every id that has one."""
        clear = dict(zip(self.tokens(REF + kind, ids), ids, strict=True))
        found = self._find("SELECT id, key FROM refs WHERE kind = ? AND id IN", kind, list(clear))
        return {clear[token]: key for token, key in found}

    def meanings(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The graph key of every (kind, token) that has one: `referred` in one statement, for a few of many kinds."""
        if not asked:
            return {}
        found = self._all(_MEANINGS.format(", ".join(["(?, ?)"] * len(asked))), *chain.from_iterable(asked))
        self._require_index(found[0][3])
        return {(kind, token): key for kind, token, key, _ in found if key is not None}

    # Keys.

    def check(self) -> None:
        """Raises VaultError once another process has rotated the index key, and while one does.

        Tokens made with the old key find nothing: a service asks this before it calls itself ready.
        """
        self._require_own_index()
        if self._rotating():
            raise VaultError(f"vault {self._path}: an index rotation is unfinished: run it again first")

    def add_seal_version(self) -> int:
        """New values are sealed with a new key from now on. Old keys stay: backups need them."""
        version = self._keyring.add_seal_version()
        with self._transaction() as db:
            self._record_keys(db)
        return version

    def reseal(self, progress: Callable[[int], None] | None = None) -> int:
        """Bring every value to the current seal version, tokens unchanged; the number rewritten.

        Works in small transactions: stopped anywhere, the next run does the rest.
        """
        current, done = self._keyring.keys.current_seal, 0
        for page in self._pages():
            stale = [row for row in page if row[2][:1] != bytes([current])]
            changes = []
            for kind, rows in groupby(stale, key=itemgetter(0)):
                _, tokens, olds = zip(*rows, strict=True)
                values = [self._keyring.unseal(kind, *pair) for pair in zip(tokens, olds, strict=True)]
                news = self.seal(kind, tokens, values)
                changes += [(new, kind, *pair) for new, *pair in zip(news, tokens, olds, strict=True)]
            if changes:
                with self._transaction() as db:
                    db.executemany(
                        "UPDATE identifiers SET sealed = ? WHERE kind = ? AND token = ? AND sealed = ?",
                        changes,
                    )
                done += len(changes)
            if progress:
                progress(done)
        self._forget_log()
        return done

    def rotate_index(self, rekey: Callable[[Triples], object]) -> int:
        """Give every value a new token under a new index key; the number of values moved.

        `rekey` gets (kind, old token, new token) of every value and moves the graph
        store. After a crash or an error call this again: it gets the same triples
        once more, so a missing old token is no error to it. If the store holds
        tokens without a kept value, it raises; `abandon_rotation` then leads back.

        Nobody keeps values while this is unfinished, and every other process must
        reopen the vault after it.
        """
        self._require_own_index()
        if self._index != self._keyring.next_index:  # else: stopped between the rewrite and the key file
            version = self._begin_rotation()
            self._hand_over(self._moves(version), rekey)
            self._rewrite(version)
        self._keyring.end_rotation(keep=self._index)
        self._forget_log()
        return sum(self.count().values())

    def abandon_rotation(self, rekey: Callable[[Triples], object]) -> None:
        """Undo an unfinished rotation: `rekey` gets (kind, new token, old token)."""
        self._keyring.reload()
        version = self._keyring.next_index
        if version == self._index or not (version or self._rotating()):
            raise VaultError(f"vault {self._path}: no rotation can be undone; rotate_index finishes one")
        if version:
            self._hand_over(((kind, new, old) for kind, old, new in self._moves(version)), rekey)
        with self._transaction() as db:
            self._require_own_index()
            db.execute("DELETE FROM keys WHERE name = 'rotating'")
            if version:  # within: nobody may take up the key that goes now
                self._keyring.end_rotation(keep=self._index)

    # Copies.

    def backup(self, path: Path) -> None:
        """A consistent copy, taken while others write. It holds no key and opens with this key file only."""
        with _plain_errors(self._path):
            _copy(self._path, path)

    @classmethod
    def restore(cls, source: Path, path: Path, keyring: Keyring, *, demo: bool = False) -> Vault:
        """Bring a backup back as `path`, after opening every value in it; refuses to overwrite."""
        if not source.is_file():
            raise VaultError(f"backup {source} is missing; name a file that Vault.backup wrote")
        for beside in ("", "-wal", "-shm"):
            if Path(f"{path}{beside}").exists():
                raise VaultError(f"{path}{beside} exists and is kept: move it away to restore here")
        trial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with _plain_errors(source):
                _copy(source, trial)
            with cls.open(trial, keyring, demo=demo) as vault:
                vault.verify()
            trial.rename(path)
        finally:
            trial.unlink(missing_ok=True)
        return cls.open(path, keyring, demo=demo)

    # Inside.

    def _prepare(self) -> None:
        (release,) = self._one("PRAGMA user_version")
        if release > _RELEASE:
            raise VaultError(f"vault {self._path} was made by a newer release: use that one")
        if release < _RELEASE:
            with self._transaction() as db:
                self._create(db)
        self._match_keys()

    def _create(self, db: sqlite3.Connection) -> None:
        if self._one("PRAGMA user_version") != (0,):
            return  # another process was first
        if self._one("SELECT 1 FROM sqlite_master"):
            raise VaultError(f"{self._path} is another database; name a vault file or a new one")
        for table in _TABLES:
            db.execute(table)
        db.execute(f"PRAGMA user_version = {_RELEASE}")
        self._record_keys(db)

    def _match_keys(self) -> None:
        """Find out which index key the file is under, and refuse a key file that is not its own."""
        recorded = dict(self._all("SELECT name, fingerprint FROM keys WHERE name <> 'rotating'"))
        index = recorded.pop("index", "none")
        versions = {self._keyring.index_fingerprint(version): version for version in self._keyring.keys.index}
        seals = self._keyring.seal_fingerprints()
        if index not in versions or not recorded.items() <= seals.items():
            raise VaultError(
                f"vault {self._path}: wrong key file: the vault is under key {index}, the key file holds"
                f" {' and '.join(versions)}; use the newest copy of the vault's own key file"
            )
        self._index = versions[index]
        if recorded.keys() != seals.keys():
            with self._transaction() as db:
                self._record_keys(db)

    def _record_keys(self, db: sqlite3.Connection) -> None:
        """Fingerprints, not keys. One once recorded stays: only rotation replaces the index."""
        names = {"index": self._keyring.index_fingerprint(self._index), **self._keyring.seal_fingerprints()}
        db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", names.items())

    def _require_own_index(self) -> None:
        (recorded,) = self._one("SELECT fingerprint FROM keys WHERE name = 'index'")
        self._require_index(recorded)

    def _require_index(self, recorded: str) -> None:
        if recorded != self._keyring.index_fingerprint(self._index):
            raise VaultError(f"vault {self._path}: the index key was rotated meanwhile: open key file and vault again")

    def _rotating(self) -> str | None:
        """Fingerprint of the key that an unfinished rotation leads to."""
        row = self._one("SELECT fingerprint FROM keys WHERE name = 'rotating'")
        return row[0] if row else None

    def _begin_rotation(self) -> int:
        """From here on nobody keeps values under the old key, whatever becomes of this process."""
        self.verify()
        with self._transaction() as db:
            self._require_own_index()
            self._require_sealed_keys()
            version = self._keyring.begin_rotation()
            db.execute(
                "INSERT OR REPLACE INTO keys VALUES ('rotating', ?)",
                (self._keyring.index_fingerprint(version),),
            )
        return version

    def _require_sealed_keys(self) -> None:
        bare = self._all(
            "SELECT key_kind, count(DISTINCT key) FROM refs WHERE key_kind IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM identifiers WHERE kind = refs.key_kind AND token = refs.key) GROUP BY key_kind"
        )
        if bare:
            named = ", ".join(f"{number} of kind {kind}" for kind, number in bare)
            raise VaultError(f"tokens without a kept value cannot be rotated: {named}; load their tables first")

    def _hand_over(self, triples: Iterator[tuple[str, str, str]], rekey: Callable[[Triples], object]) -> None:
        rekey(triples)
        if next(triples, None) is not None:
            raise VaultError(f"vault {self._path}: the store left tokens under the old key: run the rotation again")

    def _moves(self, version: int) -> Iterator[tuple[str, str, str]]:
        """(kind, old, new) of all the graph may hold; the lender's own ids are not in it."""
        for kind, olds, values in self._opened():
            if not kind.startswith(REF):
                yield from zip(repeat(kind), olds, self._keyring.tokens(kind, values, version))

    def _rewrite(self, version: int) -> None:
        """Values, references and the recorded key move in one transaction."""
        name = self._keyring.index_fingerprint(version)
        with self._transaction() as db:
            self._require_own_index()
            if self._rotating() != name:
                raise VaultError(f"vault {self._path}: the rotation was abandoned meanwhile: run it again")
            db.execute(_MOVED)
            for kind, olds, values in self._opened():
                news = self._keyring.tokens(kind, values, version)
                moved = zip(repeat(kind), olds, news, self.seal(kind, news, values))
                db.executemany("INSERT INTO moved VALUES (?, ?, ?, ?)", moved)
            for step in _MOVE:
                db.execute(step)
            db.execute("DELETE FROM keys WHERE name IN ('index', 'rotating')")
            db.execute("INSERT INTO keys VALUES ('index', ?)", (name,))
        self._index = version

    def _opened(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Everything in the clear, a few thousand values of one kind at a time."""
        for page in self._pages():
            for kind, rows in groupby(page, key=itemgetter(0)):
                pairs = [(token, sealed) for _, token, sealed in rows]
                yield (
                    kind,
                    [token for token, _ in pairs],
                    [self._keyring.unseal(kind, *pair) for pair in pairs],
                )

    def _pages(self) -> Iterator[Rows]:
        """By key, not by cursor: what others write meanwhile neither repeats nor skips a row."""
        after = ("", "")
        while page := self._all(
            "SELECT kind, token, sealed FROM identifiers WHERE (kind, token) > (?, ?) ORDER BY kind, token LIMIT 5000",
            *after,
        ):
            yield page
            after = page[-1][:2]

    def _find(self, select: str, kind: str, tokens: Sequence[str]) -> list[Any]:
        found = []
        for start in range(0, len(tokens), _CHUNK):
            chunk = tokens[start : start + _CHUNK]
            found += self._all(f"{select} ({','.join('?' * len(chunk))})", kind, *chunk)
        self._require_own_index()  # asked last: a rotation on the way would look like "not there"
        return found

    def _one(self, select: str, *values: str) -> Any:
        with self._lock, _plain_errors(self._path):
            return self._db.execute(select, values).fetchone()

    def _all(self, select: str, *values: str) -> list[Any]:
        with self._lock, _plain_errors(self._path):
            return self._db.execute(select, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction for tokens of this process: refused when they are no longer the vault's."""
        with self._transaction() as db:
            self.check()
            yield db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _plain_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk rolls back by itself
                    self._db.execute("ROLLBACK")
                raise

    def _forget_log(self) -> None:
        """The write-ahead log still holds what was replaced."""
        self._one("PRAGMA wal_checkpoint(TRUNCATE)")


def _require_tokens(kind: str, tokens: Sequence[str]) -> None:
    """A clear value passed where a token belongs would be written as it is."""
    if not all(map(_TOKEN.fullmatch, tokens)):
        raise VaultError(f"{kind}: not every token is 32 hex characters; make them with Vault.tokens")


def _keep(db: sqlite3.Connection, kind: str, tokens: Sequence[str], sealed: Sequence[bytes]) -> int:
    rows = zip(repeat(kind), tokens, sealed)
    return db.executemany("INSERT OR IGNORE INTO identifiers VALUES (?, ?, ?)", rows).rowcount


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its side files the same mode
    db = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # NORMAL loses the last commits with the power
        db.execute("PRAGMA cache_size = -131072")  # KiB; the default of 2 MB halves the speed of a large load
        db.execute("PRAGMA secure_delete = ON")  # what a retired key opens leaves the file
    except BaseException:
        db.close()
        raise
    return db


def _copy(source: Path, path: Path) -> None:
    if path.exists():
        raise VaultError(f"{path} exists and is kept: name a new file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with closing(sqlite3.connect(source)) as vault, closing(sqlite3.connect(temporary)) as copy:
            if vault.execute("PRAGMA user_version").fetchone() == (0,):
                raise VaultDamaged(f"{source} is not a vault file")
            vault.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        os.fsync(descriptor)
        os.close(descriptor)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
        raise VaultError(f"vault {path}: {error}; check its folder, the free space and who else uses it") from error
    except sqlite3.DatabaseError as error:
        raise VaultDamaged(f"vault {path}: {error}; restore it from a backup") from error
    except OSError as error:
        raise VaultError(f"vault {path}: {error.strerror}; name a file in a folder you may write to") from error
