"""All labels as one table, for whoever wants to look at them elsewhere or to teach a model of his own.

Columns are stable: what is added comes at the end. Nothing is left out, so that the table shows who said what when and
who corrected whom; `state` says what holds.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.cells import as_csv

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.casebook.labels import Said

CSV, PARQUET = "csv", "parquet"
FORMATS = (CSV, PARQUET)

IN_FORCE, WAITING, PROVISIONAL, SUPERSEDED = "in_force", "waiting", "provisional", "superseded"
STATES = (IN_FORCE, WAITING, PROVISIONAL, SUPERSEDED)

COLUMNS = (
    "id", "application_id", "label", "typology", "evidence_level", "source", "maturity", "author", "second_author",
    "occurred_at", "known_at", "supersedes", "counts_as", "note", "superseded_by", "state",
)  # fmt: skip
TIMES, NUMBERS = ("occurred_at", "known_at"), ("id", "supersedes", "superseded_by")


def rows(said: Sequence[Said]) -> list[dict[str, Any]]:
    """Of labels in order; what superseded one is looked for among them."""
    newer = {each.label.supersedes: each.id for each in said if each.label.supersedes is not None}
    return [_row(each, newer.get(each.id)) for each in said]


def _row(said: Said, superseded_by: int | None) -> dict[str, Any]:
    told = vars(said.label) | {"id": said.id, "known_at": said.known_at, "counts_as": said.counts_as}
    told |= {"superseded_by": superseded_by, "state": state(said, superseded=superseded_by is not None)}
    return {name: told[name] for name in COLUMNS}


def state(said: Said, *, superseded: bool) -> str:
    """`WAITING` counts as suspected until a second person confirms; `PROVISIONAL` is for people only."""
    from gnn.dispositions import POSITIVE  # noqa: PLC0415 - `ringroad --help` needs none of it
    from workbench.casebook.labels import FINAL, ON_PAPERS  # noqa: PLC0415

    label = said.label
    if superseded:
        return SUPERSEDED
    if label.maturity != FINAL:
        return PROVISIONAL
    alone = label.label == POSITIVE and label.evidence_level in ON_PAPERS and not label.second_author
    return WAITING if alone else IN_FORCE


def written(said: Sequence[Said], form: str) -> bytes:
    """A CSV that a spreadsheet may open, or a Parquet file."""
    told = rows(said)
    if form == PARQUET:
        return _parquet(told)
    return as_csv(COLUMNS, ([_text(each[name]) for name in COLUMNS] for each in told)).encode()


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _parquet(told: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(told), schema=_schema()), file)
    return file.getvalue()


def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415

    kinds = dict.fromkeys(COLUMNS, pa.string()) | dict.fromkeys(TIMES, pa.timestamp("us", tz="UTC"))
    kinds |= dict.fromkeys(NUMBERS, pa.int64())
    return pa.schema(list(kinds.items()))
