"""Scores from the command line: trained, asked, explained, rolled back, measured."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Run, inside, process

UNTIL = "2025-05-15"
FIELDS = ["application_id", "as_of", "score", "decision", "reasons", "ring_id", "model_version"]


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small portfolio with much fraud, so that there is something to learn from; everything once."""
    place = tmp_path_factory.mktemp("scores")
    home, portfolio = place / "home", place / "portfolio"
    much = place / "much.yaml"
    much.write_text("modes: {default: 0.06}\npresets: {tiny: {applications: 1800}}\n")
    inside(home, "generate", "--preset", "tiny", "--seed", "5", "--parameters", much, "--out", portfolio)
    inside(home, "load", portfolio / "input")
    told: dict[str, Any] = {"home": home, "portfolio": portfolio, "place": place}
    told["before"] = inside(home, "score", "--since", UNTIL, "--out", place / "before.csv")
    told["train"] = process(home, "train", "--until", UNTIL, "--json")
    told["score"] = process(home, "score", "--since", UNTIL, "--out", place / "scores.csv", "--json")
    first = max(json.loads(told["score"].out), key=lambda one: one["score"])["application_id"]
    told["explain"] = inside(home, "explain", first, "--json")
    told["again"] = inside(home, "train", "--until", UNTIL, "--json")
    told["listed"] = inside(home, "models", "list", "--json")
    return told


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_without_a_model_rules_and_isolation_answer_and_say_so(way: dict[str, Any]) -> None:
    assert "no model was trained" in way["before"].out
    assert {one["model_version"] for one in rows(way["place"] / "before.csv")} == {"untrained"}


def test_the_first_version_serves(way: dict[str, Any]) -> None:
    made = json.loads(way["train"].out)
    assert made["serves"]
    assert made["metrics"]["roc_auc"] > 0.6
    scored = rows(way["place"] / "scores.csv")
    assert list(scored[0]) == FIELDS
    assert {one["model_version"] for one in scored} == {made["version"]}


def test_scores_are_probabilities_as_of_each_submission(way: dict[str, Any]) -> None:
    scored = rows(way["place"] / "scores.csv")
    assert all(0 < float(one["score"]) < 1 for one in scored)
    assert all(one["as_of"] >= UNTIL and one["as_of"].endswith("+08:00") for one in scored)
    mean = sum(float(one["score"]) for one in scored) / len(scored)
    assert 0.01 < mean < 0.2  # 6 % were planted


def test_who_is_looked_at_is_told_why_and_nobody_else(way: dict[str, Any]) -> None:
    scored = rows(way["place"] / "scores.csv")
    looked_at = [one for one in scored if one["decision"] != "pass"]
    assert looked_at
    assert all(1 <= len(one["reasons"].split(";")) <= 5 for one in looked_at if one["reasons"])
    assert sum(bool(one["reasons"]) for one in looked_at) >= 0.95 * len(looked_at)
    assert not any(one["reasons"] for one in scored if one["decision"] == "pass")


def test_scores_put_fraud_first(way: dict[str, Any]) -> None:
    truth = {
        one["application_id"]: one["is_fraud"] == "1" for one in rows(way["portfolio"] / "truth/truth_members.csv")
    }
    scored = sorted(rows(way["place"] / "scores.csv"), key=lambda one: -float(one["score"]))
    share = sum(truth.get(one["application_id"], False) for one in scored) / len(scored)
    first = scored[: len(scored) // 20]
    assert sum(truth.get(one["application_id"], False) for one in first) / len(first) > 4 * share


def test_a_reason_has_two_texts_and_names_no_one(way: dict[str, Any]) -> None:
    told = json.loads(way["explain"].out)
    assert told["reasons"]
    for reason in told["reasons"]:
        assert reason["investigator"][0] != reason["applicant"][0]
        assert not any(character.isdigit() for text in reason["applicant"] for character in text)
    assert set(told["clusters"]) == {"identity", "document", "ring", "channel", "behaviour"}


def test_a_later_version_waits_until_it_is_promoted_and_there_is_a_way_back(way: dict[str, Any]) -> None:
    home = way["home"]
    first, second = json.loads(way["train"].out)["version"], json.loads(way["again"].out)["version"]
    assert not json.loads(way["again"].out)["serves"]
    assert {one["version"] for one in json.loads(way["listed"].out)} == {first, second}
    inside(home, "models", "promote", second, "--why", "a test")
    assert roles(home)[second] == "champion"
    inside(home, "models", "rollback")
    assert roles(home)[first] == "champion"
    inside(home, "models", "shadow", second)
    assert roles(home)[second] == "shadow"


def roles(home: Path) -> dict[str, str]:
    return {one["version"]: one["role"] for one in json.loads(inside(home, "models", "list", "--json").out)}


def test_a_damaged_model_is_refused_with_the_way_out(way: dict[str, Any], tmp_path: Path) -> None:
    home = way["home"]
    version = next(name for name, role in roles(home).items() if role == "champion")
    trees = home / "models" / version / "main.ubj"
    whole = trees.read_bytes()
    trees.write_bytes(whole[:-100])
    try:
        told = inside(home, "score", "--out", tmp_path / "scores.csv")
    finally:
        trees.write_bytes(whole)
    assert told.code == 4
    assert "rollback" in told.err
    assert not (tmp_path / "scores.csv").exists()


def test_the_same_day_and_seed_give_the_same_model(way: dict[str, Any]) -> None:
    home = way["home"]
    first, again = json.loads(way["train"].out), json.loads(way["again"].out)
    assert first["metrics"] == again["metrics"]
    one, other = (home / "models" / each["version"] for each in (first, again))
    names = [each.name for each in sorted(one.iterdir()) if each.name != "manifest.json"]
    assert "main.ubj" in names
    assert [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []


def test_a_backtest_leaves_scores_rings_and_a_page(way: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = inside(
        tmp_path / "home", "backtest", "--input", way["portfolio"] / "input", "--cut", UNTIL, "--every", "20",
        "--out", out, "--truth", way["portfolio"] / "truth", "--json",
    )  # fmt: skip
    summary = json.loads(told.out)
    scored = rows(out / "scores.csv")
    assert len(scored) == summary["applications"]
    assert min(one["as_of"] for one in scored).startswith(UNTIL)
    assert len(rows(out / "rings.csv")) == summary["rings"]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["rows"]
    assert sorted(each.name for each in out.iterdir()) == [
        "quarantine.csv", "report.html", "report.json", "rings.csv", "scores.csv",
    ]  # fmt: skip
    assert not (tmp_path / "home" / "graph.sqlite").exists()


def test_the_model_ranks_rings_and_the_next_run_starts_anew(way: dict[str, Any], tmp_path: Path) -> None:
    home = way["home"]
    plain = json.loads(inside(home, "rings", "--window", "180d", "--json").out)["rings"]
    ranked = json.loads(inside(home, "rings", "--window", "180d", "--by-model", "--json").out)["rings"]
    assert ranked
    assert [one["application_ids"] for one in plain] != [one["application_ids"] for one in ranked]
    assert "a whole run" in inside(home, "rings", "--window", "180d", "--since-last").out


# Bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("score",), 2, "empty"),
        (("train",), 2, "empty"),
        (("explain", "APP1"), 2, "empty"),
        (("rings", "--by-model", "--since-last"), 2, "exclude each other"),
        (("score", "--since", "yesterday"), 2, "no date"),
        (("score", "--since", "2025-01-01", "--applications", "x.csv"), 2, "exclude each other"),
        (("models", "promote", "20250101T000000-00000000"), 4, ""),
        (("models", "rollback"), 4, ""),
        (("backtest", "--input", "nowhere", "--cut", "2025-01-01", "--out", "out"), 2, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    ringroad: Run, arguments: tuple[str, ...], code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(os.environ["RINGROAD_HOME"]).parent)
    told = ringroad(*arguments)
    assert told.code == code, told
    assert said in told.err


def test_an_unknown_application_is_named(way: dict[str, Any], tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.csv"
    wanted.write_text("application_id\nAPP-NOWHERE\n")
    told = inside(way["home"], "score", "--applications", wanted)
    assert told.code == 6
    assert "APP-NOWHERE" in told.err
    assert inside(way["home"], "explain", "APP-NOWHERE").code == 6
