"""Rows of the list of dealers: which, in which order, and as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graph.records import Ints
from workbench.services.canvas.sheets import sheet
from workbench.services.lenses.dealer_grades import Grade, Grades
from workbench.services.lenses.dealer_table import DealerTable
from workbench.services.lenses.ledger import Facts
from workbench.services.lenses.shrinkage import JUMP, Floats, Shrunk


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % credible interval; `cases` of `number` stand behind it, `expected` is what peers have."""

    mean: float
    low: float
    high: float
    cases: int
    number: int
    expected: float

    @property
    def times(self) -> float:
        return self.mean / self.expected

    @property
    def surely_more(self) -> bool:
        return self.low > self.expected


@dataclass(frozen=True)
class DealerRow:
    """`jump` is the largest robust z of the last weeks, NaN for too short a history, `jumped` so many weeks ago.
    `grade` is the lender's own, "" where it states none; `graded` is ours."""

    code: str
    name: str
    region: str
    kind: str
    grade: str
    year: int
    month: int
    fraud: Estimate
    early: Estimate
    shared: Estimate
    jump: float
    jumped: int
    rings: int
    in_rings: int
    exposure: float
    savable: float
    alert: bool
    graded: Grade


@dataclass(frozen=True)
class Asked:
    """Which dealers, in which order. Empty texts ask for all; `only` is alert, jump or rings."""

    text: str = ""
    region: str = ""
    kind: str = ""
    only: str = ""
    least: int = 0
    order: str = "risk"
    falling: bool = True


def row_of(facts: Facts, table: DealerTable, at: int, grades: Grades | None = None) -> DealerRow:
    """Who asks for many hands their grades over, which are made of all dealers at once."""
    about = facts.snapshot.nodes["Dealer"].table.slice(at, 1).to_pylist()[0]
    recent = table.jumps[at]
    there = np.isfinite(recent).any()
    best = int(np.nanargmax(recent)) if there else 0
    return DealerRow(
        code=about["key"], name=about["name"] or "", region=about["region"] or "", kind=about["type"] or "",
        grade=about["grade"] or "", year=int(table.year[at]), month=int(table.month[at]),
        fraud=_estimate(table.fraud, at), early=_estimate(table.early, at), shared=_estimate(table.shared, at),
        jump=float(recent[best]) if there else float("nan"), jumped=len(recent) - 1 - best,
        rings=int(table.rings[at]), in_rings=int(table.in_rings[at]),
        exposure=float(table.exposure[at]), savable=float(table.savable[at]), alert=bool(table.alert[at]),
        graded=(grades or Grades(table)).of(at),
    )  # fmt: skip


def _estimate(of: Shrunk, at: int) -> Estimate:
    return Estimate(
        float(of.mean[at]), float(of.low[at]), float(of.high[at]), int(of.cases[at]), int(of.number[at]),
        float(of.expected[at]),
    )  # fmt: skip


# Order ---------------------------------------------------------------------------------------------------


def ordered(facts: Facts, table: DealerTable, asked: Asked) -> Ints:
    nodes = facts.snapshot.nodes["Dealer"]
    about = nodes.table.select(["key", "name", "region", "type"]).to_pandas().fillna("")
    kept = (nodes.known_at <= table.moment.known) & (table.year >= asked.least)
    if asked.text:
        both = about["key"].str.cat(about["name"], sep=" ").str.casefold()
        kept &= both.str.contains(asked.text.strip().casefold(), regex=False).to_numpy()
    if asked.region:
        kept &= about["region"].str.startswith(asked.region).to_numpy()
    if asked.kind:
        kept &= (about["type"] == asked.kind).to_numpy()
    if asked.only in (only := {"alert": table.alert, "jump": _jump(table) >= JUMP, "rings": table.rings > 0}):
        kept &= only[asked.only]
    by = _column(table, asked.order, about)
    rows = np.flatnonzero(kept)
    return rows[np.argsort(-by[rows] if asked.falling else by[rows], kind="stable")]


def _jump(table: DealerTable) -> Floats:
    """Nobody's history is no jump: it stands last."""
    known = np.where(np.isfinite(table.jumps), table.jumps, -np.inf)
    return np.asarray(known.max(axis=1))


def _column(table: DealerTable, name: str, about: Any) -> Floats:
    """`risk`: who surely loses most to its peers, alerts of R25 before all others."""
    if name in ("code", "name", "region", "kind"):
        ranks: Floats = about[{"code": "key", "kind": "type"}.get(name, name)].rank(method="dense").to_numpy()
        return ranks
    columns: dict[str, Callable[[], Any]] = {
        "risk": lambda: np.maximum(table.fraud.surely_times, table.early.surely_times) + 1e3 * table.alert,
        "fraud": lambda: table.fraud.mean,
        "early": lambda: table.early.mean,
        "shared": lambda: table.shared.times,
        "jump": lambda: _jump(table),
        "year": lambda: table.year,
        "month": lambda: table.month,
        "rings": lambda: table.rings,
        "exposure": lambda: table.exposure,
        "savable": lambda: table.savable,
        "grade": lambda: Grades(table).numbers,
    }
    return np.asarray(columns.get(name, columns["risk"])(), dtype=np.float64)


FIELDS = (
    "code", "name", "region", "type", "grade", "applications_365d", "applications_30d", "fraud_rate", "fraud_low",
    "fraud_high", "fraud_cases", "fraud_of", "fraud_expected", "early_default_rate", "early_low", "early_high",
    "early_cases", "early_of", "early_expected", "shared_index", "volume_jump_z", "rings", "applications_in_rings",
    "exposure", "savable", "alert_r25", "risk_grade", "risk_grade_because",
)  # fmt: skip


def as_csv(rows: Sequence[DealerRow]) -> str:
    lines: list[list[object]] = []
    for one in rows:
        fraud, early = (
            (round(e.mean, 5), round(e.low, 5), round(e.high, 5), e.cases, e.number, round(e.expected, 5))
            for e in (one.fraud, one.early)
        )
        lines.append([
            one.code, one.name, one.region, one.kind, one.grade, one.year, one.month, *fraud, *early,
            round(one.shared.times, 3), round(one.jump, 2), one.rings, one.in_rings, one.exposure, one.savable,
            int(one.alert), one.graded.letter, ";".join(one.graded.because),
        ])  # fmt: skip
    return sheet(FIELDS, lines)
