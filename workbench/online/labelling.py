"""What a label looks like when it is sent; what it may say is judged behind it (`casebook/labels.py`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workbench.render import CHINA

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def _moment(at: datetime | None) -> datetime | None:
    """Of this world. What lies ahead is judged with the rest."""
    if at is None:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=CHINA)
    if not at >= EARLIEST or at.year > 2200:
        raise ValueError("not a time of a loan")
    return at


class LabelForm(BaseModel):
    """What somebody found out of an application (domain: disposition codes)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    application_id: Annotated[str, Field(min_length=1, max_length=64, examples=["APP20261123001"])]
    label: Literal[
        "CONFIRMED_FRAUD", "SUSPECTED", "CLEARED_BENIGN", "DATA_ERROR", "INSUFFICIENT", "OUT_OF_SCOPE_CREDIT"
    ]
    source: Literal["review", "fpd", "collection", "police", "court", "partner", "customer_complaint"]
    author: Annotated[str, Field(min_length=1, max_length=64, description="Who says so, in the lender's own naming.")]
    typology: Annotated[
        str, Field(pattern="^([TB][0-9]{2})?$", description="T01 to T26, needed with CONFIRMED_FRAUD; or B01 to B16.")
    ] = ""
    evidence_level: Annotated[
        Literal["", "E1", "E2", "E3"],
        Field(description="E1 police or court, E2 admission or papers, E3 strong circumstances; with CONFIRMED_FRAUD."),
    ] = ""
    maturity: Annotated[Literal["provisional", "final"], Field(description="Only final labels teach.")] = "final"
    second_author: Annotated[
        str, Field(max_length=64, description="Another person; without one, E1 and E2 count as suspected.")
    ] = ""
    note: Annotated[str, Field(max_length=2000, description="Kept, never shown to the applicant or sent on.")] = ""
    occurred_at: Annotated[
        datetime | None,
        Field(strict=False, description="When it happened; without a zone it is China time. Default: now."),
        AfterValidator(_moment),
    ] = None
    supersedes: Annotated[
        int | None, Field(ge=1, le=2**53, description="Number of the label that this one corrects.")
    ] = None
