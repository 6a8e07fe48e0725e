"""Reports about rings as Markdown: counts of several reports added up, shares with their Wilson intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from benchmarks.ring_metrics import Interval, wilson

SIZES = {"3-5": (3, 5), "6-15": (6, 15), "16-80": (16, 80), "> 80": (81, 10**9)}
AGES = {"< 30": (0, 30), "30-60": (30, 60), "> 60": (60, 10**9)}
LOOK_ALIKES = {"fleets": "B05", "families": "B01"}
PRINTED = "as printed"
OURS = "ringroad"
AGAINST = ("PLM (networkit)", "H")


class Reported(Protocol):
    """What `rings.Report` holds."""

    @property
    def rings(self) -> pd.DataFrame: ...
    @property
    def lists(self) -> pd.DataFrame: ...
    @property
    def candidates(self) -> int: ...


def brief(reports: Sequence[Reported]) -> str:
    """One line while the others are still running."""
    rings, ours = _rings(reports), _of(_lists(reports), OURS, PRINTED)
    return (
        f"candidates {_share(rings['candidate'])}, listed {_share(rings['hit'])}, "
        f"{_precision(ours):.2f} of {ours['groups'].sum()} groups, flagged {_flagged(ours)}, "
        f"on top {dict(_on_top(ours))}"
    )


def figures(found: Mapping[str, Sequence[Reported]]) -> Iterator[tuple[str, float, dict[str, object]]]:
    """Per kind of world: name, value and what it was counted on."""
    for kind, reports in found.items():
        rings, ours = _rings(reports), _of(_lists(reports), OURS, PRINTED)
        yield f"rings, {kind}: among the candidates", float(rings["candidate"].mean()), {"of": len(rings)}
        yield f"rings, {kind}: listed", _recall(ours), {"flagged": _flagged(ours)}
        yield f"rings, {kind}: groups that are rings", _precision(ours), {"of": ours["groups"].sum()}
        fleets_and_families = sum(_on_top(ours).get(each, 0.0) for each in LOOK_ALIKES.values())
        yield f"rings, {kind}: fleets and families in the first 20", fleets_and_families, {"reports": len(reports)}


def markdown(found: Mapping[str, Sequence[Reported]]) -> str:
    """All tables; the worlds one by one, and the methods world by world."""
    pooled = [each for reports in found.values() for each in reports]
    parts = [
        "### Candidates\n\n" + coverage(found),
        "### Lists\n\n" + lists(found),
        "### On top\n\n" + on_top(found),
        "### By day of the report\n\n" + by_day(pooled),
        "### Which rings\n\n" + which(pooled),
        "### Money, million RMB\n\n" + money(found),
    ]
    return "\n\n".join(parts + [f"### Beside others: {kind}\n\n{beside(each)}" for kind, each in found.items()])


def coverage(found: Mapping[str, Sequence[Reported]]) -> str:
    rows = []
    for kind, reports in found.items():
        rings = _rings(reports)
        seen = sum(report.candidates for report in reports) / len(reports)
        rows.append([
            kind, str(len(reports)), _share(rings["candidate"]), _share(rings["hit"]),
            _share(rings["enough_linked"]), _share(rings["two_linked"]), f"{seen:,.0f}",
        ])  # fmt: skip
    heads = ["world", "reports", "among the candidates", "listed", "enough for a hit hang together",
             "any two are linked", "candidates a report"]  # fmt: skip
    return _table(heads, rows)


def lists(found: Mapping[str, Sequence[Reported]]) -> str:
    """Ringroad's own list at every cut."""
    rows = [
        [kind, cut, *_quality(_of(_lists(reports), OURS, cut))]
        for kind, reports in found.items()
        for cut in _lists(reports)["cut"].unique()
        if len(_of(_lists(reports), OURS, cut))
    ]
    return _table(["world", "cut", *QUALITY], rows)


QUALITY = (
    "rings found",
    "of the groups",
    "flagged",
    "frauds among them",
    "B³ precision",
    "recall",
    "over-merged",
    "split",
)


def _quality(rows: pd.DataFrame) -> list[str]:
    return [
        str(wilson(int(rows["hits"].sum()), int(rows["rings"].sum()))),
        f"{_precision(rows):.2f} of {rows['groups'].sum()}",
        _flagged(rows),
        f"{rows['frauds'].sum() / max(rows['flagged'].sum(), 1):.2f}",
        f"{rows['b3_precision'].mean():.2f}",
        f"{rows['b3_recall'].mean():.2f}",
        str(rows["over_merged"].sum()),
        str(rows["split"].sum()),
    ]


def beside(reports: Sequence[Reported]) -> str:
    """Every method at the share that our printed list flags, at 1 %, at 2 %, and with all it finds."""
    every = _lists(reports)
    rows = []
    for method in every["method"].unique():
        of = {cut: _of(every, method, cut) for cut in (PRINTED, "1.0%", "2.0%", "everything")}
        of["everything"] = of["everything"] if len(of["everything"]) else of[PRINTED]
        on_top_ = _on_top(of[PRINTED])
        rows.append([
            method, *(f"{_recall(each):.2f} ({_precision(each):.2f})" for each in of.values()),
            _flagged(of["everything"]), " / ".join(f"{on_top_.get(kind, 0):.1f}" for kind in LOOK_ALIKES.values()),
        ])  # fmt: skip
    heads = ["rings found (precision of groups)", "as many as ours", "1 %", "2 %", "everything", "everything flags",
             "fleets / families in 20"]  # fmt: skip
    return _table(heads, rows)


def by_day(reports: Sequence[Reported]) -> str:
    """Method H wants 150 days of history before it recognises infrastructure; here is what each finds on which day."""
    every = _lists(reports)
    rows = [
        [
            f"day {day}",
            method,
            *(f"{_recall(part):.2f} ({_precision(part):.2f})" for part in (two, whole)),
            _flagged(whole),
        ]
        for (day, method), own in every[every["method"].isin([OURS, *AGAINST])].groupby(["day", "method"])
        for two in [own[own["cut"] == "2.0%"]]
        for whole in [own[own["cut"] == (PRINTED if method == OURS else "everything")]]
    ]
    return _table(["", "", "within 2 %: rings found (precision)", "everything", "flagged"], rows)


def on_top(found: Mapping[str, Sequence[Reported]]) -> str:
    """What the first twenty groups are, mean of the reports."""
    tops = {kind: _on_top(_of(_lists(reports), OURS, PRINTED)) for kind, reports in found.items()}
    kinds = sorted({each for top in tops.values() for each in top}, key=lambda each: (each != "fraud", each))
    return _table(
        ["world", *kinds], [[kind, *(f"{top.get(each, 0):.1f}" for each in kinds)] for kind, top in tops.items()]
    )


def which(reports: Sequence[Reported]) -> str:
    """Rings found by typology, size in the window and age."""
    rings = _rings(reports)
    parts = {f"typology {name}": own for name, own in rings.groupby("typology")}
    parts |= {f"size {name}": rings[rings["size"].between(*ends)] for name, ends in SIZES.items()}
    parts |= {
        f"days since the first application {name}": rings[(rings["days"] >= low) & (rings["days"] < high)]
        for name, (low, high) in AGES.items()
    }
    rows = [[name, _share(own["candidate"]), _share(own["hit"])] for name, own in parts.items() if len(own)]
    return _table(["rings", "among the candidates", "listed"], rows)


def money(found: Mapping[str, Sequence[Reported]]) -> str:
    rows = []
    for kind, reports in found.items():
        rings = _rings(reports)
        hit = rings[rings["hit"]]
        whole, listed = rings["exposure"].sum() / 1e6, hit["exposure_listed"].sum() / 1e6
        rows.append([
            kind, f"{whole:.1f}", f"{hit['exposure'].sum() / 1e6 / whole:.0%}", f"{listed / whole:.0%}",
            f"{rings['unpaid'].sum() / 1e6:.2f}",
            f"{hit['unpaid_listed'].sum() / max(rings['unpaid'].sum(), 1):.0%}",
        ])  # fmt: skip
    heads = ["world", "asked by all rings", "by rings found", "by their listed members", "not paid out yet",
             "of it with listed members"]  # fmt: skip
    return _table(heads, rows)


# Sums --------------------------------------------------------------------------------------------------


def _rings(reports: Sequence[Reported]) -> pd.DataFrame:
    return pd.concat([report.rings for report in reports])


def _lists(reports: Sequence[Reported]) -> pd.DataFrame:
    return pd.concat([report.lists for report in reports])


def _of(lists: pd.DataFrame, method: str, cut: str) -> pd.DataFrame:
    return lists[(lists["method"] == method) & (lists["cut"] == cut)]


def _share(flags: Any) -> Interval:
    return wilson(int(flags.sum()), len(flags))


def _recall(rows: pd.DataFrame) -> float:
    return float(rows["hits"].sum() / max(rows["rings"].sum(), 1))


def _precision(rows: pd.DataFrame) -> float:
    return float(rows["hits"].sum() / max(rows["groups"].sum(), 1))


def _flagged(rows: pd.DataFrame) -> str:
    return f"{rows['flagged'].sum() / rows['window'].sum():.2%}"


def _on_top(rows: pd.DataFrame) -> dict[str, float]:
    """Mean per report."""
    sums: Counter[str] = Counter()
    for top in rows["top"]:
        sums.update(top)
    return {kind: round(count / len(rows), 2) for kind, count in sums.most_common()}


def _table(heads: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    heads = list(heads)
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])
