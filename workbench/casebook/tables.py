"""The tables as they are now. How an older casebook gets there stands in `migrations/versions`.

Numbers of rows are given by hand under the writers' lock: the same on every database, and
the same after a casebook was copied to another one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """An aware time in, UTC out, whatever the database makes of zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; add one, e.g. +08:00")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002
        return None if value is None else (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ring_runs = Table(
    "ring_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # grows with as_of
    Column("as_of", UtcTime, nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("overrides_as_of", UtcTime, nullable=False),
    Column("sequence", Integer, nullable=False),  # newest batch of the store
    Column("created_at", UtcTime, nullable=False),
    Column("rings", Integer, nullable=False),
    Column("applications", Integer, nullable=False),
    UniqueConstraint("as_of", "window_days"),
)

rings = Table(  # as of the newest run; as of an earlier one, see `lineages`
    "rings",
    metadata,
    Column("ring_id", String(16), primary_key=True),
    Column("born_at", UtcTime, nullable=False),
    Column("last_as_of", UtcTime, nullable=False),
    Column("status", String(8), nullable=False),  # alive, dead, merged
    Column("merged_into", String(16)),
    Column("parent", String(16)),
)

ring_states = Table(
    "ring_states",
    metadata,
    Column("run_id", Integer, ForeignKey("ring_runs.id"), primary_key=True),
    Column("ring_id", String(16), ForeignKey("rings.ring_id"), primary_key=True, index=True),
    Column("rank", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("size", Integer, nullable=False),
    Column("exposure", Float, nullable=False),
    Column("undisbursed", Float, nullable=False),
    Column("typology", String(8), nullable=False),
    Column("because", Text, nullable=False),
)

ring_members = Table(
    "ring_members",
    metadata,
    Column("ring_id", String(16), ForeignKey("rings.ring_id"), primary_key=True),
    Column("application_id", String(255), primary_key=True, index=True),
    Column("joined_run", Integer, ForeignKey("ring_runs.id"), primary_key=True),
    Column("joined_as_of", UtcTime, nullable=False),
    Column("left_run", Integer, ForeignKey("ring_runs.id")),
    Column("left_as_of", UtcTime),
)

ring_events = Table(
    "ring_events",
    metadata,
    Column("run_id", Integer, ForeignKey("ring_runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("ring_id", String(16), ForeignKey("rings.ring_id"), nullable=False, index=True),
    Column("as_of", UtcTime, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("application_ids", JSON, nullable=False),
    Column("other", String(16), index=True),  # the other ring
)

overrides = Table(
    "overrides",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("key", String(255), nullable=False, index=True),  # a token where the type's key is an identifier
    Column("infrastructure", Boolean, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String(255)),
    Column("ended_because", Text),
)

labels = Table(  # append-only, by triggers: a correction is a new row that supersedes an older one
    "labels",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("application_id", String(255), nullable=False, index=True),
    Column("label", String(32), nullable=False),
    Column("typology", String(8), nullable=False),  # "" where nobody says
    Column("evidence_level", String(2), nullable=False),  # E1, E2, E3 or ""
    Column("source", String(32), nullable=False),
    Column("maturity", String(16), nullable=False),  # provisional, final
    Column("author", String(255), nullable=False),
    Column("second_author", String(255), nullable=False),  # "" until a second person confirms
    Column("note", Text, nullable=False),
    Column("occurred_at", UtcTime, nullable=False),
    Column("known_at", UtcTime, nullable=False),  # when we could use it: when it was told
    Column("supersedes", Integer, ForeignKey("labels.id")),
    Column("request_key", String(64), nullable=False),  # sha256 of the Idempotency-Key
    Column("request_digest", String(64), nullable=False),
    UniqueConstraint("request_key"),
)

strategies = Table(  # append-only; a roll-back is a new row with an old content
    "strategies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("effective_from", UtcTime, nullable=False, index=True),
    Column("content", JSON, nullable=False),
    Column("author", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("copy_of", Integer, ForeignKey("strategies.id")),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("kid", String(16), primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("per_second", Float, nullable=False),
    Column("author", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("revoked_by", String(255)),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("url", String(2048), nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("salt", String(64), nullable=False),  # the secret is derived from it with the key file, and kept nowhere
    Column("salt_before", String(64)),  # of the secret before, which signs too for a while
    Column("author", String(255), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("rotated_at", UtcTime),
    Column("rotated_by", String(255)),
    Column("ended_at", UtcTime),
    Column("ended_by", String(255)),
)

webhook_told = Table(  # how far the casebook was read for events
    "webhook_told",
    metadata,
    Column("source", String(16), primary_key=True),  # runs, labels
    Column("number", Integer, nullable=False),  # the newest one read
    Column("recorded_at", UtcTime, nullable=False),  # a run that takes the place of itself has a later one
    Column("since", Integer, nullable=False),  # the first one read
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("about", String(255), nullable=False),
    Column("subject", String(255), nullable=False, index=True),  # a ring, an application, a model
    Column("content", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("kind", "about"),  # nothing is told twice
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("event_id", Integer, ForeignKey("webhook_events.id"), primary_key=True),
    Column("webhook_id", Integer, ForeignKey("webhooks.id"), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcTime, index=True),  # none once delivered or given up
    Column("leased_until", UtcTime),  # a process is sending it
    Column("delivered_at", UtcTime),
    Column("last_status", Integer),
    Column("last_trouble", String(255), nullable=False),
)
