"""The replay of a whole portfolio: files in, a page, its figures and a line per day out; no truth beyond reviews."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnn import training
from gnn.models.hetero_sage import HeteroSage
from gnn.training import Prepared
from graph.errors import InputError
from graph.records import Ints
from loaders.portfolio import generate
from tests.e2e.conftest import Run
from workbench import backtest, replay_report, scoring
from workbench.replaying import FED, FROZEN, OWN, Asked, Ran, replayed

CUT = "2025-06-10"
FILES = ("replay.json", "replay.html", "days.csv")


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small one with much fraud, so that there is something to learn from."""
    place = tmp_path_factory.mktemp("replay")
    much = place / "much.yaml"
    much.write_text("modes: {default: 0.06}\n")
    generate(place / "portfolio", preset="tiny", seed=5, parameters=much)
    return place / "portfolio"


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Training that takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "ROUNDS", 40)
        patch.setattr(training, "RING_NIGHTS", 0)
        patch.setattr(training, "HeteroSage", partial(HeteroSage, epochs=3))
        yield


@pytest.fixture(scope="module")
def ready(portfolio: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with backtest.loaded(portfolio / "input", tmp_path_factory.mktemp("load"), silent) as here:
        return scoring.prepare(here)


@pytest.fixture(scope="module")
def asked(portfolio: Path) -> Asked:
    start = datetime.fromisoformat(f"{CUT}T00:00:00+08:00")
    return Asked(start, portfolio / "truth", retrain_every=10, list_every=7, per_day=2, seed=7)


@pytest.fixture(scope="module")
def ran(ready: Prepared, asked: Asked) -> Ran:
    return replayed(ready, asked, progress=silent)


def test_the_command_leaves_a_page_its_figures_and_its_days(ringroad: Run, portfolio: Path, tmp_path: Path) -> None:
    folders = ("--input", portfolio / "input", "--truth", portfolio / "truth", "--out", tmp_path / "out")
    answer = ringroad("replay", *folders, "--cut", CUT, "--retrain-every", "0", "--per-day", "2", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["trainings"] == 1
    figures = json.loads((tmp_path / "out/replay.json").read_text(encoding="utf-8"))
    with (tmp_path / "out/days.csv").open(encoding="utf-8") as lines:
        days = list(csv.DictReader(lines))
    assert days[0]["date"] == CUT
    assert sum(int(day["applications"]) for day in days) == figures["applications"]
    assert all(int(day["by_score"]) <= 2 for day in days)
    assert sum(float(day["saved"]) for day in days) == pytest.approx(figures["money"]["stopped"], abs=1)
    assert figures["reviews"] == sum(int(day[f"by_{source}"]) for day in days for source in ("score", "rules", "rings"))
    page = (tmp_path / "out/replay.html").read_text(encoding="utf-8")
    for title in ("Money, as it went", "Week by week", "Labels", "Recovery after the drift", "Lead time"):
        assert title in page
    assert not (tmp_path / "out/.instance").exists()


def test_the_same_seed_gives_the_same_bytes(ready: Prepared, asked: Asked, ran: Ran, tmp_path: Path) -> None:
    for name, one in (("a", ran), ("b", replayed(ready, asked, progress=silent))):
        (tmp_path / name).mkdir()
        replay_report.write(one, tmp_path / name)
    assert [(tmp_path / "a" / name).read_bytes() for name in FILES] == [
        (tmp_path / "b" / name).read_bytes() for name in FILES
    ]


def test_the_truth_of_what_nobody_reviews_reaches_no_model(
    ready: Prepared, asked: Asked, ran: Ran, portfolio: Path, tmp_path: Path
) -> None:
    lied = truth_without(ran.done.reviews.row, ready, portfolio / "truth", tmp_path)
    again = replayed(ready, replace(asked, truth=lied), progress=silent)
    assert not np.array_equal(again.world.fraud, ran.world.fraud)
    assert np.array_equal(again.done.score, ran.done.score, equal_nan=True)
    assert np.array_equal(again.done.reviews.row, ran.done.reviews.row)


def truth_without(reviewed: Ints, ready: Prepared, folder: Path, to: Path) -> Path:
    """Truth files that lie about everybody but these."""
    members = pd.read_csv(folder / "truth_members.csv", dtype=str)
    names = set(ready.snapshot.nodes["Application"].table["key"].take(reviewed).to_pylist())
    other = ~members["application_id"].isin(names)
    members.loc[other, "is_fraud"] = members.loc[other, "is_fraud"].map({"0": "1", "1": "0"})
    members.to_csv(to / "truth_members.csv", index=False)
    (to / "truth_rings.csv").write_bytes((folder / "truth_rings.csv").read_bytes())
    return to


def test_reviews_are_felt_and_without_training_and_reviews_nothing_moves(
    ready: Prepared, asked: Asked, ran: Ran
) -> None:
    rows = ran.rows
    assert not np.array_equal(ran.scores[FED][rows], ran.scores[FROZEN][rows])
    first = ran.ready.book.as_of[rows] < ran.done.reviews.told_at.min()
    assert np.array_equal(ran.scores[FED][rows][first], ran.scores[FROZEN][rows][first])
    compared = replayed(ready, replace(asked, compare=True, retrain_every=1_000), progress=silent)
    assert np.array_equal(compared.scores[OWN][rows], compared.scores[FROZEN][rows])


@pytest.mark.parametrize(
    ("place", "cut", "said"), [("truth", "soon", "no date"), ("input", CUT, "reviewers need the truth")]
)
def test_what_is_wrong_is_said_before_anything_is_loaded(
    ringroad: Run, portfolio: Path, place: str, cut: str, said: str
) -> None:
    out = portfolio / "out"
    answer = ringroad(
        "replay", "--input", portfolio / "input", "--truth", portfolio / place, "--out", out, "--cut", cut
    )
    assert answer.code == 2
    assert said in answer.err
    assert not out.exists()


def test_a_cut_after_everything_is_refused(ready: Prepared, asked: Asked) -> None:
    with pytest.raises(InputError, match="earlier --cut"):
        replayed(ready, replace(asked, cut=asked.cut.replace(year=2030)), progress=silent)
