"""Graph, vault, casebook and the score service's journal in one file, and back.

The graph travels as the store's bulk export, so a backup of one kind of store
restores into the other. A manifest names every part's SHA-256 and carries a MAC made
with the index key: a changed file, or one of another instance, is refused. The key
file is never part of a backup.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from graph.digest import digest
from graph.errors import InputError, StoreError
from graph.ontology import EDGES, NODES, ontology_hash
from graph.records import Batch, EdgeRows, JsonProperties, NodeRows
from graph.settings import Settings
from graph.store import GraphStore
from graph.vault import Vault
from workbench import instance
from workbench.casebook import copies, opening
from workbench.journal import Journal

FORMAT = 1
CASEBOOK, JOURNAL = "casebook.sqlite", "journal.sqlite"
"""Not in backups made before there was one."""

MAC = "backup manifest"
Keys = dict[int, str]


def backup(file: Path, store_url: str | None) -> dict[str, Any]:
    if file.exists():
        raise InputError(f"{file} exists; name a new file")
    if not file.absolute().parent.is_dir():
        raise InputError(f"{file.absolute().parent} is no folder")
    with instance.opened(store_url) as here, TemporaryDirectory(dir=here.settings.home) as place:
        folder = Path(place)
        here.vault.backup(folder / "vault.sqlite")
        counts = _export(here.store, folder)
        if opening.exists(here.settings.casebook_url):
            with instance.open_casebook(here.settings) as casebook:
                copies.copy_to(casebook, folder / CASEBOOK)
        journal = here.settings.home / JOURNAL
        if journal.exists():  # after the store: what it holds beyond that is absorbed once more, which changes nothing
            with Journal(journal, clock=lambda: 0) as told:
                told.copy_to(folder / JOURNAL)
        parts = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        manifest = {
            "format": FORMAT,
            "ontology": ontology_hash(),
            "digest": digest(here.store),
            "parts": parts,
        } | counts
        _write_manifest(folder, manifest, here.vault)
        fresh = file.with_name(file.name + ".new")
        with tarfile.open(fresh, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
        fresh.chmod(0o600)
        fresh.replace(file)
        identifiers = sum(here.vault.count().values())
        return counts | {"file": str(file), "identifiers": identifiers, "key_file": str(here.settings.key_file)}


def restore(file: Path, store_url: str | None) -> dict[str, Any]:
    settings = Settings.read().prepare()
    if not file.is_file():
        raise InputError(f"{file} is no file")
    if not settings.demo and not settings.key_file.exists():
        raise InputError(f"{settings.key_file} is missing; copy the key file of the backed-up instance there first")
    with TemporaryDirectory(dir=settings.home) as place, instance.open_graph(settings, store_url) as store:
        folder = Path(place)
        manifest = _unpack(file, folder)
        if any(mark.id.partition("/")[0] != _name(manifest) for mark in store.batches()) or (
            settings.vault_file.exists() and not store.batches()
        ):
            raise InputError("this instance is not empty; restore into a new RINGROAD_HOME and an empty store")
        ring = instance.keyring(settings)
        with Vault.restore(folder / "vault.sqlite", folder / "opened.sqlite", ring, demo=settings.demo) as vault:
            _verify(manifest, folder, vault)
        if CASEBOOK in manifest["parts"]:  # before the graph: it is refused before anything is written
            with instance.open_casebook(settings) as casebook:
                copies.copy_from(casebook, folder / CASEBOOK)
        for batch in _batches(folder, manifest):
            store.write(batch)
        if digest(store) != manifest["digest"]:
            raise StoreError(
                f"{file}: the restored graph differs from the backed-up one; nothing else uses it, remove it"
            )
        for mark in manifest["marks"]:
            store.write(Batch(mark["id"], mark["digest"]))
        _restore_journal(folder, manifest, settings)
        if not settings.vault_file.exists():
            Vault.restore(folder / "vault.sqlite", settings.vault_file, ring, demo=settings.demo).close()
        return {name: manifest[name] for name in ("nodes", "edges", "digest")}


def _restore_journal(folder: Path, manifest: dict[str, Any], settings: Settings) -> None:
    place = settings.home / JOURNAL
    if JOURNAL in manifest["parts"] and not place.exists():
        with Journal(folder / JOURNAL, clock=lambda: 0) as told:
            told.copy_to(place)


# Out ---------------------------------------------------------------------------------------------------


def _export(store: GraphStore, folder: Path) -> dict[str, Any]:
    counts = {"nodes": 0, "edges": 0}
    for type_ in NODES:
        counts["nodes"] += _save(folder / f"node-{type_}", store.export_nodes(type_))
    for type_ in EDGES:
        counts["edges"] += _save(folder / f"edge-{type_}", store.export_edges(type_))
    for kind in store.event_kinds():
        rows = store.events(kind)
        _save(folder / f"event-{kind}", [] if rows is None else [rows])
    marks = [{"id": mark.id, "digest": mark.digest} for mark in store.batches()]
    return {**counts, "marks": marks}


def _save(path: Path, tables: Iterable[pa.Table]) -> int:
    count, writer = 0, None
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    for table in tables:
        if writer is None:
            writer = pa.ipc.new_file(str(path), table.schema, options=options)
        writer.write_table(table)
        count += len(table)
    if writer is not None:
        writer.close()
    return count


def _write_manifest(folder: Path, manifest: dict[str, Any], vault: Vault) -> None:
    text = json.dumps(manifest, sort_keys=True)
    (folder / "manifest.json").write_text(
        json.dumps({"manifest": text, "mac": vault.token(MAC, text)}), encoding="utf-8"
    )


# Back --------------------------------------------------------------------------------------------------


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file) as archive:
            for member in archive.getmembers():
                if not member.isfile() or "/" in member.name or member.name.startswith("."):
                    raise InputError(f"{file} is no backup of Ringroad")
                part = archive.extractfile(member)
                if part is not None:
                    with part, (folder / member.name).open("wb") as copy:
                        shutil.copyfileobj(part, copy)
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest: dict[str, Any] = json.loads(content["manifest"]) | {
            "text": content["manifest"],
            "mac": content["mac"],
        }
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{file} is no backup of Ringroad, or is damaged") from None
    if manifest["format"] != FORMAT or manifest["ontology"] != ontology_hash():
        raise InputError(f"{file} was made by another version of Ringroad; restore it with that version")
    return manifest


def _verify(manifest: dict[str, Any], folder: Path, vault: Vault) -> None:
    changed = [
        name
        for name, sha in manifest["parts"].items()
        if not (folder / name).is_file() or _sha256(folder / name) != sha
    ]
    if changed or vault.token(MAC, manifest["text"]) != manifest["mac"]:
        raise InputError(
            f"the backup was changed after it was made ({changed[0] if changed else 'manifest'}); use another copy"
        )


def _name(manifest: dict[str, Any]) -> str:
    return f"restore-{manifest['digest'][:24]}"


def _batches(folder: Path, manifest: dict[str, Any]) -> Iterator[Batch]:
    """Nodes first: an edge's end that does not exist yet would be created without its mask."""
    name = _name(manifest)
    keys: dict[str, Keys] = {}
    for type_ in NODES:
        for at, rows in enumerate(_tables(folder / f"node-{type_}")):
            keys[type_] = keys.get(type_, {}) | dict(zip(rows["id"].to_pylist(), rows["key"].to_pylist(), strict=True))
            yield Batch(f"{name}/node-{type_}-{at}", manifest["digest"], nodes=[_node_rows(type_, rows)])
    for type_ in EDGES:
        for at, rows in enumerate(_tables(folder / f"edge-{type_}")):
            yield Batch(f"{name}/edge-{type_}-{at}", manifest["digest"], edges=_edge_rows(type_, rows, keys))
    for path in sorted(folder.glob("event-*")):
        for at, rows in enumerate(_tables(path)):
            kind = path.name.removeprefix("event-")
            yield Batch(f"{name}/event-{kind}-{at}", manifest["digest"], events={kind: rows})


def _tables(path: Path) -> Iterator[pa.Table]:
    if path.exists():
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            for at in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(at)])


def _node_rows(type_: str, rows: pa.Table) -> NodeRows:
    return NodeRows(
        type=type_,
        keys=rows["key"].to_pylist(),
        known_at=rows["known_at"].to_numpy(),
        updated_at=rows["updated_at"].to_numpy(),
        masked=rows["masked"].to_pylist(),
        properties=JsonProperties(rows["properties"].to_pylist()),
    )


def _edge_rows(type_: str, rows: pa.Table, keys: dict[str, Keys]) -> list[EdgeRows]:
    """One block for each origin the rows came from."""
    edge, origin = EDGES[type_], np.array(rows["origin"].to_pylist(), dtype=object)
    blocks = []
    for each in sorted(set(origin.tolist())):
        part = rows.filter(pa.array(origin == each))
        blocks.append(
            EdgeRows(
                type=type_,
                sources=[keys[edge.source][at] for at in part["source"].to_pylist()],
                targets=[keys[edge.target][at] for at in part["target"].to_pylist()],
                refs=part["ref"].to_pylist(),
                event_time=part["event_time"].to_numpy(),
                known_at=part["known_at"].to_numpy(),
                valid_to=part["valid_to"].to_numpy(),
                confidence=part["confidence"].to_numpy(),
                origin=each,
            )
        )
    return blocks


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
