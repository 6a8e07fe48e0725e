"""What is named is enough, no part of it is, and where it says so nothing smaller is; whatever the score does."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from graph import smallest
from graph.smallest import Places, Smallest

BELOW = 0.5
sizes = st.integers(1, 6)


def every(size: int) -> list[Places]:
    return [each for number in range(size + 1) for each in combinations(range(size), number)]


@st.composite
def scored(draw: st.DrawFn) -> tuple[int, dict[Places, float]]:
    """Any score of any set, as of groups that grow when something is taken away."""
    size = draw(sizes)
    sets = every(size)
    values = draw(st.lists(st.sampled_from((0.0, 0.2, 0.4, 0.6, 0.8)), min_size=len(sets), max_size=len(sets)))
    return size, dict(zip(sets, values, strict=True))


@given(scored())
def test_enough_and_nothing_less(told: tuple[int, dict[Places, float]]) -> None:
    size, scores = told
    found = Smallest(range(size), scores.__getitem__, below=BELOW).found()
    if found is None:
        assert scores[()] < BELOW
        return
    assert found.score == scores[found.places]
    assert found.enough == (found.score < BELOW)
    if found.enough:
        parts = [each for number in range(len(found.places)) for each in combinations(found.places, number)]
        assert all(scores[each] >= BELOW for each in parts)
    if found.smallest:
        assert all(scores[each] >= BELOW for each in scores if len(each) < len(found.places))
    if len(found.places) <= 2 and found.enough:
        assert found.smallest
    assert found == Smallest(range(size), scores.__getitem__, below=BELOW).found()


@given(sizes, st.integers(1, 63))
def test_pairs_and_single_ones_are_always_found(size: int, mask: int) -> None:
    """Where all of some reasons must go, these are named."""
    needed = tuple(at for at in range(size) if mask >> at & 1)

    def score(places: Places) -> float:
        return 0.1 if needed and set(needed) <= set(places) else 0.9

    found = Smallest(range(size), score, below=BELOW).found()
    assert found is not None
    if needed:
        assert found.places == needed
        assert found.enough


def test_the_search_ends() -> None:
    tries: list[int] = []
    enough = set(range(smallest.MOST_TOGETHER))
    Smallest(range(24), lambda places: 0.1 if enough <= set(places) else 0.9 - len(places) / 100, below=BELOW,
             progress=lambda done, _: tries.append(done)).found()  # fmt: skip
    assert len(tries) <= smallest.MOST_TRIES + 2**smallest.MOST_TOGETHER
    tries.clear()
    found = Smallest(range(24), lambda _: 0.9, below=BELOW, progress=lambda done, _: tries.append(done)).found()
    assert found is not None
    assert not found.enough
    assert len(found.places) == smallest.MOST_TOGETHER
    assert len(tries) <= smallest.MOST_TRIES + smallest.MOST_TOGETHER
