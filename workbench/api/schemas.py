"""What the service answers, as models: they make the OpenAPI file, and the typed client reads with them.

Answers are built as plain dictionaries and not validated on the way out; the tests hold them to these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Said(Model):
    """One sentence in two languages."""

    en: str
    zh: str


class Evidence(Model):
    """The application → a thing that it holds → earlier applications that held it."""

    relation: str = Field(description="Relation of the graph's ontology, e.g. USED_DEVICE.")
    type: str = Field(description="Type of the shared thing, e.g. Device.")
    id: str = Field(description="The thing's node, as the graph and the workbench know it.")
    masked: str = Field(description="What may be shown of it.")
    applications: list[str] = Field(description="Earlier applications that held it, newest first.")


class Reason(Model):
    code: str = Field(pattern="^RC[0-9]{2}$")
    share: float = Field(ge=0, le=1, description="Of all that speaks against the application.")
    investigator: Said = Field(description="With numbers and masked things; for staff only.")
    applicant: Said = Field(description="The fixed sentence for the customer; says nothing of others.")
    evidence: list[Evidence] = []


class Rule(Model):
    code: str
    strength: Literal["strong", "review", "weak"]
    points: float
    en: str
    zh: str


class Ring(Model):
    """Where the application joins: the ring of the last ring run with which it shares most."""

    ring_id: str
    through: list[str] = Field(description="Applications of the ring that it is linked with, the closest first.")
    score: float
    rank: int
    size: int
    typology: str
    exposure: float = Field(description="RMB: not declined, not cancelled.")
    undisbursed: float = Field(description="RMB of it that can still be saved.")
    first_seen: str
    last_seen: str
    as_of: datetime = Field(description="Of the ring run.")
    because: str


class Linked(Model):
    """An earlier application of somebody else that shares something which is not common."""

    application_id: str
    by: list[str] = Field(description="Kinds of links, e.g. device, phone, payer.")
    weight: float


class Check(Model):
    code: str
    en: str
    zh: str


class Coverage(Model):
    missing: list[str]
    of: int
    en: str
    zh: str


class Warned(Model):
    """A value that was left out, or noted; never the value itself."""

    field: str
    reason: str
    action: Literal["dropped", "row_dropped", "kept"]


Decision = Literal["pass", "review", "decline"]


class ScoreAnswer(Model):
    application_id: str
    sequence: int | None = Field(description="Its place in the order of arrival; null where it could not be recorded.")
    score: float | None = Field(
        ge=0, le=1, description="Calibrated probability of fraud; null where layer 1 decided, or nothing could score."
    )
    decision: Decision
    decided_by: str = Field(description="Codes of the strong rules, `rules`, `model`, `degraded`, or empty for a pass.")
    layer: Literal[1, 2] = Field(description="1: strong rules decided, no model was asked. 2: all models.")
    clusters: dict[str, float] = Field(description="Detector clusters (identity, document, ring …), each 0 to 1.")
    rules: list[Rule]
    reasons: list[Reason]
    linked: list[Linked] = Field(description="At most ten, the closest first.")
    ring: Ring | None
    checks: list[Check]
    coverage: Coverage
    warnings: list[Warned]
    as_of: datetime = Field(description="What was known by then was used, and nothing later.")
    graph_as_of: datetime = Field(description="When the graph's arrays were made; what arrived since is in them, too.")
    model_version: str
    strategy: int = Field(description="Version of the strategy; 0 is the one that ships.")
    override: str | None = Field(description="Of the strategy's overrides the one that held, by province or product.")
    arm: Literal["champion", "challenger"]
    degraded: list[str] = Field(description="What was not whole; with any of these there is never a pass.")
    trace_id: str
    server_ms: float
    replayed: bool = Field(description="True where this very request was answered before.")


class BatchItem(Model):
    application_id: str | None
    status: int
    answer: ScoreAnswer | None = None
    problem: Problem | None = None


class BatchAnswer(Model):
    results: list[BatchItem]
    trace_id: str


class Fault(Model):
    field: str
    problem: str
    remedy: str


class Problem(Model):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    trace_id: str
    errors: list[Fault] = []


class EventAnswer(Model):
    application_id: str
    sequence: int
    kind: str
    warnings: list[Warned]
    replayed: bool
    trace_id: str


class Told(Model):
    """One thing that became known of an application after it was scored."""

    sequence: int
    at: datetime
    kind: str


class Replay(Model):
    """The same application scored again, by the model of today, from what was known then."""

    score: float | None
    decision: Decision
    model_version: str
    reasons: list[str]
    same: bool = Field(description="Whether score and decision are what was answered.")


class ApplicationRecord(Model):
    application_id: str
    arrived_at: datetime
    answer: ScoreAnswer | None
    replay: Replay | None
    events: list[Told]
    trace_id: str


class RingList(Model):
    as_of: datetime
    total: int
    rings: list[dict[str, Any]]
    trace_id: str


class LabelAnswer(Model):
    id: int
    application_id: str
    known_at: datetime
    replayed: bool
    trace_id: str


class Health(Model):
    status: Literal["ok"]


class Readiness(Model):
    ready: bool
    checks: dict[str, str] = Field(description="Per part `ok`, or what is wrong and what to do.")
    graph_as_of: datetime | None
    model_version: str | None
