"""Ring runs, rings, their states, members and events; overrides."""

import sqlalchemy as sa
from alembic import op

from workbench.casebook.tables import UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    _runs()
    _rings()
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("infrastructure", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime),
        sa.Column("ended_by", sa.String(255)),
        sa.Column("ended_because", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_key", "overrides", ["key"])


def _runs() -> None:
    op.create_table(
        "ring_runs",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("as_of", UtcTime, nullable=False),
        sa.Column("window_days", sa.Integer, nullable=False),
        sa.Column("overrides_as_of", UtcTime, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("rings", sa.Integer, nullable=False),
        sa.Column("applications", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ring_runs"),
        sa.UniqueConstraint("as_of", "window_days", name="uq_ring_runs_as_of"),
    )


def _rings() -> None:
    run = sa.ForeignKey("ring_runs.id", name="fk_ring_states_run_id")
    op.create_table(
        "rings",
        sa.Column("ring_id", sa.String(16), nullable=False),
        sa.Column("born_at", UtcTime, nullable=False),
        sa.Column("last_as_of", UtcTime, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("merged_into", sa.String(16)),
        sa.Column("parent", sa.String(16)),
        sa.PrimaryKeyConstraint("ring_id", name="pk_rings"),
    )
    op.create_table(
        "ring_states",
        sa.Column("run_id", sa.Integer, run, nullable=False),
        _ring("ring_states"),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("exposure", sa.Float, nullable=False),
        sa.Column("undisbursed", sa.Float, nullable=False),
        sa.Column("typology", sa.String(8), nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "ring_id", name="pk_ring_states"),
    )
    op.create_index("ix_ring_states_ring_id", "ring_states", ["ring_id"])
    op.create_table(
        "ring_members",
        _ring("ring_members"),
        sa.Column("application_id", sa.String(255), nullable=False),
        sa.Column(
            "joined_run", sa.Integer, sa.ForeignKey("ring_runs.id", name="fk_ring_members_joined_run"), nullable=False
        ),
        sa.Column("joined_as_of", UtcTime, nullable=False),
        sa.Column("left_run", sa.Integer, sa.ForeignKey("ring_runs.id", name="fk_ring_members_left_run")),
        sa.Column("left_as_of", UtcTime),
        sa.PrimaryKeyConstraint("ring_id", "application_id", "joined_run", name="pk_ring_members"),
    )
    op.create_index("ix_ring_members_application_id", "ring_members", ["application_id"])
    _events()


def _events() -> None:
    run = sa.ForeignKey("ring_runs.id", name="fk_ring_events_run_id")
    op.create_table(
        "ring_events",
        sa.Column("run_id", sa.Integer, run, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        _ring("ring_events"),
        sa.Column("as_of", UtcTime, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("application_ids", sa.JSON, nullable=False),
        sa.Column("other", sa.String(16)),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_ring_events"),
    )
    op.create_index("ix_ring_events_ring_id", "ring_events", ["ring_id"])
    op.create_index("ix_ring_events_other", "ring_events", ["other"])


def _ring(table: str) -> sa.Column[str]:
    ring = sa.ForeignKey("rings.ring_id", name=f"fk_{table}_ring_id")
    return sa.Column("ring_id", sa.String(16), ring, nullable=False)
