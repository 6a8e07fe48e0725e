"""One instance: its settings, store, vault and snapshot, opened together and closed together."""
# ruff: noqa: PLC0415 - numba, networkx and SQLAlchemy take long to import; only some commands need them

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph import snapshot as snapshots
from graph.errors import InputError, NodeNotFound, SnapshotError
from graph.keyring import KeyFileError, Keyring
from graph.records import from_millis, to_millis
from graph.settings import Settings
from graph.snapshot import Snapshot
from graph.store import GraphStore
from graph.stores import open_store
from graph.vault import Vault

if TYPE_CHECKING:
    from graph.rings import Found
    from workbench.casebook.opening import Casebook
    from workbench.casebook.runs import Change

EVERYTHING = datetime(9999, 1, 1, tzinfo=UTC)
"""A snapshot holds all rows; every read of it names its own time."""


@dataclass(frozen=True)
class RingRun:
    """Rings under their lasting names, and what changed since the run before."""

    found: Found
    change: Change


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
        marks = self.store.batches()
        if not marks:
            raise InputError("the store is empty; load a folder of tables first: ringroad load FOLDER")
        name = f"{marks[-1].sequence}-{marks[-1].id}-{self.store.url}"
        stamp = self._stamp
        try:
            if stamp.read_text(encoding="utf-8") == name:
                return snapshots.open_snapshot(self.settings.snapshot_dir)
        except (OSError, SnapshotError):
            pass
        built = snapshots.build(self.store, as_of=EVERYTHING, progress=progress)
        stamp.unlink(missing_ok=True)
        snapshots.save(built, self.settings.snapshot_dir)
        stamp.touch(mode=0o600)
        stamp.write_text(name, encoding="utf-8")
        return snapshots.open_snapshot(self.settings.snapshot_dir)

    @property
    def _stamp(self) -> Path:
        """Names the state of the store that the snapshot shows."""
        return self.settings.snapshot_dir.with_suffix(".stamp")

    def rotate(self, *, undo: bool) -> int:
        """New tokens mean new node ids: the snapshot goes before the first of them changes."""
        self._stamp.unlink(missing_ok=True)
        if undo:
            self.vault.abandon_rotation(self._retoken)
            return sum(self.vault.count().values())
        return self.vault.rotate_index(self._retoken)

    def _retoken(self, moves: Iterable[tuple[str, str, str]]) -> int:
        """Store first, then the overrides; stopped in between, the same moves come once more."""
        from workbench.casebook import opening, opinions

        if not opening.exists(self.settings.casebook_url):
            return self.store.retoken(moves)
        with open_casebook(self.settings) as casebook:
            with casebook.reading() as db:
                following = opinions.Following(db)
            number = self.store.retoken(following.through(moves))
            with casebook.writing() as db:
                following.retoken(db)
        return number

    def newest(self, snapshot: Snapshot) -> datetime:
        """When the newest application was submitted."""
        applications = snapshot.nodes["Application"]
        if not len(applications):
            raise InputError("the store holds no application; load a folder that has applications.csv")
        return from_millis(int(applications.known_at.max()))

    def find_rings(self, snapshot: Snapshot, *, as_of: datetime, window_days: int) -> Found:
        """`run_rings` with the opinions of that time."""
        return self.run_rings(snapshot, as_of=as_of, window_days=window_days, overrides_as_of=as_of).found

    def run_rings(self, snapshot: Snapshot, *, as_of: datetime, window_days: int, overrides_as_of: datetime) -> RingRun:
        """Find rings, give them their lasting names, record the run, and keep it for `ringroad ring`."""
        from graph.rings import find_rings
        from workbench.casebook import opinions, runs

        with open_casebook(self.settings) as casebook:
            with casebook.reading() as db:
                overrides = opinions.overrides_as_of(db, overrides_as_of)
            of_people: dict[str, Any] = {"overrides": overrides} if overrides else {}
            found = find_rings(snapshot, as_of=to_millis(as_of), window_days=window_days, **of_people)
            in_window = _in_window(snapshot, as_of=as_of, window_days=window_days)
            run = runs.Run(as_of, window_days, overrides_as_of, self.store.batches()[-1].sequence, in_window)
            with casebook.writing() as db:
                change = runs.record(db, found.rings, run, now=datetime.now(UTC))
        named = [replace(ring, ring_id=name) for ring, name in zip(found.rings, change.ring_ids, strict=True)]
        ran = RingRun(replace(found, rings=named), change)
        self._keep(ran.found, as_of)
        return ran

    def _keep(self, found: Found, as_of: datetime) -> None:
        fresh = self.settings.rings_file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"as_of": as_of.isoformat(), "rings": [ring.as_json() for ring in found.rings]}, file)
        fresh.replace(self.settings.rings_file)


def _in_window(snapshot: Snapshot, *, as_of: datetime, window_days: int) -> frozenset[str]:
    """Those that `project` looks at, in a ring or not."""
    applications = snapshot.nodes["Application"]
    submitted = applications.times("submitted_at", as_of=to_millis(as_of))
    first = to_millis(as_of) - window_days * 86_400_000
    recent = (applications.known_at <= to_millis(as_of)) & (submitted >= first)
    return frozenset(applications.table["key"].filter(recent).to_pylist())


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
    return os.environ.get("RINGROAD_STORE_PASSWORD")


def open_vault(settings: Settings) -> Vault:
    return Vault.open(settings.vault_file, keyring(settings), demo=settings.demo)


def open_casebook(settings: Settings) -> Casebook:
    """Made when there is none; an older one is upgraded, with one line on stderr."""
    from workbench.casebook.opening import Casebook

    password = os.environ.get("RINGROAD_CASEBOOK_PASSWORD")
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


def ring(ring_id: str) -> dict[str, Any]:
    """A ring of the last run, as it was written then, with its history up to then (None: it was never recorded)."""
    settings = Settings.read()
    try:
        run = json.loads(settings.rings_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError("no rings yet; run `ringroad rings` first") from None
    past = _history(settings, ring_id.upper(), datetime.fromisoformat(run["as_of"]))
    for each in run["rings"]:
        if each["ring_id"] == ring_id.upper():
            return dict(each) | {"as_of": run["as_of"], "lineage": past}
    ended = ""
    if past is not None and past["status"] != "alive":
        into = f" merged into {past['merged_into']}" if past["merged_into"] else " ended"
        ended = f"; it{into} as of {past['events'][-1]['as_of'][:10]}"
    raise NodeNotFound(f"{ring_id} is no ring of the last run ({run['as_of'][:10]}, {len(run['rings'])} rings){ended}")


def _history(settings: Settings, ring_id: str, as_of: datetime) -> dict[str, Any] | None:
    from workbench.casebook import lineages, opening

    if not opening.exists(settings.casebook_url):
        return None
    with open_casebook(settings) as casebook, casebook.reading() as db:
        found = lineages.history(db, ring_id, as_of=as_of)
    return None if found is None else written(asdict(found))


def written(value: Any) -> Any:
    """Times as ISO text, all the way down."""
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [written(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def changed(change: Change) -> dict[str, Any]:
    """What happened, for a machine: rings by kind of event."""
    rings = Counter(kind for kind, _ in {(event.kind, event.ring_id) for event in change.events})
    return {
        "since": change.since.isoformat() if change.since else None,
        "recorded": not change.unrecorded,
        "changes": {kind.value: rings[kind] for kind in sorted(rings)},
    }


def write_graphml(found: dict[str, Any], path: Path) -> None:
    """Applications and what they share, through networkx; labels are masked."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph(name=found["ring_id"])
    graph.add_nodes_from((each, {"type": "Application", "label": each}) for each in found["application_ids"])
    for number, one in enumerate(found["shared"]):
        thing = f"{one['type']}-{number}"
        graph.add_node(thing, type=one["type"], label=one["masked"])
        graph.add_edges_from(((each, thing) for each in one["holders"]), relation=one["relation"])
    try:
        nx.write_graphml(graph, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from None


def plain(report: Any) -> dict[str, Any]:
    """A report as JSON can hold it. (`asdict` alone would take a Counter's pairs for things to be counted.)"""
    return {each.name: _plain(getattr(report, each.name)) for each in fields(report)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
