"""What lies in the folder: whole, deterministic, two clocks in order, truth apart."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from graph.errors import RingroadError
from loaders.portfolio import PRESETS, OutputNotEmpty, generate
from loaders.portfolio.parameters import ParameterError
from loaders.tables import TABLES
from tests.portfolio.conftest import Made


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.*"))
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, tiny: Made) -> None:
    generate(tmp_path / "again", preset="tiny", seed=20261121)
    generate(tmp_path / "other", preset="tiny", seed=1)
    assert digests(tmp_path / "again") == digests(tiny.folder)
    assert digests(tmp_path / "other")["input/applications.csv"] != digests(tiny.folder)["input/applications.csv"]


def test_all_tables_are_there_with_columns_of_the_dictionary(tiny: Made) -> None:
    made = {file.stem for file in (tiny.folder / "input").iterdir()}
    assert made == {table.name for table in TABLES}
    for table in TABLES:
        known = {column.name for column in table.columns}
        assert set(tiny.table(table.name).columns) <= known, table.name
        missing = known - set(tiny.table(table.name).columns)
        assert not missing - {"std"}, table.name


def test_the_truth_lies_apart(tiny: Made) -> None:
    assert {file.stem for file in (tiny.folder / "truth").iterdir()} == {
        "truth_members",
        "truth_rings",
        "truth_entities",
        "would_have",
    }
    forbidden = {"ring_id", "is_fraud", "benign_kind", "role_in_ring", "would_default", "infra_class", "cluster"}
    for table in TABLES:
        assert not forbidden & set(tiny.table(table.name).columns), table.name
    rings = set(tiny.truth("truth_rings")["ring_id"])
    for file in (tiny.folder / "input").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not any(ring in text for ring in rings), file.name


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_nothing_is_known_before_it_happened_or_after_the_end(tiny: Made, table: str) -> None:
    rows = tiny.table(table)
    known = pd.to_datetime(rows["known_at"])
    assert known.notna().all()
    end = json.loads((tiny.folder / "portfolio.json").read_text(encoding="utf-8"))["as_of"]
    late = known > pd.Timestamp(end, tz="+08:00") + pd.Timedelta(days=8)  # the bureau answers within a week
    assert not late.any()
    for column in (
        "event_time",
        "submitted_at",
        "start_at",
        "occurred_at",
        "reported_at",
        "due_date",
        "day",
        "paid_at",
    ):
        if column in rows:
            happened = pd.to_datetime(rows[column], utc=True, format="ISO8601")
            if column in ("due_date", "day"):
                happened -= pd.Timedelta(hours=8)
            assert (happened.isna() | (happened <= known)).all(), column


def test_keys_refer_to_rows(tiny: Made) -> None:
    apps, people = tiny.table("applications"), tiny.table("applicants")
    assert apps["application_id"].is_unique
    assert set(apps["applicant_id"]) == set(people["applicant_id"])
    assert set(apps["dealer_id"]) <= set(tiny.table("dealers")["dealer_id"])
    staff = tiny.table("salespeople").set_index("salesperson_id")
    sold = apps.merge(staff, left_on="salesperson_id", right_index=True, suffixes=("", "_of"))
    assert (sold["dealer_id"] == sold["dealer_id_of"]).all()
    assert (sold["end_at"].isna() | (sold["end_at"] >= sold["submitted_at"])).all()
    assert set(people["address_id"]) == set(tiny.table("addresses")["address_id"])
    assert set(people["employer_id"].dropna()) <= set(tiny.table("employers")["employer_id"])
    accounts = set(tiny.table("bank_accounts")["account_token"])
    payers = tiny.table("payments").query("kind == 'down_payment'")["from_account_token"]
    assert set(payers) <= accounts


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(OutputNotEmpty, match="not empty"):
        generate(tmp_path, preset="tiny", seed=1)
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(step: str, _share: float) -> None:
        if step.startswith("writing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "out", preset="tiny", seed=1, progress=fail)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"preset": "huge"}, {"mode": "wild"}, {"format": "xml"}])
def test_unknown_words_are_refused_by_name(tmp_path: Path, wrong: dict[str, str]) -> None:
    asked = {"preset": "tiny", "mode": "default", "format": "csv", **wrong}
    with pytest.raises(RingroadError, match=next(iter(wrong.values()))):
        generate(tmp_path / "out", seed=1, **asked)  # type: ignore[arg-type]


def test_parameters_can_be_overridden_but_not_invented(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("modes: {default: 0.02}\nvoice: {coverage: 0}\n")
    summary = generate(tmp_path / "out", preset="tiny", seed=1, parameters=tmp_path / "p.yaml")
    assert summary.fraud == 60
    assert summary.rows["voice_matches"] == 0
    (tmp_path / "wrong.yaml").write_text("fraud: {ring_shares: 0.5}\n")
    with pytest.raises(ParameterError, match=r"fraud\.ring_shares"):
        generate(tmp_path / "out2", preset="tiny", seed=1, parameters=tmp_path / "wrong.yaml")


def test_parquet_holds_the_same_cells(tmp_path: Path, tiny: Made) -> None:
    generate(tmp_path / "out", preset="tiny", seed=20261121, format="parquet")
    columns = pd.read_parquet(tmp_path / "out/input/payments.parquet")
    text = tiny.table("payments")
    assert (columns["amount"].astype(str) == text["amount"]).all()
    assert (columns["event_time"] == text["event_time"]).all()


def test_presets_are_those_of_the_specification() -> None:
    assert PRESETS == ("tiny", "small", "medium", "load")
