"""Cases and what investigators leave on them, on rings and on the graph."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from workbench.casebook.tables import UtcTime, metadata

cases = Table(  # one that is not closed for each ring or application
    "cases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),  # ring, application
    Column("subject", String(255), nullable=False, index=True),  # a ring's name, an application's number
    # What the queue orders by: as the last run, or what was decided since, says.
    Column("score", Float, nullable=False),
    Column("size", Integer, nullable=False),
    Column("exposure", Float, nullable=False),
    Column("savable", Float, nullable=False),  # not paid out yet
    Column("typology", String(8), nullable=False),
    Column("because", Text, nullable=False),
    Column("reasons", JSON, nullable=False),  # codes
    Column("dealer", String(64), nullable=False, index=True),  # the one with the most of its applications
    Column("region", String(16), nullable=False, index=True),  # of that dealer
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("pays_out_at", UtcTime),  # when the first of what is not paid out yet is expected to be
    Column("ended_at", UtcTime),  # no run finds the ring since
    Column("grown", Integer, nullable=False),  # applications that joined since somebody last worked on it
    # How the work stands.
    Column("status", String(16), nullable=False),  # open, working, waiting, closed
    Column("outcome", String(24), nullable=False),  # "" until it is closed
    Column("assignee", String(64), nullable=False),  # "" for nobody
    Column("locked_by", String(64), nullable=False),
    Column("locked_until", UtcTime),
    Column("snoozed_until", UtcTime),
    Column("deadline", UtcTime),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_because", String(32), nullable=False),  # found, grew, scored, by_hand
    Column("changed_at", UtcTime, nullable=False),  # last time that money or risk moved, or somebody worked on it
    Column("closed_at", UtcTime),
    Column("closed_by", String(64)),
    Column("closing_reason", Text),
    Index("ix_cases_assignee", "assignee"),
    Index(  # all that the queue filters and orders by: it need not read the texts of ten thousand rows
        "ix_cases_queue",
        "status",
        "snoozed_until",
        "kind",
        "assignee",
        "savable",
        "score",
        "exposure",
        "grown",
        "opened_at",
        "deadline",
        "pays_out_at",
        "typology",
        "region",
        "dealer",
        "subject",
        "locked_by",
        "locked_until",
        "ended_at",
    ),
)

case_entries = Table(  # append-only, by triggers: what happened on a case, in order
    "case_entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("case_id", Integer, ForeignKey("cases.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("author", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # note, status, assigned, snoozed, label, tick, attached, …
    Column("text", Text, nullable=False),
    Column("content", JSON, nullable=False),
)

case_mentions = Table(
    "case_mentions",
    metadata,
    Column("entry_id", Integer, ForeignKey("case_entries.id"), primary_key=True),
    Column("user", String(64), primary_key=True, index=True),
    Column("read_at", UtcTime),
)

case_ticks = Table(  # the checklist: what was done of it
    "case_ticks",
    metadata,
    Column("case_id", Integer, ForeignKey("cases.id"), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("done", Boolean, nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("case_id", Integer, ForeignKey("cases.id"), nullable=False, index=True),
    Column("name", String(128), nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),
    Column("removed_by", String(64)),
    Column("content", LargeBinary, nullable=False),
)

saved = Table(  # views of a canvas and filters of the queue, by name
    "saved",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # view, filter
    Column("subject", String(255), nullable=False, index=True),  # a ring or an application; "" for a filter
    Column("name", String(64), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("content", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("owner", "kind", "subject", "name"),
)

visits = Table(  # when somebody last looked: what came since gets a halo
    "visits",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("at", UtcTime, nullable=False),  # of this visit
    Column("before", UtcTime),  # of the one before
)

innocent_links = Table(  # an edge that people found harmless; things are overridden (`overrides`)
    "innocent_links",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("relation", String(32), nullable=False),
    Column("source_type", String(32), nullable=False),
    Column("source_key", String(255), nullable=False, index=True),
    Column("target_type", String(32), nullable=False),
    Column("target_key", String(255), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("ended_by", String(64)),
    Column("ended_because", Text),
)

ring_roles = Table(  # append-only: who plays which role, as people see it; the newest row of a thing counts
    "ring_roles",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("ring_id", String(16), nullable=False, index=True),
    Column("type", String(32), nullable=False),
    Column("key", String(255), nullable=False),
    Column("role", String(24), nullable=False),  # "" takes it away
    Column("reason", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
)

ring_updates = Table(  # append-only: a ring found again because somebody decided something, until the next run
    "ring_updates",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("ring_id", String(16), nullable=False, index=True),
    Column("run_id", Integer, nullable=False),  # the run it corrects
    Column("at", UtcTime, nullable=False),
    Column("cause", String(64), nullable=False),  # label 12, override 3, innocent link 4
    Column("author", String(64), nullable=False),
    Column("content", JSON, nullable=False),  # as in rings.json; without members it is gone
)

application_scores = Table(  # the newest score of each application
    "application_scores",
    metadata,
    Column("application_id", String(255), primary_key=True),
    Column("as_of", UtcTime, nullable=False),
    Column("score", Float),  # none where strong rules decided alone, or nothing could score it
    Column("decision", String(16), nullable=False, index=True),
    Column("reasons", JSON, nullable=False),
    Column("ring_id", String(16), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("source", String(16), nullable=False),  # batch, service
)
