"""What the last run set aside because many hold it by nature, thing by thing, with the sentence that says why."""
# ruff: noqa: PLC0415 - numba and SQLAlchemy take long to import

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.errors import InputError
from graph.ontology import NODES
from graph.records import to_millis
from workbench import ringruns
from workbench.instance import Instance, open_casebook


@dataclass(frozen=True)
class Thing:
    """`held_by` counts the people who ever held it; `key` is what `ringroad override add` takes."""

    type: str
    kind: str
    key: str
    masked: str
    held_by: int
    because: str


def things(here: Instance, *, type_: str | None, top: int) -> tuple[Sequence[Thing], int]:
    """Those that most people hold, and how many there are in all. Judged again, as of the last run."""
    from graph.incidence import holdings
    from graph.overrides import placed
    from graph.projection import judge
    from workbench.casebook import opinions

    leads = [name for name, node in NODES.items() if node.lead]
    if type_ is not None and type_ not in leads:
        raise InputError(f"--type {type_} is never set aside; one of {', '.join(leads)}")
    as_of, overrides_as_of = ringruns.last_times(here.settings)
    snapshot, at = here.snapshot(), to_millis(as_of)
    with open_casebook(here.settings) as casebook, casebook.reading() as db:
        decided = list(placed(opinions.overrides_as_of(db, overrides_as_of), snapshot))
    held = holdings(snapshot, as_of=at)
    verdicts = judge(snapshot, held, as_of=at, overrides=decided)
    people = {
        name: np.bincount(each.entity, minlength=len(snapshot.nodes[name])) if len(each.entity) else None
        for name, each in held.own.items()
    }
    every = [
        (int(count[each.entity]) if (count := people.get(each.type)) is not None else 0, each)
        for each in verdicts
        if type_ in (None, each.type)
    ]
    every.sort(key=lambda one: (-one[0], one[1].type, one[1].entity))
    shown = []
    for number, each in every[:top]:
        row = snapshot.nodes[each.type].table.slice(each.entity, 1).to_pylist()[0]
        because = verdicts.sentence(each.type, each.entity)
        shown.append(Thing(each.type, each.kind, row["key"], row["masked"] or row["key"], number, because))
    return shown, len(every)
