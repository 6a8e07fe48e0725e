"""What a table's columns mean beyond their names: which node a number stands for, what a screen may show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from graph.normalise import KINDS
from graph.records import Ints

LINKABLE_LEVELS = ("room", "building")
"""Addresses link people only when they name a room, or a building and unit (domain.md T14)."""

ADDRESS_PARTS = ("province", "city", "district", "street", "community", "building", "unit", "room")


def prepared(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Derived columns: masks instead of names and plates, a birth year instead of a birth date."""
    if table == "applicants":
        derived: dict[str, Any] = {}
        if "name" in rows:
            derived["name_masked"] = rows["name"].map(KINDS["name"].mask, na_action="ignore")
        if "birth_date" in rows:
            derived["birth_year"] = pd.to_numeric(rows["birth_date"].str.slice(0, 4))
        return rows.assign(**derived)
    if table == "vehicles" and "plate" in rows:
        return rows.assign(plate_masked=rows["plate"].map(KINDS["plate"].mask, na_action="ignore"))
    if table == "documents":
        return rows.assign(template=_template(rows))
    if table == "employers":
        names = rows.get("name_norm", rows.get("name_raw"))
        return rows.assign(name=names) if names is not None else rows
    return rows


def _template(rows: pd.DataFrame) -> pd.Series[Any]:
    """The vendor's template cluster, or else the perceptual hash; identity documents have no template."""
    nothing = pd.Series([None] * len(rows), dtype=object)
    template = rows.get("template_cluster", nothing)
    pages = rows.get("phash64", nothing)
    if "kind" in rows:
        pages = pages.mask(rows["kind"].isin(("id", "licence")))
    return template.fillna(pages.map(lambda page: f"page:{page}", na_action="ignore"))


def definitions(refer: str, rows: pd.DataFrame, codes: Ints, ids: Sequence[str]) -> dict[str, str]:
    """What each of the lender's numbers stands for according to these rows; the first row on a number counts."""
    meaning = {"applicant": _id_number, "employer": _credit_code, "address": _standard_address}[refer](rows)
    values = meaning.to_numpy(dtype=object)
    order = np.flatnonzero(pd.notna(values) & (codes >= 0))[::-1]
    return {ids[code]: values[at] for code, at in zip(codes[order].tolist(), order.tolist(), strict=True)}


def _id_number(rows: pd.DataFrame) -> pd.Series[Any]:
    return rows.get("id_number", pd.Series([None] * len(rows), dtype=object))


def _credit_code(rows: pd.DataFrame) -> pd.Series[Any]:
    codes = rows.get("uscc", pd.Series([None] * len(rows), dtype=object))
    return codes.map(lambda code: f"uscc:{code}", na_action="ignore")


def _standard_address(rows: pd.DataFrame) -> pd.Series[Any]:
    """The standard parts as one canonical text, where they reach down far enough to link people."""
    nothing = pd.Series([None] * len(rows), dtype=object)
    if "std" in rows and not set(ADDRESS_PARTS) & set(rows.columns):
        parts = rows["std"].str.replace("/", "", regex=False)
        deep = rows["level"].isin(LINKABLE_LEVELS) if "level" in rows else rows["std"].notna()
    else:
        columns = [rows.get(part, nothing) for part in ADDRESS_PARTS]
        filled = [column.notna() for column in columns]
        parts = pd.Series([""] * len(rows), dtype=object)
        for column in columns:
            parts = parts + column.fillna("").astype(object)
        deep = filled[7] | (filled[5] & filled[6])
        if "level" in rows:
            deep &= rows["level"].isin(LINKABLE_LEVELS) | rows["level"].isna()
    texts: pd.Series[Any] = parts.astype(object).mask(~deep)
    return texts.map(KINDS["address"].normalise, na_action="ignore")
