"""What the bureau had reported of the applicant when the application was scored."""

from __future__ import annotations

import numba
import numpy as np

from gnn.book import Book, Floats
from graph.records import DAY, Ints

BUREAU = (
    "inquiries_7d", "inquiries_30d", "inquiries_90d", "institutions_7d", "institutions_30d", "institutions_90d",
    "inquired_amount_90d", "inquired_cars_30d", "inquired_cars_7d", "days_since_inquiry",
)  # fmt: skip
MOST_INQUIRIES = 256


def inquiries(book: Book, rows: Ints) -> Floats:
    """Inquiries at other institutions; NaN before the bureau had reported any inquiry of anybody."""
    out = np.full((len(rows), len(BUREAU)), np.nan)
    out[book.as_of[rows] >= book.loaded["bureau_inquiries"], :-1] = 0.0
    _inquiries(rows, book.as_of, book.person, book.inquiries, out)
    return out


@numba.njit(cache=True)
def _inquiries(rows, at, person, told, out):  # type: ignore[no-untyped-def]
    institutions, cars = np.zeros(MOST_INQUIRIES, np.int64), np.zeros(MOST_INQUIRIES, np.int64)
    for place in range(len(rows)):
        now, inquiry, count = at[rows[place]], told.last[person[rows[place]]], 0
        while inquiry >= 0 and count < MOST_INQUIRIES:
            one, inquiry = inquiry, told.previous[inquiry]
            age = (now - told.event_time[one]) / DAY
            if told.known_at[one] > now or age < 0.0:
                continue
            new_there, new_car = True, told.vehicle[one] >= 0
            for after in range(count):
                new_there &= institutions[after] != told.institution[one]
                new_car &= cars[after] != told.vehicle[one]
            institutions[count], cars[count] = told.institution[one], told.vehicle[one]
            count += 1
            if age > 90.0:
                continue
            out[place, 0] += age <= 7.0
            out[place, 1] += age <= 30.0
            out[place, 2] += 1
            out[place, 3] += new_there and age <= 7.0
            out[place, 4] += new_there and age <= 30.0
            out[place, 5] += new_there
            out[place, 6] += told.amount[one]
            out[place, 7] += new_car and age <= 30.0
            out[place, 8] += new_car and age <= 7.0
            if not out[place, 9] <= age:
                out[place, 9] = age
