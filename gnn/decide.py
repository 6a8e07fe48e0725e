"""What is done with a scored application: pass, review or decline.

Only a rule on a deterministic fact may decline; whatever a model finds goes to a person (PIPL Art. 24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from graph.errors import InputError

Outcome = Literal["pass", "review", "decline"]

MODEL, NOBODY, UNSCORED = "model", "", "no score"


@dataclass(frozen=True)
class Thresholds:
    """`review`: the score from which a person looks, chosen by the caller for a share of applications (1 % if nobody
    says otherwise). Raises InputError where it is no probability: an unset threshold would pass everybody."""

    review: float

    def __post_init__(self) -> None:
        if not 0 <= self.review <= 1:
            raise InputError(f"the review threshold is {self.review}; it takes a probability from 0 to 1")


class Advice(NamedTuple):
    """What the rules say, and the codes of the strong ones that hold."""

    says: Outcome = "pass"
    strong: tuple[str, ...] = ()


class Decision(NamedTuple):
    """`by`: the codes of the strong rules, "rules", "model", "no score", or nothing for a pass."""

    decision: Outcome
    by: str


def decide(score: float, thresholds: Thresholds, advice: Advice) -> Decision:
    """The rules first. Weak rules never decline, however many points they add up to; what has no score (NaN) is
    looked at."""
    if advice.says == "decline" and advice.strong:
        return Decision("decline", ", ".join(advice.strong))
    if advice.says != "pass" or advice.strong:
        return Decision("review", "rules")
    if score >= thresholds.review:
        return Decision("review", MODEL)
    if score < thresholds.review:
        return Decision("pass", NOBODY)
    return Decision("review", UNSCORED)
