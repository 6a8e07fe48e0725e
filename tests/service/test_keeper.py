"""Beside the service: the journal into store and vault, a store that is away, a shifted model, one keeper at a time."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from graph.errors import StoreError
from graph.opinions import Innocent
from graph.records import DAY, Batch, NodeRef, from_millis
from graph.store import GraphStore
from tests.service.conftest import Asking
from tests.workbench.receiver import running
from workbench.casebook import innocent
from workbench.instance import EVERYTHING, keyring, open_casebook, open_graph, open_vault
from workbench.journal import ABSORBED, APPLICATION, Asked, Journal
from workbench.online import absorbing, images
from workbench.online import keeper as keeping
from workbench.online.absorbing import absorb, absorbed_by, batch_name, digest_of, redated, told_by, uncollected
from workbench.online.keeper import Keeper, only_one
from workbench.online.settings import HOUR
from workbench.online.watching import COMPARED, ENOUGH, watched
from workbench.webhooks import hooks
from workbench.webhooks.addresses import Policy


def sent(asked: Asking, number: int) -> list[str]:
    names = []
    for _ in range(number):
        one = asked.application()
        asked.score(one)
        names.append(one["application_id"])
    return names


def absorb_all(asked: Asking, store: GraphStore) -> int:
    with open_vault(asked.service.settings.base) as vault:
        total = 0
        while number := absorb(asked.service.journal, store, vault):
            total += number
        return total


def test_what_was_told_is_in_the_store_once(asked: Asking) -> None:
    one, _ = sent(asked, 2)
    asked.post(f"/applications/{one}/events", {"kind": "funded", "details": {"funded_at": "2026-01-02T10:00:00+08:00"}})
    with open_graph(asked.service.settings.base, None) as store:
        before = store.size()
        assert absorb_all(asked, store) == 3
        node = store.node(NodeRef("Application", one), as_of=EVERYTHING)
        assert node.properties["funded_at"]
        assert store.size().nodes["Application"] == before.nodes["Application"] + 2
        after = store.size()
        asked.service.journal.mark(ABSORBED, 0)  # killed before it could mark
        assert absorb_all(asked, store) == 3
        assert store.size() == after
        assert absorbed_by(store.batches(), store.batches()[-1].sequence, asked.service.journal) == 3
        assert absorbed_by(store.batches(), 0, asked.service.journal) == 0


def test_what_an_earlier_version_wrote_and_did_not_mark_is_absorbed_once_more(asked: Asking) -> None:
    """It named the batch by its entries alone, and its digest was of something else: the store refuses neither."""
    journal = asked.service.journal
    sent(asked, 2)
    with open_graph(asked.service.settings.base, None) as store:
        store.write(Batch(f"journal/{journal.name}/{1:012}-{2:012}", "an earlier version's digest"))
        assert absorbed_by(store.batches(), store.batches()[-1].sequence, journal) == 2
        assert absorb_all(asked, store) == 2
        assert [mark.nodes > 0 for mark in store.batches()[-2:]] == [False, True]
        assert absorbed_by(store.batches(), store.batches()[-1].sequence, journal) == 2


def test_a_journal_brought_back_from_a_copy_does_not_pass_for_what_was_absorbed(asked: Asking) -> None:
    """Same name, same numbers, other entries: the digest is of when they came and of every byte."""
    sent(asked, 2)
    one, two = entries = asked.service.journal.since(0)
    assert digest_of(entries) == digest_of(list(entries))
    others = ([one], [two, one], [one, two._replace(at=two.at + 1)], [one, two._replace(told=two.told + b" ")])
    assert len({digest_of(each) for each in (entries, *others)}) == 5
    assert batch_name(asked.service.journal, entries) != batch_name(asked.service.journal, [one])


def test_the_garbage_collector_rests_for_a_batch_only() -> None:
    def working() -> None:
        with uncollected():
            assert not gc.isenabled()
            raise StoreError("the store is away")

    with pytest.raises(StoreError):
        working()
    assert gc.isenabled()


def test_a_store_that_is_away_loses_nothing(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(asked, 2)
    with open_graph(asked.service.settings.base, None) as store, monkeypatch.context() as away:

        def refuse(_: Batch) -> bool:
            raise StoreError("the store is away")

        away.setattr(store, "write", refuse)
        with pytest.raises(StoreError):
            absorb_all(asked, store)
        assert asked.service.journal.marked(ABSORBED) == 0
        away.undo()
        assert absorb_all(asked, store) == 2


def test_labels_stay_in_the_casebook(asked: Asking) -> None:
    (one,) = sent(asked, 1)
    answer = asked.post(
        "/labels", {"application_id": one, "label": "SUSPECTED", "source": "review", "author": "a"}, Idempotency_Key="k"
    )
    assert answer.status_code == 201
    with open_graph(asked.service.settings.base, None) as store:
        assert absorb_all(asked, store) == 2
        events = store.events("outcomes")
    owner = NodeRef("Application", one).id
    assert events is None or owner not in events["owner"].to_pylist()


def test_what_two_processes_tell_is_known_in_the_order_of_the_journal(asked: Asking) -> None:
    """An entry is known from the journal's time, wherever it says `now`."""
    sent(asked, 1)
    (entry,) = asked.service.journal.since(0)
    later = told_by(entry._replace(at=entry.at + 7))
    told = told_by(entry)
    assert later.now == told.now + 7
    moved = [(a.known_at, b.known_at) for a, b in zip(told.nodes, later.nodes, strict=True)]
    assert all(after == (before + 7 if before == told.now else before) for before, after in moved)
    assert any(before == told.now for before, _ in moved)
    for table, rows in later.events.items():
        for row, old in zip(rows, told.events[table], strict=True):
            assert row["ref"].endswith(f"@{row['known_at']}")
            assert (row["known_at"] == old["known_at"]) == (old["known_at"] != told.now)
    assert redated(later, told.now) == told


def test_one_keeper_at_a_time(tmp_path: Path) -> None:
    stopped, seen = threading.Event(), []
    with only_one(tmp_path / "lock", stopped) as first:
        assert first

        def second() -> None:
            with only_one(tmp_path / "lock", stopped) as mine:
                seen.append(mine)

        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive(), "it waits"
        stopped.set()
        waiting.join(5)
    assert seen == [False], "stopped before its turn came"


def test_a_keeper_does_its_rounds(asked: Asking) -> None:
    (name,) = sent(asked, 1)
    with kept(asked):
        assert absorbed(asked.service.journal, 1)
    with open_graph(asked.service.settings.base, None) as store:
        assert store.node(NodeRef("Application", name), as_of=EVERYTHING)


def test_entries_gather_for_a_batch_and_do_not_wait_when_the_keeper_ends(
    asked: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "GATHERING", 60.0)
    journal = asked.service.journal
    sent(asked, 1)
    with kept(asked):
        assert absorbed(journal, 1)
        sent(asked, 2)
        time.sleep(4 * keeping.PAUSE)
        assert journal.marked(ABSORBED) == 1, "they gather"
    assert journal.marked(ABSORBED) == 3
    with open_graph(asked.service.settings.base, None) as store:
        own = [mark.id for mark in store.batches() if mark.id.startswith(f"{absorbing.PREFIX}{journal.name}/")]
    assert [each.rpartition("/")[2] for each in own] == [f"{1:012}-{1:012}", f"{2:012}-{3:012}"]


def test_a_whole_batch_is_followed_by_the_next_at_once(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "GATHERING", 60.0)
    for module in (keeping, absorbing):
        monkeypatch.setattr(module, "TOGETHER", 1)
    sent(asked, 3)
    with kept(asked):
        assert absorbed(asked.service.journal, 3)


def absorbed(journal: Journal, number: int) -> bool:
    until = time.monotonic() + 20
    while journal.marked(ABSORBED) < number and time.monotonic() < until:
        time.sleep(0.05)
    return journal.marked(ABSORBED) >= number


def test_who_wants_to_know_is_told(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a label over the routes to a signed request at a receiver, by the keeper alone."""
    monkeypatch.setenv("RINGROAD_WEBHOOK_LOOPBACK", "1")
    (name,) = sent(asked, 1)
    base = asked.service.settings.base
    told = {"application_id": name, "label": "CONFIRMED_FRAUD", "typology": "T01", "evidence_level": "E2",
            "source": "review", "author": "a", "second_author": "b"}  # fmt: skip
    with running() as receiver:
        with open_casebook(base) as casebook, casebook.writing() as db:
            hooks.add(
                db, receiver.url("/told"), ["label.confirmed"], keyring=keyring(base), policy=Policy.read(os.environ),
                author="a", now=from_millis(asked.clock.now - 1),
            )  # fmt: skip
        asked.post("/labels", told, Idempotency_Key="k")
        with kept(asked):
            until = time.monotonic() + 20
            while not receiver.to("/told") and time.monotonic() < until:
                time.sleep(0.05)
    (request,) = receiver.to("/told")
    assert "webhook-signature" in request.headers
    assert f'"{name}"'.encode() in request.body
    assert b"label.confirmed" in request.body


@contextmanager
def kept(asked: Asking) -> Iterator[None]:
    """A keeper at work, in a thread; it ends when told to."""
    stopped = threading.Event()
    thread = threading.Thread(target=Keeper(asked.service.settings, clock=asked.clock).run, args=(stopped,))
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(30)
    assert not thread.is_alive()


# Watching ------------------------------------------------------------------------------------------------


def answered(tmp_path: Path, scores: Sequence[float | None], version: str = "v1") -> Journal:
    journal = Journal(tmp_path / "journal.sqlite", clock=lambda: 1)
    journal.append(
        [Asked(APPLICATION, f"A{at}", b"", (f"application/A{at}",), "") for at in range(len(scores))], after=0
    )
    journal.keep_answers(
        (at + 1, orjson.dumps({"model_version": version, "score": score})) for at, score in enumerate(scores)
    )
    return journal


def test_scores_that_moved_are_noticed(tmp_path: Path) -> None:
    low, high = [at % 100 / 1000 for at in range(COMPARED)], [0.5 + at % 100 / 1000 for at in range(COMPARED)]
    with answered(tmp_path, low + high) as journal:
        found = watched(journal)
    assert found is not None
    assert found.shifted


def test_scores_that_stay_are_not(tmp_path: Path) -> None:
    with answered(tmp_path, [at % 100 / 1000 for at in range(2 * COMPARED)]) as journal:
        found = watched(journal)
    assert found is not None
    assert not found.shifted


def test_a_few_scores_say_nothing(tmp_path: Path) -> None:
    with answered(tmp_path, [*[0.1] * ENOUGH, *[0.9] * (ENOUGH - 1), *[None] * 50]) as journal:
        assert watched(journal) is None


def test_a_keeper_ends_with_its_service() -> None:
    """Also when that was killed: nobody would start it again beside the next one."""
    stopped = threading.Event()
    thread = threading.Thread(target=keeping._end_with, args=(os.getppid() + 1, stopped))
    thread.start()
    thread.join(5)
    assert stopped.is_set()


def test_a_fresh_graph_is_wanted_when_much_was_told_since(asked: Asking) -> None:
    settings, now = asked.service.settings, asked.clock.now
    assert not images.due(settings, now, 0)
    assert images.due(settings, now, images.MOST_SINCE + 1)
    assert images.due(settings, now + round(settings.refresh_hours * HOUR) + 10 * HOUR, 0)
    (asked.home / "desks" / "current").unlink()
    assert images.due(settings, now, 0)


def test_a_fresh_graph_is_wanted_within_the_hour_when_people_decided_otherwise(asked: Asking) -> None:
    settings, now, casebook = asked.service.settings, asked.clock.now, asked.service.casebook

    def decided() -> str:
        with casebook.reading() as db:
            return images.decided(db, from_millis(now))

    before, name = decided(), images.current(settings)
    place = settings.desks / str(name) / "image.json"
    told = orjson.loads(place.read_bytes())
    told["about"] |= {"decided": before, "built_at": now}
    place.write_bytes(orjson.dumps(told))
    with casebook.writing() as db:
        until, link = from_millis(now + DAY), Innocent("USED_DEVICE", "A1", "ab" * 16)
        innocent.add(db, link, reason="x", author="li", until=until, now=from_millis(now))
    assert decided() != before
    assert not images.due(settings, now + HOUR // 2, 0, decided())
    assert images.due(settings, now + 2 * HOUR, 0, decided())
    assert not images.due(settings, now + 2 * HOUR, 0, before)
