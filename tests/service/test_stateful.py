"""Any order of scores, events, labels and restarts, against a dictionary: what was told once stays told (P4, P5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.service.conftest import Asking, asking
from tests.service.places import a_home
from workbench.casebook import labels

FEW = settings(
    max_examples=6, stateful_step_count=30, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
DECIDED = {"kind": "decided", "details": {"decision": "decline", "decided_at": "2026-01-01T10:00:00+08:00"}}


class Place:
    """One home for all examples: its service is opened again only where an example says so."""

    def __init__(self, home: Path) -> None:
        self.home, self._open = home, ExitStack()
        self.asked = self._open.enter_context(asking(home))
        self.key, self.examples = self.asked.key, 0

    def restart(self) -> None:
        before = self.asked
        self.close()
        self._open = ExitStack()
        self.asked = self._open.enter_context(asking(self.home, before.clock))
        self.asked.people, self.asked.key = before.people, self.key

    def close(self) -> None:
        self._open.close()


@pytest.fixture(scope="module")
def place(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    one = Place(a_home(trained, tmp_path_factory.mktemp("stateful")))
    yield one
    one.close()


class Telling(RuleBasedStateMachine):
    """`answers`, `events` and `labels` are what the service is held to."""

    place: ClassVar[Place]
    applications = Bundle("applications")
    labelled = Bundle("labelled")

    def __init__(self) -> None:
        super().__init__()
        self.place.examples += 1
        self.number = 0
        self.answers: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[int]] = {}
        self.given: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        last = self.asked.service.journal.last()
        self.entries = last.sequence if last else 0
        self.rows = len(self.listed())

    @property
    def asked(self) -> Asking:
        return self.place.asked

    def listed(self) -> list[Any]:
        with self.asked.service.casebook.reading() as db:
            return list(labels.since(db, 0))

    def key(self) -> str:
        self.number += 1
        return f"example-{self.place.examples}-key-{self.number}"

    @rule(target=applications)
    def score(self) -> dict[str, Any]:
        one = self.asked.application()
        self.answers[one["application_id"]] = self.asked.score(one)
        self.events[one["application_id"]] = []
        self.entries += 1
        return one

    @rule(target=applications, before=applications)
    def score_with_the_same_device(self, before: dict[str, Any]) -> dict[str, Any]:
        one = self.asked.application(device_events=before["device_events"])
        told = self.answers[one["application_id"]] = self.asked.score(one)
        assert (
            before["application_id"] in [each["application_id"] for each in told["linked"]][:10]
            or len(told["linked"]) >= 5
        ), "it sees the ones before"
        self.events[one["application_id"]] = []
        self.entries += 1
        return one

    @rule(one=applications, keyed=st.booleans())
    def score_again(self, one: dict[str, Any], keyed: bool) -> None:
        more = {"Idempotency_Key": self.key()} if keyed else {}
        told = self.asked.post("/score", one, **more).json()
        assert told == self.answers[one["application_id"]] | {"replayed": True}

    @rule(one=applications, amount=st.integers(1, 1_000))
    def score_other_content(self, one: dict[str, Any], amount: int) -> None:
        refused(self.asked.post("/score", one | {"amount": one["amount"] + amount}), "key-reused")

    @rule(target=labelled, one=applications, note=st.sampled_from(["", "seen", "called"]))
    def label(self, one: dict[str, Any], note: str) -> tuple[str, dict[str, Any]]:
        key, content = self.key(), about(one["application_id"], note)
        told = self.asked.post("/labels", content, Idempotency_Key=key)
        assert told.status_code == 201
        assert not told.json()["replayed"]
        self.given[key] = content, told.json()
        self.entries, self.rows = self.entries + 1, self.rows + 1
        return key, content

    @rule(before=labelled)
    def label_again(self, before: tuple[str, dict[str, Any]]) -> None:
        key, content = before
        told = self.asked.post("/labels", content, Idempotency_Key=key)
        assert told.status_code == 201
        assert (told.json()["id"], told.json()["replayed"]) == (self.given[key][1]["id"], True)

    @rule(before=labelled, one=applications, note=st.sampled_from(["", "seen", "called", "other"]))
    def label_with_a_used_key(self, before: tuple[str, dict[str, Any]], one: dict[str, Any], note: str) -> None:
        key, content = before
        other = about(one["application_id"], note)
        told = self.asked.post("/labels", other, Idempotency_Key=key)
        if other == content:
            assert told.json()["id"] == self.given[key][1]["id"]
        else:
            refused(told, "key-reused")

    @rule(one=applications)
    def label_without_a_key(self, one: dict[str, Any]) -> None:
        refused(self.asked.post("/labels", about(one["application_id"], "")), "bad-request")

    @rule(one=applications, twice=st.booleans())
    def tell(self, one: dict[str, Any], twice: bool) -> None:
        name, key = one["application_id"], self.key()
        for again in (False, True)[: 1 + twice]:
            told = self.asked.post(f"/applications/{name}/events", DECIDED, Idempotency_Key=key)
            assert (told.status_code, told.json()["replayed"]) == (202, again)
            if not again:
                self.events[name].append(told.json()["sequence"])
                self.entries += 1
            assert told.json()["sequence"] == self.events[name][-1]
        other = DECIDED | {"details": DECIDED["details"] | {"decision": "approve"}}
        refused(self.asked.post(f"/applications/{name}/events", other, Idempotency_Key=key), "key-reused")

    @rule()
    def restart(self) -> None:
        self.place.restart()

    @rule(one=applications)
    def look(self, one: dict[str, Any]) -> None:
        name = one["application_id"]
        told = self.asked.get(f"/applications/{name}").json()
        assert told["answer"] == self.answers[name]
        assert told["replay"]["same"], "from what was known then"
        assert [each["sequence"] for each in told["events"] if each["kind"] == "event"] == self.events[name]

    @invariant()
    def nothing_else_is_on_disk(self) -> None:
        last = self.asked.service.journal.last()
        assert (last.sequence if last else 0) == self.entries
        assert len(self.listed()) == self.rows
        assert self.asked.service.engine.unapplied == 0


def about(application_id: str, note: str) -> dict[str, Any]:
    return {"application_id": application_id, "label": "SUSPECTED", "source": "review", "author": "a", "note": note}


def refused(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_what_was_told_once_stays_told(place: Place) -> None:
    Telling.place = place
    run_state_machine_as_test(Telling, settings=FEW)
