"""Every identifier passes its validator except the planned errors (domain.md §3.4, §4.7)."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from graph.normalise.account import passes_luhn
from graph.normalise.company import uscc_check
from graph.normalise.identity import id_check
from graph.normalise.network import read_imei, read_ip
from graph.normalise.phone import read_phone
from graph.normalise.vehicle import vin_check
from loaders.portfolio import identifiers as make
from loaders.portfolio.parameters import Parameters
from tests.portfolio.conftest import Made

RNG = np.random.default_rng(3)
MANY = 500


def test_resident_numbers_carry_check_birth_and_gender() -> None:
    birth = np.datetime64("1990-03-07") + RNG.integers(0, 9000, MANY).astype("timedelta64[D]")
    male = RNG.random(MANY) < 0.5
    numbers = make.resident_ids(RNG, np.full(MANY, 310_101), birth, male).to_pylist()
    assert len(set(numbers)) == MANY
    for number, day, man in zip(numbers, birth.astype(object), male, strict=True):
        assert number[-1] == id_check(number[:17])
        assert date(int(number[6:10]), int(number[10:12]), int(number[12:14])) == day
        assert int(number[16]) % 2 == man


def test_vins_imeis_credit_codes_and_addresses_are_valid() -> None:
    for vin in make.vins(RNG, np.full(MANY, "LSV", dtype=object), np.full(MANY, 2025)).to_pylist():
        assert len(vin) == 17
        assert vin[8] == vin_check(vin)
    for code in make.credit_codes(RNG, np.full(MANY, 310_115)).to_pylist():
        assert code[-1] == uscc_check(code[:17])
    assert all(passes_luhn(imei) and read_imei(imei).value == imei for imei in make.imeis(RNG, MANY).to_pylist())
    assert all(read_ip(ip).value == ip for ip in make.public_ips(RNG, MANY).to_pylist())
    assert all(read_ip(ip).value for ip in make.public_ipv6(RNG, MANY).to_pylist())


def test_geohash_against_the_published_example() -> None:
    cells = make.geohash7(np.array([57.64911, 31.2304]), np.array([10.40744, 121.4737]))
    assert cells.to_pylist()[0] == "u4pruyd"
    assert cells.to_pylist()[1].startswith("wtw3s")


@pytest.mark.parametrize(("kind", "table", "column", "share"), [
    ("typo_id", "applicants", "id_number", "typo_id"), ("typo_vin", "applications", "vin", "typo_vin"),
    ("fullwidth_digits", "applicants", "phone", "fullwidth_digits"),
    ("placeholder_phone", "contacts", "phone", "placeholder_phone"),
])  # fmt: skip
def test_errors_come_in_the_planned_share(small: Made, kind: str, table: str, column: str, share: str) -> None:
    planned = Parameters.load()[f"data_quality.{share}"]
    cells = small.table(table)[column].dropna()
    wrong = {
        "typo_id": lambda: (
            ~cells[cells.str.fullmatch(r"\d{17}[\dX]")].map(lambda each: each[-1] == id_check(each[:17]))
        ),
        "typo_vin": lambda: ~cells.map(lambda each: each[8] == vin_check(each)),
        "fullwidth_digits": lambda: cells.str.contains("[０-９]"),
        "placeholder_phone": lambda: cells == "13800138000",
    }[kind]()
    assert abs(wrong.sum() / len(cells) / planned - 1) <= 0.2


def test_all_phones_of_the_register_are_phones(tiny: Made) -> None:
    assert all(read_phone(number).value for number in tiny.table("phones")["phone"])


def test_the_summary_counts_the_dirt(tiny: Made) -> None:
    summary = json.loads((tiny.folder / "portfolio.json").read_text(encoding="utf-8"))
    contacts = tiny.table("contacts")
    assert (contacts["phone"] == "13800138000").sum() in range(
        summary["dirt"]["placeholder_phone"], summary["dirt"]["placeholder_phone"] + 3
    )
    assert pd.Series(summary["rows"]).min() > 0
