"""What is done with an application: whatever a model says, only a strong rule declines."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn.decide import Advice, Outcome, Thresholds, decide
from graph.errors import InputError

SCORES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)
THRESHOLDS = st.builds(Thresholds, st.floats(0, 1))
STRONG = st.lists(st.sampled_from(["R01", "R02", "R21"]), unique=True).map(tuple)
ADVICE = st.builds(Advice, st.sampled_from(get_args(Outcome)), STRONG)
ORDER = ("pass", "review", "decline")


@given(SCORES, THRESHOLDS, ADVICE)
def test_a_decline_without_a_strong_rule_is_impossible(score: float, thresholds: Thresholds, advice: Advice) -> None:
    decided = decide(score, thresholds, advice)
    if decided.decision == "decline":
        assert advice.strong
        assert advice.says == "decline"
        assert decided.by == ", ".join(advice.strong)
    else:
        assert not (advice.strong and advice.says == "decline")


@given(SCORES, THRESHOLDS, ADVICE)
def test_nothing_passes_that_a_rule_or_the_score_speaks_against(
    score: float, thresholds: Thresholds, advice: Advice
) -> None:
    decided = decide(score, thresholds, advice)
    assert (decided.decision == "pass") == (score < thresholds.review and advice == Advice())
    assert (decided.by == "") == (decided.decision == "pass")


@given(st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), THRESHOLDS, ADVICE)
def test_a_higher_score_is_never_treated_better(scores: list[float], thresholds: Thresholds, advice: Advice) -> None:
    low, high = (ORDER.index(decide(score, thresholds, advice).decision) for score in scores)
    assert low <= high


@given(SCORES, THRESHOLDS)
def test_a_model_alone_asks_for_a_person_at_most(score: float, thresholds: Thresholds) -> None:
    assert decide(score, thresholds, Advice()).by in {"", "model", "no score"}


@pytest.mark.parametrize(
    ("score", "advice", "decision", "by"),
    [
        (0.1, Advice(), "pass", ""),
        (0.5, Advice(), "review", "model"),
        (0.999, Advice(), "review", "model"),
        (float("nan"), Advice(), "review", "no score"),
        (0.0, Advice("review"), "review", "rules"),
        (0.999, Advice("decline"), "review", "rules"),  # weak points alone
        (0.0, Advice("pass", ("R01",)), "review", "rules"),
        (0.0, Advice("decline", ("R01", "R02")), "decline", "R01, R02"),
    ],
)
def test_examples(score: float, advice: Advice, decision: str, by: str) -> None:
    assert decide(score, Thresholds(0.5), advice) == (decision, by)


@pytest.mark.parametrize("review", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_threshold_that_is_no_probability_is_refused(review: float) -> None:
    with pytest.raises(InputError, match="0 to 1"):
        Thresholds(review)
