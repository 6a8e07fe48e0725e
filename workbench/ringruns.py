"""A run of rings from facts to names: find them, or go on from the last run, record, and keep for `ringroad ring`."""
# ruff: noqa: PLC0415 - numba, networkx and SQLAlchemy take long to import; only some commands need them

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.errors import InputError, NodeNotFound
from graph.records import to_millis
from graph.settings import Settings
from graph.snapshot import Progress, Snapshot
from workbench import continuing, lastrun
from workbench.instance import Instance, open_casebook, written
from workbench.lastrun import ByModel

if TYPE_CHECKING:
    from graph.opinions import Opinions
    from graph.rerun import Run
    from graph.rings import Found
    from workbench.casebook.runs import Change
    from workbench.scoring import RingOpinion


@dataclass(frozen=True)
class Asked:
    """Rings as of a time (None: of the newest application), with people's opinions of a time."""

    as_of: datetime | None
    window_days: int
    overrides_as_of: datetime
    since_last: bool = False
    by_model: bool = False


@dataclass(frozen=True)
class RingRun:
    """Rings under their lasting names, and what changed since the run before.

    `since` and `fresh`: the run it goes on from, and how many applications are new since; None for a
    whole run. `notes` are lines for whoever asked: why it is a whole run after all, clocks that run ahead.
    """

    as_of: datetime
    found: Found
    change: Change
    since: datetime | None = None
    fresh: int = 0
    notes: tuple[str, ...] = ()


def run(here: Instance, asked: Asked, progress: Progress = lambda *_: None) -> RingRun:
    if not asked.since_last:
        return _whole(here, asked, progress)
    opinions = _decided(here, asked)
    try:
        going = continuing.start(here, asked.as_of, asked.window_days, opinions)
    except continuing.CannotContinue as why:
        ran = _whole(here, asked, progress)
        return replace(ran, notes=(f"a whole run: {why}", *ran.notes))
    ran = _recorded(here, going.snapshot, replace(asked, as_of=going.as_of), going.run(opinions), opinions)
    return replace(ran, since=going.since, fresh=going.fresh, notes=_ahead(here, going.snapshot, asked))


def _whole(here: Instance, asked: Asked, progress: Progress) -> RingRun:
    snapshot = here.snapshot(progress)
    ran = whole(here, snapshot, asked)
    return replace(ran, notes=_ahead(here, snapshot, asked))


def whole(here: Instance, snapshot: Snapshot, asked: Asked) -> RingRun:
    from graph import rerun

    opinions = _decided(here, asked)
    as_of = asked.as_of or here.newest(snapshot)
    opinion = _opinion(here, snapshot, to_millis(as_of), opinions) if asked.by_model else None
    made = rerun.run(
        snapshot, as_of=to_millis(as_of), window_days=asked.window_days, opinions=opinions, opinion=opinion
    )
    return _recorded(here, snapshot, replace(asked, as_of=as_of), made, opinions, _kept(snapshot, opinion))


def _kept(snapshot: Snapshot, opinion: RingOpinion | None) -> ByModel | None:
    if opinion is None:
        return None
    ids = snapshot.nodes["Application"].ids
    return ByModel(opinion.version, ids, opinion.risk, opinion.fraud)


def _opinion(here: Instance, snapshot: Snapshot, night: int, opinions: Opinions) -> RingOpinion:
    from graph.innocent import without
    from workbench import scoring

    snapshot = without(snapshot, opinions.innocent)
    return scoring.opinion(here, snapshot, night, opinions.here(snapshot).overrides)


def _decided(here: Instance, asked: Asked) -> Opinions:
    from workbench.casebook import opinions

    with open_casebook(here.settings) as casebook, casebook.reading() as db:
        return opinions.opinions_as_of(db, asked.overrides_as_of)


def _ahead(here: Instance, snapshot: Snapshot, asked: Asked) -> tuple[str, ...]:
    said = "" if asked.as_of else here.ahead(snapshot)
    return (said,) if said else ()


def _recorded(  # noqa: PLR0917
    here: Instance, snapshot: Snapshot, asked: Asked, made: Run, opinions: Opinions, by_model: ByModel | None = None
) -> RingRun:
    from workbench import casing
    from workbench.casebook import runs

    as_of, mark = asked.as_of or here.newest(snapshot), here.marks()[-1]
    about = runs.Run(as_of, made.window_days, asked.overrides_as_of, mark.sequence, _window(snapshot, made))
    with open_casebook(here.settings) as casebook:
        recording = casing.RingCases.of(casebook, snapshot, made.found.rings, as_of=as_of)
        with casebook.writing() as db:
            change = recording.record(db, about, now=datetime.now(UTC))
    named = [replace(ring, ring_id=name) for ring, name in zip(made.found.rings, change.ring_ids, strict=True)]
    ran = RingRun(as_of, replace(made.found, rings=named), change)
    _keep(here.settings, ran, asked.overrides_as_of)
    known = int((snapshot.nodes["Application"].known_at <= made.as_of).sum())
    batch = (mark.sequence, mark.id, mark.digest)
    decided = lastrun.Decided.by(opinions)
    lastrun.save(here.settings, lastrun.LastRun(made, here.store.url, batch, decided, known, by_model))
    return ran


def _window(snapshot: Snapshot, made: Run) -> frozenset[str]:
    """Those that `project` looks at, in a ring or not."""
    from graph.incidence import in_window

    recent = in_window(snapshot, as_of=made.as_of, window_days=made.window_days)
    return frozenset(snapshot.nodes["Application"].table["key"].filter(recent).to_pylist())


def _keep(settings: Settings, ran: RingRun, overrides_as_of: datetime) -> None:
    content = written({"as_of": ran.as_of, "overrides_as_of": overrides_as_of})
    fresh = settings.rings_file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content | {"rings": [ring.as_json() for ring in ran.found.rings]}, file)
    fresh.replace(settings.rings_file)


# The last run ------------------------------------------------------------------------------------------


def ring(ring_id: str, settings: Settings | None = None) -> dict[str, Any]:
    """A ring of the last run, as it was written then, with its history up to then (None: it was never recorded).
    `settings`: of another instance than the environment's."""
    settings = settings or Settings.read()
    run = _last(settings)
    past = _history(settings, ring_id.upper(), datetime.fromisoformat(run["as_of"]))
    for each in run["rings"]:
        if each["ring_id"] == ring_id.upper():
            return {"signs": [], "doubts": [], "roles": []} | dict(each) | {"as_of": run["as_of"], "lineage": past}
    ended = ""
    if past is not None and past["status"] != "alive":
        into = f" merged into {past['merged_into']}" if past["merged_into"] else " ended"
        ended = f"; it{into} as of {past['events'][-1]['as_of'][:10]}"
    raise NodeNotFound(f"{ring_id} is no ring of the last run ({run['as_of'][:10]}, {len(run['rings'])} rings){ended}")


def last_members(settings: Settings) -> dict[str, str]:
    """Per application of the last run's rings the ring it stands in."""
    return {name: ring["ring_id"] for ring in _last(settings)["rings"] for name in ring["application_ids"]}


def last_times(settings: Settings) -> tuple[datetime, datetime]:
    """When the last run was as of, and of when its overrides were."""
    run = _last(settings)
    return datetime.fromisoformat(run["as_of"]), datetime.fromisoformat(run.get("overrides_as_of", run["as_of"]))


def _last(settings: Settings) -> dict[str, Any]:
    try:
        run: dict[str, Any] = json.loads(settings.rings_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError("no rings yet; run `ringroad rings` first") from None
    return run


def _history(settings: Settings, ring_id: str, as_of: datetime) -> dict[str, Any] | None:
    from workbench.casebook import lineages, opening

    if not opening.exists(settings.casebook_url):
        return None
    with open_casebook(settings) as casebook, casebook.reading() as db:
        found = lineages.history(db, ring_id, as_of=as_of)
    return None if found is None else written(asdict(found))


def as_json(ran: RingRun, window_days: int) -> dict[str, Any]:
    """A run for a machine; `changes` counts rings by kind of event."""
    happened = Counter(kind.value for kind, _ in {(event.kind, event.ring_id) for event in ran.change.events})
    content = {
        "as_of": ran.as_of,
        "window_days": window_days,
        "looked_since": ran.since,
        "new_applications": ran.fresh,
        "notes": ran.notes,
        "since": ran.change.since,
        "recorded": not ran.change.unrecorded,
        "changes": dict(sorted(happened.items())),
        "applications": ran.found.applications,
        "links": ran.found.links if ran.since is None else None,
        "set_aside": ran.found.infrastructure,
    }
    return dict(written(content)) | {"rings": [ring.as_json() for ring in ran.found.rings]}


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
