"""Sections about row scores: each takes an evaluation, and gives None when there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps

import numpy as np

from gnn.evaluation import plots
from gnn.evaluation.cells import (
    Cell,
    bar,
    estimate,
    interval,
    millions,
    number,
    one_digit,
    percent,
    table,
    thousands,
    times,
    whisker,
    whole,
)
from gnn.evaluation.comparison import HEADLINE, RATES
from gnn.evaluation.markup import Html, element, joined
from gnn.evaluation.report import Evaluation
from gnn.evaluation.results import RowEvaluation

AT_HEADLINE = RATES.index(HEADLINE)


def measured(section: Callable[[RowEvaluation], Html | None]) -> Callable[[Evaluation], Html | None]:
    """Without fraud among the rows, or without a score, no measure exists."""

    @wraps(section)
    def content(evaluation: Evaluation) -> Html | None:
        rows = evaluation.rows
        return section(rows) if rows and rows.frauds and rows.methods else None

    return content


def applications(evaluation: Evaluation) -> Html | None:
    rows = evaluation.rows
    if not rows or not rows.applications:
        return None
    listed: list[list[Cell]] = [
        [
            f"{rows.first} to {rows.last}",
            joined(whole(rows.applications), element("small", f"on {rows.days:,} days")),
            joined(whole(rows.frauds), element("small", f"{rows.rings:,} rings, and single ones")),
            percent(rows.base_rate),
            millions(rows.amount),
            millions(rows.fraud_amount),
        ]
    ]
    if rows.unknown:
        listed.append(["without a label yet: left out", rows.unknown, *[""] * 4])
    return table(["", "applications", "of them fraud", "base rate", "money asked", "of it by fraud"], listed)


@measured
def methods(rows: RowEvaluation) -> Html:
    widest = max(np.nanmax([each.pr_auc.value, each.pr_auc.high]) for each in rows.methods)
    first, at = rows.methods[0], rows.methods[0].at_rates[AT_HEADLINE]
    heads = [
        "method",
        "",
        "PR-AUC",
        "lift",
        "ROC-AUC",
        "ECE",
        joined(f"recall at {percent(HEADLINE)}", element("small", f"ceiling {percent(at.ceiling)}")),
        joined("recall of money", element("small", f"ceiling {percent(at.amount_ceiling)}")),
        joined(f"precision@{first.at_k.k}/day", element("small", f"ceiling {percent(first.at_k.ceiling)}")),
        "FP : TP",
    ]
    listed = [
        [
            each.name,
            whisker(each.pr_auc, float(widest), marked=each.name == rows.main),
            estimate(each.pr_auc),
            estimate(each.lift, times),
            estimate(each.roc_auc),
            percent(each.ece),
            estimate(each.at_rates[AT_HEADLINE].recall, percent),
            estimate(each.at_rates[AT_HEADLINE].amount_recall, percent),
            estimate(each.at_k.precision, percent),
            one_digit(each.at_rates[AT_HEADLINE].false_per_hit),
        ]
        for each in rows.methods
    ]
    return joined(
        table(heads, listed, marked=[each.name for each in rows.methods].index(rows.main)),
        element("p", f"Lift is PR-AUC over that of {rows.against}, compared draw by draw.", class_="foot"),
    )


@measured
def order(rows: RowEvaluation) -> Html:
    drawings = _figures(
        (plots.precision_recall(rows), "Precision and recall"),
        (plots.recall_by_rate(rows), "Recall by share of applications alerted; shaded: out of reach of any ranking"),
    )
    heads = ["alerted", "recall", "ceiling", "of money", "ceiling", "precision", "FP : TP"]
    listed = [
        [
            percent(each.rate),
            estimate(each.recall, percent),
            percent(each.ceiling),
            estimate(each.amount_recall, percent),
            percent(each.amount_ceiling),
            percent(each.precision),
            one_digit(each.false_per_hit),
        ]
        for each in rows.method(rows.main).at_rates
    ]
    return joined(_legend(rows), drawings, element("h3", rows.main), table(heads, listed))


@measured
def calibration(rows: RowEvaluation) -> Html | None:
    shown, main = [each for each in rows.methods if each.calibration], rows.method(rows.main)
    if not shown:
        return None
    bins: list[list[Cell]] = [
        [str(at), percent(each.expected), _between(each.seen.value, each.seen.low, each.seen.high), each.seen.of]
        for at, each in enumerate(main.calibration, 1)
    ]
    errors: list[list[Cell]] = [[each.name, percent(each.ece), f"{each.brier:.5f}"] for each in shown]
    left = element(
        "div",
        _legend(rows, {each.name for each in shown}),
        _figures((plots.calibration(rows), None)),
        table(["method", "ECE", "Brier"], errors),
    )
    deciles = joined(element("h3", rows.main), table(["decile", "mean score", "fraud", "of"], bins)) if bins else None
    return element("div", left, element("div", deciles), class_="two")


@measured
def months(rows: RowEvaluation) -> Html:
    heads = [joined(each.month, element("small", f"{each.frauds:,} frauds")) for each in rows.methods[0].months]
    listed: list[list[Cell]] = []
    for each in rows.methods:
        values = np.array([month.pr_auc for month in each.months])
        known = values[np.isfinite(values)]
        listed.append([
            each.name, *map(number, values),
            *map(number, (known.mean(), known.min()) if len(known) else (np.nan, np.nan)),
        ])  # fmt: skip
    marked = [each.name for each in rows.methods].index(rows.main)
    return joined(
        _legend(rows),
        _figures((plots.by_month(rows), None)),
        table(["PR-AUC", *heads, "mean", "worst"], listed, marked=marked),
    )


@measured
def classes(rows: RowEvaluation) -> Html:
    main, against = rows.method(rows.main), rows.method(rows.against)
    heads = [
        "fraud of rings that are",
        "frauds",
        "rings",
        "PR-AUC",
        f"recall at {percent(HEADLINE)}",
        f"recall, {rows.against}",
    ]
    listed: list[list[Cell]] = [
        [
            each.name,
            each.frauds,
            each.rings,
            each.pr_auc,
            estimate(each.recall, percent),
            estimate(other.recall, percent),
        ]
        for each, other in zip(main.classes, against.classes, strict=True)
    ]
    return table(heads, listed, marked=0)


@measured
def look_alikes(rows: RowEvaluation) -> Html:
    alike = rows.method(rows.main).look_alikes
    listed: list[list[Cell]] = [
        [
            f"{each.kind} {each.name}".strip(),
            bar(each.share),
            one_digit(each.false_alarms),
            percent(each.share),
            each.applications,
            percent(each.false_alarms / each.applications),
            times(each.lift),
        ]
        for each in alike
    ]
    return table(
        ["honest applications", "", "false alarms", "share of them", "applications", "alerted", "against all honest"],
        listed,
    )


@measured
def balance(rows: RowEvaluation) -> Html:
    main = rows.method(rows.main)
    heads = ["alerted", "alerts", "fraud stopped", "reviews", "declined though honest", "delayed", "saved"]
    listed: list[list[Cell]] = [
        [
            percent(rate),
            whole(each.alerts),
            *map(thousands, (each.stopped, -each.reviews, -each.declined, -each.delayed)),
            element("b", thousands(each.net)),
        ]
        for rate, each in zip(RATES, main.money, strict=True)
    ]
    swings = [
        [
            each.constant.replace("_", " "),
            f"{getattr(rows.costs, each.constant):,g}",
            thousands(each.low),
            thousands(each.high),
        ]
        for each in main.sensitivity
    ]
    return joined(
        table(heads, listed, marked=AT_HEADLINE),
        element("h3", f"If one assumption is 50 % lower or higher, at {percent(HEADLINE)}"),
        table(["assumption", "as assumed", "saved: at worst", "at best"], swings),
    )


def _between(value: float, low: float, high: float) -> Html:
    return joined(percent(value), interval(low, high, percent))


def _figures(*drawn: tuple[Html, str | None]) -> Html:
    each = [element("figure", svg, element("figcaption", said) if said else None) for svg, said in drawn]
    return element("div", each, class_="figures")


def _legend(rows: RowEvaluation, drawn: Collection[str] | None = None) -> Html:
    """Of the methods that are `drawn`, all if not given; grey lines are named once."""
    coloured = plots.colours(rows)
    chips = [(each.name, coloured[each.name]) for each in rows.methods if each.name in coloured]
    if drawn is not None:
        chips = [each for each in chips if each[0] in drawn]
    elif len(coloured) < len(rows.methods):
        chips.append(("others", plots.FAINT))
    return element(
        "p",
        [element("span", element("i", style=f"background:{colour}"), name) for name, colour in chips],
        class_="legend",
    )
