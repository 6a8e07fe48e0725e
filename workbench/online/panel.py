"""Who speaks of an application: the version that answers, by strategy and arm, and those that are only listened to.

Two layers (双层): rules over what the graph tells come first, and where a strong one declines no model is asked. What
is left is scored by all models of the version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from gnn.assessor import Assessed, Assessor
from gnn.features.assemble import Features
from gnn.features.facts import PRODUCTS
from gnn.rules import Settings, Verdicts, read_settings
from gnn.scorer import Scorer
from workbench.casebook.strategies import SHIPPED, Adopted, arm
from workbench.casebook.strategy_overrides import Override, chosen, merged
from workbench.online import answers
from workbench.online.answers import Opinion
from workbench.online.images import View

Ask = Callable[[Assessor], Assessed]


@dataclass(frozen=True)
class Rule:
    """A strategy, ready to be applied; `tailored` has the settings of each override by its name."""

    adopted: Adopted
    settings: Settings
    tailored: Mapping[str, Settings] = field(default_factory=dict)

    @classmethod
    def of(cls, adopted: Adopted = SHIPPED) -> Rule:
        rules, overrides = adopted.strategy.rules, adopted.strategy.overrides
        tailored = {each.name: read_settings(merged(rules, each.rules)) for each in overrides}
        return cls(adopted, read_settings(dict(rules)), tailored)

    def override(self, seen: Features) -> Override | None:
        """The one that holds for the only row of these features."""
        if not self.tailored:
            return None
        province, product = float(seen["dealer_province"][0]), float(seen["product"][0])
        return chosen(
            self.adopted.strategy.overrides,
            "" if np.isnan(province) else f"{int(province):02}",
            "" if np.isnan(product) else PRODUCTS[int(product)],
        )

    def settings_of(self, seen: Features) -> Settings:
        override = self.override(seen)
        return self.settings if override is None else self.tailored[override.name]

    def review_from(self, scorer: Scorer, seen: Features) -> float:
        """The score from which a person looks."""
        override, general = self.override(seen), self.adopted.strategy.review_from
        if override is not None and override.review_from is not None:
            return override.review_from
        return scorer.review_from if general is None else general


class Spoken(NamedTuple):
    """What `version` says in an arm. `asked` is what it saw, None where no model was asked; `override` names the
    strategy's that held."""

    opinion: Opinion
    version: str
    arm: str
    asked: Assessed | None
    override: str | None


class Panel:
    """The versions over one view, under one strategy."""

    def __init__(self, view: View, rule: Rule) -> None:
        self.view, self.rule = view, rule
        self.voices = {view.version: view.assessor, **view.others}
        for each in self.voices.values():
            each.scorer = replace(each.scorer, settings=rule.settings)
            each.tailored = rule.settings_of if rule.tailored else None
        strategy = rule.adopted.strategy
        champion = strategy.champion if strategy.champion in self.voices else view.version
        tried = strategy.challenger.version if strategy.challenger else None
        self.champion = champion
        self.challenger = tried if tried in self.voices and tried != champion else None
        shadow = strategy.shadow or view.shadow
        self.shadow = shadow if shadow in self.voices and shadow != champion else None

    def answering(self, application_id: str) -> tuple[str, str]:
        """(version, arm)."""
        if self.challenger is not None and arm(application_id, self.rule.adopted.strategy) == "challenger":
            return self.challenger, "challenger"
        return self.champion, "champion"

    def speak(
        self, application_id: str, rules: Callable[[Assessor], Verdicts], ask: Ask, *, seen: Features, full: bool
    ) -> Spoken:
        """`rules` gives what a version's rules say, `ask` what all of it says; `seen` are its features."""
        version, in_arm = self.answering(application_id)
        opinion, asked = self._opinion(self.voices[version], rules, ask, seen=seen, full=full)
        override = self.rule.override(seen)
        return Spoken(opinion, version, in_arm, asked, None if override is None else override.name)

    def beside(self, spoken: Spoken, ask: Ask) -> Iterator[tuple[str, dict[str, Any]]]:
        """Per version that is only listened to what it would have answered, beside what was answered."""
        listened = {self.shadow, self.challenger, self.champion if self.challenger else None} - {None, spoken.version}
        for version in sorted(each for each in listened if each is not None):
            other = self._second(self.voices[version], ask(self.voices[version]), full=False)
            yield (
                version,
                {
                    "answered_by": spoken.version,
                    "arm": spoken.arm,
                    "score": spoken.opinion.score,
                    "decision": spoken.opinion.decision.decision,
                    "other_score": other.score,
                    "other_decision": other.decision.decision,
                },
            )

    def _opinion(
        self, assessor: Assessor, rules: Callable[[Assessor], Verdicts], ask: Ask, *, seen: Features, full: bool
    ) -> tuple[Opinion, Assessed | None]:
        if self.rule.adopted.strategy.decline and not full:
            told = rules(assessor)
            decision = self._decided(assessor, float("nan"), told, seen)
            if decision.decision == "decline":
                return answers.first_layer(told, 0, decision, assessor.scorer.names), None
        asked = ask(assessor)
        return self._second(assessor, asked, full=full), asked

    def _second(self, assessor: Assessor, asked: Assessed, *, full: bool) -> Opinion:
        scorer, scores = assessor.scorer, asked.scores
        decision = self._decided(assessor, float(scores.score[0]), scores.rules, asked.seen)
        values = asked.seen.only(scorer.names)
        parts = np.zeros((1, len(scorer.names) + 1)) if scorer.main is None else scorer.main.contributions(values)
        return answers.second_layer(
            scores, 0, decision, parts=parts[0], values=values[0], names=scorer.names, everything=full
        )

    def _decided(self, assessor: Assessor, score: float, verdicts: Verdicts, seen: Features) -> Any:
        review_from = self.rule.review_from(assessor.scorer, seen)
        may_decline = self.rule.adopted.strategy.decline
        return answers.decided(score, verdicts, 0, review_from=review_from, may_decline=may_decline)
