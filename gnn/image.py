"""A desk on disk: what a worker maps into its memory instead of computing it, with room for what arrives.

An image is a folder: one `.npy` file per array, longer than what is used; `snapshot/`, hard links of the snapshot that
the book was opened from; `image.json`, which says what belongs to it. Arrays are mapped copy-on-write: several
processes share every page that none of them writes to, and nobody ever changes the files.

It is written beside its place, made durable and renamed. What a worker finds is a whole image or none.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gnn.assessor import Assessor, embedded
from gnn.book import ROLES, Book, Pairs
from gnn.features.assemble import Features, Ledger
from gnn.features.catalogue import CATALOGUE
from gnn.manifest import catalogue_hash
from gnn.named import Index
from gnn.online import Desk, Start
from gnn.rules.columns import Peers
from gnn.rules.shared import Fates
from gnn.scorer import Scorer
from gnn.told import FOREVER, Inquiries, Labels, Statements
from gnn.walk import Links, Stated
from graph.errors import SnapshotError
from graph.ontology import ontology_hash
from graph.snapshot import open_snapshot

FORMAT = 1
ABOUT, SNAPSHOT = "image.json", "snapshot"
SMALL = 1 << 20
"""Files of so many bytes are compared by their digest, larger ones by their size: reading them would take a while."""

PAIRS_A_ROW, THINGS_A_ROW, INQUIRIES_A_ROW = 24, 12, 4

MADV_POPULATE_READ = 22
"""Linux 5.14 and later; Python has no name for it yet."""

EVENTS_READ = ("bureau_inquiries", "device_events", "documents", "outcomes")
"""Kinds of events of the store that a book of decision time reads; the others may be left where they are."""

Array = npt.NDArray[Any]
MALFORMED = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError)


class Column(NamedTuple):
    """An array to be kept, with room after it that holds `fill`."""

    name: str
    values: Array
    room: int = 0
    fill: float = 0


# Writing -------------------------------------------------------------------------------------------------


def save_image(
    folder: Path,
    start: Start,
    snapshot: Path,
    *,
    seen: Features,
    peers: Peers | None,
    scorers: Mapping[str, Scorer],
    spare: int = 50_000,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Of a desk where nothing has arrived yet; `seen` are the features of its book, `snapshot` the folder that the
    book's snapshot was opened from. `scorers` by version: of each with a graph network the embeddings are kept.

    So many as `spare` applications find room without a copy. `about` is any JSON the caller wants back. An image that
    stands there already is replaced. Raises SnapshotError where it cannot be written.
    """
    fresh = folder.with_name(folder.name + ".new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        _link(snapshot, fresh / SNAPSHOT)
        for column in (*_columns(start, peers, spare), *_embeddings(start, scorers, seen, spare)):
            _write(fresh / f"{column.name}.npy", column)
        _describe(fresh, start, seen, peers, scorers, dict(about or {}))
        _replace(folder, fresh)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise SnapshotError(
            f"the image {folder} cannot be written ({error.strerror}); make room or choose another folder"
        ) from None


def _columns(start: Start, peers: Peers | None, spare: int) -> Iterator[Column]:
    yield from _book(start, spare)
    yield from _said(start, spare)
    things = spare * THINGS_A_ROW
    yield Column("aside_from", start.book.aside_from[: start.things], things, FOREVER)
    yield Column("head", start.head[: start.things], things, -1)
    yield Column("most", start.most)
    yield Column("limit", start.limit[: start.rows], spare, np.nan)
    for part, arrays in (("stated", start.ledger.stated), ("links", start.ledger.links)):
        for name, each in arrays._asdict().items():
            yield Column(f"{part}.{name}", each[: start.rows], spare, FOREVER if name == "declined_at" else -1)
    yield from (Column(f"ids.{name}", each) for name, each in start.index.ids.items())
    yield from (Column(f"index.{name}", getattr(start.index, name)) for name in INDEX)
    if peers is not None:
        yield from (Column(f"peers.{name}", getattr(peers, name)) for name in PEERS)
        yield from (Column(f"fates.{name}", each) for name, each in _fates(peers.fates).items())


def _book(start: Start, spare: int) -> Iterator[Column]:
    book = start.book
    for name in OWN:
        yield Column(f"book.{name}", getattr(book, name)[: start.rows], spare)
    yield Column("pairs.start", book.pairs.start[: start.rows + 1], spare)
    for name, each in book.pairs._asdict().items():
        if name != "start":
            yield Column(f"pairs.{name}", each[: start.pairs], spare * PAIRS_A_ROW, -1)


def _said(start: Start, spare: int) -> Iterator[Column]:
    labels, people = start.book.labels, len(start.book.snapshot.nodes["Person"])
    for name, fill in LABELS.items():
        yield Column(f"labels.{name}", getattr(labels, name)[: start.rows], spare, fill)
    for name, each in labels.said._asdict().items():
        yield Column(f"said.{name}", each[: start.rows if name == "last" else start.statements], spare, -1)
    for name, each in start.book.inquiries._asdict().items():
        if name == "last":
            yield Column("inquiries.last", each[: people + start.rows], spare, -1)
        else:
            yield Column(f"inquiries.{name}", each[: start.inquiries], spare * INQUIRIES_A_ROW, -1)


OWN = ("submitted", "as_of", "known_at", "ids", "person")
LABELS = {"fraud_from": FOREVER, "fraud_until": FOREVER, "evidence": 0, "cleared_from": FOREVER, "early": 0}
INDEX = tuple(each.name for each in fields(Index) if each.name != "ids")
PEERS = ("limit", "ratio", "model", "model_of", "refused")


def _fates(fates: Fates) -> dict[str, Array]:
    return {each.name: value for each in fields(Fates) if (value := getattr(fates, each.name)) is not None}


def _embeddings(start: Start, scorers: Mapping[str, Scorer], seen: Features, spare: int) -> Iterator[Column]:
    for number, scorer in enumerate(scorers.values()):
        made = embedded(start.book, scorer, seen)
        if made is not None:
            yield Column(f"heard.{number}", made, spare)


def _write(path: Path, column: Column) -> None:
    """As `numpy.save` writes it, without ever holding the whole in memory twice."""
    values = np.ascontiguousarray(column.values)
    header = np.lib.format.header_data_from_array_1_0(values)
    header["shape"] = (len(values) + column.room, *values.shape[1:])
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        values.tofile(file)
        np.full((column.room, *values.shape[1:]), column.fill, dtype=values.dtype).tofile(file)
        file.flush()
        os.fsync(file.fileno())


def _link(source: Path, target: Path) -> None:
    """The snapshot's own files, which nobody writes to: the image stays whole when another snapshot takes its place."""
    target.mkdir(mode=0o700)
    for path in sorted(source.iterdir()):
        try:
            os.link(path, target / path.name)
        except OSError:
            shutil.copy2(path, target / path.name)


def _describe(  # noqa: PLR0917 - what an image is made of
    fresh: Path,
    start: Start,
    seen: Features,
    peers: Peers | None,
    scorers: Mapping[str, Scorer],
    about: Mapping[str, Any],
) -> None:
    told = {
        "format": FORMAT,
        **_made_with(),
        "counts": {name: getattr(start, name) for name in COUNTS},
        "offsets": dict(start.book.offsets),
        "loaded": dict(start.book.loaded),
        "names": seen.names,
        "peers": None if peers is None else {"first_day": int(peers.first_day), "first": int(peers.first)},
        "scorers": {
            version: f"heard.{number}" if scorer.sage is not None else ""
            for number, (version, scorer) in enumerate(scorers.items())
        },
        "about": about,
        "files": {path.relative_to(fresh).as_posix(): _measured(path) for path in _files(fresh)},
    }
    with (fresh / ABOUT).open("w", encoding="utf-8") as file:
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


COUNTS = ("at", "rows", "pairs", "inquiries", "statements")


def _made_with() -> dict[str, str]:
    features = catalogue_hash((each.name, each.unit) for each in CATALOGUE.values())
    return {"ontology": ontology_hash(), "features": features}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ABOUT)


def _measured(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    return {"size": size} | ({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()} if size <= SMALL else {})


def _replace(folder: Path, fresh: Path) -> None:
    """Two renames, and the folders' own entries made durable around them."""
    for path in (fresh / SNAPSHOT, fresh):
        _sync(path)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Opening -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """One that was found whole. `told` is its description; the desk is this process's own copy, one per image."""

    folder: Path
    told: Mapping[str, Any]
    _pages: list[mmap.mmap] = field(default_factory=list, repr=False, compare=False)

    @property
    def about(self) -> Mapping[str, Any]:
        """What the caller gave to `save_image`."""
        about: Mapping[str, Any] = self.told["about"]
        return about

    @property
    def versions(self) -> tuple[str, ...]:
        """Of the models that can score over it."""
        return tuple(self.told["scorers"])

    @cached_property
    def desk(self) -> Desk:
        return Desk.resumed(self._start())

    @cached_property
    def peers(self) -> Peers | None:
        if self.told["peers"] is None:
            return None
        names = [each.name for each in fields(Fates) if self._has(f"fates.{each.name}")]
        fates: dict[str, Any] = {"fleet_from": None} | self._named("fates", names)
        arrays: dict[str, Any] = self._named("peers", PEERS) | dict(self.told["peers"])
        return Peers(**arrays, fates=Fates(**fates))

    def assessor(self, scorer: Scorer, version: str, *, beside: Assessor | None = None) -> Assessor:
        """The models of a version over this desk; `beside` an assessor that was opened here before.

        Raises SnapshotError for a version with a graph network whose embeddings the image does not hold.
        """
        heard = self.told["scorers"].get(version, "")
        if scorer.sage is not None and not heard:
            kept = ", ".join(self.versions) or "none"
            raise SnapshotError(
                f"{self.folder} holds no embeddings of model {version} (it was made for {kept}); make a new image"
            )
        embeddings = self._array(heard) if scorer.sage is not None else None
        try:
            if beside is not None:
                return beside.beside(scorer, embeddings)
            return Assessor.resumed(self.desk, scorer, self.told["names"], embeddings, self.peers)
        except KeyError:
            raise SnapshotError(
                f"{self.folder} holds other features than model {version} was trained on; make a new image for it"
            ) from None

    def warm(self, assessor: Assessor) -> None:
        """Maps every page of the arrays and loads what is compiled: seconds now instead of slow first applications."""
        for pages in self._pages:
            with suppress(OSError, ValueError):  # an older kernel does not know it
                pages.madvise(MADV_POPULATE_READ)
        assessor.warm()

    def _start(self) -> Start:
        snapshot = open_snapshot(self.folder / SNAPSHOT)
        post = {role.relation for role in ROLES if role.post}
        snapshot = replace(snapshot, edges={name: each for name, each in snapshot.edges.items() if name not in post})
        own = self._named("book", OWN)
        said = Statements(**self._named("said", Statements._fields))
        book = Book(
            snapshot=snapshot,
            **own,
            pairs=Pairs(**self._named("pairs", Pairs._fields)),
            labels=Labels(**self._named("labels", tuple(LABELS)), said=said),
            inquiries=Inquiries(**self._named("inquiries", Inquiries._fields)),
            events={},
            offsets=self.told["offsets"],
            aside_from=self._array("aside_from"),
            loaded=self.told["loaded"],
        )
        stated, links = Stated(**self._named("stated", Stated._fields)), Links(**self._named("links", Links._fields))
        ids = {name: self._array(f"ids.{name}") for name in snapshot.nodes}
        return Start(
            book=book,
            ledger=Ledger(stated, links),
            index=Index(ids=ids, **self._named("index", INDEX)),
            head=self._array("head"),
            most=self._array("most"),
            limit=self._array("limit"),
            **self.told["counts"],
        )

    def _named(self, part: str, names: Iterable[str]) -> dict[str, Array]:
        return {name: self._array(f"{part}.{name}") for name in names}

    def _has(self, name: str) -> bool:
        return f"{name}.npy" in self.told["files"]

    def _array(self, name: str) -> Array:
        """A plain array: Numba looks twice at every other kind."""
        path = self.folder / f"{name}.npy"
        if not self._has(name):
            raise _broken(self.folder, f"{path.name} is missing")
        mapped: Any = np.load(path, mmap_mode="c", allow_pickle=False)
        self._pages.append(mapped._mmap)
        return np.asarray(mapped)


def open_image(folder: Path) -> Image:
    """Mapped, not read. Raises SnapshotError for one that is missing, damaged, or made by another release."""
    try:
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if told["format"] != FORMAT or any(told[name] != made for name, made in _made_with().items()):
            raise SnapshotError(f"{folder} was made by another version of Ringroad; make a new image")
        _check(folder, told["files"])
        image = Image(folder, told)
        _ = image.desk, image.peers
    except FileNotFoundError:
        raise SnapshotError(f"{folder} holds no image of a desk; make one") from None
    except MALFORMED as error:
        raise _broken(folder, type(error).__name__) from None
    return image


def _check(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    for name, told in files.items():
        path = folder / name
        if not path.is_file():
            raise _broken(folder, f"{name} is missing")
        if path.stat().st_size != told["size"] or _measured(path) != told:
            raise _broken(folder, f"{name} is not the file that was written")


def _broken(folder: Path, why: str) -> SnapshotError:
    return SnapshotError(f"{folder} holds no complete image of a desk ({why}); make a new one")
