"""Who may use the workbench, who is signed in, and what everybody did."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from workbench.casebook.tables import UtcTime, metadata

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),  # as typed at the door, lower case
    Column("display_name", String(64), nullable=False),
    Column("role", String(16), nullable=False),  # investigator, senior, manager, auditor
    Column("language", String(2), nullable=False),  # en, zh
    Column("password_hash", String(255), nullable=False),  # argon2id
    Column("must_change", Integer, nullable=False),  # 1: the password was given by somebody else
    Column("totp_sealed", LargeBinary),  # sealed by the key file; none without a second factor
    Column("totp_counter", Integer),  # the last one taken: a code counts once
    Column("failures", Integer, nullable=False),  # since the last success
    Column("waits_until", UtcTime),  # no try counts before
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("disabled_at", UtcTime),
    Column("disabled_by", String(64)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie
    Column("user", String(64), ForeignKey("users.name"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
)

audit = Table(  # append-only, by triggers; each row's hash covers the one before
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("action", String(32), nullable=False, index=True),
    Column("subject", String(255), nullable=False, index=True),
    Column("detail", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
