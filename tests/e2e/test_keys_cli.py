"""Labels, strategies and API keys from the command line."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.e2e.conftest import Run
from workbench import labelfile

FRAUD = ("--label", "CONFIRMED_FRAUD", "--typology", "T07", "--evidence", "E2", "--source", "review", "--author", "li")


@pytest.fixture
def loaded(ringroad: Run, folder: Path) -> Run:
    assert ringroad("load", folder).code == 0
    return ringroad


# Labels ------------------------------------------------------------------------------------------------


def test_a_label_is_added_once_corrected_and_listed(loaded: Run, tmp_path: Path) -> None:
    assert "label 1: A1 CONFIRMED_FRAUD" in loaded("labels", "add", "A1", *FRAUD).out
    assert json.loads(loaded("labels", "add", "A1", *FRAUD, "--json").out) == {"id": 1, "again": True}
    assert json.loads(loaded("labels", "list", "--json").out)[0]["counts_as"] == "SUSPECTED"
    confirmed = loaded("labels", "add", "A1", *FRAUD, "--second", "wang", "--supersedes", "1", "--note", "=papers")
    assert "label 2" in confirmed.out
    listed = json.loads(loaded("labels", "list", "--json").out)
    assert [(each["id"], each["counts_as"]) for each in listed] == [(2, "CONFIRMED_FRAUD")]
    assert len(json.loads(loaded("labels", "list", "A1", "--json").out)) == 2
    assert json.loads(loaded("labels", "list", "--as-of", "2025-01-01", "--json").out) == []
    assert "CONFIRMED_FRAUD" in loaded("labels", "list").out
    out = tmp_path / "labels.csv"
    assert "1 labels in" in loaded("labels", "export", "--out", out, "--in-force").out
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))
    assert (row["application_id"], row["second_author"], row["note"]) == ("A1", "wang", "'=papers")
    assert "2 labels in" in loaded("labels", "export", "--out", out).out
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [(each["id"], each["state"], each["superseded_by"]) for each in rows] == [
        ("1", "superseded", "2"), ("2", "in_force", ""),
    ]  # fmt: skip
    assert tuple(rows[0]) == labelfile.COLUMNS
    assert loaded("labels", "export", "--out", tmp_path / "labels.parquet").code == 0
    table = parquet.read_table(tmp_path / "labels.parquet")
    assert table.column_names == list(labelfile.COLUMNS)
    assert table["note"].to_pylist() == ["", "=papers"]
    assert table["known_at"].to_pylist()[0].tzinfo is not None
    assert loaded("labels", "export", "--out", out, "--format", "xls").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("A1", "--label", "FRAUD", "--source", "review"), 2, "takes one of CONFIRMED_FRAUD"),
        (("A1", *FRAUD, "--second", "li"), 2, "second_author is the author"),
        (("A1", *FRAUD, "--supersedes", "7"), 6, "no label 7"),
        (("A1", *FRAUD, "--occurred", "2999-01-01"), 2, "lies ahead"),
        (("A77", *FRAUD), 6, "A77"),
    ],
)
def test_labels_that_are_refused(loaded: Run, arguments: tuple[str, ...], code: int, word: str) -> None:
    told = loaded("labels", "add", *arguments)
    assert told.code == code
    assert word in told.err
    assert loaded("labels", "list").out == "no label; ringroad labels add\n"


def test_the_same_request_key_with_another_content_is_refused(loaded: Run) -> None:
    loaded("labels", "add", "A1", *FRAUD, "--request-key", "k")
    told = loaded("labels", "add", "A2", *FRAUD, "--request-key", "k")
    assert (told.code, "send a new key" in told.err) == (2, True)


# Strategies --------------------------------------------------------------------------------------------


def test_a_strategy_is_set_shown_and_rolled_back_with_one_command(ringroad: Run, tmp_path: Path) -> None:
    assert "as shipped" in ringroad("strategy", "list").out
    file = tmp_path / "strategy.yaml"
    file.write_text("review_from: 0.2\nrules: {R06: {people: 4}}\n")
    assert "strategy 1 from" in ringroad("strategy", "set", file, "--why", "fewer reviews").out
    shown = ringroad("strategy", "show")
    assert "fewer reviews" in shown.out
    file.write_text(shown.out.replace("0.2", "0.9"))
    assert "strategy 2 from" in ringroad("strategy", "set", file, "--why", "fewer still").out
    ringroad("strategy", "set", file, "--why", "later", "--from", "2999-01-01")
    assert "strategy 4 is in force: 1 once more" in ringroad("strategy", "rollback").out
    told = json.loads(ringroad("strategy", "show", "--json").out)
    assert (told["id"], told["copy_of"], told["strategy"]["review_from"]) == (4, 1, 0.2)
    assert told["strategy"]["rules"] == {"R06": {"people": 4}}
    ringroad("strategy", "rollback", "0")
    listed = json.loads(ringroad("strategy", "list", "--json").out)
    assert [each["id"] for each in listed if each["in_force"]] == [5]
    assert listed[5]["strategy"] == listed[0]["strategy"]
    assert listed[3]["effective_from"].startswith("2998-12-31T16:00:00")


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        ("treshold: 0.2", 2, "'treshold' is nothing to set"),
        ("rules: {R06: {people: 0}}", 2, "R06.people is 0"),
        ("a: [", 2, "is no YAML"),
        ("champion: 20251001T083000-1f3a9c2e", 4, "never published here"),
    ],
)
def test_strategies_that_are_refused(ringroad: Run, tmp_path: Path, content: str, code: int, word: str) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text(content)
    told = ringroad("strategy", "set", file, "--why", "x")
    assert told.code == code
    assert word in told.err
    assert "no strategy 1" in ringroad("strategy", "show", "1").err


def test_a_strategy_of_the_past_is_refused(ringroad: Run, tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text("review_from: 0.2")
    told = ringroad("strategy", "set", file, "--why", "x", "--from", "2025-01-01")
    assert (told.code, "is past" in told.err) == (2, True)
    assert ringroad("strategy", "set", tmp_path / "none.yaml", "--why", "x").code == 2
    assert "nothing was in force before" in ringroad("strategy", "rollback").err


# Keys --------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(ringroad: Run, tmp_path: Path) -> None:
    assert ringroad("keys", "list").out == "no API key; ringroad keys create\n"
    told = ringroad("keys", "create", "--owner", "engine", "--scope", "score", "--scope", "events")
    presented = told.out.splitlines()[0]
    kid, secret = presented.split(".")
    listed = ringroad("keys", "list")
    assert kid in listed.out
    assert secret not in listed.out + ringroad("keys", "list", "--json").out
    with sqlite3.connect(tmp_path / "home/casebook.sqlite") as db:
        assert secret not in "".join(db.iterdump())
    db.close()
    made = json.loads(ringroad("keys", "create", "--owner", "engine", "--scope", "metrics", "--json").out)
    assert made["key"].startswith(made["kid"] + ".")
    assert ringroad("keys", "create", "--owner", "engine", "--scope", "score").code == 2
    assert "is revoked" in ringroad("keys", "revoke", presented).out, "a whole key pasted names itself"
    assert [each["lives"] for each in json.loads(ringroad("keys", "list", "--all", "--json").out)] == [False, True]
    assert secret not in ringroad("keys", "revoke", presented).err
    assert ringroad("keys", "revoke", "rr0").code == 6


@pytest.mark.parametrize("options", [("--scope", "all"), ("--scope", "score", "--days", "0"),
                                     ("--scope", "score", "--per-second", "0")])  # fmt: skip
def test_keys_that_are_refused(ringroad: Run, options: tuple[str, ...]) -> None:
    assert ringroad("keys", "create", "--owner", "engine", *options).code == 2
    assert json.loads(ringroad("keys", "list", "--all", "--json").out) == []
