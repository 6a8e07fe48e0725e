"""Without what is named the ring is none, and nothing less is enough: held against whole runs with it set aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from graph import smallest
from graph.around import Whole
from graph.background import Background
from graph.choice import LEAST_SCORE
from graph.counterfactual import Clearing, clearing
from graph.lineage import LEAST_PERCENT, LEAST_SHARED
from graph.opinions import NOBODY_S, Opinions
from graph.overrides import Override
from graph.records import DAY
from graph.rerun import run
from graph.rings import Ring, find_rings
from graph.sentences import Shared
from graph.snapshot import Snapshot
from tests.graph.facts import LATE, Facts, customer, edge, taken

WINDOW, NOW = 120, 400 * DAY
CARRYING = ("USED_DEVICE", "PAID_DOWNPAYMENT", "SPOKE_AS", "CONTACT_OF", "REPAID_BY", "ON_WIFI")


def held(relation: str, thing: str, application: str, day: float) -> Facts:
    ends = (thing, application) if relation in ("PAID_DOWNPAYMENT", "CONTACT_OF") else (application, thing)
    return [edge(relation, *ends, day)]


def rings_of(seed: int) -> Facts:
    """Three rings whose members share one to five things at random, some with a stranger."""
    rng, facts = Random(seed), []
    for name in "abc":
        people = [f"{name}{number}" for number in range(rng.randint(3, 7))]
        for number, who in enumerate(people):
            facts += customer(who, 375 + number, f"D{name}")
        for thing in range(rng.randint(1, 5)):
            relation = rng.choice(CARRYING)
            for who in rng.sample(people, rng.randint(2, len(people))):
                facts += held(relation, f"{relation} {name} {thing}", f"A{who}", 376 + thing)
    return facts


def whole_of(snap: Snapshot, opinions: Opinions = NOBODY_S) -> Whole:
    before = run(snap, as_of=NOW, window_days=WINDOW, opinions=opinions)
    return Whole(snap, before, Background.of(snap, as_of=NOW, window_days=WINDOW), opinions)


def left(snap: Snapshot, ring: Ring, things: Iterable[Shared]) -> float:
    """The best score of a ring of a whole run that carries this one on, with these things set aside by people."""
    aside = tuple(Override(each.type, each.key, True, "", "x", LATE) for each in things)
    found = find_rings(snap, as_of=NOW, window_days=WINDOW, opinions=Opinions(aside)).rings
    own, best = set(ring.application_ids), 0.0
    for each in found:
        shared = len(own & set(each.application_ids))
        if shared >= LEAST_SHARED and 100 * shared >= LEAST_PERCENT * min(len(own), each.size):
            best = max(best, each.score)
    return best


def parts(things: Sequence[Shared]) -> Iterable[tuple[Shared, ...]]:
    return (part for size in range(len(things)) for part in combinations(things, size))


def held_to(snap: Snapshot, ring: Ring, found: Clearing) -> None:
    assert found.enough
    assert left(snap, ring, found.things) < found.below
    assert all(left(snap, ring, part) >= found.below for part in parts(found.things)), "each of them is needed"
    if found.smallest and len(found.things) > 1:
        fewer = combinations(ring.shared, len(found.things) - 1)
        assert all(left(snap, ring, each) >= found.below for each in fewer)


@pytest.mark.parametrize("seed", range(3))
def test_applied_it_does_what_it_says_and_no_part_of_it_does(tmp_path: Path, seed: int) -> None:
    snap = taken(tmp_path, rings_of(seed))
    whole = whole_of(snap)
    assert whole.before.rings
    for number, ring in enumerate(whole.before.rings):
        below = (LEAST_SCORE, (ring.score + LEAST_SCORE) / 2)[number % 2]
        found = clearing(whole, ring, whole.before.rings, below=below)
        assert found is not None
        held_to(snap, ring, found)
        assert found == clearing(whole, ring, whole.before.rings, below=below), "twice the same"


def test_one_thing_that_carries_a_ring(tmp_path: Path) -> None:
    facts = [each for n in range(4) for each in customer(f"x{n}", 380 + n)]
    facts += [each for n in range(4) for each in held("PAID_DOWNPAYMENT", "payer", f"Ax{n}", 384)]
    facts += [each for n in range(2) for each in held("FROM_IP", "ip", f"Ax{n}", 384)]
    whole = whole_of(taken(tmp_path, facts))
    (ring,) = whole.before.rings
    found = clearing(whole, ring)
    assert found is not None
    assert [(each.type, each.holders) for each in found.things] == [("Account", ring.application_ids)]
    assert (found.left.score, found.smallest) == (0.0, True)
    assert found.alone[ring.shared.index(found.things[0])] == 0.0
    assert len(found.alone) == 2


def test_what_is_weak_already_needs_nothing(tmp_path: Path) -> None:
    snap = taken(tmp_path, rings_of(1))
    whole = whole_of(snap)
    ring = whole.before.rings[0]
    assert clearing(whole, ring, below=ring.score + 0.01) is None


def test_a_ring_that_no_few_things_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [each for n in range(5) for each in customer(f"x{n}", 380 + n)]
    for thing in range(6):
        for n in range(5):
            facts += held(CARRYING[thing], f"thing {thing}", f"Ax{n}", 386)
    whole = whole_of(taken(tmp_path, facts))
    (ring,) = whole.before.rings
    monkeypatch.setattr(smallest, "MOST_TOGETHER", 3)
    found = clearing(whole, ring)
    assert found is not None
    assert not found.enough
    assert len(found.things) == 3
    assert LEAST_SCORE <= found.left.score < ring.score
    assert found.left.application_ids == ring.application_ids


def test_progress_is_told_and_bounded(tmp_path: Path) -> None:
    whole = whole_of(taken(tmp_path, rings_of(3)))
    told: list[tuple[int, int]] = []
    clearing(whole, whole.before.rings[0], progress=lambda done, of: told.append((done, of)))
    assert told
    assert [done for done, _ in told] == list(range(len(told)))
    assert len(told) <= smallest.MOST_TRIES + 2**smallest.MOST_TOGETHER
