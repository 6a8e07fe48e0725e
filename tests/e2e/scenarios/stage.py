"""Where a scene is played: a service in this process, over its routes, on a Tuesday morning and the weeks after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from gnn.book import ROLE, ROLES
from gnn.features.assemble import hindsight
from gnn.rules import Stage, evaluate, read_settings
from gnn.rules.night_columns import night_columns
from gnn.training import later_book
from graph.ontology import NODES
from graph.records import DAY, from_millis
from tests.e2e.scenarios.scene import COMMON, Scene, Step, filled, identifiers, made
from tests.service.conftest import Asking, Clock
from tests.service.people import iso
from workbench import ringruns, scoring
from workbench.instance import Instance, open_graph

TUESDAY, TEN = 1, 2
"""Of the week; ten in the morning in China is two in UTC."""

WINDOW = 180


def tuesday_morning() -> Clock:
    """The next one: what is labelled now is known by then, and hour and weekday do not depend on when tests run."""
    day = (datetime.now(UTC) + timedelta(days=1)).replace(hour=TEN, minute=0, second=0, microsecond=0)
    day += timedelta(days=(TUESDAY - day.weekday()) % 7)
    clock = Clock()
    clock.now = round(day.timestamp() * 1000)
    return clock


@dataclass(frozen=True)
class Night:
    """`rings` are the applications of each; `hits` those of each rule of the night."""

    rings: tuple[frozenset[str], ...]
    hits: Mapping[str, frozenset[str]]


@dataclass
class Played:
    """`answers` by the name in the scene, with `raw` as it came; `secrets` are identifiers that were sent."""

    cast: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    nights: list[Night] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def names(self, applications: Any) -> list[str]:
        """Those of the scene."""
        known = {one["application_id"]: name for name, one in self.cast.items()}
        return [known[each] for each in applications if each in known]


def play(scene: Scene, asked: Asking) -> Played:
    played, begun, common = Played(), asked.clock.now, common_things(asked)
    for step in scene.steps:
        asked.clock.now = max(asked.clock.now + 1000, begun + round(step.day * DAY))
        if step.kind == "apply":
            _apply(step, asked, played, common)
        elif step.kind == "night":
            asked.absorb()
            played.nights.append(_night(asked, played))
        else:
            _tell(step, asked, played)
    return played


def _apply(step: Step, asked: Asking, played: Played, common: Mapping[str, str]) -> None:
    name, base = step.says["apply"], asked.application()
    base["documents"].append({"kind": "income", "seal_hash": asked.people.hex(16)})
    one = played.cast[name] = made(step, base, played.cast, common)
    played.secrets |= identifiers(one)
    answer = asked.post("/score?explain=brief", one)
    assert answer.status_code == 200, answer.text
    played.answers[name], played.raw[name] = answer.json(), answer.text


def _tell(step: Step, asked: Asking, played: Played) -> None:
    told = filled(step.says[step.kind], played.cast, iso(asked.clock.now))
    number = played.cast[told.pop("of")]["application_id"]
    if step.kind == "label":
        said = {"application_id": number, "source": "review", "maturity": "final", "author": "reviewer-07"}
        answer = asked.post("/labels", said | {"second_author": "reviewer-12"} | told, Idempotency_Key=number)
    else:
        answer = asked.post(f"/applications/{number}/events", told)
    assert answer.is_success, answer.text
    assert answer.json().get("warnings", []) == []


def common_things(asked: Asking) -> dict[str, str]:
    """Per kind the thing that most applications of the loaded portfolio hold, of those that were set aside."""
    view = asked.service.engine.view
    assert view is not None
    book = view.assessor.desk.book
    pairs, aside, found = book.pairs, np.flatnonzero(book.aside_from < asked.clock.now), {}
    for thing, name in COMMON.items():
        role = ROLES[ROLE[name]]
        held = pairs.thing[(pairs.role == ROLE[name]) & np.isin(pairs.thing, aside)]
        each, count = np.unique(held, return_counts=True)
        index = int(each[np.argmax(count)]) - book.offsets[role.type]
        key = book.snapshot.nodes[role.type].table["key"][index].as_py()
        found[thing] = asked.service.vault.reveal(str(NODES[role.type].kind), key)
    return found


def _night(asked: Asking, played: Played) -> Night:
    """What `ringroad rings` says as of now, and the rules of the night."""
    now, base = from_millis(asked.clock.now), asked.service.settings.base
    with open_graph(base, None) as store:
        here = Instance(base, store, None)
        found = ringruns.run(here, ringruns.Asked(now, WINDOW, now)).found
        later = later_book(here.snapshot(), scoring.events_of(here))
    links = hindsight(later, night=asked.clock.now).links
    columns = night_columns(later, night=asked.clock.now, links=links)
    verdicts = evaluate(columns, read_settings(), stages=(Stage.NIGHT,))
    keys = np.array(later.snapshot.nodes["Application"].table["key"].to_pylist())[later.as_of <= asked.clock.now]
    hits = {
        code: frozenset(played.names(keys[verdicts.hits[:, at]].tolist())) for at, code in enumerate(verdicts.codes)
    }
    rings = (frozenset(played.names(each.application_ids)) for each in found.rings)
    return Night(tuple(each for each in rings if each), hits)


def told(answer: Mapping[str, Any]) -> str:
    """All that an answer says, for searching."""
    return orjson.dumps(answer).decode()
