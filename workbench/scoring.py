"""Scores from a store to a file: prepare, train, score, explain. What is learned lives in the registry of models."""
# ruff: noqa: PLC0415 - numba, XGBoost and torch take seconds to import; only some commands need them

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from graph.errors import InputError, ModelRefused, NodeNotFound
from graph.records import Ints, from_millis, to_millis
from graph.settings import Settings
from workbench.instance import Instance

if TYPE_CHECKING:
    import numpy.typing as npt

    from gnn.explain import Reason
    from gnn.registry import By, Model, Registry
    from gnn.scorer import Scorer, Scores
    from gnn.training import Prepared, Trained
    from graph.opinions import Opinions
    from graph.overrides import Placed
    from graph.rings import Examined
    from graph.snapshot import Snapshot

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

Progress = Callable[[str, int, int], None]

FIELDS = ("application_id", "as_of", "score", "decision", "reasons", "ring_id", "model_version")
TABLES = (
    "bureau_inquiries", "call_events", "device_events", "documents", "gps_pings", "outcomes", "payments", "repayments",
    "staff_actions", "vehicle_events",
)  # fmt: skip
LATENCY_MS = 50.0
LEAST_AUC = 0.6
"""A version that ranks worse on its validation months never serves; rules do better."""

NOTHING_LOADED = "the store holds no application; load a folder that has applications.csv"

UNTRAINED = "untrained"
"""The model version of scores by rules and isolation forest alone, where nothing was ever trained."""


@dataclass(frozen=True)
class Scored:
    """One line of scores.csv."""

    application_id: str
    as_of: str
    score: float
    decision: str
    reasons: tuple[str, ...]
    ring_id: str
    model_version: str


@dataclass(frozen=True)
class Published:
    """A version in the registry. `serves` says whether it became the champion."""

    version: str
    serves: bool
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    auxiliaries: Mapping[str, float]


def prepare(here: Instance, progress: Progress = lambda *_: None, *, opinions_of: datetime | None = None) -> Prepared:
    """Without the links that people found innocent by then, and with what they had decided about single things (None:
    by now). Who trains as of a day takes those of that day."""
    from gnn import training
    from graph.innocent import without

    snapshot = here.snapshot(lambda name, done, total: progress(f"snapshot {name}", done, total))
    if not len(snapshot.nodes["Application"]):
        raise InputError(NOTHING_LOADED)
    said = opinions(here.settings, opinions_of or datetime.now(UTC))
    snapshot = without(snapshot, said.innocent)
    return training.prepare(snapshot, events_of(here), overrides=said.here(snapshot).overrides, progress=progress)


def opinions(settings: Settings, at: datetime) -> Opinions:
    """Of people, as far as there is a casebook."""
    from graph.opinions import NOBODY_S
    from workbench.casebook import opening
    from workbench.casebook.opinions import opinions_as_of
    from workbench.instance import open_casebook

    if not opening.exists(settings.casebook_url):
        return NOBODY_S
    with open_casebook(settings) as casebook, casebook.reading() as db:
        return opinions_as_of(db, at)


def registry(settings: Settings) -> Registry:
    from gnn.registry import Registry

    return Registry(settings.home / "models")


def features_hash() -> str:
    from gnn.features.catalogue import CATALOGUE
    from gnn.manifest import catalogue_hash

    return catalogue_hash((each.name, each.unit) for each in CATALOGUE.values())


# For rings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RingOpinion:
    """What hindsight says of everybody on a night, and the learned rank of candidates. What people know of somebody
    counts where it is worse."""

    risk: Floats
    fraud: Flags
    scorer: Scorer
    version: str

    def rescored(self, examined: Examined, rows: Ints | None = None) -> Examined:
        """`rows`: whom an excerpt shows, if it is one."""
        from gnn.ringrank import Known, Night
        from graph.opinions import CONFIRMED

        risk, fraud = (self.risk, self.fraud) if rows is None else (self.risk[rows], self.fraud[rows])
        if (known := examined.signs.known) is not None:
            risk, fraud = np.maximum(risk, known), fraud | (known >= CONFIRMED)
        return self.scorer.ring_rank.rescored(Night(examined, Known(risk, fraud)))


def opinion(here: Instance, snapshot: Snapshot, night: int, overrides: Sequence[Placed] = ()) -> RingOpinion:
    """Of the serving model. Raises InputError when none was trained."""
    from gnn.training import hindsight_of, later_book

    served = serving(here.settings)
    if served is None or served[0].hindsight is None:
        raise InputError("no model serves yet; run `ringroad train` first, or leave --by-model out")
    later = later_book(snapshot, events_of(here), overrides)
    return RingOpinion(hindsight_of(served[0], later, night), later.labels.known(night), *served)


def opinion_again(settings: Settings, version: str, risk: Floats, fraud: Flags) -> RingOpinion:
    """As that version said before. Raises ModelRefused where it is gone."""
    from gnn.rules import read_settings
    from gnn.scorer import Scorer

    model = registry(settings).open(version, features_hash=features_hash())
    return RingOpinion(risk, fraud, Scorer.load(model.folder, read_settings()), version)


def events_of(here: Instance) -> dict[str, Any]:
    """What the store tells, and the labels of the casebook among the outcomes."""
    kinds = set(here.store.event_kinds())
    told = {name: here.store.events(name) for name in TABLES if name in kinds}
    outcomes = _with_labels(here.settings, told.get("outcomes"))
    return told if outcomes is None else told | {"outcomes": outcomes}


def _with_labels(settings: Settings, outcomes: Any) -> Any:
    from workbench.casebook import labels, opening
    from workbench.instance import open_casebook

    if not opening.exists(settings.casebook_url):
        return outcomes
    with open_casebook(settings) as casebook, casebook.reading() as db:
        return labels.with_outcomes(outcomes, labels.as_events(db))


# Training ------------------------------------------------------------------------------------------------


def train(
    here: Instance, ready: Prepared, *, until: datetime, seed: int, by: By, promote: bool, progress: Progress
) -> Published:
    """A new version in the registry; it serves at once when it is the first, or when asked to."""
    from gnn import training
    from gnn.rules import read_settings

    made = training.train(ready, until=to_millis(until), settings=read_settings(), seed=seed, progress=progress)
    return publish(registry(here.settings), ready, made, until=until, seed=seed, by=by, promote=promote)


def publish(
    models: Registry, ready: Prepared, made: Trained, *, until: datetime, seed: int, by: By, promote: bool
) -> Published:
    from gnn.manifest import Training

    first = from_millis(int(ready.book.submitted.min()))
    training = Training(
        features_hash=features_hash(),
        trained_from=first,
        trained_until=until,
        labels_until=until,
        metrics=dict(made.metrics),
        at_least={"roc_auc": LEAST_AUC} if "roc_auc" in made.metrics else {},
        at_most={},
        latency_ms=LATENCY_MS,
        parameters={"auxiliaries": dict(made.scorer.fusion.weights), "features": len(made.scorer.names)},
        seed=seed,
    )
    version = models.publish(made.scorer.save, training, by)
    notes, serves = made.notes, promote
    if promote:
        models.promote(version, by, features_hash=features_hash(), check=latency)
    elif not any("champion" in each.role for each in models.list()):
        try:
            models.promote(version, by, features_hash=features_hash(), check=latency)
            serves = True
        except ModelRefused as error:  # too little to learn from: rules and isolation go on
            notes = (*notes, str(error))
    return Published(version, serves, made.metrics, notes, made.scorer.fusion.weights)


def latency(folder: Any) -> float:
    """Milliseconds of the trees for one application, as the registry asks before it serves a version."""
    from time import perf_counter

    from gnn.rules import read_settings
    from gnn.scorer import Scorer

    scorer = Scorer.load(folder, read_settings())
    row = np.full((1, len(scorer.names)), np.nan, dtype=np.float32)
    spent = []
    for _ in range(20):
        start = perf_counter()
        scorer.isolation.score(row)
        if scorer.main is not None:
            scorer.main.score(row)
        spent.append((perf_counter() - start) * 1000)
    return float(np.median(spent))


def serving(settings: Settings) -> tuple[Scorer, str] | None:
    """The champion and its version; None when nothing was ever trained. Raises ModelRefused for one that is unsound."""
    from gnn.registry import CHAMPION
    from gnn.rules import read_settings
    from gnn.scorer import Scorer

    models = registry(settings)
    if not any("champion" in each.role for each in models.list()):
        return None
    model: Model = models.open(CHAMPION, features_hash=features_hash())
    return Scorer.load(model.folder, read_settings()), model.version


def serving_or_untrained(settings: Settings, ready: Prepared) -> tuple[Scorer, str]:
    """Without any model: rules and an isolation forest over what is there, which is the best honest answer."""
    from gnn.rules import read_settings
    from gnn.training import untrained

    return serving(settings) or (untrained(ready, settings=read_settings()), UNTRAINED)


# Scoring -------------------------------------------------------------------------------------------------


def score(
    ready: Prepared,
    scorer: Scorer,
    version: str,
    rows: Ints,
    *,
    rings: Mapping[int, str],
    progress: Progress = lambda *_: None,
) -> list[Scored]:
    """Every row as of its own submission. `rings`: the ring that each row joins, as listed before."""
    told = scorer.score(ready.seen, ready.book, rows, ready.rule_columns)
    decided = decisions(told)
    reasons = reason_codes(ready, scorer, told, [one != "pass" for one in decided], progress)
    names = ready.snapshot.nodes["Application"].table["key"].take(rows).to_pylist()
    return [
        Scored(
            name, stamp(int(ready.book.as_of[row])), round(number, 6), decision, codes, rings.get(int(row), ""), version
        )
        for name, row, number, decision, codes in zip(
            names, rows.tolist(), told.score.tolist(), decided, reasons, strict=True
        )
    ]


def decisions(told: Scores) -> list[str]:
    from gnn.decide import Advice, Thresholds, decide
    from gnn.rules import ADVICE, Strength

    limits = Thresholds(min(max(told.review_from, 0.0), 1.0))
    advice = told.rules.advice.tolist()
    return [
        decide(
            number,
            limits,
            Advice(
                ADVICE[says],  # type: ignore[arg-type]
                tuple(rule.code for rule in told.rules.of(at) if rule.strength is Strength.STRONG) if says else (),
            ),
        ).decision
        for at, (number, says) in enumerate(zip(told.score.tolist(), advice, strict=True))
    ]


def reason_codes(
    ready: Prepared, scorer: Scorer, told: Scores, wanted: Sequence[bool], progress: Progress
) -> list[tuple[str, ...]]:
    """Codes of those that somebody will look at; nothing needs to be said against the others."""
    codes: list[tuple[str, ...]] = [()] * len(told)
    chosen = np.flatnonzero(np.array(wanted, dtype=bool))
    for done, (at, found) in enumerate(zip(chosen.tolist(), explained(ready, scorer, told, chosen), strict=True)):
        codes[at] = tuple(each.code for each in found)
        progress("reasons", done + 1, len(chosen))
    return codes


def explained(ready: Prepared, scorer: Scorer, told: Scores, chosen: Ints) -> Iterable[tuple[Reason, ...]]:
    """Reasons of some of the scored rows, without their evidence."""
    from gnn.explain import reasons

    values = ready.seen.only(scorer.names)[told.rows[chosen]]
    parts = contributions(scorer, values)
    for place, at in enumerate(chosen.tolist()):
        added = {name: float(each[at]) for name, each in told.added.items()}
        hits = [(rule.code, rule.reason, float(rule.points)) for rule in told.rules.of(at)]
        yield reasons(parts[place], values[place], scorer.names, auxiliaries=added, hits=hits)


def contributions(scorer: Scorer, values: Any) -> Any:
    if scorer.main is None or not len(values):
        return np.zeros((len(values), len(scorer.names) + 1))
    return scorer.main.contributions(values)


def explain(ready: Prepared, scorer: Scorer, version: str, application_id: str) -> dict[str, Any]:
    """Everything there is to say about one score: reasons with evidence, rules, detector clusters."""
    from gnn.explain import clusters, with_evidence

    row = row_of(ready, application_id)
    told = scorer.score(ready.seen, ready.book, np.array([row]), ready.rule_columns)
    (found,) = explained(ready, scorer, told, np.array([0]))
    values = ready.seen.only(scorer.names)[[row]]
    added = {name: float(each[0]) for name, each in told.added.items()}
    return {
        "application_id": application_id,
        "as_of": stamp(int(ready.book.as_of[row])),
        "score": round(float(told.score[0]), 6),
        "review_from": round(scorer.review_from, 6),
        "decision": decisions(told)[0],
        "model_version": version,
        "clusters": clusters(contributions(scorer, values)[0], scorer.names, added),
        "auxiliaries": {name: float(each[0]) for name, each in told.auxiliaries.items()},
        "rules": [
            {"code": rule.code, "strength": str(rule.strength), "points": rule.points, "en": rule.en, "zh": rule.zh}
            for rule in told.rules.of(0)
        ],
        "reasons": [asdict(each) for each in with_evidence(found, ready.book, row)],
    }


def row_of(ready: Prepared, application_id: str) -> int:
    from graph.records import NodeRef

    try:
        return ready.snapshot.index(NodeRef("Application", application_id))
    except NodeNotFound:
        raise NodeNotFound(f"no application {application_id} is loaded; load it first: ringroad load FOLDER") from None


def rows_since(ready: Prepared, since: datetime | None) -> Ints:
    if since is None:
        return np.arange(len(ready.book))
    return np.flatnonzero(ready.book.submitted >= to_millis(since))


def rows_named(ready: Prepared, names: Sequence[str]) -> Ints:
    """Raises NodeNotFound with the first ids that are not loaded."""
    from graph.records import node_ids

    rows = ready.snapshot.nodes["Application"].index_of(node_ids("Application", names))
    missing = [name for name, row in zip(names, rows.tolist(), strict=True) if row < 0]
    if missing:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise NodeNotFound(f"{len(missing)} of {len(names)} applications are not loaded ({shown}); load them first")
    return np.asarray(rows)


def as_csv(scored: Iterable[Scored]) -> str:
    """The stable format of architecture.md."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for one in scored:
        writer.writerow(
            [
                one.application_id,
                one.as_of,
                one.score,
                one.decision,
                ";".join(one.reasons),
                one.ring_id,
                one.model_version,
            ]
        )
    return text.getvalue()


def stamp(millis: int) -> str:
    from workbench.render import CHINA

    return from_millis(millis).astimezone(CHINA).isoformat(timespec="seconds")


def three_quarters(snapshot: Snapshot) -> datetime:
    """The beginning of the day before which three quarters of the time lie."""
    from gnn.book import FOREVER, when
    from workbench.render import CHINA

    nodes = snapshot.nodes["Application"]
    if not len(nodes):
        raise InputError(NOTHING_LOADED)
    submitted, _ = when(nodes.times("submitted_at", as_of=FOREVER), nodes.known_at)
    first, last = int(submitted.min()), int(submitted.max())
    day = from_millis(first + (last - first) * 3 // 4).astimezone(CHINA)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def last_rings(settings: Settings, ready: Prepared, rows: Ints) -> dict[int, str]:
    """Per row the ring of the last run that it stands in, or in which the person stands with whom it shares most."""
    from workbench import ringruns

    try:
        ring_of = ringruns.last_members(settings)
    except InputError:
        return {}
    names = ready.snapshot.nodes["Application"].table["key"].to_pylist()
    found = {}
    for row in rows.tolist():
        linked = [names[other] for other in ready.seen.links.row[row].tolist() if other >= 0]
        ring = next((ring_of[name] for name in (names[row], *linked) if name in ring_of), None)
        if ring is not None:
            found[row] = ring
    return found


# For people ----------------------------------------------------------------------------------------------


def table(scored: Sequence[Scored], top: int) -> Any:
    from rich.table import Table

    shown = Table(
        "application", "score", "decision", "reasons", "ring", title=f"{len(scored):,} applications", box=None
    )
    for one in sorted(scored, key=lambda each: (-each.score, each.application_id))[:top]:
        shown.add_row(one.application_id, f"{one.score:.3f}", one.decision, " ".join(one.reasons), one.ring_id)
    return shown


def card(told: dict[str, Any]) -> str:
    lines = [
        f"{told['application_id']}  {told['decision']}",
        f"score {told['score']:.3f}; a person looks from {told['review_from']:.3f} on",
        f"as of {told['as_of']}, by {told['model_version']}",
        "detectors: " + ", ".join(f"{name} {value:.2f}" for name, value in told["clusters"].items()),
    ]
    for reason in told["reasons"]:
        en, _ = reason["investigator"]
        lines.append(f"{reason['code']}  {en}")
        lines.append(f"      to the applicant: {reason['applicant'][1]} / {reason['applicant'][0]}")
    lines += [f"{rule['code']}  {rule['en']} ({rule['strength']}, {rule['points']:g} points)" for rule in told["rules"]]
    return "\n".join(lines)


def model_table(rows: Sequence[Mapping[str, Any]]) -> Any:
    from rich.table import Table

    if not rows:
        return "no model yet; ringroad train"
    shown = Table("version", "role", "trained until", "PR-AUC", "trouble", box=None)
    for one in rows:
        until = one["trained_until"].date().isoformat() if one["trained_until"] else ""
        figure = one["metrics"].get("pr_auc")
        shown.add_row(one["version"], one["role"], until, f"{figure:.3f}" if figure is not None else "", one["trouble"])
    return shown
