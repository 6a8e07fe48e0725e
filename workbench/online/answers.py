"""From an assessed application to the answer that a decision engine reads; it is kept as the record of the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnn.decide import Advice, Decision, Thresholds, decide
from gnn.explain import RULES, Reason, clusters, reasons, with_evidence
from gnn.online import Desk
from gnn.rules import ADVICE, Strength, Verdicts
from gnn.scorer import Scores
from gnn.walk import KINDS, Links
from graph.records import from_millis
from loaders.live import Finding
from workbench.online.checks import suggested
from workbench.render import CHINA

ACTIONS = {"quarantine": "dropped", "reject": "row_dropped", "warn": "kept"}
DEGRADED = "degraded"
CLOSEST = 10
"""So many linked applications are named."""

Parts = Any
"""Contributions of one row, of shape (features + 1,)."""


@dataclass(frozen=True)
class Opinion:
    """What one version says of one application: the decision, and what it rests on. `layer` 1: strong rules alone."""

    decision: Decision
    layer: int
    score: float | None
    rules: tuple[dict[str, Any], ...]
    clusters: Mapping[str, float]
    reasons: tuple[Reason, ...]


def decided(score: float, verdicts: Verdicts, at: int, *, review_from: float, may_decline: bool) -> Decision:
    """`may_decline`: whether the strategy lets strong rules decline; without it, they ask for a person."""
    strong = tuple(rule.code for rule in verdicts.of(at) if rule.strength is Strength.STRONG)
    says = ADVICE[verdicts.advice[at]]
    if says == "decline" and not may_decline:
        return Decision("review", ", ".join(strong) or "rules")
    return decide(score, Thresholds(min(max(review_from, 0.0), 1.0)), Advice(says, strong))  # type: ignore[arg-type]


def by_rules(verdicts: Verdicts, at: int) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"code": rule.code, "strength": str(rule.strength), "points": rule.points, "en": rule.en, "zh": rule.zh}
        for rule in verdicts.of(at)
    )


def first_layer(verdicts: Verdicts, at: int, decision: Decision, names: Sequence[str]) -> Opinion:
    """A strong rule decided: no model is asked, and the rules that hold are the reasons."""
    nothing = np.zeros(len(names) + 1)
    hits = _hits(verdicts, at)
    found = reasons(nothing, np.full(len(names), np.nan), names, hits=hits)
    return Opinion(decision, 1, None, by_rules(verdicts, at), {}, found)


def second_layer(
    scores: Scores, at: int, decision: Decision, *, parts: Parts, values: Any, names: Sequence[str], everything: bool
) -> Opinion:
    """Rules and all models. What is passed has its clusters, and its reasons only where `everything` is asked for."""
    added = {name: float(each[at]) for name, each in scores.added.items()}
    points = scores.rules.clusters[at] if RULES in added else None
    told = clusters(parts, names, added, points)
    found: tuple[Reason, ...] = ()
    if everything or decision.decision != "pass":
        hits = _hits(scores.rules, at)
        told_first = {reason for _, reason, _ in hits}  # a rule that holds may be what decided
        found = reasons(parts, values, names, auxiliaries=added, hits=hits)
        found = tuple(sorted(found, key=lambda each: each.code not in told_first))
    return Opinion(
        decision, 2, round(float(scores.score[at]), 6), by_rules(scores.rules, at),
        {name: round(float(each), 6) for name, each in told.items()}, found,
    )  # fmt: skip


def _hits(verdicts: Verdicts, at: int) -> list[tuple[str, str, float]]:
    return [(rule.code, rule.reason, float(rule.points)) for rule in verdicts.of(at)]


# Rendering -----------------------------------------------------------------------------------------------


def rendered(opinion: Opinion, degraded: Sequence[str]) -> dict[str, Any]:
    """The part of the answer that a version is responsible for. With anything degraded nothing is passed."""
    decision, by = opinion.decision
    if degraded and decision == "pass":
        decision, by = "review", DEGRADED
    return {
        "score": opinion.score,
        "decision": decision,
        "decided_by": by,
        "layer": opinion.layer,
        "clusters": dict(opinion.clusters),
        "rules": list(opinion.rules),
        "reasons": [_reason(each) for each in opinion.reasons],
        "checks": [each._asdict() for each in suggested(each.code for each in opinion.reasons)],
    }


def unscored(degraded: Sequence[str]) -> dict[str, Any]:
    """Nothing could score it: a person looks."""
    assert degraded  # noqa: S101 - whoever asks says why
    return {
        "score": None, "decision": "review", "decided_by": DEGRADED, "layer": 1, "clusters": {}, "rules": [],
        "reasons": [], "checks": [],
    }  # fmt: skip


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "share": round(reason.share, 4),
        "investigator": reason.investigator._asdict(),
        "applicant": reason.applicant._asdict(),
        "evidence": [
            {
                "relation": path.relation,
                "type": path.type,
                "id": f"{path.type}:{path.thing:016x}",
                "masked": path.label,
                "applications": list(path.earlier),
            }
            for path in reason.evidence
        ],
    }


def warned(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [{"field": each.field, "reason": each.reason, "action": ACTIONS[each.policy]} for each in findings]


def evident(opinion: Opinion, desk: Desk, row: int) -> Opinion:
    """With the things that carry its reasons."""
    return replace(opinion, reasons=with_evidence(opinion.reasons, desk.book, row, desk))


def linked(desk: Desk, links: Links, row: int) -> list[dict[str, Any]]:
    """The applications that it is linked with, the closest first, and by what."""
    there = np.flatnonzero(links.row[row] >= 0)
    closest = there[np.argsort(-links.weight[row, there], kind="stable")][:CLOSEST].tolist()
    return [
        {
            "application_id": desk.application(int(links.row[row, at])),
            "by": [kind for bit, kind in enumerate(KINDS) if int(links.kinds[row, at]) >> bit & 1],
            "weight": round(float(links.weight[row, at]), 4),
        }
        for at in closest
    ]


def stamp(millis: int) -> str:
    return from_millis(millis).astimezone(CHINA).isoformat(timespec="milliseconds")
