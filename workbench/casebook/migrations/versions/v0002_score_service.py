"""What the score service needs: labels, strategies, API keys, webhooks."""

import sqlalchemy as sa
from alembic import op

from workbench.casebook.migrations.append_only import refuse_changes
from workbench.casebook.tables import UtcTime

revision = "0002"
down_revision = "0001"

APPEND_ONLY = ("labels", "strategies")


def upgrade() -> None:
    _labels()
    _strategies()
    _api_keys()
    _webhooks()
    for table in APPEND_ONLY:
        refuse_changes(table)


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("application_id", sa.String(255), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("typology", sa.String(8), nullable=False),
        sa.Column("evidence_level", sa.String(2), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("maturity", sa.String(16), nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("second_author", sa.String(255), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("occurred_at", UtcTime, nullable=False),
        sa.Column("known_at", UtcTime, nullable=False),
        sa.Column("supersedes", sa.Integer, sa.ForeignKey("labels.id", name="fk_labels_supersedes")),
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("request_key", name="uq_labels_request_key"),
    )
    op.create_index("ix_labels_application_id", "labels", ["application_id"])


def _strategies() -> None:
    op.create_table(
        "strategies",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("effective_from", UtcTime, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("copy_of", sa.Integer, sa.ForeignKey("strategies.id", name="fk_strategies_copy_of")),
        sa.PrimaryKeyConstraint("id", name="pk_strategies"),
    )
    op.create_index("ix_strategies_effective_from", "strategies", ["effective_from"])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("kid", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("per_second", sa.Float, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("revoked_at", UtcTime),
        sa.Column("revoked_by", sa.String(255)),
        sa.PrimaryKeyConstraint("kid", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_owner", "api_keys", ["owner"])


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("salt_before", sa.String(64)),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("rotated_at", UtcTime),
        sa.Column("rotated_by", sa.String(255)),
        sa.Column("ended_at", UtcTime),
        sa.Column("ended_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_told",
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("recorded_at", UtcTime, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_webhook_told"),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_events"),
        sa.UniqueConstraint("kind", "about", name="uq_webhook_events_kind"),
    )
    op.create_index("ix_webhook_events_subject", "webhook_events", ["subject"])
    event = sa.ForeignKey("webhook_events.id", name="fk_webhook_deliveries_event_id")
    hook = sa.ForeignKey("webhooks.id", name="fk_webhook_deliveries_webhook_id")
    op.create_table(
        "webhook_deliveries",
        sa.Column("event_id", sa.Integer, event, nullable=False),
        sa.Column("webhook_id", sa.Integer, hook, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", UtcTime),
        sa.Column("leased_until", UtcTime),
        sa.Column("delivered_at", UtcTime),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_trouble", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "webhook_id", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_next_at", "webhook_deliveries", ["next_at"])
