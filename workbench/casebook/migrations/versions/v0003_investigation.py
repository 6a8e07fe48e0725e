"""What investigators need: users, audit, cases and what is left on them, innocent links, scores."""

import sqlalchemy as sa
from alembic import op

from workbench.casebook.migrations.append_only import refuse_changes
from workbench.casebook.tables import UtcTime

revision = "0003"
down_revision = "0002"

QUEUED_BY = [
    "status", "snoozed_until", "kind", "assignee", "savable", "score", "exposure", "grown", "opened_at", "deadline",
    "pays_out_at", "typology", "region", "dealer", "subject", "locked_by", "locked_until", "ended_at",
]  # fmt: skip
APPEND_ONLY = ("audit", "case_entries", "ring_roles", "ring_updates")


def upgrade() -> None:
    _application_scores()
    _audit()
    _cases()
    _innocent_links()
    _saved()
    _users()
    _visits()
    _attachments()
    _case_entries()
    _case_ticks()
    _ring_roles()
    _ring_updates()
    _sessions()
    _case_mentions()
    for table in APPEND_ONLY:
        refuse_changes(table)


def _application_scores() -> None:
    op.create_table(
        "application_scores",
        sa.Column("application_id", sa.String(length=255), nullable=False),
        sa.Column("as_of", UtcTime, nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("ring_id", sa.String(length=16), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", UtcTime, nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_application_scores"),
    )
    op.create_index("ix_application_scores_decision", "application_scores", ["decision"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_action", "audit", ["action"], unique=False)
    op.create_index("ix_audit_actor", "audit", ["actor"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("exposure", sa.Float(), nullable=False),
        sa.Column("savable", sa.Float(), nullable=False),
        sa.Column("typology", sa.String(length=8), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("dealer", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=16), nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column("pays_out_at", UtcTime, nullable=True),
        sa.Column("ended_at", UtcTime, nullable=True),
        sa.Column("grown", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("assignee", sa.String(length=64), nullable=False),
        sa.Column("locked_by", sa.String(length=64), nullable=False),
        sa.Column("locked_until", UtcTime, nullable=True),
        sa.Column("snoozed_until", UtcTime, nullable=True),
        sa.Column("deadline", UtcTime, nullable=True),
        sa.Column("opened_at", UtcTime, nullable=False),
        sa.Column("opened_because", sa.String(length=32), nullable=False),
        sa.Column("changed_at", UtcTime, nullable=False),
        sa.Column("closed_at", UtcTime, nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("closing_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
    )
    op.create_index("ix_cases_assignee", "cases", ["assignee"], unique=False)
    op.create_index("ix_cases_dealer", "cases", ["dealer"], unique=False)
    op.create_index("ix_cases_queue", "cases", QUEUED_BY, unique=False)
    op.create_index("ix_cases_region", "cases", ["region"], unique=False)
    op.create_index("ix_cases_subject", "cases", ["subject"], unique=False)


def _innocent_links() -> None:
    op.create_table(
        "innocent_links",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("source_type", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=255), nullable=False),
        sa.Column("target_type", sa.String(length=32), nullable=False),
        sa.Column("target_key", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime, nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_innocent_links"),
    )
    op.create_index("ix_innocent_links_source_key", "innocent_links", ["source_key"], unique=False)
    op.create_index("ix_innocent_links_target_key", "innocent_links", ["target_key"], unique=False)


def _saved() -> None:
    op.create_table(
        "saved",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved"),
        sa.UniqueConstraint("owner", "kind", "subject", "name", name="uq_saved_owner"),
    )
    op.create_index("ix_saved_owner", "saved", ["owner"], unique=False)
    op.create_index("ix_saved_subject", "saved", ["subject"], unique=False)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("must_change", sa.Integer(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_counter", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("waits_until", UtcTime, nullable=True),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("disabled_at", UtcTime, nullable=True),
        sa.Column("disabled_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_users"),
    )


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("before", UtcTime, nullable=True),
        sa.PrimaryKeyConstraint("user", "subject", name="pk_visits"),
    )


def _attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("removed_at", UtcTime, nullable=True),
        sa.Column("removed_by", sa.String(length=64), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_attachments_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_case_id", "attachments", ["case_id"], unique=False)


def _case_entries() -> None:
    op.create_table(
        "case_entries",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_entries_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_entries"),
    )
    op.create_index("ix_case_entries_case_id", "case_entries", ["case_id"], unique=False)


def _case_ticks() -> None:
    op.create_table(
        "case_ticks",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_ticks_case_id"),
        sa.PrimaryKeyConstraint("case_id", "item", name="pk_case_ticks"),
    )


def _ring_roles() -> None:
    op.create_table(
        "ring_roles",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ring_id", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ring_roles"),
    )
    op.create_index("ix_ring_roles_ring_id", "ring_roles", ["ring_id"], unique=False)


def _ring_updates() -> None:
    op.create_table(
        "ring_updates",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ring_id", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ring_updates"),
    )
    op.create_index("ix_ring_updates_ring_id", "ring_updates", ["ring_id"], unique=False)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name="fk_sessions_user"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user", "sessions", ["user"], unique=False)


def _case_mentions() -> None:
    op.create_table(
        "case_mentions",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("read_at", UtcTime, nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["case_entries.id"], name="fk_case_mentions_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", "user", name="pk_case_mentions"),
    )
    op.create_index("ix_case_mentions_user", "case_mentions", ["user"], unique=False)
