"""No single column of what is known when an application arrives tells fraud from honest (domain.md §4.5).

Left out are the effects of the decision and of the loan: repayments, outcomes, car events,
GPS, staff actions. They are post-loan evidence and are gated by `known_at`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from tests.portfolio.conftest import Made

KEYS = {
    "applications": "application_id", "applicants": "applicant_id", "contacts": "application_id",
    "device_events": "application_id", "documents": "application_id", "call_events": "application_id",
    "dealers": "dealer_id", "salespeople": "salesperson_id", "vehicles": "vin",
    "bureau_inquiries": "applicant_id", "employers": "employer_id", "addresses": "address_id",
    "phones": "phone",
}  # fmt: skip
DECIDED = {"decision", "decline_reason", "decided_at", "funded_at", "reviewer_id", "override_flag"}
NUMBER = r"-?[0-9]{1,15}(\.[0-9]+)?"


def labelled(portfolio: Made) -> pd.DataFrame:
    """Applications with every key another table can be joined on."""
    members = portfolio.truth("truth_members").query("is_fraud == '1'")["application_id"]
    apps, people = portfolio.table("applications"), portfolio.table("applicants")
    keys = people[["applicant_id", "employer_id", "address_id", "phone"]]
    return apps.assign(fraud=apps["application_id"].isin(members).astype(int)).merge(keys, on="applicant_id")


def joined(portfolio: Made, table: str, apps: pd.DataFrame) -> pd.DataFrame:
    """One row per application: the first of the table."""
    key = KEYS[table]
    if table == "applications":
        return apps
    rows = portfolio.table(table).drop_duplicates(key).add_prefix("its_")
    return apps[[key, "fraud"]].merge(rows, left_on=key, right_on=f"its_{key}").drop(columns=[key])


def readings(cells: pd.Series) -> Iterator[NDArray[np.float64]]:
    """As a number or a moment if it is one, else as a code; and whether it is there."""
    text = cells.fillna("")
    yield (text == "").to_numpy(dtype=float)
    numeric = text.str.fullmatch(NUMBER)
    if numeric.sum() > 0.5 * (text != "").sum():
        yield pd.to_numeric(text.where(numeric, "-1")).to_numpy(dtype=float)
        return
    yield text.astype("category").cat.codes.to_numpy(dtype=float)  # ISO moments sort as text


def auc(column: NDArray[np.float64], fraud: NDArray[np.int64], split: int = 0) -> float:
    """Of a tree of depth 3, trained on one half and judged on the other."""
    train = np.random.default_rng(split).random(len(fraud)) < 0.5
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=50, random_state=0)
    matrix = column.reshape(len(fraud), -1)
    tree.fit(matrix[train], fraud[train])
    return float(roc_auc_score(fraud[~train], tree.predict_proba(matrix[~train])[:, 1]))


@pytest.fixture(scope="module")
def apps(small: Made) -> pd.DataFrame:
    return labelled(small)


@pytest.mark.parametrize("table", list(KEYS))
def test_no_column_alone_tells_fraud(small: Made, apps: pd.DataFrame, table: str) -> None:
    rows = joined(small, table, apps)
    fraud = rows["fraud"].to_numpy()
    columns = [column for column in rows.columns if column not in DECIDED | {"fraud"}]
    worst = {column: max(auc(reading, fraud) for reading in readings(rows[column])) for column in columns}
    assert max(worst.values()) < 0.70, max(worst.items(), key=lambda item: item[1])


def test_the_test_finds_a_planted_leak(apps: pd.DataFrame) -> None:
    noise = np.random.default_rng(1).random(len(apps)) < 0.3
    assert auc((apps["fraud"].to_numpy() | noise).astype(float), apps["fraud"].to_numpy()) > 0.70


def test_row_ids_say_nothing(apps: pd.DataFrame) -> None:
    ids = ["application_id", "applicant_id", "deal_id", "session_id", "address_id"]
    codes = [apps[name].str.extract(r"([0-9]+)$")[0].astype(float).to_numpy() for name in ids]
    matrix, fraud = np.stack(codes, axis=1), apps["fraud"].to_numpy()
    assert np.mean([auc(matrix, fraud, split) for split in range(10)]) < 0.53  # one split alone: +- 0.02
