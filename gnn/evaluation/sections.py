"""The sections of the page, in their order: a title, what a reader must know, and the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gnn.evaluation import ring_sections, row_sections
from gnn.evaluation.cells import Cell, bar, number, percent, table
from gnn.evaluation.comparison import HEADLINE
from gnn.evaluation.markup import Html, element, joined
from gnn.evaluation.monitor import FAIR, SHIFTED, Disparity
from gnn.evaluation.report import Evaluation, Section, Table

MOST_FEATURES = 25


@dataclass(frozen=True)
class Part:
    """`content` gives None when there is nothing to show."""

    title: str
    note: str
    content: Callable[[Evaluation], Html | None]
    wide: bool = False


def own_part(section: Section) -> Part:
    return Part(section.title, section.text, lambda _: _tables(section.tables))


def _features(evaluation: Evaluation) -> Html | None:
    if not evaluation.features:
        return None
    top = sorted(evaluation.features, key=lambda each: -each.share)[:MOST_FEATURES]
    listed = [
        [
            element("code", each.name),
            bar(each.share / top[0].share),
            percent(each.share),
            element("span", each.meaning, class_="said"),
        ]
        for each in top
    ]
    return table(["feature", "", "importance", element("span", "what it says", class_="said")], listed)


def _stability(evaluation: Evaluation) -> Html | None:
    if not evaluation.stability:
        return None
    moved = sorted(evaluation.stability.items(), key=lambda each: -np.nan_to_num(each[1]))
    listed = [
        [name, bar(value / (2 * SHIFTED)), number(value), _flag(value > SHIFTED, "shifted")] for name, value in moved
    ]
    return table(["score or feature", "", "PSI", ""], listed)


def _fairness(evaluation: Evaluation) -> Html | None:
    heads = ["alerted", "ratio to others", "alerted though honest", "ratio to others", ""]
    tables = [
        table([name, *heads], [_group(each) for each in groups])
        for name, groups in evaluation.fairness.items()
        if groups
    ]
    return joined(tables) if tables else None


def _group(of: Disparity) -> list[Cell]:
    said = _flag(of.outside, f"outside {FAIR[0]}–{FAIR[1]}")
    return [of.group, of.alerts, number(of.alert_ratio), of.false_alarms, number(of.false_alarm_ratio), said]


def _flag(raised: bool, word: str) -> Html:
    return element("span", word if raised else "", class_="bad")


def _tables(tables: Sequence[Table]) -> Html | None:
    """Tables as the caller gave them; those without rows are left out."""
    shown = [each for each in tables if each.rows]
    return joined([_table(each) for each in shown]) if shown else None


def _table(given: Table) -> Html:
    return joined(
        element("h3", given.title) if given.title else None,
        table(given.heads, given.rows),
        element("p", given.note, class_="foot") if given.note else None,
    )


PARTS = (
    Part(
        "What was judged",
        "Applications of the period, and how much of what they asked for was fraud.",
        row_sections.applications,
    ),
    Part(
        "All methods",
        "Baselines first. Small figures are 95 % intervals from draws of whole rings. A ceiling is what a perfect "
        "ranking would reach: with fewer frauds than alerts, no precision can be 1.",
        row_sections.methods,
        wide=True,
    ),
    Part("Ranking", "How much fraud stands near the top, and what an alert is worth there.", row_sections.order),
    Part(
        "Calibration",
        "Whether a score of 2 % means fraud in two of a hundred. A hollow dot: no fraud in that decile.",
        row_sections.calibration,
    ),
    Part(
        "Month by month",
        "PR-AUC of each month alone. It also moves with the base rate, so compare methods within a month.",
        row_sections.months,
    ),
    Part(
        "New, continuing, recidivist rings",
        "A new ring has no member and no entity from before the cut. The headline is new and continuing together; new "
        "alone shows what was not simply remembered.",
        row_sections.classes,
    ),
    Part(
        "Whom false alarms hit",
        f"Honest patterns that look like rings, among the {percent(HEADLINE)} with the highest scores.",
        row_sections.look_alikes,
    ),
    Part(
        "Rings",
        "Clusters and rings are paired one to one by overlap. A ring is found if its cluster holds at least three of "
        "its members and 30 %, and is half pure.",
        ring_sections.rings,
    ),
    Part(
        "Lead time",
        "Applications of a ring that had been approved, and paid out, before its first flag. A ring never flagged "
        "counts with its full size.",
        ring_sections.lead,
    ),
    Part("Ablations", "What each layer adds, with all else the same.", lambda given: _tables(given.ablations)),
    Part(
        "Shuffled edges",
        "The same model on a graph whose edges lead anywhere: what is left of its lead does not come from the graph.",
        lambda given: _tables([given.edge_shuffle] if given.edge_shuffle else []),
    ),
    Part("Top features", "Importance in the main model.", _features),
    Part(
        "Money",
        "RMB. What stopped fraud would have cost, less reviews, honest customers lost and honest customers delayed. "
        "The constants are assumptions.",
        row_sections.balance,
    ),
    Part(
        "Stability",
        f"Population stability index against the time of training: below 0.1 stable, above {SHIFTED} shifted.",
        _stability,
    ),
    Part("Groups of people", "Monitoring only; no group is a feature. Each group against all others.", _fairness),
)
