"""One instance: its settings, store, vault and snapshot, opened together and closed together."""
# ruff: noqa: PLC0415 - numba, networkx and SQLAlchemy take long to import; only some commands need them

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph import snapshot as snapshots
from graph.errors import InputError, SnapshotError
from graph.keyring import KeyFileError, Keyring
from graph.records import from_millis, to_millis
from graph.settings import Settings, secret
from graph.snapshot import Snapshot
from graph.store import BatchMark, GraphStore
from graph.stores import open_store
from graph.vault import Vault
from workbench import lastrun

if TYPE_CHECKING:
    from graph.rings import Found
    from workbench.casebook.opening import Casebook

EVERYTHING = datetime(9999, 1, 1, tzinfo=UTC)
"""A snapshot holds all rows; every read of it names its own time."""

AHEAD = timedelta(days=1)
"""Clocks differ, and a lender may date by the end of a day; what lies further ahead is a mistake."""


@dataclass(frozen=True)
class Instance:
    settings: Settings
    store: GraphStore
    vault_or_none: Vault | None

    @property
    def vault(self) -> Vault:
        assert self.vault_or_none is not None, "opened without its vault"  # noqa: S101 - a fault of ours, not of input
        return self.vault_or_none

    def snapshot(self, progress: snapshots.Progress = lambda *_: None) -> Snapshot:
        """The snapshot on disk when nothing was loaded since; a new one otherwise."""
        marks = self.marks()
        try:
            if self._stamped() == self._state(marks[-1]):
                return snapshots.open_snapshot(self.settings.snapshot_dir)
        except SnapshotError:
            pass
        built = snapshots.build(self.store, as_of=EVERYTHING, progress=progress)
        self._stamp.unlink(missing_ok=True)
        snapshots.save(built, self.settings.snapshot_dir)
        self._stamp.touch(mode=0o600)
        self._stamp.write_text(self._state(marks[-1]), encoding="utf-8")
        return snapshots.open_snapshot(self.settings.snapshot_dir)

    def earlier_snapshot(self) -> tuple[Snapshot, BatchMark]:
        """The snapshot on disk as it is, and the newest batch it shows. Raises SnapshotError when it is of no use."""
        stamped = self._stamped()
        for mark in self.marks():
            if stamped == self._state(mark):
                return snapshots.open_snapshot(self.settings.snapshot_dir), mark
        raise SnapshotError("the snapshot on disk shows no state of this store; it is rebuilt by `ringroad rings`")

    def marks(self) -> Sequence[BatchMark]:
        marks = self.store.batches()
        if not marks:
            raise InputError("the store is empty; load a folder of tables first: ringroad load FOLDER")
        return marks

    def _stamped(self) -> str:
        try:
            return self._stamp.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def _state(self, newest: BatchMark) -> str:
        return f"{newest.sequence}-{newest.id}-{self.store.url}"

    @property
    def _stamp(self) -> Path:
        """Names the state of the store that the snapshot shows."""
        return self.settings.snapshot_dir.with_suffix(".stamp")

    def rotate(self, *, undo: bool) -> int:
        """New tokens mean new node ids: snapshot, last run and the desk for scores go before the first of them changes.

        Raises InputError while the score service's journal holds what the store has not taken: it is told in tokens
        of before.
        """
        self._require_absorbed()
        (self.settings.home / "desks" / "current").unlink(missing_ok=True)
        self._stamp.unlink(missing_ok=True)
        for place in (lastrun.place(self.settings), lastrun.beside(self.settings)):
            place.unlink(missing_ok=True)
        if undo:
            self.vault.abandon_rotation(self._retoken)
            return sum(self.vault.count().values())
        return self.vault.rotate_index(self._retoken)

    def _require_absorbed(self) -> None:
        place = self.settings.home / "journal.sqlite"
        if not place.exists():
            return
        from workbench.journal import ABSORBED, Journal

        with Journal(place, clock=lambda: 0) as journal:
            last, marked = journal.last(), journal.marked(ABSORBED)
        if last is not None and last.sequence > marked:
            raise InputError(
                f"the journal of the score service holds {last.sequence - marked:,} entries that the store has not "
                "taken; stop the service, let the keeper finish (`ringroad serve keeper`), then rotate"
            )

    def _retoken(self, moves: Iterable[tuple[str, str, str]]) -> int:
        """Store first, then the casebook; stopped in between, the same moves come once more."""
        from workbench.casebook import opening
        from workbench.casebook.following import Following

        if not opening.exists(self.settings.casebook_url):
            return self.store.retoken(moves)
        with open_casebook(self.settings) as casebook:
            with casebook.reading() as db:
                following = Following(db)
            number = self.store.retoken(following.through(moves))
            with casebook.writing() as db:
                following.retoken(db)
        return number

    def newest(self, snapshot: Snapshot) -> datetime:
        """When the newest application was submitted; one of the future is somebody's clock and does not count."""
        known = snapshot.nodes["Application"].known_at
        if not len(known):
            raise InputError("the store holds no application; load a folder that has applications.csv")
        past = known[known <= to_millis(datetime.now(UTC) + AHEAD)]
        if not len(past):
            raise InputError(f"all applications lie in the future, the first on {_day(known.min())}; give --as-of")
        return from_millis(int(past.max()))

    def ahead(self, snapshot: Snapshot) -> str:
        """What to say of applications that `newest` leaves out; "" when there are none."""
        known = snapshot.nodes["Application"].known_at
        number = int((known > to_millis(datetime.now(UTC) + AHEAD)).sum())
        if not number:
            return ""
        are = "applications lie" if number > 1 else "application lies"
        return f"{number:,} {are} in the future, up to {_day(known.max())}, and count only with --as-of"

    def find_rings(self, snapshot: Snapshot, *, as_of: datetime, window_days: int) -> Found:
        """A whole run with the opinions of that time, recorded and kept as `ringroad rings` does."""
        from workbench.ringruns import Asked, whole

        return whole(self, snapshot, Asked(as_of, window_days, as_of)).found


@contextmanager
def opened(store_url: str | None, *, vault: bool = True) -> Iterator[Instance]:
    settings = Settings.read().prepare()
    with open_graph(settings, store_url) as store:
        if not vault:
            yield Instance(settings, store, None)
            return
        with open_vault(settings) as kept:
            yield Instance(settings, store, kept)


@contextmanager
def opened_vault() -> Iterator[Vault]:
    with open_vault(Settings.read().prepare()) as vault:
        yield vault


def open_graph(settings: Settings, store_url: str | None) -> GraphStore:
    return open_store(store_url or settings.store_url, password=store_password())


def store_password() -> str | None:
    return secret("RINGROAD_STORE_PASSWORD")


def open_vault(settings: Settings) -> Vault:
    return Vault.open(settings.vault_file, keyring(settings), demo=settings.demo)


def open_casebook(settings: Settings) -> Casebook:
    """Made when there is none; an older one is upgraded, with one line on stderr."""
    from workbench.casebook.opening import Casebook

    password = secret("RINGROAD_CASEBOOK_PASSWORD")
    return Casebook.open(settings.casebook_url, password=password, notice=lambda line: _notice(f"{line}\n"))


def _notice(line: str) -> None:
    sys.stderr.write(line)


def keyring(settings: Settings) -> Keyring:
    """The key file; created on the very first run, never beside a vault that was written with another one."""
    if settings.demo:
        return Keyring.demo()
    if settings.key_file.exists():
        return Keyring.open(settings.key_file)
    if settings.vault_file.exists():
        raise KeyFileError(
            f"{settings.key_file} is missing, but a vault exists; put the key file back, nothing else opens it"
        )
    return Keyring.create(settings.key_file)


def written(value: Any) -> Any:
    """Times as ISO text, all the way down."""
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [written(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _day(millis: Any) -> str:
    return f"{from_millis(int(millis)) + timedelta(hours=8):%Y-%m-%d}"


def plain(report: Any) -> dict[str, Any]:
    """A report as JSON can hold it. (`asdict` alone would take a Counter's pairs for things to be counted.)"""
    return {each.name: _plain(getattr(report, each.name)) for each in fields(report)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
