"""What runs by the clock: jobs by slot, mails of reports, alerts about loans that are paid out."""

import sqlalchemy as sa
from alembic import op

from workbench.casebook.tables import UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _job_runs()
    _report_mails()
    _loan_alerts()


def _job_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.Column("due_at", UtcTime, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", UtcTime, nullable=True),
        sa.Column("next_at", UtcTime, nullable=True),
        sa.Column("started_at", UtcTime, nullable=True),
        sa.Column("finished_at", UtcTime, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("trouble", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot", name="pk_job_runs"),
    )
    op.create_index("ix_job_runs_status", "job_runs", ["status"], unique=False)


def _report_mails() -> None:
    op.create_table(
        "report_mails",
        sa.Column("report", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcTime, nullable=True),
        sa.Column("leased_until", UtcTime, nullable=True),
        sa.Column("queued_at", UtcTime, nullable=False),
        sa.Column("sent_at", UtcTime, nullable=True),
        sa.Column("trouble", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("report", "slot", "recipient", name="pk_report_mails"),
    )
    op.create_index("ix_report_mails_status", "report_mails", ["status"], unique=False)


def _loan_alerts() -> None:
    op.create_table(
        "loan_alerts",
        sa.Column("application_id", sa.String(length=255), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("as_of", UtcTime, nullable=False),
        sa.Column("recorded_at", UtcTime, nullable=False),
        sa.Column("strength", sa.String(length=8), nullable=False),
        sa.Column("exposure", sa.Float(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("last_as_of", UtcTime, nullable=False),
        sa.Column("ended_as_of", UtcTime, nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_loan_alerts_case_id"),
        sa.PrimaryKeyConstraint("application_id", "rule", name="pk_loan_alerts"),
    )
    op.create_index("ix_loan_alerts_recorded_at", "loan_alerts", ["recorded_at"], unique=False)
