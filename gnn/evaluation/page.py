"""`report.html`: one page that holds everything it shows, and asks no other place for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gnn.evaluation.cells import between, number, one_digit, percent, times
from gnn.evaluation.markup import Html, element, joined
from gnn.evaluation.report import Evaluation
from gnn.evaluation.row_sections import AT_HEADLINE
from gnn.evaluation.sections import PARTS, Part, own_part

NOTHING = "Nothing in this period."
STYLE = Path(__file__).with_name("page.css")


def page(evaluation: Evaluation) -> Html:
    """The same evaluation gives the same page; every section stands there, with figures or without."""
    parts = [*PARTS, *(own_part(each) for each in evaluation.more)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", evaluation.header.title),
        element("style", Html(STYLE.read_text(encoding="utf-8"))),
    )
    sections = [_section(evaluation, part, at) for at, part in enumerate(parts, 1)]
    body = element("body", _header(evaluation), element("main", _headline(evaluation), _contents(parts), sections))
    return joined(Html("<!doctype html>\n"), element("html", head, body, lang="en"), "\n")


def _header(evaluation: Evaluation) -> Html:
    header = evaluation.header
    facts = [("Data", header.data), ("Known by", header.cut), ("Labels", header.truth), *header.facts]
    return element(
        "header",
        element("p", "Ringroad", class_="brand"),
        element("h1", header.title),
        element("dl", [joined(element("dt", name), element("dd", said)) for name, said in facts if said]),
        element("ul", [element("li", rule) for rule in header.rules]) if header.rules else None,
    )


def _contents(parts: list[Part]) -> Html:
    return element("nav", [element("a", part.title, href=f"#s{at}") for at, part in enumerate(parts, 1)])


def _section(evaluation: Evaluation, part: Part, at: int) -> Html:
    content = part.content(evaluation) or element("p", NOTHING, class_="nothing")
    about = element("div", element("h2", part.title), element("p", part.note) if part.note else None, class_="about")
    return element(
        "section", about, element("div", content, class_="content"), id=f"s{at}", class_="wide" if part.wide else None
    )


def _headline(evaluation: Evaluation) -> Html:
    """The few figures that a reader came for."""
    return element(
        "div",
        [
            element("div", element("b", value), element("span", name), element("small", below))
            for name, value, below in _figures(evaluation)
        ],
        class_="headline",
    )


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, str, str]]:
    rows, rings, leads = evaluation.rows, evaluation.rings, evaluation.lead
    if rows and rows.methods and rows.frauds:
        main = rows.method(rows.main)
        at = main.at_rates[AT_HEADLINE]
        yield "PR-AUC", number(main.pr_auc.value), between(main.pr_auc.low, main.pr_auc.high, number)
        yield "lift over no graph", times(main.lift.value), between(main.lift.low, main.lift.high, times)
        yield "ROC-AUC", number(main.roc_auc.value), between(main.roc_auc.low, main.roc_auc.high, number)
        yield f"recall at {percent(at.rate)}", percent(at.recall.value), f"ceiling {percent(at.ceiling)}"
        yield (
            f"precision@{main.at_k.k}/day",
            percent(main.at_k.precision.value),
            f"ceiling {percent(main.at_k.ceiling)}",
        )
    if rings and rings.recall.of:
        yield "rings found", f"{rings.recall.hits} of {rings.recall.of}", f"precision {number(rings.precision.value)}"
    if leads:
        name, lead = next(iter(leads.items()))
        yield "approved before flag", one_digit(lead.approved.median), f"median of rings, {name}"
