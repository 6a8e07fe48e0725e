"""What else there is to say of a ring, line by line: signs of its members, how fast they came, who sold and decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.lookalikes import LOOK_ALIKES
from graph.records import DAY
from graph.signs import SIGNS
from workbench.services.reasons.ring_lines import DEALER, PACE, SIGN, STAFF, Line, Ringed

MOST_STAFF = 0.6
"""A salesperson behind so much of a ring is worth a line."""

WEEK = 7 * DAY


def sign_lines(ring: Mapping[str, Any], ringed: Ringed, shown: npt.NDArray[np.bool_] | None) -> Iterator[Line]:
    """`shown[row, sign]` as `graph/signs.py` has it for the whole window; None: nobody can be pointed at."""
    names = {each.words: number for number, each in enumerate(SIGNS)}
    rows = ringed.near["Application"]
    for told in ring.get("signs", ()):
        count, of_all, words, rule = _sign(told)
        number = names.get(words)
        if number is None:
            continue
        mine = rows[shown[rows, number]] if shown is not None else rows[:0]
        yield Line(
            SIGN, SIGNS[number].name, {"count": count, "all": of_all, "rule": rule, "points": SIGNS[number].points},
            None, tuple(ringed.ids("Application", mine.tolist())),
        )  # fmt: skip


def _sign(told: str) -> tuple[int, int, str, str]:
    """As `graph.sentences.odd` writes it: "n of m words (rule)"."""
    head, _, rule = told.rpartition(" (")
    count, _, rest = head.partition(" of ")
    of_all, _, words = rest.partition(" ")
    return int(count), int(of_all), words, rule.removesuffix(")")


def doubts(ring: Mapping[str, Any]) -> list[str]:
    """Names of the look-alikes that were recognised."""
    names = {each.words: each.name for each in LOOK_ALIKES}
    return [names[told] for told in ring.get("doubts", ()) if told in names]


def pace_line(ring: Mapping[str, Any], ringed: Ringed) -> Line:
    """How fast they came, and how many within the busiest week."""
    times = np.sort(ringed.submitted)
    days = int((times[-1] - times[0]) // DAY) + 1 if len(times) else 0
    week = [int(np.searchsorted(times, each + WEEK) - at) for at, each in enumerate(times.tolist())]
    begin = int(np.argmax(week)) if week else 0
    busiest = times[begin : begin + (week[begin] if week else 0)]
    rows = ringed.near["Application"][np.isin(ringed.submitted, busiest)]
    return Line(
        PACE,
        "pace",
        {"count": len(ring["application_ids"]), "days": days, "first": ring["first_seen"], "last": ring["last_seen"],
         "busiest": len(busiest)},
        None,
        tuple(ringed.ids("Application", rows.tolist())),
    )  # fmt: skip


def channel_lines(ringed: Ringed) -> Iterator[Line]:
    """Where they were sold, and by whom, where one stands behind most of them."""
    size = len(ringed.near["Application"])
    for kind, relation, type_ in ((DEALER, "SOLD_BY", "Dealer"), (STAFF, "HANDLED_BY", "Salesperson")):
        source, target = ringed.edges(relation)
        if not len(target):
            continue
        count = Counter(target.tolist())
        top, number = max(count.items(), key=lambda each: (each[1], -each[0]))
        if kind == STAFF and (number < 2 or number < MOST_STAFF * size):
            continue
        table = ringed.snapshot.nodes[type_].table
        name = table["name"][top].as_py() if "name" in table.column_names else None
        yield Line(
            kind,
            relation,
            {"number": len(count), "most": number, "all": size, "key": table["key"][top].as_py(), "name": name or ""},
            None,
            (*ringed.ids(type_, sorted(count)), *ringed.ids("Application", sorted(set(source.tolist())))),
            ringed.lit(relation, source, target),
        )
