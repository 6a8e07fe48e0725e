"""Sections about rings, and how early they were flagged."""

from __future__ import annotations

from gnn.evaluation.cells import Cell, bar, number, one_digit, percent, table
from gnn.evaluation.lead import Lead, Spread
from gnn.evaluation.markup import Html, element, joined
from gnn.evaluation.report import Evaluation
from gnn.evaluation.rings import TOP, RingEvaluation

MOST_RINGS = 40
"""Rings on the page; report.json has all."""


def rings(evaluation: Evaluation) -> Html | None:
    found = evaluation.rings
    if not found or not (found.rings or found.clusters):
        return None
    summary = table(
        ["clusters against rings", ""],
        [
            ["ring recall", found.recall],
            ["ring precision", found.precision],
            ["F1", number(found.f1)],
            ["purity: clustered applications that are members", found.purity],
            ["coverage: members that are clustered", found.coverage],
            ["B³ precision / recall", f"{number(found.b_cubed_precision)} / {number(found.b_cubed_recall)}"],
            ["clusters that merge several rings", found.over_merged],
            ["rings split over several clusters", found.split],
        ],
    )
    by_size = table(["members", "found"], [[each.name, each.recall] for each in found.by_size])
    by_class = table(["rings that are", "found"], [[each.name, each.recall] for each in found.by_class])
    top = table([f"the first {TOP} clusters are", "clusters"], [[name, count] for name, count in found.top])
    return joined(
        element("div", element("div", summary, top), element("div", by_size, by_class), class_="two"),
        _ring_list(found),
    )


def _ring_list(rings: RingEvaluation) -> Html | None:
    if not rings.rings:
        return None
    largest = sorted(rings.rings, key=lambda each: (-each.size, each.ring))
    listed = [
        [
            each.ring,
            each.ring_class or "–",
            each.size,
            element("span", "found" if each.hit else "missed", class_="good" if each.hit else "bad"),
            each.cluster or "–",
            each.cluster_size or "–",
            each.overlap,
            bar(each.coverage),
            percent(each.coverage),
            percent(each.purity) if each.cluster else "–",
        ]
        for each in largest[:MOST_RINGS]
    ]
    heads = ["ring", "class", "members", "", "cluster", "its size", "shared", "", "of the ring", "of the cluster"]
    more = len(largest) - MOST_RINGS
    foot = element("p", f"The {MOST_RINGS} largest; {more:,} more in report.json.", class_="foot") if more > 0 else None
    return joined(element("h3", "Rings, largest first"), table(heads, listed), foot)


def lead(evaluation: Evaluation) -> Html | None:
    if not evaluation.lead:
        return None
    heads = [
        "flagged", "rings", joined("approved before", element("small", "mean · median · p90")),
        joined("funded before", element("small", "mean · median · p90")), "still preventable",
        joined("days to the flag", element("small", "mean · median · p90")),
    ]  # fmt: skip
    return table(heads, [_lead_row(name, lead) for name, lead in evaluation.lead.items()])


def _lead_row(name: str, lead: Lead) -> list[Cell]:
    def three(spread: Spread) -> str:
        return " · ".join(one_digit(each) for each in (spread.mean, spread.median, spread.p90))

    rings = f"{lead.flagged:,} of {lead.rings:,}"
    return [name, rings, three(lead.approved), three(lead.funded), percent(lead.preventable), three(lead.days)]
