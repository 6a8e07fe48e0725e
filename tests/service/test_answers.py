"""One application in, one answer out; what the next one sees; the same request again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import inside
from tests.service.conftest import Asking, asking
from workbench.api.schemas import ApplicationRecord, ScoreAnswer
from workbench.online import images


def test_an_answer_is_what_the_schema_says(asked: Asking) -> None:
    answer = ScoreAnswer.model_validate(asked.score(asked.application(), full=True))
    assert answer.sequence == 1
    assert answer.score is not None
    assert answer.layer == 2
    assert set(answer.clusters) == {"identity", "document", "ring", "channel", "behaviour"}
    assert answer.degraded == []
    assert answer.reasons, "explain=full tells of a pass, too"
    assert answer.coverage.missing == []
    assert answer.server_ms > 0


def test_two_applications_a_second_apart_find_each_other(asked: Asking) -> None:
    first = asked.application()
    second = asked.application(device_events=first["device_events"])
    asked.score(first)
    (found,) = asked.score(second)["linked"]
    assert found["application_id"] == first["application_id"]
    assert "device" in found["by"]


def test_the_same_request_gives_the_same_answer(asked: Asking) -> None:
    one = asked.application()
    first = asked.post("/score", one, Idempotency_Key="k").json()
    asked.clock.forward(days=3)
    asked.score(asked.application())
    for key in ("k", "other", ""):
        again = asked.post("/score", one, **({"Idempotency_Key": key} if key else {})).json()
        assert again == first | {"replayed": True}


@pytest.mark.parametrize("key", ["", "k"])
def test_other_content_under_the_same_name_is_refused(asked: Asking, key: str) -> None:
    one, more = asked.application(), {"Idempotency_Key": key} if key else {}
    asked.post("/score", one, **more)
    other = asked.application() if key else one | {"amount": one["amount"] + 1}
    answer = asked.post("/score", other, **more)
    assert answer.status_code == 422
    assert answer.json()["code"] == "key-reused"
    assert answer.headers["content-type"] == "application/problem+json"
    assert asked.get(f"/applications/{other['application_id']}").status_code == (404 if key else 200)


def test_a_decision_can_be_looked_at_again(asked: Asking) -> None:
    one = asked.application()
    told = asked.score(one)
    for _ in range(3):
        asked.score(asked.application())
    asked.clock.forward(days=40)
    asked.post(f"/applications/{one['application_id']}/events", {
        "kind": "decided", "details": {"decision": "decline", "decided_at": "2026-01-01T10:00:00+08:00"},
    })  # fmt: skip
    record = ApplicationRecord.model_validate(asked.get(f"/applications/{one['application_id']}").json())
    assert record.answer is not None
    assert record.answer.score == told["score"]
    assert record.replay is not None
    assert record.replay.same, "from what was known then"
    assert [each.kind for each in record.events] == ["event"]


def test_a_restart_changes_no_answer(asked: Asking) -> None:
    """The journal is applied again: what comes next is scored as if nothing had happened."""
    one, two, three = asked.application(), asked.application(), asked.application()
    asked.score(one)
    told = asked.score(two)
    with asking(asked.home, asked.clock) as again:
        assert again.score(two) == told | {"replayed": True}
        record = again.get(f"/applications/{two['application_id']}").json()
        assert record["replay"]["same"]
        fresh = again.score(three)
    assert asked.get(f"/applications/{three['application_id']}").json()["replay"]["score"] == fresh["score"]


def test_what_was_absorbed_and_loaded_into_a_new_graph_is_the_same(asked: Asking) -> None:
    """Scores go on from an image that was made of the store, where the keeper had brought what was told."""
    one = asked.application()
    two = asked.application(device_events=one["device_events"])
    asked.score(one)
    asked.absorb()
    images.refresh(asked.service.settings)
    with asking(asked.home, asked.clock) as again:
        assert again.service.engine.position == 1
        fresh = again.score(two)
    asked.score(two)
    assert fresh["linked"][0]["application_id"] == one["application_id"]


def test_what_came_by_file_is_not_scored_here(asked: Asking) -> None:
    desk = asked.service.engine.view.assessor.desk  # type: ignore[union-attr]
    answer = asked.post("/score", asked.application(application_id=desk.application(5)))
    assert (answer.status_code, answer.json()["code"]) == (409, "already-loaded")
    assert asked.service.journal.last() is None


def test_what_came_over_the_service_and_by_file_is_one(asked: Asking) -> None:
    """A backup that was restored, or a nightly file with what was scored before: nothing is applied twice."""
    one, two = asked.application(), asked.application()
    told = asked.score(one)
    asked.absorb()
    images.refresh(asked.service.settings)
    with sqlite3.connect(asked.service.journal.path) as db:  # as if another journal had told it
        db.execute("UPDATE identity SET name = 'restored'")
    with asking(asked.home, asked.clock) as again:
        assert again.service.engine.position == 1
        assert again.service.engine.degraded() == ()
        assert again.score(one) == told | {"replayed": True}
        assert again.score(two)["sequence"] == 2


def test_requests_of_before_a_rotation_of_keys_are_known_again(asked: Asking) -> None:
    one = asked.application()
    told = asked.score(one)
    asked.absorb()
    assert inside(asked.home, "keys", "rotate").code == 0
    assert not (asked.home / "desks" / "current").exists(), "its node ids are of the old key"
    images.refresh(asked.service.settings)
    with asking(asked.home, asked.clock) as again:
        assert again.score(one) == told | {"replayed": True}
        assert again.post("/score", one | {"amount": 5.0}).json()["replayed"], "it cannot be compared any more"
        assert again.score(asked.application())["degraded"] == []


def test_keys_are_not_rotated_over_what_the_store_has_not_taken(asked: Asking) -> None:
    asked.score(asked.application())
    told = inside(asked.home, "keys", "rotate")
    assert told.code == 2
    assert "1 entries that the store has not taken" in told.err


def test_a_backup_brings_the_journal_back(asked: Asking, tmp_path: Path) -> None:
    one = asked.application()
    told = asked.score(one)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(asked.home / "vault.key", fresh)
    for home, line in ((asked.home, ("backup", str(tmp_path / "b.tar"))), (fresh, ("restore", str(tmp_path / "b.tar"))),
                       (fresh, ("serve", "refresh", "--quiet"))):  # fmt: skip
        assert (said := inside(home, *line)).code == 0, said
    with asking(fresh, asked.clock) as again:
        assert again.score(one) == told | {"replayed": True}
        again.absorb()


def test_an_inquiry_that_the_bureau_tells_again_is_one(asked: Asking) -> None:
    """Who applies twice is asked about twice, and the second answer holds the first one's inquiries."""
    one = asked.application()
    inquiries = [
        one["bureau_inquiries"][0] | {"institution_token": f"inst_{number}", "amount": 1000.0 * number}
        for number in range(1, 6)
    ]
    asked.score(one | {"bureau_inquiries": inquiries})
    asked.clock.forward(days=1)
    later = asked.application(applicant_id=one["applicant_id"], applicant=one["applicant"], bureau_inquiries=inquiries)
    told = asked.score(later)
    assert "R14" not in {each["code"] for each in told["rules"]}, "five inquiries are not eight"
    asked.absorb()
    images.refresh(asked.service.settings)
    with asking(asked.home, asked.clock) as again:
        again.clock.forward(seconds=1)
        last = again.score(asked.application(applicant_id=one["applicant_id"], applicant=one["applicant"],
                                             bureau_inquiries=inquiries))  # fmt: skip
    assert "R14" not in {each["code"] for each in last["rules"]}
    eight = [each | {"amount": each["amount"] + 1} for each in inquiries[:3]]
    asked.clock.forward(days=1)
    more = asked.application(applicant_id=one["applicant_id"], applicant=one["applicant"],
                             bureau_inquiries=[*inquiries, *eight])  # fmt: skip
    assert "R14" in {each["code"] for each in asked.score(more)["rules"]}


def test_who_joins_a_ring_is_told_which(asked: Asking) -> None:
    """Rings are those of the last run, also of one made while the service runs."""
    first = asked.application()
    asked.score(first)
    listed = asked.get("/rings").json()
    run = json.loads((asked.home / "rings.json").read_text(encoding="utf-8"))
    ring = run["rings"][0]
    ring["application_ids"].append(first["application_id"])
    (asked.home / "rings.json").write_text(json.dumps(run), encoding="utf-8")
    asked.http.portal.call(asked.service._look)  # type: ignore[union-attr]
    assert asked.get("/rings").json()["rings"][0]["size"] == listed["rings"][0]["size"] + 1
    answer = asked.score(asked.application(device_events=first["device_events"]))
    assert answer["ring"]["ring_id"] == ring["ring_id"]
    assert answer["ring"]["through"] == [first["application_id"]]
    third = asked.score(asked.application(device_events=first["device_events"]))
    assert len(third["ring"]["through"]) == 2, "who joined counts from then on"
    passport = asked.get(f"/rings/{ring['ring_id']}").json()
    assert {"shared", "roles", "doubts", "lineage", "because"} <= set(passport)
    assert asked.get("/rings/R00000000").status_code == 404


def test_pages_of_rings(asked: Asking) -> None:
    whole = asked.get("/rings?limit=500").json()
    assert whole["total"] == len(whole["rings"]) > 3
    page = asked.get("/rings?limit=2&offset=1").json()
    assert page["rings"] == whole["rings"][1:3]


@pytest.mark.parametrize("name", ["a b", "进件1", "a/b", "", "x" * 65])
def test_an_application_is_named_so_that_it_can_be_asked_for(asked: Asking, name: str) -> None:
    answer = asked.post("/score", asked.application(application_id=name))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "application_id"
    assert "64" in fault["remedy"]
