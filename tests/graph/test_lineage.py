"""A ring keeps its name while most of it stays together; what happened is told once, in any order of the input."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.lineage import Event, Group, Kind, Known, Lineage, trace

BEFORE = datetime(2025, 5, 31, tzinfo=UTC)
NOW = BEFORE + timedelta(days=30)


def known(ring_id: str, members: str, *, alive: bool = True, born: int = 0) -> Known:
    """Members are letters: an application each."""
    return Known(ring_id, frozenset(members), alive, BEFORE - timedelta(days=10 - born), BEFORE)


def group(members: str, ring_id: str | None = None) -> Group:
    return Group(ring_id or f"N{min(members)}", frozenset(members))


def traced(rings: Sequence[Known], *groups: Group, window: str = "") -> Lineage:
    everybody = set(window).union(*(each.members for each in groups), *(each.members for each in rings))
    return trace(rings, groups, in_window=set(window) or everybody, as_of=NOW)


def told(lineage: Lineage) -> list[tuple[str, str, str, str | None]]:
    return [(each.ring_id, each.kind.value, "".join(each.application_ids), each.other) for each in lineage.events]


def test_a_first_run_names_every_group_as_it_would_be_named_anyway() -> None:
    lineage = traced([], group("abc"), group("def"))
    assert lineage.ring_ids == ("Na", "Nd")
    assert told(lineage) == [("Na", "birth", "abc", None), ("Nd", "birth", "def", None)]
    assert all(each.as_of == NOW for each in lineage.events)


def test_nothing_happened() -> None:
    assert told(traced([known("R1", "abc")], group("abc"))) == []


def test_a_ring_grows_and_shrinks_under_its_name() -> None:
    """Its earliest application, after which it was named, is out of the window."""
    lineage = traced([known("R1", "abcd")], group("cdxy"), window="bcdxy")
    assert lineage.ring_ids == ("R1",)
    assert told(lineage) == [("R1", "join", "xy", None), ("R1", "leave", "b", None)]


def test_who_is_out_of_the_window_has_not_left() -> None:
    assert told(traced([known("R1", "abcd")], group("cd"), window="cd")) == []


def test_a_split_leaves_the_name_to_the_larger_part() -> None:
    lineage = traced([known("R1", "abcdefg")], group("efg"), group("abcd"))
    assert lineage.ring_ids == ("Ne", "R1")
    assert told(lineage) == [
        ("Ne", "birth", "efg", "R1"), ("R1", "leave", "efg", None), ("R1", "split", "efg", "Ne"),
    ]  # fmt: skip


def test_of_equal_halves_the_one_that_would_be_named_so_anyway_keeps_the_name() -> None:
    for halves in ((group("abc", "R2"), group("def", "R1")), (group("def", "R1"), group("abc", "R2"))):
        lineage = traced([known("R1", "abcdef")], *halves)
        assert dict(zip((each.ring_id for each in halves), lineage.ring_ids, strict=True)) == {"R1": "R1", "R2": "R2"}


def test_a_merge_ends_the_smaller_ring() -> None:
    lineage = traced([known("R1", "abc"), known("R2", "defg")], group("abcdefg"))
    assert lineage.ring_ids == ("R2",)
    assert told(lineage) == [("R1", "merge", "abc", "R2"), ("R2", "join", "abc", None)]


def test_of_equal_rings_the_older_keeps_its_name() -> None:
    for one, other in (("R1", "R2"), ("R2", "R1")):
        rings = [known(one, "abc", born=1), known(other, "def", born=2)]
        assert traced(rings, group("abcdef")).ring_ids == (one,)
        assert traced(rings[::-1], group("abcdef")).ring_ids == (one,)


def test_the_larger_jaccard_index_decides_before_age() -> None:
    rings = [known("R1", "abwxyz", born=1), known("R2", "cd", born=2)]
    assert traced(rings, group("abcd")).ring_ids == ("R2",)


def test_overlap_decides_before_jaccard() -> None:
    rings = [known("R1", "abcdefghijklmnop", born=2), known("R2", "xyz", born=1)]
    assert traced(rings, group("abcdexyz")).ring_ids == ("R1",)


def test_as_many_as_possible_stay_under_their_name() -> None:
    """Taken one by one, R1 would take the first group, and R2 would get nothing."""
    rings = [known("R1", "abcdefg"), known("R2", "hij")]
    assert traced(rings, group("defghij"), group("abc")).ring_ids == ("R2", "R1")


def test_a_ring_that_no_group_carries_dies() -> None:
    assert told(traced([known("R1", "abc")], group("xyz")))[1:] == [("R1", "death", "abc", None)]
    assert told(traced([known("R1", "abc")], window="xyz")) == [("R1", "death", "", None)]


def test_a_ring_of_which_few_went_elsewhere_has_died_and_not_merged() -> None:
    rings = [known("R1", "abcdef"), known("R2", "uvwxy")]
    assert told(traced(rings, group("uvwxyab"))) == [("R1", "death", "abcdef", None), ("R2", "join", "ab", None)]


def test_a_dead_ring_found_again_lives_again() -> None:
    lineage = traced([known("R1", "abcd", alive=False)], group("bcdx"))
    assert told(lineage) == [("R1", "revival", "bcdx", None), ("R1", "join", "x", None), ("R1", "leave", "a", None)]


def test_the_dead_take_no_name_from_the_living() -> None:
    rings = [known("R1", "defg", alive=False, born=1), known("R2", "abc", born=2)]
    assert traced(rings, group("abcdefg")).ring_ids == ("R2",)


def test_a_merged_ring_comes_back_when_its_members_part_again() -> None:
    rings = [known("R1", "abcdefg"), known("R2", "efg", alive=False)]
    lineage = traced(rings, group("abcd"), group("efg"))
    assert lineage.ring_ids == ("R1", "R2")
    assert ("R2", "revival", "efg", "R1") in told(lineage)
    assert ("R1", "split", "efg", "R2") in told(lineage)


@pytest.mark.parametrize(
    ("members", "keeps"),
    [("axyz", False), ("abxy", True), ("abcdefghij", True), ("ab" + "mnopqrst", False), ("abc" + "mnopqrs", True)],
)
def test_how_much_must_stay(members: str, keeps: bool) -> None:
    """Two at least, and three tenths of the smaller: a bystander or two never carry the name away."""
    lineage = traced([known("R1", "abcdefghij")], group(members, "N"))
    assert lineage.ring_ids == (("R1",) if keeps else ("N",))


def test_a_name_is_given_once() -> None:
    """The new group is named after an application with which another ring began."""
    rings = [known("R1", "abcdef"), known("R2", "vwx", alive=False)]
    first = traced(rings, group("bcdef"), group("axy", "R1"), group("mno", "R2"))
    assert first.ring_ids[0] == "R1"
    assert len({*first.ring_ids, "R2"}) == 4
    again = traced(rings, group("mno", "R2"), group("axy", "R1"), group("bcdef"))
    assert again.ring_ids == first.ring_ids[::-1]
    assert all(len(each) == 11 and each.startswith("R") for each in first.ring_ids[1:])


def test_what_must_not_be_asked() -> None:
    with pytest.raises(ValueError, match="R1 was seen after"):
        trace([known("R1", "abc")], [], in_window=set(), as_of=BEFORE - timedelta(days=1))
    with pytest.raises(ValueError, match="two groups"):
        traced([], group("abc"), group("cde"))


# Laws --------------------------------------------------------------------------------------------------


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Known], list[Group], set[str]]:
    """Rings and groups over a few applications, so that they overlap in every way."""
    ring_of = draw(st.lists(st.integers(0, 6), min_size=24, max_size=24))
    group_of = draw(st.lists(st.integers(0, 6), min_size=24, max_size=24))
    apps = [f"A{n:02}" for n in range(24)]
    moments = st.integers(0, 3)
    rings = [
        Known(f"R{n}", frozenset(mine), draw(st.booleans()), BEFORE - timedelta(days=draw(moments)), BEFORE)
        for n in range(1, 7)
        if (mine := {app for app, ring in zip(apps, ring_of, strict=True) if ring == n})
    ]
    groups = [
        Group(f"R{draw(st.integers(1, 9))}", frozenset(mine))
        for n in range(1, 7)
        if len(mine := {app for app, number in zip(apps, group_of, strict=True) if number == n}) > 2
    ]
    outside = draw(st.sets(st.sampled_from(apps)))
    return rings, groups, set(apps) - outside


@given(worlds(), st.integers(0, 1000))
def test_the_order_of_the_input_changes_nothing(world: Any, seed: int) -> None:
    rings, groups, window = world
    first = trace(rings, groups, in_window=window, as_of=NOW)
    order = random.Random(seed)
    numbers = list(range(len(groups)))
    order.shuffle(numbers)
    order.shuffle(rings)
    again = trace(rings, [groups[n] for n in numbers], in_window=window, as_of=NOW)
    assert again.ring_ids == tuple(first.ring_ids[n] for n in numbers)
    assert again.events == first.events


@given(worlds())
def test_the_events_are_the_whole_story(world: Any) -> None:
    """Applied to what was known, they give the groups under their names; nobody else is in a living ring's window."""
    rings, groups, window = world
    lineage = trace(rings, groups, in_window=window, as_of=NOW)
    assert len(set(lineage.ring_ids)) == len(groups)
    after = replayed(rings, lineage.events)
    present = window.union(*(each.members for each in groups))
    assert {name: members & present for name, members in after.items()} == {
        name: each.members for name, each in zip(lineage.ring_ids, groups, strict=True)
    }
    again = trace(
        [Known(name, frozenset(members), True, BEFORE, NOW) for name, members in after.items()],
        groups, in_window=window, as_of=NOW,
    )  # fmt: skip
    assert (again.ring_ids, again.events) == (lineage.ring_ids, ())


@given(worlds())
def test_no_other_matching_keeps_more_under_its_name(world: Any) -> None:
    """Against all matchings there are; the blocks and the one number that says everything lose nothing."""
    rings, groups, window = world
    groups = groups[:4]
    living = [Known(each.ring_id, each.members, True, each.born, each.last_seen) for each in rings][:3]
    lineage = trace(living, groups, in_window=window, as_of=NOW)
    present = [each.members & window.union(*(one.members for one in groups)) for each in living]

    def worth(ring: int, at: int) -> tuple[int, int]:
        shared, size = len(present[ring] & groups[at].members), len(groups[at].members)
        if shared < 2 or 100 * shared < 30 * min(len(present[ring]), size):
            return 0, 0
        return shared, round(4096 * shared / (len(present[ring]) + size - shared))

    def total(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
        each = [worth(*pair) for pair in pairs]
        return sum(shared for shared, _ in each), sum(jaccard for _, jaccard in each)

    numbers = {each.ring_id: ring for ring, each in enumerate(living)}
    chosen = [(numbers[name], at) for at, name in enumerate(lineage.ring_ids) if carried_on(lineage, name)]
    places = [*range(len(groups)), *[None] * len(living)]
    best = max(
        total((ring, at) for ring, at in enumerate(order) if at is not None)
        for order in set(permutations(places, len(living)))
    )
    assert total(chosen) == best


def carried_on(lineage: Lineage, name: str) -> bool:
    return not any(each.ring_id == name and each.kind is Kind.BIRTH for each in lineage.events)


def replayed(rings: Iterable[Known], events: Iterable[Event]) -> dict[str, set[str]]:
    members = {each.ring_id: set(each.members) for each in rings}
    living = {each.ring_id for each in rings if each.alive}
    for each in events:
        if each.kind in (Kind.BIRTH, Kind.JOIN):
            members.setdefault(each.ring_id, set()).update(each.application_ids)
        if each.kind is Kind.LEAVE:
            members[each.ring_id] -= set(each.application_ids)
        if each.kind in (Kind.BIRTH, Kind.REVIVAL):
            living.add(each.ring_id)
        if each.kind in (Kind.MERGE, Kind.DEATH):
            living.remove(each.ring_id)
    return {name: members[name] for name in living}


def test_a_ring_that_only_grows_keeps_its_name_for_years() -> None:
    """Month after month two come and the two oldest leave the window: at the end nobody of the beginning is in it."""
    members = [f"A{n:03}" for n in range(6)]
    ring = Known("R1", frozenset(members), True, BEFORE, BEFORE)
    for month in range(1, 40):
        members = [*members[2:], f"A{2 * month + 4:03}", f"A{2 * month + 5:03}"]
        at = BEFORE + timedelta(days=30 * month)
        lineage = trace([ring], [Group(f"N{month}", frozenset(members))], in_window=set(members), as_of=at)
        assert lineage.ring_ids == ("R1",)
        assert [each.kind for each in lineage.events] == [Kind.JOIN]
        ring = Known("R1", ring.members.union(members), True, BEFORE, at)


def test_ten_thousand_rings() -> None:
    """Each loses three of ten to another: everything is connected, and still it takes no time to speak of."""
    order = random.Random(7)
    rings = [Known(f"R{n}", frozenset(f"A{n}-{m}" for m in range(10)), True, BEFORE, BEFORE) for n in range(10_000)]
    moving = [f"A{n}-{m}" for n in range(10_000) for m in range(7, 10)]
    order.shuffle(moving)
    groups = [
        Group(f"N{n}", frozenset([*(f"A{n}-{m}" for m in range(7)), *moving[3 * n : 3 * n + 3]])) for n in range(10_000)
    ]
    window = {member for ring in rings for member in ring.members}
    lineage = trace(rings, groups, in_window=window, as_of=NOW)
    assert lineage.ring_ids == tuple(ring.ring_id for ring in rings)
