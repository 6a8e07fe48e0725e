"""One evaluation: what is put together for it, `report.json`, and the page `report.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from gnn.evaluation.cells import Cell
from gnn.evaluation.lead import Lead
from gnn.evaluation.monitor import Disparity
from gnn.evaluation.results import RowEvaluation
from gnn.evaluation.rings import RingEvaluation


@dataclass(frozen=True)
class Header:
    """What was evaluated. `truth` says where the labels are from: truth files, or what was known by a day."""

    title: str
    data: str
    cut: str
    truth: str
    rules: tuple[str, ...] = ()
    """How the future was kept out, a sentence each."""
    facts: tuple[tuple[str, str], ...] = ()
    """Further lines: seeds, versions, the command."""


@dataclass(frozen=True)
class Table:
    """Rows of cells below `heads`; a float is shown with three decimals, a share as percent."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the caller's own, after the others."""

    title: str
    text: str = ""
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class TopFeature:
    """`share` of the whole importance; `meaning` as the feature catalogue says it."""

    name: str
    share: float
    meaning: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What is not given is shown as an empty section, never left out: its absence is a finding too."""

    header: Header
    rows: RowEvaluation | None = None
    rings: RingEvaluation | None = None
    lead: Mapping[str, Lead] = field(default_factory=dict)
    """By the way of flagging: as applications arrive, nightly."""
    ablations: Sequence[Table] = ()
    edge_shuffle: Table | None = None
    features: Sequence[TopFeature] = ()
    stability: Mapping[str, float] = field(default_factory=dict)
    """PSI of scores and features against the time of training."""
    fairness: Mapping[str, Sequence[Disparity]] = field(default_factory=dict)
    """By attribute, such as gender or age band."""
    more: Sequence[Section] = ()


def write_report(evaluation: Evaluation, folder: Path) -> tuple[Path, Path]:
    """`report.json` and `report.html`; the same evaluation gives the same bytes."""
    from gnn.evaluation.page import page  # noqa: PLC0415 - drawing needs matplotlib, measuring does not

    folder.mkdir(parents=True, exist_ok=True)
    figures, shown = folder / "report.json", folder / "report.html"
    figures.write_bytes(as_json(evaluation))
    shown.write_text(page(evaluation), encoding="utf-8")
    return figures, shown


def as_json(evaluation: Evaluation) -> bytes:
    """A figure that does not exist (nan, infinite) is null."""
    return orjson.dumps(evaluation, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
