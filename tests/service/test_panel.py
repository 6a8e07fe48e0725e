"""What decides: layers, thresholds, arms, and models that are only listened to."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from graph.records import from_millis
from tests.e2e.conftest import inside
from tests.service.conftest import RINGROAD, UNTIL, Asking, asking, copied, environment
from workbench.casebook import strategies
from workbench.instance import open_casebook
from workbench.online import images
from workbench.online.panel import Rule

CHALLENGED = {"share": 0.5, "salt": "first"}


def adopt(asked: Asking, **content: Any) -> strategies.Adopted:
    now = from_millis(asked.clock.now)
    with open_casebook(asked.service.settings.base) as casebook, casebook.writing() as db:
        made = strategies.propose(db, content, effective_from=now, author="a", reason="test", now=now)
    asked.service._adopt()
    asked.service.engine.decide_by(Rule.of(asked.service._adopted))
    return made


def confirmed(asked: Asking) -> dict[str, Any]:
    """An application whose applicant is known as a fraud by now: R01 is a strong rule."""
    first = asked.application()
    asked.score(first)
    told = {"application_id": first["application_id"], "label": "CONFIRMED_FRAUD", "typology": "T01",
            "evidence_level": "E1", "source": "police", "author": "a", "second_author": "b"}  # fmt: skip
    assert asked.post("/labels", told, Idempotency_Key="k").status_code == 201
    asked.clock.forward(days=20)
    return asked.application(applicant_id=first["applicant_id"], applicant=first["applicant"])


def test_a_strong_rule_decides_alone(asked: Asking) -> None:
    one = confirmed(asked)
    answer = asked.score(one)
    assert (answer["decision"], answer["decided_by"], answer["layer"]) == ("decline", "R01", 1)
    assert answer["score"] is None, "no model was asked"
    assert [each["code"] for each in answer["reasons"]] == ["RC10"]
    assert asked.get(f"/applications/{one['application_id']}").json()["replay"]["same"]


def test_who_asks_for_everything_gets_the_models_too(asked: Asking) -> None:
    answer = asked.score(confirmed(asked), full=True)
    assert (answer["decision"], answer["decided_by"], answer["layer"]) == ("decline", "R01", 2)
    assert answer["score"] is not None
    assert answer["clusters"]


def test_a_strategy_may_keep_strong_rules_from_declining(asked: Asking) -> None:
    one = confirmed(asked)
    made = adopt(asked, decline=False)
    answer = asked.score(one)
    assert (answer["decision"], answer["decided_by"], answer["strategy"]) == ("review", "R01", made.id)


def test_thresholds_rules_and_the_way_back(asked: Asking) -> None:
    assert asked.score(asked.application())["decision"] == "pass"
    adopt(asked, review_from=0.0)
    answer = asked.score(asked.application())
    assert (answer["decision"], answer["decided_by"]) == ("review", "model")
    adopt(asked, rules={"advice": {"review": 1.0, "decline": 100.0}, "R16": {"points": 5}})
    assert asked.service.engine.panel is not None
    assert asked.service.engine.panel.rule.settings.review == 1.0
    now = from_millis(asked.clock.now) + timedelta(seconds=5)
    with open_casebook(asked.service.settings.base) as casebook, casebook.writing() as db:
        strategies.roll_back(db, to=0, author="a", reason="test", now=now)
    asked.clock.forward(seconds=6)
    asked.service._adopt()
    asked.service.engine.decide_by(Rule.of(asked.service._adopted))
    assert asked.score(asked.application())["decision"] == "pass"


def test_an_override_holds_for_its_products_alone(asked: Asking) -> None:
    """And is said in the answer, and when the decision is looked at again."""
    used = {"name": "used cars", "products": ["used"], "review_from": 0.0, "rules": {"R16": {"points": 7}}}
    adopt(asked, overrides=[used])
    new, old = (asked.application(product=each) for each in ("new", "used"))
    answers = [asked.score(each) for each in (new, old)]
    assert [(each["decision"], each["override"]) for each in answers] == [("pass", None), ("review", "used cars")]
    assert answers[1]["decided_by"] == "model"
    assert asked.get(f"/applications/{old['application_id']}").json()["replay"]["same"]


# Several models ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_models(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A home whose image holds the champion and another version, in the registry's shadow."""
    home = copied(trained, tmp_path_factory.mktemp("two") / "home")

    def ringroad(*line: str) -> str:
        told = inside(home, *line)
        assert told.code == 0, told
        return told.out

    first = next(each["version"] for each in json.loads(ringroad("models", "list", "--json")) if each["role"])
    second = json.loads(ringroad("train", "--until", UNTIL, "--seed", "11", "--json"))["version"]
    ringroad("models", "shadow", second)
    ringroad("serve", "refresh", "--quiet")
    return home, first, second


@pytest.fixture
def both(two_models: tuple[Path, str, str], tmp_path: Path) -> Iterator[tuple[Asking, str, str]]:
    home, first, second = two_models
    place = copied(home, tmp_path / "home")
    with asking(place) as one:
        yield one, first, second
    shutil.rmtree(place)


def test_a_shadow_scores_unseen_and_its_differences_are_kept(both: tuple[Asking, str, str]) -> None:
    asked, first, second = both
    answer = asked.score(asked.application())
    assert answer["model_version"] == first
    ((sequence, version, _, told),) = asked.service.journal.differences()
    assert (sequence, version) == (answer["sequence"], second)
    kept = orjson.loads(told)
    assert kept["answered_by"] == first
    assert (kept["score"], kept["decision"]) == (answer["score"], answer["decision"])
    assert kept["other_score"] != kept["score"], "another seed, another model"


def test_a_challenger_answers_for_its_share(both: tuple[Asking, str, str]) -> None:
    asked, first, second = both
    made = adopt(asked, challenger=CHALLENGED | {"version": second})
    arms = {}
    for _ in range(30):
        answer = asked.score(asked.application())
        arms[answer["application_id"]] = answer["arm"]
        assert answer["model_version"] == (second if answer["arm"] == "challenger" else first)
        assert answer["arm"] == strategies.arm(answer["application_id"], made.strategy)
    assert set(arms.values()) == {"champion", "challenger"}
    assert len(asked.service.journal.differences()) == 30, "the other arm is listened to"


def test_a_model_that_the_graph_was_not_made_for_does_not_answer(both: tuple[Asking, str, str]) -> None:
    asked, first, _ = both
    adopt(asked, champion="20200101T000000-00000000")
    assert asked.score(asked.application())["model_version"] == first


def test_models_change_over_without_a_gap(both: tuple[Asking, str, str]) -> None:
    """Promoted, made into an image, taken over: the same desk, another champion."""
    asked, _, second = both
    before = asked.score(asked.application())
    subprocess.run([str(RINGROAD), "models", "promote", second], env=environment(asked.home), check=True,
                   capture_output=True)  # fmt: skip
    settings = asked.service.settings
    assert images.due(settings, asked.clock.now) is False, "the image holds it already"
    asked.absorb()
    images.refresh(settings)
    assert asked.service.engine.view is not None
    assert images.newer(settings, asked.service.engine.view)
    asked.http.portal.call(asked.service._look)  # type: ignore[union-attr]
    after = asked.score(asked.application())
    assert (before["model_version"], after["model_version"]) != (after["model_version"], before["model_version"])
    assert after["model_version"] == second
    assert after["graph_as_of"] > before["graph_as_of"]
