"""Events and regions as the columns of a night read them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gnn.book import ROLE, Book, Floats
from gnn.walk import HOME
from graph.records import Ints

MUNICIPALITIES = (11, 12, 31, 50)
"""Beijing, Tianjin, Shanghai, Chongqing: provinces that are one city."""


def known(book: Book, table: str, night: int, owner: str = "Application") -> pd.DataFrame | None:
    """The events of a table that were known, with the index of their node as `node`; None without any such table."""
    events: pa.Table | None = book.events.get(table)
    if events is None or not len(events):
        return None
    rows: pd.DataFrame = events.filter(pc.less_equal(events["known_at"], night)).to_pandas()
    rows["node"] = book.snapshot.nodes[owner].index_of(rows["owner"].to_numpy())
    there: pd.DataFrame = rows[rows["node"] >= 0]
    return there


def stated(rows: pd.DataFrame | None, *names: str) -> bool:
    """Whether there is a table, and the columns are in it."""
    return rows is not None and set(names) <= set(rows.columns)


def pairs_within(group: Ints, row: Ints, *, most: int) -> tuple[Ints, Ints]:
    """All ordered pairs of rows of one group; groups of more than `most` rows are nobody's own and give none."""
    each = pd.DataFrame({"group": group, "row": row}).drop_duplicates()
    each = each[each.groupby("group")["row"].transform("size") <= most]
    both = each.merge(each, on="group")
    both = both[both["row_x"] != both["row_y"]]
    return both["row_x"].to_numpy(np.int64), both["row_y"].to_numpy(np.int64)


def distinct_people(book: Book, row: Ints, other: Ints) -> Floats:
    """Per application how many other people stand beside it in these pairs."""
    apart = book.person[row] != book.person[other]
    each = pd.DataFrame({"row": row[apart], "person": book.person[other[apart]]}).drop_duplicates()
    return np.bincount(each["row"].to_numpy(np.int64), minlength=len(book)).astype(np.float64)


def related(book: Book, one: Ints, other: Ints, night: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Of one home, of one deal, or one's own number is the other's contact."""
    pairs, size = book.pairs, int(book.pairs.thing.max(initial=0)) + 1
    now = np.full(len(book), night)
    told = pairs.known_at <= night
    contacts = told & (pairs.role == ROLE["contact"])
    named = np.unique(pairs.application[contacts] * size + pairs.thing[contacts])
    number = book.latest("phone", at=now)
    offset = book.offsets["Phone"]
    tied = (number[other] >= 0) & np.isin(one * size + number[other] + offset, named)
    tied |= (number[one] >= 0) & np.isin(other * size + number[one] + offset, named)
    home, deal = book.latest("address", at=now), book.latest("deal", at=now)
    lived = pd.DataFrame({"home": home, "person": book.person}).drop_duplicates()
    people = np.bincount(lived["home"].to_numpy(np.int64) + 1, minlength=int(home.max(initial=-1)) + 2)
    tied |= (home[one] == home[other]) & (home[one] >= 0) & (people[home[one] + 1] <= HOME)
    return np.asarray(tied | ((deal[one] == deal[other]) & (deal[one] >= 0)))


def region_numbers(column: pa.ChunkedArray) -> Floats:
    """Six-digit codes; NaN where there is none. One more at the end, for an index of -1."""
    numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64)
    return np.append(np.where(numbers > 0, numbers, np.nan), np.nan)


def the_city(region: Floats) -> Floats:
    """The first four digits; of a municipality its province and two zeros."""
    province = np.floor(region / 10_000)
    return np.where(np.isin(province, MUNICIPALITIES), province * 100, np.floor(region / 100))
