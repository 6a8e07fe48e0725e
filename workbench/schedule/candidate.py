"""Every week a candidate learns what became known, and scores in the shadow of the model that serves.

It never serves by itself: a person compares and promotes (`ringroad models promote VERSION`). One that fails a check
of the registry does not even score in the shadow.
"""
# ruff: noqa: PLC0415 - numba, XGBoost and torch take seconds to import; only the job that runs needs them

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from graph.errors import InputError, ModelRefused
from graph.records import DAY, to_millis
from workbench.instance import Instance, open_casebook
from workbench.schedule import nightly
from workbench.schedule.job import Did, Turn
from workbench.services.permissions import SCHEDULE
from workbench.webhooks.events import model_candidate

if TYPE_CHECKING:
    from gnn.registry import By, Registry
    from gnn.training import Prepared

SEED = 7
COMPARED_DAYS = 30
"""Applications so new are decided by both."""

TOLD = ("pr_auc", "roc_auc", "ece")


def candidate(turn: Turn) -> Did:
    """A slot that is done again takes the version that was trained for it before."""
    from gnn.registry import By
    from workbench import scoring

    models, by = scoring.registry(turn.settings), By(SCHEDULE.name, f"candidate of {turn.slot.name}", turn.clock())
    champion = models.in_role("champion")
    if champion is None:
        return Did(trouble="no model serves yet; the first one is a person's: ringroad train")
    with nightly.opened(turn.settings) as here:
        until = nightly.newest(here.snapshot(), turn.slot)
        ready = scoring.prepare(here, opinions_of=until)
        try:
            version = trained_before(models, until) or _trained(here, ready, until, by)
        except InputError as error:
            return Did(trouble=f"no candidate was trained: {error.message}")
        trouble = shadowed(models, version, by)
        figures = {} if trouble else _compared(turn, ready, champion, version)
    metrics = _metrics(models, champion, version)
    if not trouble:
        with open_casebook(turn.settings) as casebook, casebook.writing() as db:
            model_candidate(db, version, champion, metrics | figures, now=turn.clock())
    return Did({"version": version} | metrics | figures, trouble or nightly.late(until, turn.slot))


def trained_before(models: Registry, until: datetime) -> str | None:
    """The schedule's own version on what was known by then."""
    own = {
        each.pin.version
        for each in models.history()
        if each.did == "publish" and each.who == SCHEDULE.name and each.pin
    }
    for one in reversed(models.list()):
        if one.version in own and one.manifest is not None and one.manifest.training.trained_until == until:
            return one.version
    return None


def _trained(here: Instance, ready: Prepared, until: datetime, by: By) -> str:
    from workbench import scoring

    made = scoring.train(here, ready, until=until, seed=SEED, by=by, promote=False, progress=lambda *_: None)
    return made.version


def shadowed(models: Registry, version: str, by: By) -> str:
    """Why it does not score in the shadow; "" when it does. A shadow that a person chose stays."""
    from workbench import scoring

    if version == models.in_role("champion"):
        return f"{version} serves already"
    there = models.in_role("shadow")
    if there is not None and there != version and _chosen_by(models) != SCHEDULE.name:
        return f"{version} waits: somebody put {there} into the shadow; ringroad models shadow {version}"
    try:
        models.shadow(version, by, features_hash=scoring.features_hash(), check=scoring.latency)
    except ModelRefused as error:
        return f"{version} is not put into the shadow: {error.message}"
    return ""


def _chosen_by(models: Registry) -> str:
    """Who put into the shadow what is there."""
    return next((each.who for each in reversed(models.history()) if each.did == "shadow"), "")


def _metrics(models: Registry, champion: str, version: str) -> dict[str, float]:
    """Of both, each on months that it had not seen when it was measured."""
    by_version = {one.version: one.manifest for one in models.list()}
    found: dict[str, float] = {}
    for prefix, name in (("", version), ("champion_", champion)):
        manifest = by_version.get(name)
        told: Mapping[str, float] = {} if manifest is None else manifest.training.metrics
        found |= {f"{prefix}{each}": round(float(told[each]), 4) for each in TOLD if each in told}
    return found


def _compared(turn: Turn, ready: Prepared, champion: str, version: str) -> dict[str, float]:
    """What both decide of the newest applications: how many somebody would look at, and how many differ."""
    from gnn.rules import read_settings
    from gnn.scorer import Scorer
    from workbench import scoring

    models = scoring.registry(turn.settings)
    known = ready.book.as_of < to_millis(turn.slot.end)
    newest = int(ready.book.submitted[known].max())
    rows = np.flatnonzero(known & (ready.book.submitted > newest - COMPARED_DAYS * DAY))
    decided = []
    for one in (version, champion):
        model = models.open(one, features_hash=scoring.features_hash())
        scorer = Scorer.load(model.folder, read_settings())
        decided.append(scoring.decisions(scorer.score(ready.seen, ready.book, rows, ready.rule_columns)))
    calls = [sum(each != "pass" for each in some) for some in decided]
    differ = sum(one != other for one, other in zip(*decided, strict=True))
    return {"compared": len(rows), "calls": calls[0], "champion_calls": calls[1], "differ": differ}
