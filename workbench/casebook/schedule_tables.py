"""What runs by the clock: jobs by slot, mails of reports, and alerts about loans that are paid out."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, String, Table

from workbench.casebook.tables import UtcTime, metadata

job_runs = Table(  # a job has one row for each slot: a day, a week, a month
    "job_runs",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("slot", String(16), primary_key=True),  # 2025-06-30, 2025-W26, 2025-06
    Column("due_at", UtcTime, nullable=False),
    Column("status", String(16), nullable=False, index=True),  # running, waiting (to try again), done, failed, missed
    Column("tries", Integer, nullable=False),
    Column("leased_until", UtcTime),  # a process is at it
    Column("next_at", UtcTime),  # of another try
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("seconds", Float),
    Column("told", JSON, nullable=False),  # what it did, in numbers
    Column("trouble", String(255), nullable=False),
)

report_mails = Table(  # a letter for each report, slot and recipient
    "report_mails",
    metadata,
    Column("report", String(32), primary_key=True),
    Column("slot", String(16), primary_key=True),
    Column("recipient", String(255), primary_key=True),
    Column("status", String(16), nullable=False, index=True),  # waiting, sending, sent, uncertain, given_up
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcTime),
    Column("leased_until", UtcTime),
    Column("queued_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("trouble", String(255), nullable=False),
)

loan_alerts = Table(  # a rule that holds of a loan since it was paid out; once for each loan and rule
    "loan_alerts",
    metadata,
    Column("application_id", String(255), primary_key=True),
    Column("rule", String(16), primary_key=True),
    Column("as_of", UtcTime, nullable=False),  # the first night it held
    Column("recorded_at", UtcTime, nullable=False, index=True),
    Column("strength", String(8), nullable=False),  # strong, review, weak
    Column("exposure", Float, nullable=False),
    Column("evidence", JSON, nullable=False),  # what the rule read, and node ids
    Column("last_as_of", UtcTime, nullable=False),  # the last night it held
    Column("ended_as_of", UtcTime),  # the first night it did not any more
    Column("case_id", Integer, ForeignKey("cases.id")),
)
