"""The graph that scores are read from: made in the background, kept on disk, opened by every process in a moment.

    desks/20261123T020000/        an image of `gnn/image.py`: the desk as it stood when it was made
    desks/20261123T020000.rules/  a scorer without any training, for when no model can be trusted; `sessions.py`
    desks/current                 the name of the one that serves

A process goes on from the image with what the journal holds since (`position`).
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from gnn.assessor import Assessor
from gnn.image import Image, open_image, save_image
from gnn.online import Desk, Start
from gnn.registry import CHAMPION, SHADOW
from gnn.rules import read_settings
from gnn.rules.columns import Peers
from gnn.scorer import Scorer
from gnn.training import PEER_COLUMNS, untrained
from graph.errors import ModelRefused, RingroadError, SnapshotError
from graph.records import Ints, from_millis, node_id, node_ids, to_millis
from workbench import scoring
from workbench.casebook import innocent, strategies
from workbench.casebook.opening import Casebook
from workbench.casebook.opinions import overrides_as_of
from workbench.instance import Instance, open_casebook, open_graph
from workbench.journal import Journal
from workbench.online import places, sessions
from workbench.online.absorbing import absorbed_by
from workbench.online.filing import Decided, Known
from workbench.online.rings import Rings
from workbench.online.settings import HOUR, ServiceSettings

Progress = Callable[[str, int, int], None]

RULES = ".rules"
KEPT = 2
"""So many images stay: a process may still open the one before."""

UNTRAINED_TROUBLE, REFUSED_TROUBLE = "untrained", "model_refused"
SPARE = 100_000
MOST_SINCE = 20_000
"""Entries that a process applies when it starts: half a minute."""


@dataclass
class View:
    """An image, opened: one state of the graph with the models that score over it."""

    name: str
    image: Image
    assessor: Assessor
    version: str
    rings: Rings
    built_at: int
    position: int
    trouble: tuple[str, ...] = ()
    others: Mapping[str, Assessor] = field(default_factory=dict)
    """Versions that score beside the one that answers."""
    shadow: str | None = None
    """The registry's, that is only listened to."""

    def row_of(self, application_id: str) -> int | None:
        row = self.assessor.desk.row_of(node_id("Application", application_id))
        return row if row >= 0 else None

    def label(self, told: Mapping[str, Any]) -> None:
        """A row as `casebook.labels.as_events` gives it."""
        row = self.assessor.desk.row_of(int(told["owner"]))
        if row >= 0:
            self.assessor.desk.label(
                row, told["label"], known_at=told["known_at"], level=told["evidence_level"], source=told["source"]
            )

    def learn(self, application_id: str, told: Iterable[Known | Decided]) -> None:
        row, desk = self.row_of(application_id), self.assessor.desk
        if row is None:
            return
        for each in told:
            if isinstance(each, Decided):
                desk.decide(row, each.decision, at=each.at)
            else:
                desk.learn(row, each.hold, each.thing)


# Opening -------------------------------------------------------------------------------------------------


def current(settings: ServiceSettings) -> str | None:
    return places.current(settings.base)


def newer(settings: ServiceSettings, view: View) -> bool:
    name = current(settings)
    return name is not None and name != view.name


def open_current(settings: ServiceSettings, journal: Journal) -> View | None:
    """None where none was made. What another journal than this one told is not looked for in this one.

    Raises SnapshotError for one that is damaged.

        A model that is refused does not serve: rules and what the graph itself says answer in its place, and nobody is
        passed.
    """
    name = current(settings)
    if name is None:
        return None
    image = open_image(settings.desks / name)
    about = image.about
    scorer, version, trouble = _chosen(settings, image, str(about["version"]), settings.desks / f"{name}{RULES}")
    assessor = image.assessor(scorer, version)
    desk = assessor.desk
    return View(
        name=name,
        image=image,
        assessor=assessor,
        version=version,
        rings=read_rings(settings, desk),
        built_at=int(about["built_at"]),
        position=_position(about, journal),
        trouble=trouble,
        others=_beside(settings, image, assessor, version),
        shadow=_role(settings, SHADOW),
    )


def read_rings(settings: ServiceSettings, desk: Desk) -> Rings:
    """Of the last run, with their members' rows."""

    def rows_of(names: Sequence[str]) -> Ints:
        return np.array([desk.row_of(each) for each in node_ids("Application", names).tolist()], dtype=np.int64)

    return Rings.read(settings.base.rings_file, rows_of)


def _position(about: Mapping[str, Any], journal: Journal) -> int:
    return int(about["position"]) if about["journal"] == journal.name else 0


def _chosen(settings: ServiceSettings, image: Image, made_for: str, rules: Path) -> tuple[Scorer, str, tuple[str, ...]]:
    """The champion where the image was made for it, or else the model that it was made for."""
    for version in dict.fromkeys((_champion(settings), made_for)):
        if version is None or version not in image.versions or version == scoring.UNTRAINED:
            continue
        try:
            return _load(settings, version), version, ()
        except ModelRefused:
            return Scorer.load(rules, read_settings()), scoring.UNTRAINED, (REFUSED_TROUBLE,)
    return Scorer.load(rules, read_settings()), scoring.UNTRAINED, (UNTRAINED_TROUBLE,)


def _load(settings: ServiceSettings, version: str) -> Scorer:
    model = scoring.registry(settings.base).open(version, features_hash=scoring.features_hash())
    return Scorer.load(model.folder, read_settings())


def _beside(settings: ServiceSettings, image: Image, first: Assessor, serving: str) -> dict[str, Assessor]:
    """Shadow and challenger, as far as the image holds them; one that is refused is left out."""
    found = {}
    for version in image.versions:
        if version not in (serving, scoring.UNTRAINED):
            try:
                found[version] = image.assessor(_load(settings, version), version, beside=first)
            except RingroadError:
                continue
    return found


def _champion(settings: ServiceSettings) -> str | None:
    return _role(settings, CHAMPION)


def _role(settings: ServiceSettings, role: str) -> str | None:
    try:
        return scoring.registry(settings.base).in_role(role)
    except ModelRefused:  # nobody knows who serves
        return None


# Making --------------------------------------------------------------------------------------------------


def due(settings: ServiceSettings, now: int, told: int = 0, decided: str = "") -> bool:
    """Whether a new one is wanted: none is there, it is old, another model serves, so much was `told` since (the
    journal's newest entry) that a process would take long to start, or it is an hour old and people have `decided`
    otherwise about links and things."""
    name = current(settings)
    if name is None:
        return (settings.base.home / "graph.sqlite").exists() or "sqlite" not in settings.base.store_url
    try:
        about = places.about(settings.base, name)
    except SnapshotError:
        return True
    champion = _champion(settings)
    return (
        now - int(about["built_at"]) > settings.refresh_hours * HOUR
        or told - int(about["position"]) > MOST_SINCE
        or (champion is not None and champion not in about["versions"])
        or (decided not in ("", about.get("decided", "")) and now - int(about["built_at"]) > HOUR)
    )


def decided(db: Connection, at: datetime) -> str:
    """Names what people decided about links and things; an image made by it differs from others. Labels reach a desk
    through the journal, and are not of it."""
    things = [(each.type, each.key, each.infrastructure) for each in overrides_as_of(db, at)]
    return hashlib.blake2b(repr((things, innocent.in_force(db, at))).encode(), digest_size=8).hexdigest()


def refresh(settings: ServiceSettings, progress: Progress = lambda *_: None) -> Path:
    """A new image from the store, the casebook's labels and the models that serve; workers take it up by themselves.

    Raises InputError where the store is empty. One at a time: a second call waits and makes another.
    """
    settings.desks.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(settings.desks / "lock"), open_graph(settings.base, None) as store:
        here = Instance(settings.base, store, None)
        built_at = to_millis(datetime.now(UTC))
        with open_casebook(settings.base) as casebook, casebook.reading() as db:
            said = decided(db, from_millis(built_at))
        ready = scoring.prepare(here, progress, opinions_of=from_millis(built_at))
        with Journal(settings.journal_file, clock=lambda: built_at) as journal:
            position, name_of = absorbed_by(here.marks(), ready.snapshot.sequence, journal), journal.name
        alone = untrained(ready, settings=read_settings())
        version, scorers = _scorers(settings, alone)
        progress("image", 0, 1)
        name = f"{from_millis(built_at):%Y%m%dT%H%M%S%f}"[:18]
        rules = _made(settings.desks / f"{name}{RULES}")
        alone.save(rules)
        sessions.save(rules, ready.book)
        save_image(
            settings.desks / name,
            Start.of(ready.book, ready.seen.ledger, at=int(ready.book.as_of.max())),
            settings.base.snapshot_dir,
            seen=ready.seen,
            peers=Peers.fit(ready.book, {each: ready.seen[each] for each in PEER_COLUMNS}),
            scorers=scorers,
            spare=max(SPARE, len(ready.book) // 10),
            about={"built_at": built_at, "position": position, "journal": name_of, "version": version, "decided": said},
        )
        fresh = settings.desks / f"{places.CURRENT}.new"
        fresh.write_text(name, encoding="utf-8")
        fresh.replace(settings.desks / places.CURRENT)
        _forget(settings, name)
        progress("image", 1, 1)
        return settings.desks / name


def _scorers(settings: ServiceSettings, alone: Scorer) -> tuple[str, dict[str, Scorer]]:
    """The version that answers, and all that score: champion, shadow, and whom the strategy names."""
    wanted = [_champion(settings), _role(settings, SHADOW)]
    with open_casebook(settings.base) as casebook:
        wanted += _named(casebook)
    found: dict[str, Scorer] = {}
    for version in dict.fromkeys(each for each in wanted if each is not None):
        try:
            found[version] = _load(settings, version)
        except ModelRefused:
            continue
    serving = next((each for each in found if each == wanted[0]), scoring.UNTRAINED)
    return serving, found | {scoring.UNTRAINED: alone}


def _named(casebook: Casebook) -> list[str]:
    with casebook.reading() as db:
        return list(strategies.in_force(db, datetime.now(UTC)).strategy.versions)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def _forget(settings: ServiceSettings, name: str) -> None:
    made = sorted(each for each in settings.desks.iterdir() if each.is_dir() and not each.name.endswith(RULES))
    for old in made[:-KEPT]:
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(old.with_name(f"{old.name}{RULES}"), ignore_errors=True)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
