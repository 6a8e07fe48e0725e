"""Whether scores moved: those of the last week beside those of the eight weeks before."""

from __future__ import annotations

import numpy as np

from gnn.evaluation.monitor import SHIFTED, psi
from graph.records import DAY
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, section
from workbench.reports.scored import Scored
from workbench.ui.i18n import number, t

RECENT, BEFORE = 7 * DAY, 56 * DAY
ENOUGH = 100
"""Scores on each side below which a shift says nothing."""

BINS = 10


def drift(scored: Scored, known: int, *, spread: bool = False) -> Section:
    """Up to `known`, in milliseconds; with `spread` how scores lie on both sides, in tenths of the earlier ones."""
    title = t("Drift of scores")
    some = scored.only(np.isfinite(scored.score))
    age = known - some.at
    now, before = some.score[age < RECENT], some.score[(age >= RECENT) & (age < RECENT + BEFORE)]
    if min(len(now), len(before)) < ENOUGH:
        few = t(
            "Too few scores to tell: {now} of the last week and {before} of the eight weeks before; it takes {least}.",
            now=number(len(now)), before=number(len(before)), least=number(ENOUGH),
        )  # fmt: skip
        return section("drift", title, empty=few)
    value = psi(before, now)
    shifted = t("beyond what is customary (0.25)") if value > SHIFTED else t("within what is customary (0.25)")
    every = (
        Figure(t("Population stability index"), value, Kind.NUMBER, shifted),
        Figure(t("Mean score of the last week"), float(now.mean()), Kind.SCORE),
        Figure(t("Mean score of the eight weeks before"), float(before.mean()), Kind.SCORE),
    )
    edges = np.unique(np.quantile(before, np.arange(1, BINS) / BINS))
    shares = [np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) / len(each) for each in (before, now)]
    ends = ["0", *(number(each, 3) for each in edges.tolist()), "1"]
    columns = (
        Column(t("Score"), wide=True), Column(t("Eight weeks before"), Kind.SHARE), Column(t("Last week"), Kind.SHARE),
    )  # fmt: skip
    rows = tuple(
        (f"{ends[at]}–{ends[at + 1]}", float(shares[0][at]), float(shares[1][at])) for at in range(len(ends) - 1)
    )
    return section("drift", title, Figures(every), Table("scores", "", columns, rows) if spread else None)
