"""report.json and report.html: complete, deterministic, self-contained, and safe to show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from gnn.evaluation.chance import wilson
from gnn.evaluation.comparison import evaluate_rows
from gnn.evaluation.lead import Lead, Spread
from gnn.evaluation.markup import Html, element
from gnn.evaluation.monitor import Disparity
from gnn.evaluation.page import NOTHING, page
from gnn.evaluation.report import Evaluation, Header, Section, Table, TopFeature, as_json, write_report
from gnn.evaluation.rings import evaluate_rings
from gnn.evaluation.sections import PARTS

HEADER = Header("October to December", "a portfolio", "1 October", "truth files", ("No look ahead.",))
EVIL = "<script>alert('x')</script>&\""
VOID = {"meta", "line", "circle", "path", "use"}


class Tags(HTMLParser):
    """Opened and closed tags must match; remembers where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "srcset", "data"}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def whole() -> Evaluation:
    """Something in every section."""
    rng = np.random.default_rng(0)
    fraud = np.arange(600) < 30
    ring = np.where(fraud, np.arange(600) // 6, -1)
    when = pd.Timestamp("2025-10-01") + pd.to_timedelta(rng.integers(0, 90, 600), "D")
    frame = pd.DataFrame({
        "application_id": [f"A{each}" for each in range(600)], "submitted_at": when, "amount": 80_000.0,
        "is_fraud": fraud, "ring": ring, "ring_class": np.where(fraud, "new", ""),
        "benign_kind": np.where(fraud, "", "B05"), "month": when.strftime("%Y-%m"),
    })  # fmt: skip
    methods = {"plain": rng.random(600), "<main>": 0.5 * rng.random(600) + 0.4 * fraud}
    rows = evaluate_rows(frame, methods, against="plain", main="<main>", draws=10)
    truth = frame.loc[fraud, ["application_id", "ring"]]
    rings = evaluate_rings(truth[:25].rename(columns={"ring": "cluster"}), truth, ring_class={"0": "new"})
    spread = Spread(1.0, 2.0, 3.0)
    return Evaluation(
        header=HEADER, rows=rows, rings=rings, lead={"nightly": Lead(5, 4, spread, spread, 0.5, spread)},
        ablations=[Table(["features", "PR-AUC"], [["rules", rows.method("plain").pr_auc], ["all", 0.25]], "Layers")],
        edge_shuffle=Table(["graph", "PR-AUC"], [["shuffled", None]]),
        features=[TopFeature("device_prior", 0.4, "earlier applications with the device")],
        stability={"score": 0.3, "amount": 0.25},
        fairness={"gender": [Disparity("f", wilson(1, 10), wilson(1, 9), 2.0, float("nan"), outside=True)]},
        more=[Section("Latency", "One application.", [Table(["step", "ms"], [["features", 0.8]])])],
    )  # fmt: skip


def test_every_section_stands_on_an_empty_page_and_says_so() -> None:
    shown = page(Evaluation(HEADER))
    tags(shown)
    assert re.findall(r"<h2>(.*?)</h2>", shown) == [each.title for each in PARTS]
    assert shown.count(NOTHING) == len(PARTS)


def test_a_period_without_fraud_shows_its_applications_and_no_measure(whole: Evaluation) -> None:
    frame = pd.DataFrame({
        "application_id": ["A"], "submitted_at": [0], "amount": [1.0], "is_fraud": [False], "ring": [None],
        "ring_class": [""], "benign_kind": [""], "month": ["1970-01"],
    })  # fmt: skip
    honest = evaluate_rows(frame, {"main": np.array([0.1])}, against="main", main="main", draws=5)
    shown = page(replace(whole, rows=honest))
    assert "1970-01-01" in shown
    assert shown.count(NOTHING) == 7
    json.loads(as_json(replace(whole, rows=honest)))


def test_a_whole_evaluation_fills_every_section(whole: Evaluation) -> None:
    shown = page(whole)
    assert NOTHING not in shown
    assert "<h2>Latency</h2>" in shown
    assert shown.count("shifted</span>") == 1
    for text in ("outside 0.8–1.25", "device_prior", "fleets", "found", "nightly"):
        assert text in shown


def test_the_page_asks_no_other_place_for_anything(whole: Evaluation) -> None:
    shown = page(whole)
    parser = tags(shown)
    assert parser.links
    assert [each for each in parser.links if not each.startswith("#")] == []
    assert {each.removeprefix("#") for each in parser.links} <= set(parser.ids)
    assert len(parser.ids) == len(set(parser.ids))
    assert re.findall(r"https?:|url\((?!#)|@import|<script", shown) == []


def test_text_of_others_is_escaped_wherever_it_stands(whole: Evaluation) -> None:
    rows = whole.rows
    assert rows is not None
    evil = replace(
        whole,
        header=Header(EVIL, EVIL, EVIL, EVIL, (EVIL,), ((EVIL, EVIL),)),
        rows=replace(rows, main=EVIL, methods=(rows.methods[0], replace(rows.methods[1], name=EVIL))),
        ablations=[Table([EVIL], [[EVIL]], EVIL, EVIL)],
        features=[TopFeature(EVIL, 0.5, EVIL)],
        stability={EVIL: 0.1},
        more=[Section(EVIL, EVIL, [])],
    )
    shown = page(evil)
    tags(shown)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") > 15
    assert element("i", "a<b", Html("<b>"), title='"') == '<i title="&quot;">a&lt;b<b></i>'


def test_the_same_evaluation_gives_the_same_bytes_and_leaves_matplotlib_as_it_was(
    whole: Evaluation, tmp_path: Path
) -> None:
    before = dict(mpl.rcParams)
    first, second = (write_report(whole, tmp_path / name) for name in ("one", "two"))
    assert [each.read_bytes() for each in first] == [each.read_bytes() for each in second]
    assert [each.name for each in first] == ["report.json", "report.html"]
    assert dict(mpl.rcParams) == before


def test_the_json_holds_the_figures_and_null_where_there_is_none(whole: Evaluation) -> None:
    said = json.loads(as_json(whole))
    assert whole.rows is not None
    first, main = said["rows"]["methods"]
    assert main["pr_auc"]["value"] == whole.rows.methods[1].pr_auc.value
    assert first["at_k"].keys() == {"k", "precision", "ceiling", "lift"}
    assert said["fairness"]["gender"][0]["false_alarm_ratio"] is None
    assert said["header"]["title"] == "October to December"
