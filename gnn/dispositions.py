"""What an outcome can say of an application, and what each word is worth (domain.md §2.6). Nothing slow is imported."""

from __future__ import annotations

POSITIVE, SUSPECTED, BENIGN, DATA_ERROR = "CONFIRMED_FRAUD", "SUSPECTED", "CLEARED_BENIGN", "DATA_ERROR"
CLEARED = (BENIGN, "OUT_OF_SCOPE_CREDIT", DATA_ERROR)
DISPOSITIONS = (POSITIVE, SUSPECTED, *CLEARED, "INSUFFICIENT")

WITHDRAWN = "WITHDRAWN"
"""What was said before no longer holds, and nothing takes its place: neither fraud nor cleared from then on. Nobody
says it; it follows from a label that supersedes another."""

EVIDENCE = {"E1": 1.0, "E2": 1.0, "E3": 0.5}
